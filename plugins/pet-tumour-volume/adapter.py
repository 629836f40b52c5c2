"""Metabolic tumour volume on FDG-PET: the connected region above a fixed share of the highest uptake.

The rule is the 41 % isocontour of the EANM guidelines for FDG tumour imaging (Boellaard et al., Eur J Nucl Med Mol
Imaging 2015;42:328-354): of the voxels at or above 41 % of the maximum, those connected with it by faces. The image is
one in which the tumour holds the maximum, such as a crop around it: nothing here tells a tumour from a bladder.

Invariants: arrays have axes (I, J, K) as stored; SUV in g/mL; each number can be computed again from the label map and
the image.
"""

import importlib.metadata
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from plugin_spec import Refuse, algorithm, hookimpl

MIN_VOXELS = 8
MIN_SUV_MAX = 2.5  # below that, no threshold tells a lesion from tissue
MAX_SUV = 200.0


@algorithm
def measure(pet: Path, share: float, out: Path) -> dict[str, object]:
    """Outline the region of the highest uptake.

    Parameters
    ----------
    pet, share
        The input and the parameter of these names in plugin.toml.
    out : Path
        The folder for output files.

    Returns
    -------
    dict
        Output port to its answer.
    """
    image = nibabel.load(pet)
    suv = np.asarray(image.dataobj, dtype=np.float64)
    check(suv)
    tumour = connected_with_maximum(suv >= share * suv.max(), suv)
    if tumour.sum() < MIN_VOXELS:
        raise Refuse(
            "region-too-small", f"pet: the region has {int(tumour.sum())} voxels, {MIN_VOXELS} are needed"
        )
    path = out / "tumour.nii.gz"
    written = nibabel.Nifti1Image(tumour.astype(np.uint8), image.affine)
    written.header.set_xyzt_units("mm")
    nibabel.save(written, path)
    volume_ml = int(tumour.sum()) * float(abs(np.linalg.det(image.affine[:3, :3]))) / 1000.0
    mean = float(suv[tumour].mean())
    row = {"mtv_ml": volume_ml, "suv_max": float(suv.max()), "suv_mean": mean, "tlg_g": volume_ml * mean}
    return {"tumour": path, "uptake": row}


def check(suv: np.ndarray) -> None:
    """Refuse what cannot be a PET in SUV with a lesion in it."""
    if not np.isfinite(suv).all():
        raise Refuse("non-finite-intensities", "pet: holds NaN or infinite values")
    if suv.max() > MAX_SUV or suv.min() < -1.0:
        raise Refuse(
            "not-suv", f"pet: values from {suv.min():g} to {suv.max():g} are no SUV; convert from Bq/mL first"
        )
    if suv.max() < MIN_SUV_MAX:
        raise Refuse(
            "no-uptake", f"pet: the highest SUV is {suv.max():.2f}; {MIN_SUV_MAX} is the least for a lesion"
        )


def connected_with_maximum(mask: np.ndarray, suv: np.ndarray) -> np.ndarray:
    """The component (6 neighbours) of ``mask`` that holds the highest value; the first in storage order of several."""
    labels, _ = ndimage.label(mask)
    return labels == labels[np.unravel_index(int(np.argmax(suv)), suv.shape)]


@hookimpl
def describe_environment() -> dict[str, str]:
    """Versions of what computed the result."""
    return {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "nibabel")}
