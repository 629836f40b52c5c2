"""NIfTI-1 images from outside: a complete 3-D volume or label map, or one line that says what is wrong.

Invariants: memory is bounded before it is allocated; every byte of the file is read, so a gzip checksum is
verified and nothing hides after the last voxel; values are finite.
"""

import stat
import zlib
from dataclasses import dataclass
from io import BufferedIOBase, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from isal import igzip, isal_zlib
from numpy.typing import NDArray

from host.cases.errors import (
    DamagedImageError,
    EmptyVolumeError,
    ImageFileError,
    ImageTooLargeError,
    LabelValuesError,
    NonFiniteVoxelsError,
    NotANiftiError,
)
from host.cases.geometry import Grid
from host.cases.nifti_header import HEADER_BYTES, Header, parse_header

VOXEL_BYTES_MAX: Final = 4 * 1024**3
LABEL_MAX: Final = 65535
_CHUNK_BYTES = 1024 * 1024
_IsalError: Any = isal_zlib.error  # a class, which its type stub calls a value
_AGAIN_HINT = "copy or export the file again"

ByteStream = BinaryIO | BufferedIOBase | RawIOBase


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3-D image.

    Attributes
    ----------
    grid : Grid
    data : ndarray, shape (I, J, K)
        Finite values, scaled as the header says. Do not write to it.
    minimum, maximum : float
        Of ``data``.
    """

    grid: Grid
    data: NDArray[Any]
    minimum: float
    maximum: float


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A 3-D image of whole numbers that stand for things.

    Attributes
    ----------
    grid : Grid
    data : ndarray of uint8 or uint16, shape (I, J, K)
        Do not write to it.
    voxel_counts : dict of int to int
        Number of voxels of every value that occurs, background (0) included.
    """

    grid: Grid
    data: NDArray[np.uint8] | NDArray[np.uint16]
    voxel_counts: dict[int, int]


def read_header(path: Path) -> Header:
    """Check the header of a NIfTI-1 file without reading its voxels."""
    with _open(path) as raw:
        return decode_header(decompressed(raw, str(path)), str(path))


def read_volume(path: Path, *, bytes_max: int = VOXEL_BYTES_MAX) -> Volume:
    """Read a volume that an algorithm can work on.

    Parameters
    ----------
    path : Path
        ``.nii`` or ``.nii.gz``.
    bytes_max : int, optional
        Largest memory the voxels may take uncompressed.

    Raises
    ------
    ImageError
        A subclass per fault; `EmptyVolumeError` when every voxel has the same value.
    """
    name = str(path)
    with _open(path) as raw:
        stream = decompressed(raw, name)
        volume = decode_volume(stream, decode_header(stream, name), name, bytes_max=bytes_max)
    if volume.minimum == volume.maximum:
        raise EmptyVolumeError(
            f"{name}: every voxel is {volume.minimum:g}",
            subject=name,
            hint="give the scan itself; this holds no image",
        )
    return volume


def read_label_map(path: Path, *, bytes_max: int = VOXEL_BYTES_MAX) -> LabelMap:
    """Read a label map; one of background only is allowed, for a healthy person has no lesion."""
    name = str(path)
    with _open(path) as raw:
        stream = decompressed(raw, name)
        return decode_label_map(stream, decode_header(stream, name), name, bytes_max=bytes_max)


def decompressed(raw: BinaryIO | RawIOBase, name: str) -> ByteStream:
    """The stream of NIfTI bytes, as the ending of ``name`` says."""
    if name.endswith(".nii.gz"):
        return igzip.IGzipFile(fileobj=raw, mode="rb")  # type: ignore[no-untyped-call]  # isal
    if name.endswith(".nii"):
        return raw
    raise NotANiftiError(
        f"{name}: the name ends neither in .nii nor in .nii.gz", subject=name, hint="give a NIfTI-1 image"
    )


def decode_header(stream: ByteStream, name: str) -> Header:
    """Read and check the header at the start of ``stream``."""
    block = bytearray(HEADER_BYTES)
    filled = _fill(stream, memoryview(block), name)
    return parse_header(bytes(block[:filled]), name)


def decode_volume(stream: ByteStream, header: Header, name: str, *, bytes_max: int) -> Volume:
    """Read the voxels that follow ``header``; they must be finite, but may all be equal."""
    data = _voxels(stream, header, name, bytes_max)
    # NaN and infinity both show in the extremes, so two passes without a temporary array are enough.
    minimum, maximum = float(data.min()), float(data.max())
    if not np.isfinite((minimum, maximum)).all():
        count = int(data.size - np.count_nonzero(np.isfinite(data)))
        raise NonFiniteVoxelsError(
            f"{name}: {count} of {data.size} voxels are NaN or infinite",
            subject=name,
            hint="replace them by the value of the background",
        )
    return Volume(header.grid, data, minimum, maximum)


def decode_label_map(stream: ByteStream, header: Header, name: str, *, bytes_max: int) -> LabelMap:
    """Read the labels that follow ``header``; reals are accepted where they are whole numbers."""
    volume = decode_volume(stream, header, name, bytes_max=bytes_max)
    if volume.minimum < 0 or volume.maximum > LABEL_MAX:
        raise LabelValuesError(
            f"{name}: labels run from {volume.minimum:g} to {volume.maximum:g}; 0 to {LABEL_MAX} is allowed",
            subject=name,
            hint="number the labels from 1, background 0",
        )
    small = volume.maximum <= np.iinfo(np.uint8).max
    labels: Any = volume.data.astype(np.uint8 if small else np.uint16, copy=False)
    if volume.data.dtype.kind == "f" and not np.array_equal(labels, volume.data):
        raise LabelValuesError(
            f"{name}: labels are not whole numbers", subject=name, hint="resample with nearest neighbour"
        )
    counts = np.bincount(labels.ravel(order="K"))
    return LabelMap(header.grid, labels, {int(value): int(counts[value]) for value in np.flatnonzero(counts)})


def _voxels(stream: ByteStream, header: Header, name: str, bytes_max: int) -> NDArray[Any]:
    needed = max(header.voxel_bytes, 8 * header.grid.voxels if header.scaled else 0)
    if needed > bytes_max:
        raise ImageTooLargeError(
            f"{name}: the voxels take {needed} bytes uncompressed; {bytes_max} are allowed",
            subject=name,
            hint="crop or resample the image, or raise the limit",
        )
    _skip(stream, header.offset - HEADER_BYTES, name)
    stored = np.empty(header.grid.voxels, header.dtype)
    filled = _fill(stream, stored.view(np.uint8).data, name)
    if filled < header.voxel_bytes:
        raise DamagedImageError(
            f"{name}: ends after {filled} of {header.voxel_bytes} voxel bytes", subject=name, hint=_AGAIN_HINT
        )
    if _fill(stream, memoryview(bytearray(1)), name):
        raise DamagedImageError(f"{name}: goes on after the last voxel", subject=name, hint=_AGAIN_HINT)
    values = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if header.scaled:
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found as not finite
            values = values * np.float64(header.slope) + np.float64(header.intercept)
    return values.reshape(header.grid.shape, order="F")


def _skip(stream: ByteStream, count: int, name: str) -> None:
    if _fill(stream, memoryview(bytearray(count)), name) < count:
        raise DamagedImageError(f"{name}: ends inside the header", subject=name, hint=_AGAIN_HINT)


def _fill(stream: ByteStream, target: memoryview, name: str) -> int:
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
            f"{name}: cannot be read to its end: {fault}", subject=name, hint=_AGAIN_HINT
        ) from fault
    return filled


def _open(path: Path) -> BinaryIO:
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
