"""The fields of a NIfTI-1 header that an image is read by, as they stand in its 348 bytes; nothing is judged here.

Written out rather than taken from nibabel, whose import takes longer than a container does to start; tests hold
both side by side.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

# The unit quaternion's first part is taken as 0 where rounding to float32 makes its square this little below 0.
_ROUNDING: Final = -3 * float(np.finfo(np.float32).eps)
_NO_ROTATION: Final = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class NiftiFields:
    """Field names are those of nifti1.h; ``quatern``, ``qoffset`` and ``srow`` gather what it numbers."""

    byte_order: Literal["<", ">"]
    dim: tuple[int, ...]
    datatype: int
    pixdim: tuple[float, ...]
    vox_offset: float
    scl_slope: float
    scl_inter: float
    xyzt_units: int
    qform_code: int
    sform_code: int
    quatern: tuple[float, ...]
    qoffset: tuple[float, ...]
    srow: tuple[float, ...]


def read_fields(block: bytes, byte_order: Literal["<", ">"]) -> NiftiFields:
    """Read the fields of a header.

    Parameters
    ----------
    block : bytes, length 348
    byte_order : ``<`` or ``>``
    """

    def at(offset: int, form: str) -> tuple[Any, ...]:
        return struct.unpack_from(byte_order + form, block, offset)

    (datatype,) = at(70, "h")
    vox_offset, scl_slope, scl_inter = at(108, "3f")
    qform_code, sform_code = at(252, "2h")
    return NiftiFields(
        byte_order=byte_order,
        dim=at(40, "8h"),
        datatype=datatype,
        pixdim=at(76, "8f"),
        vox_offset=vox_offset,
        scl_slope=scl_slope,
        scl_inter=scl_inter,
        xyzt_units=block[123],
        qform_code=qform_code,
        sform_code=sform_code,
        quatern=at(256, "3f"),
        qoffset=at(268, "3f"),
        srow=at(280, "12f"),
    )


def sform(fields: NiftiFields) -> NDArray[np.float64]:
    """Voxel indices to mm by the header's affine, shape (4, 4)."""
    return np.array([*fields.srow, 0.0, 0.0, 0.0, 1.0]).reshape(4, 4)


def qform(fields: NiftiFields) -> NDArray[np.float64]:
    """Voxel indices to mm by the header's rotation, spacing and shift (nifti1.h, method 2), shape (4, 4).

    Raises
    ------
    ValueError
        The three numbers are no part of a unit quaternion, or qfac is neither 1 nor -1 (nor 0, which counts as 1).
    """
    qfac = fields.pixdim[0] or 1.0
    if qfac not in (-1.0, 1.0):
        raise ValueError(f"qfac is {qfac:g}")
    matrix = np.eye(4)
    matrix[:3, :3] = _rotation(fields.quatern) * np.array([*fields.pixdim[1:3], fields.pixdim[3] * qfac])
    matrix[:3, 3] = fields.qoffset
    return matrix


def _rotation(quatern: tuple[float, ...]) -> NDArray[np.longdouble]:
    b, c, d = np.array(quatern, np.longdouble)
    square = 1.0 - (b * b + c * c + d * d)
    if not square >= _ROUNDING:
        raise ValueError("the quaternion is longer than 1")
    a = np.sqrt(square) if square > -_ROUNDING else np.longdouble(0)
    length = a * a + b * b + c * c + d * d
    if length < _NO_ROTATION:
        return np.eye(3, dtype=np.longdouble)
    s = 2.0 / length
    return np.array(
        [
            [1.0 - s * (c * c + d * d), s * (b * c - a * d), s * (b * d + a * c)],
            [s * (b * c + a * d), 1.0 - s * (b * b + d * d), s * (c * d - a * b)],
            [s * (b * d - a * c), s * (c * d + a * b), 1.0 - s * (b * b + c * c)],
        ],
        np.longdouble,
    )
