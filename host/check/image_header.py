"""Whether a file looks like the image its port declares, from its first bytes and with the standard library alone.

A check is light; the full reading, with voxels and affine, is done when the case runs (`host.cases`).
"""

import gzip
import struct
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

HEADER_BYTES: Final = 348
FIRST_VOXEL: Final = 352
_ORDERS: Final = {348: "<", 1543569408: ">"}
_INTEGERS: Final = frozenset({2, 4, 8, 256, 512, 768, 1024, 1280})
# DICOM PS3.10, 7.1: a preamble of 128 bytes, then the prefix.
_DICOM_PREFIX: Final = slice(128, 132)


@dataclass(frozen=True)
class ImageHeader:
    """What was looked at.

    Attributes
    ----------
    shape : tuple of int
        Sizes of the axes, trailing axes of one left out.
    integer : bool
        Whether voxels are stored as whole numbers.
    """

    shape: tuple[int, ...]
    integer: bool


def read_image_header(path: Path) -> ImageHeader | str:
    """Read a NIfTI-1 header.

    Returns
    -------
    ImageHeader or str
        What it says, or in a few words why it is none.
    """
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            block = stream.read(HEADER_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        return getattr(error, "strerror", None) or "a damaged gzip file"
    if len(block) < HEADER_BYTES or int.from_bytes(block[:4], "little") not in _ORDERS:
        return "not a NIfTI-1 file"
    if block[344:348] != b"n+1\0":
        return "a header whose voxels stand in another file; write one .nii or .nii.gz"
    order = _ORDERS[int.from_bytes(block[:4], "little")]
    count, *sizes = struct.unpack_from(f"{order}8h", block, 40)
    datatype, bits = struct.unpack_from(f"{order}2h", block, 70)
    shape = tuple(sizes[: max(0, min(count, 7))])
    if len(shape) < 3 or min(shape) < 1:
        return f"an image without voxels (axes {list(shape)})"
    (offset,) = struct.unpack_from(f"{order}f", block, 108)
    if not packed and path.stat().st_size < max(offset, FIRST_VOXEL) + prod(shape) * bits // 8:
        return "cut off: the header names more voxels than the file holds"
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return ImageHeader(shape, datatype in _INTEGERS)


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do."""
    try:
        with path.open("rb") as stream:
            return stream.read(132)[_DICOM_PREFIX] == b"DICM"
    except OSError:
        return False
