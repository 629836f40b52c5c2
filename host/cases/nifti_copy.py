"""NIfTI-1 images written anew: other voxels under the header of an image that was read, and nothing else changed.

Invariants: voxel type, byte order, scaling, extensions and every field that is not about the grid stay as they were;
the same voxels give the same bytes; a file appears whole or not at all.
"""

import gzip
import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from host.cases.errors import NonFiniteVoxelsError
from host.cases.geometry import Affine, Grid
from host.cases.nifti import VOXEL_BYTES_MAX, check_size, stored_voxels
from host.cases.nifti_fields import NiftiFields, qform, read_fields, sform
from host.cases.nifti_header import HEADER_BYTES, Header, parse_header
from host.cases.nifti_stream import decompressed, fill, open_image

GZIP_LEVEL: Final = 1
# Given the affine of sform or qform, the affine of the new grid.
Moved = Callable[[NDArray[np.float64]], Affine]


@dataclass(frozen=True, eq=False)
class StoredImage:
    """An image as its file holds it.

    Attributes
    ----------
    header : Header
    preamble : bytes
        Everything before the first voxel: the header and its extensions.
    data : ndarray, shape (I, J, K) or (I, J, K, T)
        Stored numbers, not scaled, in this machine's byte order. Do not write to it.
    """

    header: Header
    preamble: bytes
    data: NDArray[Any]

    def values(self, stored: NDArray[Any]) -> NDArray[np.float64]:
        """Stored numbers as values."""
        scaled: NDArray[np.float64] = stored * np.float64(self.header.slope) + np.float64(
            self.header.intercept
        )
        return scaled


def read_stored(path: Path, *, ndim: int = 3, bytes_max: int = VOXEL_BYTES_MAX) -> StoredImage:
    """Read an image without scaling it; faults as in `host.cases.nifti.read_volume`."""
    name = str(path)
    with open_image(path) as raw:
        stream = decompressed(raw, name)
        block = bytearray(HEADER_BYTES)
        filled = fill(stream, memoryview(block), name)
        header = parse_header(bytes(block[:filled]), name, ndim=ndim)
        check_size(header, name, bytes_max=bytes_max)
        between = bytearray(header.offset - HEADER_BYTES)
        fill(stream, memoryview(between), name)
        data = stored_voxels(stream, header, name)
    if data.dtype.kind == "f" and not np.isfinite((data.min(), data.max())).all():
        raise NonFiniteVoxelsError(f"{name}: voxels are NaN or infinite", subject=name)
    return StoredImage(header, bytes(block + between), data)


def regridded(preamble: bytes, grid: Grid, ratios: tuple[float, float, float], moved: Moved) -> bytes:
    """A preamble for voxels that are ``ratios`` times as large, on a grid of ``grid``'s shape.

    Parameters
    ----------
    moved : callable
        Applied to sform and qform alike, which may place the same voxels in different spaces.
    """
    block = bytearray(preamble)
    order: Any = "<" if int.from_bytes(preamble[:4], "little") == HEADER_BYTES else ">"
    fields = read_fields(preamble, order)
    struct.pack_into(order + "3h", block, 42, *grid.shape)
    sizes = [size * ratio for size, ratio in zip(fields.pixdim[1:4], ratios, strict=True)]
    struct.pack_into(order + "3f", block, 80, *sizes)
    if fields.sform_code > 0:
        rows = moved(sform(fields))[:3]
        struct.pack_into(order + "12f", block, 280, *(entry for row in rows for entry in row))
    if fields.qform_code > 0:
        struct.pack_into(order + "3f", block, 268, *_shift(fields, moved))
    return bytes(block)


def _shift(fields: NiftiFields, moved: Moved) -> list[float]:
    return [row[3] for row in moved(qform(fields))[:3]]


def write_copy(path: Path, image: StoredImage, data: NDArray[Any], *, preamble: bytes | None = None) -> str:
    """Write voxels under an image's header, compressed when ``path`` ends in ``.gz``.

    Parameters
    ----------
    path : Path
        A file of this name is replaced.
    image : StoredImage
        Whose header, voxel type and byte order are kept.
    data : ndarray
        Stored numbers of that type.
    preamble : bytes, optional
        Instead of the image's own, where the grid is another (`regridded`).

    Returns
    -------
    str
        ``sha256:…`` of the file.
    """
    slices = data.reshape((*data.shape[:2], -1), order="F")
    with _replacing(path) as raw:
        hashing = _Hashing(raw)
        target: Any = hashing
        if path.name.endswith(".gz"):
            target = gzip.GzipFile("", "wb", GZIP_LEVEL, hashing, mtime=0)
        target.write(preamble or image.preamble)
        for k in range(slices.shape[2]):
            target.write(slices[:, :, k].astype(image.header.dtype, copy=False).tobytes(order="F"))
        if target is not hashing:
            target.close()
    return hashing.digest


class _Hashing:
    """Passes bytes on to a file, and hashes them."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._sha256.update(data)
        return self._raw.write(data)

    def flush(self) -> None:
        """Nothing is held back here."""

    @property
    def digest(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as raw:
            yield raw
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
