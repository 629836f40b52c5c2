"""Tells images with a bright part from others. Put your algorithm in the place of the marked lines."""

import math
from pathlib import Path

import nibabel
import numpy as np

from plugin_spec import Refuse, algorithm, hookimpl

# Made up for the example: half of the probability at 1 % of the voxels.
MIDDLE, STEEPNESS = 0.01, 500.0


@algorithm
def classify(image: Path, level: float) -> dict[str, dict[str, object]]:
    """Classify by the share of voxels of at least ``level`` times the highest value.

    Parameters
    ----------
    image, level
        The input and the parameter of these names in plugin.toml.

    Returns
    -------
    dict
        Output port to the class and the probability of each class.
    """
    scan = nibabel.load(image)
    values = np.asarray(scan.dataobj, dtype=np.float64)
    if values.min() < 0:
        raise Refuse("negative-values", "image: voxels below 0, which no magnitude image has")

    share = float(np.mean(values >= level * values.max()))  # your algorithm
    bright = 1 / (1 + math.exp(-STEEPNESS * (share - MIDDLE)))

    return {
        "finding": {
            "label": "bright_part" if bright >= 0.5 else "none",  # the operating point of plugin.toml
            "probabilities": {"bright_part": bright, "none": 1 - bright},
        }
    }


@hookimpl
def describe_environment() -> dict[str, str]:
    """Versions that every run's record keeps."""
    return {"nibabel": nibabel.__version__, "numpy": np.__version__}
