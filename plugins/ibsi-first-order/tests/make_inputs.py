"""Make the embedded tests' files: the integers 1 to 10 in a row inside a region, so that every feature is known.

Usage: ``python make_inputs.py OUT``.
"""

import sys
from pathlib import Path

import nibabel
import numpy as np

AFFINE = np.diag([1.0, 1.0, 1.0, 1.0])


def main(out: Path) -> None:
    """Write image, region, and a region that is one voxel too small."""
    image = np.zeros((12, 4, 4), np.int16)
    image[1:11, 1, 1] = range(1, 11)
    region = (image > 0).astype(np.uint8)
    for name, data in (("image", image), ("region", region), ("small-region", region * (image > 1))):
        nibabel.save(nibabel.Nifti1Image(data, AFFINE), out / f"{name}.nii.gz")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
