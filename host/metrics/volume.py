"""Volumes and their differences, of masks, of probability maps and of reported numbers."""

import math

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def volume_ml(membership: NDArray[np.bool_] | NDArray[np.floating], *, voxel_volume_ml: float) -> float:
    """Sum over the voxels of membership times voxel volume.

    Parameters
    ----------
    membership : ndarray of bool or float, shape (I, J, K)
        A mask, or a map of probabilities from 0 to 1 (partial volumes then count in part).
    voxel_volume_ml : float
        `Grid.voxel_volume_ml`, which is right with shear too.

    Returns
    -------
    float
        Millilitres; 0 for an empty mask.
    """
    return float(membership.sum(dtype=np.float64)) * voxel_volume_ml


def volume_difference_ml(predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]) -> float:
    """Volume of the predicted minus volume of the reference mask.

    Parameters
    ----------
    predicted, reference : ndarray of bool, shape (I, J, K)
    spacing_mm : tuple of float
        Edge lengths of a voxel whose axes are perpendicular.

    Returns
    -------
    float
        Millilitres, negative where too little was found; an empty mask has 0 mL.
    """
    voxels = np.count_nonzero(predicted) - np.count_nonzero(reference)
    return float(voxels) * math.prod(spacing_mm) / 1000.0


def absolute_volume_difference_ml(
    predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]
) -> float:
    """`volume_difference_ml` without its sign; parameters as there."""
    return abs(volume_difference_ml(predicted, reference, spacing_mm=spacing_mm))


def relative_volume_difference_percent(
    predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]
) -> float:
    """Difference of the volumes in percent of the reference: 100 (|P| - |R|) / |R| (Heimann et al. 2009).

    Parameters
    ----------
    predicted, reference : ndarray of bool, shape (I, J, K)
        On the same grid, so the voxel volume cancels.
    spacing_mm : tuple of float
        Not used.

    Returns
    -------
    float
        Percent, at least -100. NaN when both masks are empty; infinity when only the reference is.
    """
    return relative_difference_percent(float(np.count_nonzero(predicted)), float(np.count_nonzero(reference)))


def difference(predicted: float, reference: float) -> float:
    """Predicted minus reference number, in the unit of both."""
    return predicted - reference


def absolute_difference(predicted: float, reference: float) -> float:
    """`difference` without its sign."""
    return abs(predicted - reference)


def relative_difference_percent(predicted: float, reference: float) -> float:
    """Difference in percent of the reference: 100 (p - r) / |r|.

    Parameters
    ----------
    predicted, reference : float
        In the same unit.

    Returns
    -------
    float
        Percent. NaN when both numbers are 0; signed infinity when only the reference is.
    """
    if reference == 0:
        return math.copysign(math.inf, predicted) if predicted else math.nan
    return 100.0 * (predicted - reference) / abs(reference)
