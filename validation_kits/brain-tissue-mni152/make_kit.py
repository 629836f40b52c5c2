"""Make the cases of this kit from the MNI152 maps: known perturbations of one average anatomy.

Usage: ``python make_kit.py IN OUT [CASES_CSV]``. IN holds the three source files; OUT receives
``cases/*.nii`` and ``reference/*.nii``; CASES_CSV, when named, receives the table of cases with digests
(done once, then committed).

Arrays have axes (I, J, K) = (right, anterior, superior). Every written voxel is a rounded integer, so that
the last bit of a floating-point library does not reach the files: two runs give the same bytes.
"""

import csv
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

SOURCE = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
CSF, GREY, WHITE = 1, 2, 3
SEED = 152


@dataclass(frozen=True)
class Recipe:
    """One case: what is done to the anatomy, in the order of the fields."""

    case_id: str
    perturbation: str
    level: str
    scale: float = 1.0
    spacing_mm: tuple[float, float, float] = (2.0, 2.0, 2.0)
    bias_percent: float = 0.0
    noise_percent: float = 0.0
    keep_above: float = 0.0
    expected: str = "ok"
    smoke: bool = False


RECIPES = (
    Recipe("clean-2mm", "none", "0", smoke=True),
    Recipe("noise-3", "noise", "3 %", noise_percent=3.0, smoke=True),
    Recipe("noise-5", "noise", "5 %", noise_percent=5.0),
    Recipe("noise-9", "noise", "9 %", noise_percent=9.0),
    Recipe("bias-20", "bias", "20 %", bias_percent=20.0, smoke=True),
    Recipe("bias-40", "bias", "40 %", bias_percent=40.0),
    Recipe("voxel-3mm", "voxel", "3 mm", spacing_mm=(3.0, 3.0, 3.0)),
    Recipe("voxel-1x1x3mm", "voxel", "1 x 1 x 3 mm", spacing_mm=(1.0, 1.0, 3.0)),
    Recipe("scaled-0.99", "scaling", "0.99", scale=0.99),
    Recipe("scaled-0.97", "scaling", "0.97", scale=0.97, smoke=True),
    Recipe("slices-6mm", "slices", "6 mm", spacing_mm=(1.0, 1.0, 6.0), expected="refused", smoke=True),
    Recipe("cut-head", "field of view", "upper 60 %", keep_above=0.4, expected="refused", smoke=True),
)


@dataclass(frozen=True)
class Anatomy:
    """Intensity (0 outside the brain), grey and white probability, and their voxel-to-world matrix."""

    t1: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    affine: np.ndarray

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0


def read_anatomy(folder: Path) -> Anatomy:
    """Read the three maps; probabilities are stored as 0 to 255. Outside the brain of the T1 they are 0."""
    images = [nibabel.load(folder / SOURCE.format(name)) for name in ("t1", "gm", "wm")]
    t1, grey, white = (np.asarray(image.dataobj, dtype=np.float64) for image in images)
    inside = t1 > 0
    return Anatomy(t1, grey / 255.0 * inside, white / 255.0 * inside, images[0].affine)


def zoomed(data: np.ndarray, scale: float) -> np.ndarray:
    """The same anatomy ``scale`` times as large, about the centre of the grid, on the same grid (linear)."""
    if scale == 1.0:
        return data
    centre = (np.array(data.shape) - 1) / 2
    return ndimage.affine_transform(data, np.eye(3) / scale, offset=centre - centre / scale, order=1)


def averaging_matrix(count: int, factor: float) -> np.ndarray:
    """Weights (new, old) of the mean over boxes ``factor`` voxels long; a last incomplete box is left out."""
    edges = np.arange(int(count / factor) + 1) * factor
    old = np.arange(count)
    overlap = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return np.clip(overlap, 0.0, None) / factor


def averaged(data: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Box means along each axis: what a larger voxel sees."""
    for axis, factor in enumerate(factors):
        matrix = averaging_matrix(data.shape[axis], factor)
        data = np.moveaxis(np.tensordot(matrix, data, axes=(1, axis)), 0, axis)
    return data


def resampled(anatomy: Anatomy, recipe: Recipe) -> Anatomy:
    """Scale, then average to the recipe's voxels. A voxel is brain when at least half of it is."""
    factors = np.array(recipe.spacing_mm) / np.sqrt((anatomy.affine[:3, :3] ** 2).sum(axis=0))
    maps = [averaged(zoomed(one, recipe.scale), factors) for one in (anatomy.t1, anatomy.grey, anatomy.white)]
    inside = averaged(zoomed((anatomy.t1 > 0).astype(np.float64), recipe.scale), factors) >= 0.5 - 1e-6
    affine = anatomy.affine @ np.diag([*factors, 1.0])
    affine[:3, 3] += anatomy.affine[:3, :3] @ ((factors - 1) / 2)
    return Anatomy(*(one * inside for one in maps), affine)


def bias_field(inside: np.ndarray, percent: float) -> np.ndarray:
    """A smooth second-order field that spans 1 ± percent/200 over the brain, BrainWeb's convention."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, size) for size in inside.shape), indexing="ij", sparse=True)
    shape = x + 0.6 * y - 0.8 * z + 0.7 * x * y - 0.5 * z**2 + 0.4 * y**2
    low, high = shape[inside].min(), shape[inside].max()
    return 1.0 + percent / 100.0 * ((shape - low) / (high - low) - 0.5)


def rician(t1: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    """Magnitude of the signal with complex Gaussian noise (Gudbjartsson & Patz 1995)."""
    real, imaginary = np.random.default_rng(seed).standard_normal((2, *t1.shape)) * sigma
    return np.hypot(t1 + real, imaginary)


def perturbed(anatomy: Anatomy, recipe: Recipe, seed: int) -> np.ndarray:
    """The T1 image of a case: bias, noise relative to mean white matter, the brain mask, the cut."""
    inside = anatomy.t1 > 0
    t1 = anatomy.t1 * bias_field(inside, recipe.bias_percent)
    if recipe.noise_percent:
        t1 = rician(t1, recipe.noise_percent / 100.0 * t1[tissue_labels(anatomy) == WHITE].mean(), seed)
    # At least 1 inside: a zero would say "not brain".
    t1 = np.where(inside, np.maximum(np.rint(t1 * 8), 1), 0)
    return t1[:, :, int(round(t1.shape[2] * recipe.keep_above)) :].astype(np.int16)


def tissue_labels(anatomy: Anatomy) -> np.ndarray:
    """The most probable of CSF (what is left), grey and white matter; 0 outside the brain."""
    csf = 1.0 - anatomy.grey - anatomy.white
    millionths = np.rint(np.stack([csf, anatomy.grey, anatomy.white]) * 1e6)  # so that ties stay ties
    labels = np.argmax(millionths, axis=0) + 1
    return (labels * (anatomy.t1 > 0)).astype(np.uint8)


def write_nifti(path: Path, data: np.ndarray, affine: np.ndarray) -> str:
    """Write an uncompressed NIfTI-1 file; answer its digest."""
    image = nibabel.Nifti1Image(data, affine)
    image.set_sform(affine, code=4)
    image.set_qform(affine, code=4)
    image.header.set_xyzt_units("mm")
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def make_case(source: Anatomy, anatomy: Anatomy, recipe: Recipe, *, number: int, out: Path) -> dict[str, str]:
    """Write one case; answer its row of ``cases.csv``. A refused case has neither reference nor values."""
    t1 = perturbed(anatomy, recipe, SEED + number)
    affine = anatomy.affine.copy()
    affine[:3, 3] += affine[:3, 2] * (anatomy.t1.shape[2] - t1.shape[2])
    row = {"case_id": recipe.case_id, "subject_id": "MNI152", "expected": recipe.expected}
    row |= {"evidence": "derived", "smoke": "yes" if recipe.smoke else "no"}
    row["in.t1"] = f"cases/{recipe.case_id}_t1.nii"
    row["in.t1.sha256"] = write_nifti(out / row["in.t1"], t1, affine)
    if recipe.expected == "ok":
        row["ref.tissue"] = f"reference/{recipe.case_id}_tissue.nii"
        row["ref.tissue.sha256"] = write_nifti(out / row["ref.tissue"], tissue_labels(anatomy), affine)
        grey, white = (one.sum() * source.voxel_ml * recipe.scale**3 for one in (source.grey, source.white))
        volumes = {"gm_ml": grey, "wm_ml": white, "brain_ml": grey + white}
        row |= {f"value.{name}": f"{volume:.2f}" for name, volume in volumes.items()}
    return row | {"stratum.perturbation": recipe.perturbation, "stratum.level": recipe.level}


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    """Write ``cases.csv``."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(arguments: list[str]) -> int:
    """Make every case."""
    if len(arguments) not in (2, 3):
        print("usage: python make_kit.py IN OUT [CASES_CSV]", file=sys.stderr)
        return 64
    source = read_anatomy(Path(arguments[0]))
    out = Path(arguments[1])
    grids: dict[tuple[object, ...], Anatomy] = {}
    rows = []
    for number, recipe in enumerate(RECIPES):
        grid = (recipe.scale, recipe.spacing_mm)
        if grid not in grids:
            grids[grid] = resampled(source, recipe)
        rows.append(make_case(source, grids[grid], recipe, number=number, out=out))
    if len(arguments) == 3:
        write_table(Path(arguments[2]), rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
