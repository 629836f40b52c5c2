"""Small NIfTI files, good and broken."""

import gzip
import struct
from pathlib import Path

import nibabel
import numpy as np

# Where fields stand in a little-endian NIfTI-1 header, and their struct code.
FIELDS = {
    "sizeof_hdr": (0, "<i"),
    "dim": (40, "<8h"),
    "datatype": (70, "<h"),
    "bitpix": (72, "<h"),
    "qfac": (76, "<f"),
    "pixdim": (80, "<3f"),
    "vox_offset": (108, "<f"),
    "scl_slope": (112, "<f"),
    "scl_inter": (116, "<f"),
    "xyzt_units": (123, "<b"),
    "qform_code": (252, "<h"),
    "sform_code": (254, "<h"),
    "quatern": (256, "<3f"),
    "srow_x": (280, "<4f"),
    "magic": (344, "<4s"),
}


def ramp(shape=(4, 5, 6), dtype=np.int16):
    """Voxels that all differ."""
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape, order="F")


def nifti_bytes(data=None, affine=None, **fields):
    """A NIfTI-1 file in memory, millimetres, sform and qform set; then header fields overwritten."""
    image = nibabel.Nifti1Image(ramp() if data is None else data, np.eye(4) if affine is None else affine)
    image.set_qform(image.affine, code=1, strip_shears=True)
    image.set_sform(image.affine, code=1)
    image.header.set_xyzt_units("mm")
    content = bytearray(image.to_bytes())
    for name, value in fields.items():
        offset, code = FIELDS[name]
        struct.pack_into(code, content, offset, *(value if isinstance(value, tuple) else (value,)))
    return bytes(content)


def write_nifti(path: Path, data=None, affine=None, **fields) -> Path:
    """Write `nifti_bytes` to ``path``, compressed when it ends in ``.gz``."""
    return write_bytes(path, nifti_bytes(data, affine, **fields))


def write_bytes(path: Path, content: bytes) -> Path:
    """Write bytes to ``path``, compressed when it ends in ``.gz``."""
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path
