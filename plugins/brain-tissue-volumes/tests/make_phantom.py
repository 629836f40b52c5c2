"""Make the two files of the manifest's embedded tests. Usage: ``python make_phantom.py [FOLDER]``.

``phantom.nii.gz`` is a phantom of a skull-stripped T1-weighted head that must be measured: three nested
ellipsoids (CSF, grey, white matter), not an anatomy; the script prints the volumes of its labels.
``t2-like.nii.gz``, the same shapes with CSF brightest, must be refused. Axes (I, J, K) = (right, anterior,
superior), 3 mm voxels. Two runs give the same bytes.
"""

import gzip
import sys
from pathlib import Path

import nibabel
import numpy as np

SHAPE = (52, 62, 52)
SPACING_MM = 3.0
TISSUES = (  # name, semi-axes in mm, intensity; each lies inside the one before
    ("csf_ml", (68.0, 82.0, 66.0), 300.0),
    ("gm_ml", (64.0, 78.0, 62.0), 700.0),
    ("wm_ml", (50.0, 62.0, 48.0), 1000.0),
)
NOISE = 30.0


def make_labels() -> np.ndarray:
    """Label of each voxel: 0 outside, then 1, 2, 3 inwards."""
    offsets_mm = [(np.arange(size) - (size - 1) / 2) * SPACING_MM for size in SHAPE]
    x, y, z = np.meshgrid(*offsets_mm, indexing="ij", sparse=True)
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for label, (_name, (a, b, c), _intensity) in enumerate(TISSUES, start=1):
        labels[(x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2 <= 1] = label
    return labels


def write(path: Path, data: np.ndarray) -> None:
    """Write ``.nii.gz`` without a time stamp."""
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = -(np.array(SHAPE) - 1) / 2 * SPACING_MM
    image = nibabel.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    path.write_bytes(gzip.compress(image.to_bytes(), 9, mtime=0))


def main(folder: Path) -> None:
    """Write both files and print the known volumes."""
    labels = make_labels()
    means = np.array([0.0, *(intensity for _name, _axes, intensity in TISSUES)])[labels]
    noise = np.random.default_rng(7).standard_normal(SHAPE) * NOISE
    t1 = np.where(labels > 0, np.maximum(np.rint(means + noise), 1), 0).astype(np.int16)
    write(folder / "phantom.nii.gz", t1)
    write(folder / "t2-like.nii.gz", np.where(labels > 0, 1300 - means, 0).astype(np.int16))
    for label, (name, _axes, _intensity) in enumerate(TISSUES, start=1):
        sys.stdout.write(f"{name} {(labels == label).sum() * SPACING_MM**3 / 1000:.3f}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
