"""First-order statistics of the intensities in a region (Image Biomarker Standardisation Initiative, IBSI)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class FirstOrder:
    """Figures of one region; the names are those of IBSI.

    Attributes
    ----------
    mean : float
        In the unit of the intensities.
    variance, energy : float
        In its square; the variance has divisor n.
    skewness, kurtosis : float
        Without unit; the kurtosis of a normal distribution is 0.
    """

    mean: float
    variance: float
    skewness: float
    kurtosis: float
    energy: float


def first_order(intensities: ArrayLike) -> FirstOrder:
    """Describe the intensities of a region (IBSI reference manual, arXiv:1612.07003v11, section 3.3).

    Parameters
    ----------
    intensities : array_like
        Of the voxels of the region, in any shape.

    Returns
    -------
    FirstOrder
        NaN for an empty region; skewness and kurtosis are 0 where nothing varies, as IBSI has it.
    """
    values = np.asarray(intensities, dtype=np.float64).ravel()
    if not values.size:
        return FirstOrder(math.nan, math.nan, math.nan, math.nan, math.nan)
    centred = values - values.mean()
    variance = float((centred**2).mean())
    skewness = float((centred**3).mean()) / variance**1.5 if variance else 0.0
    kurtosis = float((centred**4).mean()) / variance**2 - 3.0 if variance else 0.0
    return FirstOrder(float(values.mean()), variance, skewness, kurtosis, float((values**2).sum()))
