"""Make the files of the embedded tests: a ball of SUV 8 in a background of 1, no anatomy; and the same in Bq/mL.

Usage: ``python make_phantom.py OUT``. Voxels of 4 mm. Two runs give the same bytes. The ball takes 280 voxels,
17.92 mL.
"""

import gzip
import sys
from pathlib import Path

import nibabel
import numpy as np

SIZE, SPACING_MM, RADIUS_MM = 20, 4.0, 16.0


def write(path: Path, data: np.ndarray) -> None:
    """Write ``.nii.gz`` without a time stamp."""
    image = nibabel.Nifti1Image(data.astype(np.float32), np.diag([SPACING_MM] * 3 + [1.0]))
    image.header.set_xyzt_units("mm")
    path.write_bytes(gzip.compress(image.to_bytes(), mtime=0))


def main(out: Path) -> None:
    """Write both files."""
    offsets = (np.arange(SIZE) - (SIZE - 1) / 2) * SPACING_MM
    x, y, z = np.meshgrid(offsets, offsets, offsets, indexing="ij", sparse=True)
    suv = np.where(x**2 + y**2 + z**2 <= RADIUS_MM**2, 8.0, 1.0)
    write(out / "phantom.nii.gz", suv)
    write(out / "becquerel.nii.gz", suv * 4500.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
