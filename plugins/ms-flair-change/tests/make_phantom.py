"""Make the files of the embedded tests: a textured ellipsoid, no anatomy, twice, and a bright ball in the second.

Usage: ``python make_phantom.py OUT``. ``other.nii.gz`` has another texture. Axes (I, J, K) = (right, anterior,
superior), 3 mm voxels. Two runs give the same bytes. The ball takes 42 voxels, 1.134 mL.
"""

import gzip
import sys
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

SHAPE, SPACING_MM = (52, 62, 52), 3.0
SEMI_AXES_MM = (68.0, 82.0, 66.0)
BALL_MM, RADIUS_MM = (20.0, 10.0, 15.0), 6.5
TISSUE, TEXTURE, NOISE, LESION = 800.0, 80.0, 10.0, 400.0


def distances(centre_mm: tuple[float, ...], scale_mm: tuple[float, ...]) -> np.ndarray:
    """Distance of every voxel from a centre, in units of ``scale_mm`` along each axis."""
    worlds = [(np.arange(n) - (n - 1) / 2) * SPACING_MM for n in SHAPE]
    x, y, z = np.meshgrid(*worlds, indexing="ij", sparse=True)
    return np.sqrt(sum(((w - c) / s) ** 2 for w, c, s in zip((x, y, z), centre_mm, scale_mm, strict=True)))


def texture(seed: int) -> np.ndarray:
    """Smooth lumps of unit spread."""
    lumps = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(SHAPE), 2.0)
    return lumps / lumps.std()


def write(path: Path, data: np.ndarray) -> None:
    """Write ``.nii.gz`` without a time stamp."""
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = -(np.array(SHAPE) - 1) / 2 * SPACING_MM
    image = nibabel.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    path.write_bytes(gzip.compress(image.to_bytes(), mtime=0))


def main(out: Path) -> None:
    """Write all files."""
    brain = distances((0.0, 0.0, 0.0), SEMI_AXES_MM) <= 1
    ball = distances(BALL_MM, (RADIUS_MM,) * 3) <= 1
    noise = np.random.default_rng(3).uniform(
        -NOISE, NOISE, (2, *SHAPE)
    )  # bounded: none of it passes the threshold
    for name, seed, added in (
        ("first", 1, noise[0]),
        ("second", 1, noise[1] + LESION * ball),
        ("other", 2, noise[0]),
    ):
        write(
            out / f"{name}.nii.gz",
            np.rint((TISSUE + TEXTURE * texture(seed) + added) * brain).astype(np.int16),
        )
    write(out / "brain.nii.gz", brain.astype(np.uint8))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
