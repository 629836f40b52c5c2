"""The folder a container wrote to, opened as if an enemy had filled it.

Invariants: every entry is looked at by lstat before it is opened, and opened relative to the descriptor of
its folder without following links, so nothing outside the folder is ever read; only regular files with one
link and no set-id bit are opened; every byte read is part of the digest. Call it once the container is gone.
"""

import hashlib
import os
import stat
from collections.abc import Collection, Generator, Iterator
from contextlib import closing, contextmanager
from io import RawIOBase
from pathlib import Path
from typing import Any

from host.errors import OutputMalformedError, OutputMissingError, OutputNotAFileError, OutputUndeclaredError

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a FIFO swapped in after the lstat must not hang the host.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}
_CHUNK_BYTES = 1024 * 1024


class HashedFile(RawIOBase):
    """An output file being read: forward only, at most ``size`` bytes, digest along the way."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._digest = hashlib.sha256()
        self._left = size
        self.size = size

    def readable(self) -> bool:
        """Say that it can be read, for wrappers that ask."""
        return True

    def readinto(self, target: Any) -> int:
        """Read into ``target``; 0 at the end."""
        view = memoryview(target).cast("B")[: self._left]
        count = os.readv(self._descriptor, [view]) if view else 0
        self._digest.update(view[:count])
        self._left = self._left - count if count else 0
        return count

    def finish(self) -> str:
        """Read what is left and return the digest of the whole file."""
        chunk = bytearray(_CHUNK_BYTES)
        while self.readinto(chunk):
            pass
        return f"sha256:{self._digest.hexdigest()}"

    def close(self) -> None:
        """Give the descriptor back."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()


@contextmanager
def open_output(folder: Path, path: str, *, port: str) -> Iterator[HashedFile]:
    """Open one output file.

    Parameters
    ----------
    folder : Path
        The output folder.
    path : str
        Relative to it, as result.json gives it.
    port : str
        Named by errors.

    Raises
    ------
    OutputMissingError
        Nothing is there.
    OutputNotAFileError
        A link, a device, a file with a second name or a set-id bit, or a file that cannot be read.
    """
    *parents, name = path.split("/")
    try:
        descriptor = os.open(folder, _FOLDER_FLAGS)
        try:
            for parent in parents:
                inner = os.open(parent, _FOLDER_FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            file = _open_file(descriptor, name, port=port, path=path)
        finally:
            os.close(descriptor)
    except FileNotFoundError as fault:
        raise OutputMissingError(f"port {port}: there is no file {path}", subject=port) from fault
    except OSError as fault:
        raise OutputNotAFileError(
            f"port {port}: {path} cannot be opened: {fault.strerror}", subject=port
        ) from fault
    with file:
        yield file


def read_output(folder: Path, path: str, *, port: str, bytes_max: int) -> tuple[bytes, str]:
    """Read a small output whole; its bytes and their digest."""
    with open_output(folder, path, port=port) as file:
        if file.size > bytes_max:
            raise OutputMalformedError(f"port {port}: {path} is larger than {bytes_max} bytes", subject=port)
        return file.read(), file.finish()


def check_entries(folder: Path, expected: Collection[str], *, bytes_max: int, files_max: int) -> None:
    """Refuse a folder that holds anything but the expected files and the folders they stand in.

    Raises
    ------
    OutputUndeclaredError
        Another entry of whatever kind, more entries or more bytes than allowed.
    """
    folders = {
        "/".join(parts[:depth])
        for parts in (path.split("/") for path in expected)
        for depth in range(1, len(parts))
    }
    total = 0
    try:
        with closing(_walk(os.open(folder, _FOLDER_FLAGS), "", folders)) as entries:
            for count, (path, status) in enumerate(entries, start=1):
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
                _check_is_expected(
                    path, status, path in (folders if stat.S_ISDIR(status.st_mode) else expected)
                )
                if count > files_max or total > bytes_max:
                    raise OutputUndeclaredError(
                        f"the outputs pass their limit of {files_max} entries or {bytes_max} bytes",
                        subject=path,
                        hint="raise resources.output_mib",
                    )
    except OSError as fault:
        raise OutputNotAFileError(f"the output folder cannot be listed: {fault.strerror}") from fault


def _check_is_expected(path: str, status: os.stat_result, expected: bool) -> None:
    if not expected:
        raise OutputUndeclaredError(
            f"the output folder holds {path!r}, {_kind(status)} that result.json does not list",
            subject=path,
            hint="list every file in result.json, and write temporary files to /scratch",
        )


def _walk(
    descriptor: int, prefix: str, folders: Collection[str]
) -> Generator[tuple[str, os.stat_result], None, None]:
    """Entries below an open folder, which is closed; only expected folders are entered."""
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                path = prefix + entry.name
                status = entry.stat(follow_symlinks=False)
                yield path, status
                if stat.S_ISDIR(status.st_mode) and path in folders:
                    yield from _walk(
                        os.open(entry.name, _FOLDER_FLAGS, dir_fd=descriptor), f"{path}/", folders
                    )
    finally:
        os.close(descriptor)


def _open_file(folder: int, name: str, *, port: str, path: str) -> HashedFile:
    # Looked at before it is opened, because opening a device can already act on it.
    before = os.stat(name, dir_fd=folder, follow_symlinks=False)
    _check_is_plain(before, port=port, path=path)
    descriptor = os.open(name, _FILE_FLAGS, dir_fd=folder)
    try:
        after = os.fstat(descriptor)
        _check_is_plain(after, port=port, path=path)
    except BaseException:
        os.close(descriptor)
        raise
    return HashedFile(descriptor, after.st_size)


def _check_is_plain(status: os.stat_result, *, port: str, path: str) -> None:
    fault = ""
    if not stat.S_ISREG(status.st_mode):
        fault = f"is {_kind(status)}, not a file"
    elif status.st_nlink != 1:
        fault = f"has {status.st_nlink} hard links, so others may change it"
    elif status.st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
        fault = f"has the mode {stat.S_IMODE(status.st_mode):o}; set-id and sticky bits are not allowed"
    if fault:
        raise OutputNotAFileError(f"port {port}: {path} {fault}", subject=port)


def _kind(status: os.stat_result) -> str:
    if stat.S_ISREG(status.st_mode):
        return "a file"
    return _KINDS.get(stat.S_IFMT(status.st_mode), "a device")
