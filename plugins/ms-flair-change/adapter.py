"""Lesions that are new or grew between two FLAIR scans on one grid: subtraction and a threshold on its spread.

The rule is that of the subtraction pipeline of Ganiler et al. (Neuroradiology 2014;56:363-374): both scans are brought
to one intensity scale, smoothed and subtracted; voxels of the brain at least ``k`` standard deviations above the mean
of the difference are candidates, and components that are too small or not bright in the later scan are dropped. Here
the scales are matched by median and interquartile range, and mean and spread of the difference are estimated by median
and median absolute deviation, so that the lesions themselves do not widen them. Registration comes before: the scans
must lie on one grid.

Invariants: arrays have axes (I, J, K) as stored; a finding is a box in patient coordinates (LPS, mm) around the voxels
of one component; scores rise with the height of the difference.
"""

import importlib.metadata
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from plugin_spec import Refuse, algorithm, hookimpl

SMOOTHING_SD_MM = 0.8
MAD_PER_SD = 0.6744897501960817  # of a normal distribution
MIN_COMPONENT_MM3 = 10.0
BRIGHT_SDS = 1.0  # a new lesion is brighter than the brain around it, not only than it was
MIN_CORRELATION = 0.7
EVERY_NEIGHBOUR = np.ones((3, 3, 3))
BRAIN_RIM_MM = 3.0  # partial volume at the brain's edge differs between any two scans


@algorithm
def find(baseline: Path, followup: Path, brain: Path, k: float, out: Path) -> dict[str, object]:
    """Find what became brighter from the first scan to the second.

    Parameters
    ----------
    baseline, followup, brain, k
        The inputs and the parameter of these names in plugin.toml.
    out : Path
        The folder for output files.

    Returns
    -------
    dict
        Output port to its answer; no finding is an answer too.
    """
    later = nibabel.load(followup)
    spacing_mm = np.sqrt((later.affine[:3, :3] ** 2).sum(axis=0))
    mask = inner(np.asarray(nibabel.load(brain).dataobj) == 1, spacing_mm)
    first, second = (np.asarray(one.dataobj, dtype=np.float32) for one in (nibabel.load(baseline), later))
    mask &= (first > 0) & (second > 0)  # a voxel that one of the scans does not reach says nothing
    if mask.sum() < 10_000:
        raise Refuse(
            "brain-too-small", f"brain: {int(mask.sum())} voxels lie inside both scans, 10000 are needed"
        )
    correlation = float(np.corrcoef(first[mask], second[mask])[0, 1])
    if not correlation >= MIN_CORRELATION:
        raise Refuse(
            "scans-not-aligned", f"the scans correlate with {correlation:.2f}, {MIN_CORRELATION} is needed"
        )
    rise = difference(first, second, mask, spacing_mm)
    bright = scaled(second, mask) >= BRIGHT_SDS
    labels, number = components(mask & bright & (rise >= k), spacing_mm)
    found = [
        finding(labels, rise, index, box, later.affine)
        for index, box in enumerate(ndimage.find_objects(labels), 1)
    ]
    voxel_ml = float(abs(np.linalg.det(later.affine[:3, :3]))) / 1000.0
    row = {"new_ml": int((labels > 0).sum()) * voxel_ml, "new_count": number}
    return {"changes": write(labels > 0, later, out / "changes.nii.gz"), "findings": found, "load": row}


def inner(brain: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """The brain without its rim."""
    return ndimage.distance_transform_edt(brain, sampling=spacing_mm) > BRAIN_RIM_MM


def scaled(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Intensities as standard deviations from the brain's median, by its interquartile range."""
    low, middle, high = np.percentile(values[mask], (25, 50, 75))
    if high == low:
        raise Refuse("no-contrast", "half of the brain has one intensity")
    return (values - middle) / ((high - low) / (2 * MAD_PER_SD))


def difference(first: np.ndarray, second: np.ndarray, mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Later minus earlier scan, smoothed, as standard deviations from its own median."""
    raw = scaled(second, mask) - scaled(first, mask)
    smooth = ndimage.gaussian_filter(np.where(mask, raw, 0), SMOOTHING_SD_MM / spacing_mm)
    middle = np.median(smooth[mask])
    spread = np.median(np.abs(smooth[mask] - middle)) / MAD_PER_SD
    if spread == 0:
        raise Refuse("no-difference", "the scans are the same image")
    return (smooth - middle) / spread


def components(mask: np.ndarray, spacing_mm: np.ndarray) -> tuple[np.ndarray, int]:
    """Components (26 neighbours) of at least 10 mm3, numbered from 1 in storage order."""
    labels, number = ndimage.label(mask, structure=EVERY_NEIGHBOUR)
    kept = np.bincount(labels.ravel(), minlength=number + 1) * spacing_mm.prod() >= MIN_COMPONENT_MM3
    kept[0] = False
    numbers = np.cumsum(kept) * kept
    return numbers[labels], int(kept.sum())


def finding(
    labels: np.ndarray, rise: np.ndarray, index: int, box: tuple[slice, ...], affine: np.ndarray
) -> dict[str, object]:
    """One component as a box; its score is 1 - 3/height, so 0.5 at a peak of 6 standard deviations."""
    peak = float(rise[box][labels[box] == index].max())
    corners = np.array([[one.start - 0.5 for one in box], [one.stop - 0.5 for one in box]])
    every = np.array(np.meshgrid(*corners.T)).reshape(3, -1).T
    worlds = nibabel.affines.apply_affine(affine, every) * (-1, -1, 1)
    inside = [
        [float(round(value, 3)) for value in corner] for corner in (worlds.min(axis=0), worlds.max(axis=0))
    ]
    return {"label": "new_lesion", "box": inside, "score": round(max(0.0, 1.0 - 3.0 / peak), 6)}


def write(mask: np.ndarray, like: nibabel.Nifti1Image, path: Path) -> Path:
    """Write the label map, on the grid of the later scan."""
    image = nibabel.Nifti1Image(mask.astype(np.uint8), like.affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


@hookimpl
def describe_environment() -> dict[str, str]:
    """Versions of what computed the result."""
    return {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "nibabel")}
