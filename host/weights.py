"""The weights a container sees: digest-checked copies in its own run folder, read-only.

Weights are copied per run rather than mounted from the store, so that a run sees the bytes that were checked just
before it, whatever happens to the store meanwhile. Where the file system shares blocks between files (XFS, Btrfs) the
copy is a clone and costs neither time nor space. A hard link would be as cheap and is not used: it is the same file, so
what is written into the store's would be written into the run's.
"""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from host.errors import WeightsError
from host.releases import InstalledRelease
from host.staging import CHUNK_BYTES, RunFolder

# linux/fs.h: share the blocks of another file, which is written anew where either is changed.
_FICLONE: Final = 0x40049409


@contextmanager
def weights_folder(release: InstalledRelease, folder: RunFolder) -> Iterator[Path | None]:
    """Copy the release's weights beside the run's inputs; ``None`` when it has none.

    Raises
    ------
    WeightsError
        A file is missing or does not have the digest that the release names.
    """
    if not release.weight_refs:
        yield None
        return
    target = folder.path / "weights"
    target.mkdir(mode=0o755)
    target.chmod(0o755)
    for ref in release.weight_refs:
        _copy_checked(release.weights[ref.name], target / ref.name, expected=ref.digest)
    yield target


def _copy_checked(source: Path, target: Path, *, expected: str) -> None:
    hasher = hashlib.sha256()
    try:
        with source.open("rb") as reader, target.open("x+b") as writer:
            # Of a clone the copy itself is hashed, for it is what the container sees.
            cloned = _clone(reader, writer)
            read = writer if cloned else reader
            while chunk := read.read(CHUNK_BYTES):
                hasher.update(chunk)
                if not cloned:
                    writer.write(chunk)
    except OSError as error:
        raise WeightsError(f"weights {target.name}: {error.strerror}", subject=str(source)) from error
    if f"sha256:{hasher.hexdigest()}" != expected:
        raise WeightsError(
            f"weights {target.name}: the local file is not the one the release names", subject=expected
        )
    target.chmod(0o444)


def _clone(source: BinaryIO, target: BinaryIO) -> bool:
    """Let an empty file share another's blocks; False where the file system cannot."""
    try:
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False
    return True
