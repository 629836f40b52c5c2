"""NIfTI-1 headers: the 348 bytes become a checked grid, voxel type and scaling, or one clear error.

Invariants: what `parse_header` returns is complete (every field another module needs was checked), and
nothing was allocated on the word of the file.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

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
from host.cases.nifti_fields import NiftiFields, qform, read_fields, sform

HEADER_BYTES = 348
FIRST_VOXEL_OFFSET = 352
# Header extensions hold text such as AFNI's or a DICOM header; more than this is no header any more.
OFFSET_MAX = 16 * 1024 * 1024
# NIfTI-1 datatype codes; complex, colour, bit and 16-byte voxels are left out.
_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
_SPACE_UNITS = {1: "metres", 3: "micrometres"}
_BYTE_ORDERS: Final[dict[int, Literal["<", ">"]]] = {348: "<", 1543569408: ">"}
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
    space_code : int
        NIfTI's code of the space that ``grid`` is in: 1 scanner, 2 aligned to another image, 3 Talairach, 4 MNI152,
        5 another template.
    volumes : int or None
        Length of the fourth axis; None of a 3-D image.
    """

    grid: Grid
    dtype: np.dtype[Any]
    slope: float
    intercept: float
    offset: int
    space_code: int = 1
    volumes: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of voxels along every axis."""
        return self.grid.shape if self.volumes is None else (*self.grid.shape, self.volumes)

    @property
    def voxels(self) -> int:
        """Number of stored voxels, along all axes."""
        return math.prod(self.shape)

    @property
    def scaled(self) -> bool:
        """Whether stored numbers must be scaled to be values."""
        return (self.slope, self.intercept) != (1.0, 0.0)

    @property
    def voxel_bytes(self) -> int:
        """Memory the stored voxels take uncompressed."""
        return self.voxels * self.dtype.itemsize

    @property
    def value_bytes(self) -> int:
        """Memory the values take: as stored, or as 8-byte reals where they must be scaled."""
        return max(self.voxel_bytes, 8 * self.voxels if self.scaled else 0)


def parse_header(block: bytes, name: str, *, ndim: int = 3) -> Header:
    """Check the first 348 bytes of a single-file NIfTI-1 image.

    Trailing axes of one are dropped; any further axis is refused. A spatial unit that is not given counts as
    millimetres, as common writers leave it out; metres and micrometres are refused.

    Parameters
    ----------
    block : bytes, length 348
    name : str
        What errors call the image: a path, or a port.
    ndim : int, optional
        3, or 4 for an image that must have a fourth axis.

    Raises
    ------
    ImageError
        A subclass per fault; its hint says what to do.
    """
    fields = read_fields(block, _recognise(block, name))
    sizes = _sizes(fields, name, ndim)
    _check_space(fields, name)
    try:
        grid = Grid(shape=(sizes[0], sizes[1], sizes[2]), affine=_affine(fields, name))
    except GridError as fault:
        raise GridError(f"{name}: {fault}", subject=name, hint=_ORIENT_HINT) from fault
    slope, intercept = _scaling(fields, name)
    return Header(
        grid,
        _dtype(fields, name),
        slope,
        intercept,
        _offset(fields, name),
        space_code=fields.sform_code if fields.sform_code > 0 else fields.qform_code,
        volumes=sizes[3] if ndim == 4 else None,
    )


def _recognise(block: bytes, name: str) -> Literal["<", ">"]:
    if len(block) < HEADER_BYTES:
        raise NotANiftiError(f"{name}: too short for a NIfTI header", subject=name, hint=_CONVERT_HINT)
    size = int.from_bytes(block[:4], "little")
    if block[4:8] == b"n+2\0":
        raise NotANiftiError(f"{name}: NIfTI-2, which is not supported", subject=name, hint=_CONVERT_HINT)
    if size not in _BYTE_ORDERS:
        raise NotANiftiError(f"{name}: not a NIfTI file", subject=name, hint=_CONVERT_HINT)
    if block[344:348] != b"n+1\0":
        raise NotANiftiError(
            f"{name}: an Analyze or NIfTI header whose voxels stand in another file",
            subject=name,
            hint=_CONVERT_HINT,
        )
    return _BYTE_ORDERS[size]


def _sizes(fields: NiftiFields, name: str, ndim: int) -> list[int]:
    count, *sizes = fields.dim
    sizes = sizes[: max(count, 0)]
    if not ndim <= count <= 7 or any(size != 1 for size in sizes[ndim:]):
        what = " x ".join(str(size) for size in sizes) or "without axes"
        one_volume = "extract the one volume the plugin should read"
        raise DimensionsError(
            f"{name}: the image is {what}, not {ndim}-D",
            subject=name,
            hint=one_volume if ndim == 3 else "give the whole series of volumes as one image",
        )
    if 0 in sizes:
        raise EmptyVolumeError(f"{name}: an axis has no voxels: {sizes}", subject=name, hint=_CONVERT_HINT)
    if min(sizes) < 0:
        raise DimensionsError(
            f"{name}: an axis has a negative size: {sizes}", subject=name, hint=_CONVERT_HINT
        )
    return sizes


def _check_space(fields: NiftiFields, name: str) -> None:
    unit = fields.xyzt_units & 7
    if unit not in (0, 2):
        raise SpaceUnitError(
            f"{name}: lengths are in {_SPACE_UNITS.get(unit, f'unit {unit}')}, not millimetres",
            subject=name,
            hint="rescale the affine to millimetres and set xyzt_units to 2",
        )
    spacing_mm = list(fields.pixdim[1:4])
    if not all(math.isfinite(length) and length > 0 for length in spacing_mm):
        raise SpacingError(
            f"{name}: voxel spacing {spacing_mm} mm; every edge must be above zero",
            subject=name,
            hint=_ORIENT_HINT,
        )


def _affine(fields: NiftiFields, name: str) -> Affine:
    if fields.sform_code <= 0 and fields.qform_code <= 0:
        raise OrientationError(
            f"{name}: neither sform nor qform is set, so left and right are unknown",
            subject=name,
            hint=_ORIENT_HINT,
        )
    by_sform = sform(fields) if fields.sform_code > 0 else None
    try:
        by_qform = qform(fields) if fields.qform_code > 0 else None
    except ValueError as fault:
        raise GridError(
            f"{name}: the qform is not a rotation: {fault}", subject=name, hint=_ORIENT_HINT
        ) from fault
    if by_sform is not None and by_qform is not None and _mirrored(by_sform, by_qform):
        raise OrientationError(
            f"{name}: sform and qform are mirror images of each other, so left and right are in doubt",
            subject=name,
            hint=_ORIENT_HINT,
        )
    matrix: Any = by_qform if by_sform is None else by_sform
    x, y, z, w = (tuple(row) for row in matrix.tolist())
    return x, y, z, w


def _mirrored(a: Any, b: Any) -> bool:
    with np.errstate(all="ignore"):  # what is not finite is found when the grid is made
        return bool(np.linalg.det(a[:3, :3]) * np.linalg.det(b[:3, :3]) < 0)


def _dtype(fields: NiftiFields, name: str) -> np.dtype[Any]:
    code = fields.datatype
    if code not in _TYPES:
        raise VoxelTypeError(
            f"{name}: voxel type {code}; expected whole or real numbers of one to eight bytes",
            subject=name,
            hint="save the image as int16, uint16 or float32",
        )
    return np.dtype(_TYPES[code]).newbyteorder(fields.byte_order)


def _scaling(fields: NiftiFields, name: str) -> tuple[float, float]:
    slope, intercept = fields.scl_slope, fields.scl_inter
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0  # the standard: such a slope means that voxels are stored unscaled
    if not math.isfinite(intercept):
        raise ImageError(
            f"{name}: scl_inter is {intercept}", subject=name, hint="set scl_slope and scl_inter to 0"
        )
    return slope, intercept


def _offset(fields: NiftiFields, name: str) -> int:
    offset = fields.vox_offset or FIRST_VOXEL_OFFSET
    if not FIRST_VOXEL_OFFSET <= offset <= OFFSET_MAX or offset != int(offset):
        raise NotANiftiError(f"{name}: vox_offset is {offset:g}", subject=name, hint=_CONVERT_HINT)
    return int(offset)
