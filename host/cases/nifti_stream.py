"""The bytes of a NIfTI file as a stream: decompressed as its name says, faults named, nothing read twice."""

import stat
import zlib
from io import BufferedIOBase, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, Final

from isal import igzip, isal_zlib

from host.cases.errors import DamagedImageError, ImageFileError, NotANiftiError

AGAIN_HINT: Final = "copy or export the file again"
_CHUNK_BYTES = 1024 * 1024
_IsalError: Any = isal_zlib.error  # a class, which its type stub calls a value

ByteStream = BinaryIO | BufferedIOBase | RawIOBase


def decompressed(raw: BinaryIO | RawIOBase, name: str) -> ByteStream:
    """The stream of NIfTI bytes, as the ending of ``name`` says."""
    if name.endswith(".nii.gz"):
        return igzip.IGzipFile(fileobj=raw, mode="rb")  # type: ignore[no-untyped-call]  # isal
    if name.endswith(".nii"):
        return raw
    raise NotANiftiError(
        f"{name}: the name ends neither in .nii nor in .nii.gz", subject=name, hint="give a NIfTI-1 image"
    )


def skip(stream: ByteStream, count: int, name: str) -> None:
    """Read past ``count`` bytes, which must be there."""
    if fill(stream, memoryview(bytearray(count)), name) < count:
        raise DamagedImageError(f"{name}: ends inside the header", subject=name, hint=AGAIN_HINT)


def fill(stream: ByteStream, target: memoryview, name: str) -> int:
    """Read until ``target`` is full or the stream ends; the number of bytes read."""
    filled = 0
    try:
        while filled < len(target):
            count = stream.readinto(target[filled : filled + _CHUNK_BYTES])  # type: ignore[union-attr]  # typeshed
            if not count:
                break
            filled += count
    except (EOFError, OSError, zlib.error, _IsalError) as fault:
        if isinstance(fault, igzip.BadGzipFile) and str(fault).startswith("Not a gzipped file"):
            raise NotANiftiError(
                f"{name}: not compressed with gzip", subject=name, hint="name it .nii"
            ) from fault
        raise DamagedImageError(
            f"{name}: cannot be read to its end: {fault}", subject=name, hint=AGAIN_HINT
        ) from fault
    return filled


def open_image(path: Path) -> BinaryIO:
    """Open an image file from outside; only a regular file is one."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ImageFileError(
                f"{path}: not a file", subject=str(path), hint="give the .nii or .nii.gz file"
            )
        return path.open("rb")
    except OSError as fault:
        raise ImageFileError(
            f"{path}: {fault.strerror}", subject=str(path), hint="check the path and its permissions"
        ) from fault
    except ValueError as fault:  # a NUL byte in the name
        raise ImageFileError(f"{path!r}: not a file name", subject=str(path)) from fault
