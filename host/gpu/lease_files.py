"""The files behind GPU leases: opened by whoever works on this machine, locked with flock, never trusted.

The kernel lets go of a lock when its last holder is gone, however it ended. What is written in a file is for people
and for the next holder; whether somebody holds it is known from the lock alone.
"""

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from pydantic import Field, ValidationError

from host.errors import GpuLeaseError
from plugin_spec.model import ModelT, StrictModel

# Emptied when the machine starts and open to every user; the folder is sticky, so nobody removes another's file.
DEFAULT_FOLDER: Final = Path("/run/lock/assay-gpu")
FOLDER_VARIABLE: Final = "ASSAY_GPU_LEASES"
_NOTE_BYTES: Final = 64 * 1024


class Holder(StrictModel):
    """Who holds a device, in the words that are left in its file."""

    pid: int = Field(gt=0)
    run: str = Field(max_length=100)
    engine: str = Field(max_length=100)

    def __str__(self) -> str:
        return f"process {self.pid} (run {self.run}, engine {self.engine})"


class Ticket(StrictModel):
    """What a process in the queue is waiting for."""

    keys: tuple[str, ...]
    parents: tuple[str, ...]

    def rivals(self, other: "Ticket") -> bool:
        """Whether both want the same device, or one of them a part of what the other wants."""
        mine, others = {*self.keys}, {*other.keys}
        return bool(mine & others or mine & {*other.parents} or {*self.parents} & others)


def lease_folder() -> Path:
    """The one folder for all users of this machine; ``ASSAY_GPU_LEASES`` names another."""
    return Path(os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER)


def prepare(folder: Path) -> None:
    """Make the folder, open to all users and sticky.

    Raises
    ------
    GpuLeaseError
        It cannot be made, or somebody else could remove locks in it: its owner always can, and anybody where it
        is open to all without being sticky.
    """
    try:
        folder.mkdir(parents=True)
        folder.chmod(0o1777)
    except FileExistsError:
        pass
    except OSError as fault:
        raise _unusable(folder, fault) from fault
    status = folder.stat()
    if not stat.S_ISDIR(status.st_mode) or (
        status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
    ):
        raise GpuLeaseError(
            f"{folder} is no sticky folder: others could remove the locks of GPUs",
            subject=str(folder),
            hint=f"chmod 1777 {folder}",
        )
    if status.st_uid not in {0, os.geteuid()}:
        raise GpuLeaseError(
            f"{folder} belongs to user {status.st_uid}, who could remove the locks of GPUs",
            subject=str(folder),
            hint=f"as root: chown root {folder}",
        )


def file_of(folder: Path, key: str, part: str) -> Path:
    """The lock file of a device, with nothing in its name that could lead elsewhere."""
    return folder / f"device-{quote(key, safe='')}.{part}"


def open_locked(path: Path, mode: int) -> int | None:
    """Open a file and lock it without waiting.

    Parameters
    ----------
    path : Path
        Created when it is not there.
    mode : int
        ``fcntl.LOCK_SH`` or ``fcntl.LOCK_EX``.

    Returns
    -------
    int or None
        The descriptor that holds the lock, ``None`` when somebody else does.
    """
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
            # A file that was removed meanwhile is locked for nobody: take the one that has its name now.
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        except OSError as fault:
            os.close(descriptor)
            raise _unusable(path, fault) from fault
        os.close(descriptor)


def _open(path: Path) -> int:
    """Open without creating first: the kernel may refuse to "create" a file of another user in a sticky folder."""
    try:
        with suppress(FileNotFoundError):
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
            os.fchmod(descriptor, 0o666)
            return descriptor
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError as fault:
        raise _unusable(path, fault) from fault


def write_note(descriptor: int, note: StrictModel | None) -> None:
    """Replace what a locked file says; ``None`` leaves it empty."""
    os.ftruncate(descriptor, 0)
    if note is not None:
        os.pwrite(descriptor, note.model_dump_json().encode(), 0)


def read_holder(path: Path) -> Holder | None:
    """Who a device's file says holds it; ``None`` when it says nothing that can be read."""
    return _read(path, Holder)


def read_ticket(path: Path) -> Ticket | None:
    """What a ticket says its owner waits for; ``None`` when it says nothing that can be read."""
    return _read(path, Ticket)


def _read(path: Path, model: type[ModelT]) -> ModelT | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return model.model_validate_json(os.pread(descriptor, _NOTE_BYTES, 0))
    except (OSError, ValidationError):
        return None
    finally:
        os.close(descriptor)


def _unusable(path: Path, fault: OSError) -> GpuLeaseError:
    return GpuLeaseError(
        f"{path}: {fault.strerror}: GPUs cannot be leased",
        subject=str(path),
        hint=f"have root make the folder (mkdir -m 1777 {DEFAULT_FOLDER}), or name one in {FOLDER_VARIABLE}",
    )
