"""Write the images of the embedded tests: ``python make_images.py FOLDER``. Standard library only."""

import struct
import sys
from pathlib import Path


def nifti(shape, voxels):
    """An uncompressed NIfTI-1 image of int16 voxels of 1 mm."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<4f", header, 76, 1, 1, 1, 1)
    struct.pack_into("<2f", header, 108, 352, 1)
    struct.pack_into("<b", header, 123, 2)
    struct.pack_into("<2h", header, 252, 0, 1)
    for axis in range(3):
        struct.pack_into("<f", header, 280 + 20 * axis, 1)
    header[344:348] = b"n+1\0"
    return bytes(header) + struct.pack(f"<{len(voxels)}h", *voxels)


def main(folder):
    """Write 4096 voxels from every part of the int16 range, and an image of too few."""
    (folder / "ramp.nii").write_bytes(nifti((16, 16, 16), [(7919 * i) % 65536 - 32768 for i in range(4096)]))
    (folder / "few.nii").write_bytes(nifti((8, 8, 8), list(range(512))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
