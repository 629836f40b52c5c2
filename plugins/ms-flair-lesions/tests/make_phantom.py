"""Make the files of the embedded tests: an ellipsoid as large as the MNI152 brain, no anatomy, with three bright balls.

Usage: ``python make_phantom.py OUT``. ``shifted.nii.gz`` is the same 60 mm to the left: not in MNI space. Axes
(I, J, K) = (right, anterior, superior), 3 mm voxels. Two runs give the same bytes. The balls take 164 voxels, 4.428 mL.
"""

import gzip
import sys
from pathlib import Path

import nibabel
import numpy as np

SHAPE, SPACING_MM = (62, 74, 62), 3.0
CENTRE_MM, SEMI_AXES_MM = (0.0, -18.0, 10.0), (68.0, 86.0, 68.0)
BALLS_MM = (
    (-28.0, -20.0, 30.0),
    (28.0, 0.0, 26.0),
    (-26.0, 20.0, 22.0),
)  # in the white matter of the average
RADIUS_MM = 7.0
TISSUE, NOISE, LESION = 800.0, 60.0, 1400.0


def distances_mm(centre: tuple[float, float, float], scale: tuple[float, float, float]) -> np.ndarray:
    """Distance of every voxel from a centre, in units of ``scale`` along each axis."""
    worlds = [
        (np.arange(n) - (n - 1) / 2) * SPACING_MM + c for n, c in zip(SHAPE, (0.0, -18.0, 10.0), strict=True)
    ]
    x, y, z = np.meshgrid(*worlds, indexing="ij", sparse=True)
    return np.sqrt(sum(((w - c) / s) ** 2 for w, c, s in zip((x, y, z), centre, scale, strict=True)))


def write(path: Path, data: np.ndarray, shift_mm: float) -> None:
    """Write ``.nii.gz`` without a time stamp."""
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = np.array([shift_mm, -18.0, 10.0]) - (np.array(SHAPE) - 1) / 2 * SPACING_MM
    image = nibabel.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    path.write_bytes(gzip.compress(image.to_bytes(), mtime=0))


def main(out: Path) -> None:
    """Write both files."""
    brain = distances_mm(CENTRE_MM, SEMI_AXES_MM) <= 1
    balls = np.any([distances_mm(one, (RADIUS_MM,) * 3) <= 1 for one in BALLS_MM], axis=0)
    noise = np.random.default_rng(7).uniform(
        -NOISE, NOISE, SHAPE
    )  # bounded: no voxel of it passes the threshold
    data = np.rint(np.where(balls, LESION, TISSUE + noise) * brain).astype(np.int16)
    write(out / "phantom.nii.gz", data, 0.0)
    write(out / "shifted.nii.gz", data, -60.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
