"""NIfTI-1 headers: the 348 bytes become a checked grid, voxel type and scaling, or one clear error.

Invariants: what `parse_header` returns is complete (every field another module needs was checked), and
nothing was allocated on the word of the file.
"""

import math
from dataclasses import dataclass
from typing import Any

import nibabel
import numpy as np

from host.cases.errors import (
    DimensionsError,
    EmptyVolumeError,
    GridError,
    ImageError,
    NotANiftiError,
    OrientationError,
    SpaceUnitError,
    SpacingError,
    VoxelTypeError,
)
from host.cases.geometry import Affine, Grid

HEADER_BYTES = 348
FIRST_VOXEL_OFFSET = 352
# Header extensions hold text such as AFNI's or a DICOM header; more than this is no header any more.
OFFSET_MAX = 16 * 1024 * 1024
# NIfTI-1 datatype codes; complex, colour, bit and 16-byte voxels are left out.
_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
_SPACE_UNITS = {1: "metres", 3: "micrometres"}
_ENDIANNESS = {348: "<", 1543569408: ">"}
_CONVERT_HINT = "convert the series to NIfTI-1 (.nii or .nii.gz), for example with dcm2niix"
_ORIENT_HINT = "convert the series from DICOM again, so that sform or qform is set"


@dataclass(frozen=True)
class Header:
    """What a NIfTI-1 header says about its voxels.

    Attributes
    ----------
    grid : Grid
        Where the voxels lie; from the sform where its code is set, else from the qform.
    dtype : numpy.dtype
        As stored, byte order included.
    slope, intercept : float
        Value = stored number * slope + intercept.
    offset : int
        Where the first voxel stands in the (uncompressed) file.
    """

    grid: Grid
    dtype: np.dtype[Any]
    slope: float
    intercept: float
    offset: int

    @property
    def scaled(self) -> bool:
        """Whether stored numbers must be scaled to be values."""
        return (self.slope, self.intercept) != (1.0, 0.0)

    @property
    def voxel_bytes(self) -> int:
        """Memory the stored voxels take uncompressed."""
        return self.grid.voxels * self.dtype.itemsize


def parse_header(block: bytes, name: str) -> Header:
    """Check the first 348 bytes of a single-file NIfTI-1 image.

    Trailing axes of one (a fourth axis of length 1) are dropped; any other fourth axis is refused. A spatial
    unit that is not given counts as millimetres, as common writers leave it out; metres and micrometres are
    refused.

    Parameters
    ----------
    block : bytes, length 348
    name : str
        What errors call the image: a path, or a port.

    Raises
    ------
    ImageError
        A subclass per fault; its hint says what to do.
    """
    endianness = _recognise(block, name)
    make: Any = nibabel.Nifti1Header  # untyped
    fields = make(block, endianness=endianness, check=False)
    shape = _shape(fields, name)
    _check_space(fields, name)
    try:
        grid = Grid(shape=shape, affine=_affine(fields, name))
    except GridError as fault:
        raise GridError(f"{name}: {fault}", subject=name, hint=_ORIENT_HINT) from fault
    slope, intercept = _scaling(fields, name)
    return Header(grid, _dtype(fields, name), slope, intercept, _offset(fields, name))


def _recognise(block: bytes, name: str) -> str:
    if len(block) < HEADER_BYTES:
        raise NotANiftiError(f"{name}: too short for a NIfTI header", subject=name, hint=_CONVERT_HINT)
    size = int.from_bytes(block[:4], "little")
    if block[4:8] == b"n+2\0":
        raise NotANiftiError(f"{name}: NIfTI-2, which is not supported", subject=name, hint=_CONVERT_HINT)
    if size not in _ENDIANNESS:
        raise NotANiftiError(f"{name}: not a NIfTI file", subject=name, hint=_CONVERT_HINT)
    if block[344:348] != b"n+1\0":
        raise NotANiftiError(
            f"{name}: an Analyze or NIfTI header whose voxels stand in another file",
            subject=name,
            hint=_CONVERT_HINT,
        )
    return _ENDIANNESS[size]


def _shape(fields: Any, name: str) -> tuple[int, int, int]:
    count, *sizes = (int(size) for size in fields["dim"])
    sizes = sizes[: max(count, 0)]
    if not 3 <= count <= 7 or any(size != 1 for size in sizes[3:]):
        what = " x ".join(str(size) for size in sizes) or "without axes"
        raise DimensionsError(
            f"{name}: the image is {what}, not 3-D",
            subject=name,
            hint="extract the one volume the plugin should read",
        )
    if 0 in sizes:
        raise EmptyVolumeError(f"{name}: an axis has no voxels: {sizes}", subject=name, hint=_CONVERT_HINT)
    if min(sizes) < 0:
        raise DimensionsError(
            f"{name}: an axis has a negative size: {sizes}", subject=name, hint=_CONVERT_HINT
        )
    return sizes[0], sizes[1], sizes[2]


def _check_space(fields: Any, name: str) -> None:
    unit = int(fields["xyzt_units"]) & 7
    if unit not in (0, 2):
        raise SpaceUnitError(
            f"{name}: lengths are in {_SPACE_UNITS.get(unit, f'unit {unit}')}, not millimetres",
            subject=name,
            hint="rescale the affine to millimetres and set xyzt_units to 2",
        )
    spacing_mm = [float(length) for length in fields["pixdim"][1:4]]
    if not all(math.isfinite(length) and length > 0 for length in spacing_mm):
        raise SpacingError(
            f"{name}: voxel spacing {spacing_mm} mm; every edge must be above zero",
            subject=name,
            hint=_ORIENT_HINT,
        )


def _affine(fields: Any, name: str) -> Affine:
    by_sform, by_qform = int(fields["sform_code"]) > 0, int(fields["qform_code"]) > 0
    if not by_sform and not by_qform:
        raise OrientationError(
            f"{name}: neither sform nor qform is set, so left and right are unknown",
            subject=name,
            hint=_ORIENT_HINT,
        )
    if fields["pixdim"][0] == 0:
        fields["pixdim"][0] = 1  # the standard reads a qfac of 0 as 1
    try:
        sform = fields.get_sform() if by_sform else None
        qform = fields.get_qform() if by_qform else None
    except Exception as fault:  # nibabel passes on whatever numpy raises, which is an open set
        raise GridError(
            f"{name}: the qform is not a rotation: {fault}", subject=name, hint=_ORIENT_HINT
        ) from fault
    if sform is not None and qform is not None and _mirrored(sform, qform):
        raise OrientationError(
            f"{name}: sform and qform are mirror images of each other, so left and right are in doubt",
            subject=name,
            hint=_ORIENT_HINT,
        )
    matrix: Any = qform if sform is None else sform
    x, y, z, w = (tuple(row) for row in matrix.tolist())
    return x, y, z, w


def _mirrored(a: Any, b: Any) -> bool:
    with np.errstate(all="ignore"):  # what is not finite is found when the grid is made
        return bool(np.linalg.det(a[:3, :3]) * np.linalg.det(b[:3, :3]) < 0)


def _dtype(fields: Any, name: str) -> np.dtype[Any]:
    code = int(fields["datatype"])
    if code not in _TYPES:
        raise VoxelTypeError(
            f"{name}: voxel type {code}; expected whole or real numbers of one to eight bytes",
            subject=name,
            hint="save the image as int16, uint16 or float32",
        )
    return np.dtype(_TYPES[code]).newbyteorder(fields.endianness)


def _scaling(fields: Any, name: str) -> tuple[float, float]:
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0  # the standard: such a slope means that voxels are stored unscaled
    if not math.isfinite(intercept):
        raise ImageError(
            f"{name}: scl_inter is {intercept}", subject=name, hint="set scl_slope and scl_inter to 0"
        )
    return slope, intercept


def _offset(fields: Any, name: str) -> int:
    offset = float(fields["vox_offset"]) or FIRST_VOXEL_OFFSET
    if not FIRST_VOXEL_OFFSET <= offset <= OFFSET_MAX or offset != int(offset):
        raise NotANiftiError(f"{name}: vox_offset is {offset:g}", subject=name, hint=_CONVERT_HINT)
    return int(offset)
