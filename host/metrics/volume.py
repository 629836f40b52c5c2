"""Differences of volumes, and of reported numbers."""

import math

from host.metrics.mask_pair import MaskPair


def volume_difference_ml(pair: MaskPair) -> float:
    """Volume of the predicted minus volume of the reference mask.

    Returns
    -------
    float
        Millilitres, negative where too little was found; an empty mask has 0 mL.
    """
    return (pair.predicted_voxels - pair.reference_voxels) * pair.voxel_volume_ml


def absolute_volume_difference_ml(pair: MaskPair) -> float:
    """`volume_difference_ml` without its sign."""
    return abs(volume_difference_ml(pair))


def relative_volume_difference_percent(pair: MaskPair) -> float:
    """Difference of the volumes in percent of the reference: 100 (|P| - |R|) / |R| (Heimann et al. 2009).

    Returns
    -------
    float
        Percent, at least -100. NaN when both masks are empty; infinity when only the reference is.
    """
    return relative_difference_percent(float(pair.predicted_voxels), float(pair.reference_voxels))


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
