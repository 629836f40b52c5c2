"""Measures the bright voxels of an image. Put your algorithm in the place of the marked lines."""

from pathlib import Path

import nibabel
import numpy as np

from plugin_spec import Refuse, algorithm, hookimpl


@algorithm
def measure(image: Path, level: float) -> dict[str, dict[str, float]]:
    """Measure the voxels of at least ``level`` times the highest value.

    Parameters
    ----------
    image, level
        The input and the parameter of these names in plugin.toml.

    Returns
    -------
    dict
        Output port to its row: a number for each column, in the column's unit.
    """
    scan = nibabel.load(image)
    values = np.asarray(scan.dataobj, dtype=np.float64)
    if values.min() < 0:
        raise Refuse("negative-values", "image: voxels below 0, which no magnitude image has")

    bright = values[values >= level * values.max()]  # your algorithm

    voxel_mm3 = abs(np.linalg.det(scan.affine[:3, :3]))
    return {"numbers": {"bright_ml": bright.size * voxel_mm3 / 1000, "bright_mean": float(bright.mean())}}


@hookimpl
def describe_environment() -> dict[str, str]:
    """Versions that every run's record keeps."""
    return {"nibabel": nibabel.__version__, "numpy": np.__version__}
