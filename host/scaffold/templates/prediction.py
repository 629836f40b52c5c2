"""Turns the bright part of an image into a risk. Put your algorithm in the place of the marked lines."""

import math
from pathlib import Path

import nibabel
import numpy as np

from plugin_spec import Refuse, algorithm, hookimpl

# Of a logistic model, made up for the example: log odds at 0 mL, per mL, and the standard error of their sum.
INTERCEPT, PER_ML, STANDARD_ERROR = -2.0, 0.05, 0.3
Z_95 = 1.959964  # two-sided 95 % of the normal distribution


@algorithm
def predict(image: Path, level: float) -> dict[str, dict[str, float]]:
    """Predict from the volume of the voxels of at least ``level`` times the highest value.

    Parameters
    ----------
    image, level
        The input and the parameter of these names in plugin.toml.

    Returns
    -------
    dict
        Output port to the value and its interval.
    """
    scan = nibabel.load(image)
    values = np.asarray(scan.dataobj, dtype=np.float64)
    if values.min() < 0:
        raise Refuse("negative-values", "image: voxels below 0, which no magnitude image has")

    voxel_ml = abs(np.linalg.det(scan.affine[:3, :3])) / 1000
    bright_ml = np.count_nonzero(values >= level * values.max()) * voxel_ml
    log_odds = INTERCEPT + PER_ML * bright_ml  # your algorithm

    lower, upper = log_odds - Z_95 * STANDARD_ERROR, log_odds + Z_95 * STANDARD_ERROR
    return {"risk": {"value": logistic(log_odds), "lower": logistic(lower), "upper": logistic(upper)}}


def logistic(log_odds: float) -> float:
    """Log odds to a probability."""
    return 1 / (1 + math.exp(-log_odds))


@hookimpl
def describe_environment() -> dict[str, str]:
    """Versions that every run's record keeps."""
    return {"nibabel": nibabel.__version__, "numpy": np.__version__}
