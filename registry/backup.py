"""A copy of a registry's database, and the checkpoint by which an older copy is known once it is put back."""

from dataclasses import dataclass
from pathlib import Path

from plugin_spec.files import sync_folder, write_atomic
from registry import home
from registry.errors import RegistryStateError
from registry.registry import Registry

CHECKPOINT = "checkpoint.txt"


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written; the copy holds at least the entries that the checkpoint covers."""

    database: Path
    checkpoint: Path
    entries: int


def back_up(registry: Registry, folder: Path) -> Backup:
    """Copy the database while it is in use, with the description of its home and a checkpoint over it.

    Blobs are not copied: copy ``blobs/`` afterwards. Keys are not either: they are secrets.

    Parameters
    ----------
    registry : Registry
        Whose.
    folder : Path
        A new folder.

    Raises
    ------
    RegistryStateError
        The folder exists or cannot be written to.
    LogTruncatedError
        The log no longer continues its last checkpoint: a copy of it would be no backup.
    """
    note = registry.log.checkpoint()
    database = registry.log.database
    copy, checkpoint = folder / f"registry.{database.store.copy_suffix}", folder / CHECKPOINT
    try:
        folder.mkdir()
        database.copy_to(copy)
        write_atomic(folder / home.DESCRIPTION, (registry.home / home.DESCRIPTION).read_bytes())
        write_atomic(checkpoint, note.encode())
        sync_folder(folder.parent)
    except OSError as error:
        raise RegistryStateError(f"{folder}: {error.strerror}", subject=str(folder)) from error
    return Backup(copy, checkpoint, registry.log.open_own(note).size)
