"""Lesions of multiple sclerosis on one skull-stripped FLAIR in MNI space: an intensity threshold inside white matter.

The rule is that of the first step of Roura et al. (Neuroradiology 2015;57:1031-1043): the threshold lies ``alpha``
standard deviations above a tissue peak, whose place and width are read off the smoothed histogram at half its height,
and a component is kept by its size and by its overlap with white matter. Two things differ, because one FLAIR is all
there is: the peak is the brain's, not that of grey matter on a T1; white matter is a prior of the MNI152 average, not
the subject's own.

Invariants: arrays have axes (I, J, K) as stored; worlds are RAS+ in mm; volumes are voxel counts of the label map times
the voxel volume, so they are millilitres in MNI space, not of the subject.
"""

import gzip
import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from plugin_spec import Case, CaseResult, Context, QualityCheck, Refuse, UnreadableInput, hookimpl

BINS = 200
SMOOTHING_BINS = 2.0
FWHM_PER_SD = 2.354820045  # of a normal distribution
MIN_COMPONENT_MM3 = 10.0
MIN_WHITE_FRACTION = 0.6
WHITE_PRIOR = 0.5
MIN_BRAIN_OVERLAP = 0.6  # Dice with grey and white matter of the average; an image outside MNI space has less
EVERY_NEIGHBOUR = np.ones((3, 3, 3))


@dataclass(frozen=True)
class Priors:
    """White matter and brain of the MNI152 average: values 0 to 1, shape (I, J, K), and their voxel-to-world matrix."""

    white: np.ndarray
    brain: np.ndarray
    affine: np.ndarray


@hookimpl
def setup(context: Context) -> Priors:
    """Read the priors once."""
    grey, white = (read_prior(context.weights[name]) for name in ("mni152_gm", "mni152_wm"))
    white_map, grey_map = (np.asarray(one.dataobj, dtype=np.float32) / 255.0 for one in (white, grey))
    return Priors(white_map, np.float32(white_map + grey_map >= 0.5), white.affine)


def read_prior(path: Path) -> nibabel.Nifti1Image:
    """Read a gzipped map; weights have no file name that nibabel could know them by."""
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(path.read_bytes()))


@hookimpl
def run_case(case: Case, state: Priors) -> CaseResult:
    """Label the lesions and measure them."""
    image, flair = read_flair(case.inputs["flair"])
    brain = flair > 0
    overlap = dice(brain, on_grid(state.brain, state.affine, image) >= 0.5)
    if overlap < MIN_BRAIN_OVERLAP:
        raise Refuse(
            "not-in-mni-space",
            f"flair: its brain overlaps that of MNI152 with Dice {overlap:.2f}, {MIN_BRAIN_OVERLAP} is needed",
        )
    peak, width = tissue_peak(flair[brain])
    threshold = peak + case.parameters["alpha"] * width
    white = on_grid(state.white, state.affine, image) >= WHITE_PRIOR
    voxel_mm3 = float(abs(np.linalg.det(image.affine[:3, :3])))
    lesions, count = keep_lesions(brain & (flair > threshold), white, voxel_mm3)
    path = case.output_path("lesions.nii.gz")
    written = nibabel.Nifti1Image(lesions.astype(np.uint8), image.affine)
    written.header.set_xyzt_units("mm")
    nibabel.save(written, path)
    row = {"lesion_ml": int(lesions.sum()) * voxel_mm3 / 1000.0, "lesion_count": count}
    return CaseResult(
        outputs={"lesions": path, "load": [row]},
        qc=[QualityCheck("brain-overlap", "pass" if overlap >= 0.7 else "warn", round(float(overlap), 4))],
        warnings=[],
    )


def read_flair(path: Path) -> tuple[nibabel.Nifti1Image, np.ndarray]:
    """Read the scan; voxels outside the brain are 0, and what interpolation made negative counts as outside."""
    try:
        image = nibabel.load(path)
        data = np.asarray(image.dataobj, dtype=np.float32)
    except (OSError, ValueError, EOFError, nibabel.filebasedimages.ImageFileError) as fault:
        raise UnreadableInput(f"flair: not a readable NIfTI image: {fault}") from fault
    if not np.isfinite(data).all():
        raise Refuse("non-finite-intensities", "flair: holds NaN or infinite intensities")
    outside = float(np.mean(data <= 0))
    if outside < 0.2:
        raise Refuse(
            "not-skull-stripped", f"flair: only {outside:.0%} of the voxels are 0; skull-strip it first"
        )
    return image, data


def tissue_peak(values: np.ndarray) -> tuple[float, float]:
    """Place and standard deviation of the highest peak of the histogram, by its width at half height.

    Parameters
    ----------
    values : ndarray of float, shape (N,)
        Intensities of the brain.
    """
    counts, edges = np.histogram(values, bins=BINS, range=(0.0, float(np.percentile(values, 99.9))))
    smooth = ndimage.gaussian_filter1d(counts.astype(np.float64), SMOOTHING_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    top = int(smooth.argmax())
    if smooth[top] == 0 or top in (0, BINS - 1):
        raise Refuse("no-tissue-peak", "flair: the histogram of the brain has no peak")
    above = smooth >= smooth[top] / 2
    low = top - int(np.argmin(above[top::-1])) if not above[: top + 1].all() else 0
    high = top + int(np.argmin(above[top:])) if not above[top:].all() else BINS - 1
    return float(centres[top]), float(centres[high] - centres[low]) / FWHM_PER_SD


def keep_lesions(bright: np.ndarray, white: np.ndarray, voxel_mm3: float) -> tuple[np.ndarray, int]:
    """Keep components (26 neighbours) of at least 10 mm3 of which 60 % lie where white matter is expected."""
    labels, number = ndimage.label(bright, structure=EVERY_NEIGHBOUR)
    sizes = np.bincount(labels.ravel(), minlength=number + 1)
    inside = np.bincount(labels[white], minlength=number + 1)
    kept = (sizes * voxel_mm3 >= MIN_COMPONENT_MM3) & (inside >= MIN_WHITE_FRACTION * sizes)
    kept[0] = False
    return kept[labels], int(kept.sum())


def on_grid(data: np.ndarray, affine: np.ndarray, image: nibabel.Nifti1Image) -> np.ndarray:
    """A map of the average on the grid of ``image``, linearly; 0 where the average does not reach."""
    mapping = np.linalg.inv(affine) @ image.affine
    return ndimage.affine_transform(
        data, mapping[:3, :3], mapping[:3, 3], output_shape=image.shape[:3], order=1
    )


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Overlap of two masks; 0 when both are empty, which is no brain."""
    total = int(one.sum()) + int(other.sum())
    return 2.0 * int((one & other).sum()) / total if total else 0.0


@hookimpl
def describe_environment() -> dict[str, str]:
    """Versions of what computed the result."""
    return {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "nibabel")}
