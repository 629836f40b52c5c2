"""The members of a tar from outside, read by the standard library and bounded here.

Whoever wrote the tar wrote its headers: lengths that go backwards make ``tarfile`` read the same member for ever, names
and extended headers may be gigabytes long, and every member is remembered.

Invariants
----------
* Members are read forwards only, and no more of them than the caller allows.
* No header is longer than `HEADER_BYTES_MAX`, no name longer than `NAME_CHARACTERS_MAX`.
* Whatever is wrong is a ``tarfile.ReadError``.
"""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

HEADER_BYTES_MAX: Final = 1024 * 1024
# Linux's PATH_MAX: no program can name a longer path.
NAME_CHARACTERS_MAX: Final = 4096
# Of an archive of an image: its layers, and a few documents for each.
ARCHIVE_MEMBERS_MAX: Final = 10_000
_PIECE_BYTES: Final = 256 * 1024


class Window:
    """A part of a file as a file of its own, for readers of tar: read, seek, tell.

    Parameters
    ----------
    stream : file object
    start, size : int
        The part, in bytes.
    """

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        self._stream, self._start, self._size, self._at = stream, start, size, 0

    def read(self, size: int) -> bytes:
        """Return the next bytes of the part.

        Raises
        ------
        tarfile.ReadError
            At once more than any header may have.
        """
        if not 0 <= size <= HEADER_BYTES_MAX:
            raise tarfile.ReadError(f"a header of {size} bytes")
        if self._at >= self._size:
            return b""  # a compressed stream would be inflated to find its end
        self._stream.seek(self._start + self._at)
        data = self._stream.read(min(size, self._size - self._at))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to an offset of the part."""
        at = offset + (0, self._at, self._size)[whence]
        if at < 0:
            raise tarfile.ReadError("a member before the beginning")
        self._at = at
        return at

    def seekable(self) -> bool:
        """Tell readers of one member that they may go back in it."""
        return True

    def tell(self) -> int:
        """Return the offset in the part."""
        return self._at


def open_members(window: Window) -> tarfile.TarFile:
    """Open an uncompressed tar; names that are not UTF-8 keep their bytes."""
    with _finite():
        return tarfile.open(
            fileobj=cast(BinaryIO, window), mode="r:", encoding="utf-8", errors="surrogateescape"
        )


def members(archive: tarfile.TarFile, *, count_max: int) -> Iterator[tarfile.TarInfo]:
    """Yield the members of a tar that `open_members` opened.

    Raises
    ------
    tarfile.ReadError
        A header that no honest writer makes, or more than ``count_max`` members.
    """
    last = -1
    for count in range(count_max + 1):
        with _finite():
            member = archive.next()
        if member is None:
            return
        if count == count_max:
            raise tarfile.ReadError(f"more than {count_max} members")
        if member.offset <= last:
            raise tarfile.ReadError(f"{member.name[:80]!r} leads backwards")
        if max(len(member.name), len(member.linkname)) > NAME_CHARACTERS_MAX:
            raise tarfile.ReadError(f"{member.name[:80]!r}… has a name that is too long")
        last = member.offset
        # What is remembered of each member would grow with the tar.
        archive.members.clear()  # type: ignore[attr-defined]  # left out of its stub
        member.pax_headers = {}
        yield member


def content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    """Yield what a regular file of a tar that `open_members` opened holds, in pieces."""
    stream = archive.extractfile(member)
    return iter(lambda: b"" if stream is None else stream.read(_PIECE_BYTES), b"")


@contextmanager
def _finite() -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise tarfile.ReadError("too many headers for one member") from error
