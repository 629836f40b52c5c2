"""NIfTI-1 images from outside: a complete volume or label map, or one line that says what is wrong.

Invariants: memory is bounded before it is allocated; every byte of the file is read, so a gzip checksum is
verified and nothing hides after the last voxel; values are finite.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from host.cases.errors import (
    DamagedImageError,
    EmptyVolumeError,
    ImageTooLargeError,
    LabelValuesError,
    NonFiniteVoxelsError,
)
from host.cases.geometry import Grid
from host.cases.nifti_header import HEADER_BYTES, Header, parse_header
from host.cases.nifti_stream import AGAIN_HINT, ByteStream, decompressed, fill, open_image, skip

VOXEL_BYTES_MAX: Final = 4 * 1024**3
LABEL_MAX: Final = 65535


@dataclass(frozen=True, eq=False)
class Volume:
    """An image.

    Attributes
    ----------
    grid : Grid
    data : ndarray, shape (I, J, K) or (I, J, K, T)
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


def read_header(path: Path, *, ndim: int = 3) -> Header:
    """Check the header of a NIfTI-1 file without reading its voxels."""
    with open_image(path) as raw:
        return decode_header(decompressed(raw, str(path)), str(path), ndim=ndim)


def read_volume(path: Path, *, ndim: int = 3, bytes_max: int = VOXEL_BYTES_MAX) -> Volume:
    """Read a volume that an algorithm can work on.

    Parameters
    ----------
    path : Path
        ``.nii`` or ``.nii.gz``.
    ndim : int, optional
        Number of axes, 3 or 4.
    bytes_max : int, optional
        Largest memory the voxels may take uncompressed.

    Raises
    ------
    ImageError
        A subclass per fault; `EmptyVolumeError` when every voxel has the same value.
    """
    name = str(path)
    with open_image(path) as raw:
        stream = decompressed(raw, name)
        volume = decode_volume(stream, decode_header(stream, name, ndim=ndim), name, bytes_max=bytes_max)
    require_contrast(volume.minimum, volume.maximum, name)
    return volume


def require_contrast(minimum: float, maximum: float, name: str) -> None:
    """Refuse a volume whose voxels all have one value: no algorithm can work on it."""
    if minimum == maximum:
        raise EmptyVolumeError(
            f"{name}: every voxel is {minimum:g}",
            subject=name,
            hint="give the scan itself; this holds no image",
        )


def read_label_map(path: Path, *, bytes_max: int = VOXEL_BYTES_MAX) -> LabelMap:
    """Read a label map; one of background only is allowed, for a healthy person has no lesion."""
    name = str(path)
    with open_image(path) as raw:
        stream = decompressed(raw, name)
        return decode_label_map(stream, decode_header(stream, name), name, bytes_max=bytes_max)


def decode_header(stream: ByteStream, name: str, *, ndim: int = 3) -> Header:
    """Read and check the header at the start of ``stream``."""
    block = bytearray(HEADER_BYTES)
    filled = fill(stream, memoryview(block), name)
    return parse_header(bytes(block[:filled]), name, ndim=ndim)


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


def check_size(header: Header, name: str, *, bytes_max: int) -> None:
    """Refuse an image whose voxels would take more memory than ``bytes_max``, scaling included."""
    if header.value_bytes > bytes_max:
        raise ImageTooLargeError(
            f"{name}: the voxels take {header.value_bytes} bytes uncompressed; {bytes_max} are allowed",
            subject=name,
            hint="crop or resample the image, or raise the limit",
        )


def stored_voxels(stream: ByteStream, header: Header, name: str) -> NDArray[Any]:
    """Read the voxels that follow the first `header.offset` bytes to the file's end, as they are stored.

    Returns
    -------
    ndarray of the header's type in this machine's byte order, shape (I, J, K) or (I, J, K, T)
        Not scaled, and the first axis runs fastest. Check its size before: `check_size`.
    """
    stored = np.empty(header.voxels, header.dtype)
    filled = fill(stream, stored.view(np.uint8).data, name)
    if filled < header.voxel_bytes:
        raise DamagedImageError(
            f"{name}: ends after {filled} of {header.voxel_bytes} voxel bytes", subject=name, hint=AGAIN_HINT
        )
    if fill(stream, memoryview(bytearray(1)), name):
        raise DamagedImageError(f"{name}: goes on after the last voxel", subject=name, hint=AGAIN_HINT)
    return stored.astype(stored.dtype.newbyteorder("="), copy=False).reshape(header.shape, order="F")


def _voxels(stream: ByteStream, header: Header, name: str, bytes_max: int) -> NDArray[Any]:
    check_size(header, name, bytes_max=bytes_max)
    skip(stream, header.offset - HEADER_BYTES, name)
    values = stored_voxels(stream, header, name)
    if header.scaled:
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found as not finite
            values = values * np.float64(header.slope) + np.float64(header.intercept)
    return values
