"""Draw the cases of the tiny kit: ``python make_kit.py IN OUT``. Standard library only.

Voxels are 10 mm cubes, so that one voxel is one millilitre.
"""

import json
import struct
import sys
from pathlib import Path

SHAPE = (6, 5, 4)
SPACING_MM = 10.0
TYPES = {2: "B", 4: "h"}


def nifti(voxels, datatype):
    """An uncompressed NIfTI-1 image; datatype 2 is uint8, 4 is int16."""
    code = TYPES[datatype]
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *SHAPE, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, datatype, 8 * struct.calcsize(code))
    struct.pack_into("<4f", header, 76, 1, *[SPACING_MM] * 3)
    struct.pack_into("<2f", header, 108, 352, 1)
    struct.pack_into("<b", header, 123, 2)
    struct.pack_into("<2h", header, 252, 0, 1)
    for axis in range(3):
        struct.pack_into("<f", header, 280 + 20 * axis, SPACING_MM)
    header[344:348] = b"n+1\0"
    return bytes(header) + struct.pack(f"<{len(voxels)}{code}", *voxels)


def cube(edge):
    """1 inside a cube that touches the far corner, 0 elsewhere; the first axis runs fastest."""
    low = [size - edge for size in SHAPE]
    return [
        int(i >= low[0] and j >= low[1] and k >= low[2])
        for k in range(SHAPE[2])
        for j in range(SHAPE[1])
        for i in range(SHAPE[0])
    ]


def scan(edge, behaviour):
    """A bright cube on a faint ground; the first voxel says how the tiny plugin behaves."""
    voxels = [200 if inside else 20 for inside in cube(edge)]
    voxels[0] = behaviour
    return nifti(voxels, 4)


def main(sources, out):
    for folder in ("cases", "reference"):
        (out / folder).mkdir()
    for one in json.loads((sources / "cubes.json").read_text()):
        (out / "cases" / f"{one['case_id']}.nii").write_bytes(scan(one["edge"], one["behaviour"]))
        if one["expected"] == "ok":
            (out / "reference" / f"{one['case_id']}.nii").write_bytes(nifti(cube(one["edge"]), 2))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
