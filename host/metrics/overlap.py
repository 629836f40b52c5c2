"""Overlap of two masks on the same grid."""

import math

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def dice(predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]) -> float:
    """Overlap of two masks: 2 |P ∩ R| / (|P| + |R|) (Dice 1945).

    Parameters
    ----------
    predicted, reference : ndarray of bool, shape (I, J, K)
        On the same grid; check with `same_grid` first.
    spacing_mm : tuple of float
        Not used: overlap has no length. Every mask metric is called alike.

    Returns
    -------
    float
        0 to 1. NaN when both masks are empty: not evaluable.
    """
    total = np.count_nonzero(predicted) + np.count_nonzero(reference)
    return 2.0 * np.count_nonzero(predicted & reference) / total if total else math.nan


def jaccard(predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]) -> float:
    """Overlap of two masks: |P ∩ R| / |P ∪ R| (Jaccard 1912).

    Parameters
    ----------
    predicted, reference : ndarray of bool, shape (I, J, K)
        On the same grid.
    spacing_mm : tuple of float
        Not used.

    Returns
    -------
    float
        0 to 1. NaN when both masks are empty: not evaluable.
    """
    union = np.count_nonzero(predicted | reference)
    return float(np.count_nonzero(predicted & reference) / union) if union else math.nan
