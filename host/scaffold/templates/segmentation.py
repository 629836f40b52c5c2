"""Labels the bright voxels of an image. Put your algorithm in the place of the marked lines."""

from pathlib import Path

import nibabel
import numpy as np

from plugin_spec import Refuse, algorithm, hookimpl


@algorithm
def segment(image: Path, level: float, out: Path) -> dict[str, Path]:
    """Mark each voxel of at least ``level`` times the highest value.

    Parameters
    ----------
    image, level
        The input and the parameter of these names in plugin.toml.
    out : Path
        The folder for output files; nothing else but scratch can be written.

    Returns
    -------
    dict
        Output port to the written file.
    """
    scan = nibabel.load(image)
    values = np.asarray(scan.dataobj, dtype=np.float64)
    if values.min() < 0:
        raise Refuse("negative-values", "image: voxels below 0, which no magnitude image has")

    mask = (values >= level * values.max()).astype(np.uint8)  # your algorithm

    path = out / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(mask, scan.affine), path)
    return {"mask": path}


@hookimpl
def describe_environment() -> dict[str, str]:
    """Versions that every run's record keeps."""
    return {"nibabel": nibabel.__version__, "numpy": np.__version__}
