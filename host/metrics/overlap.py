"""Overlap of two masks on the same grid, from the counts of the pair."""

import math
from typing import Any

from numpy.typing import NDArray

from host.metrics.mask_pair import MaskPair


def dice(pair: MaskPair) -> float:
    """2 |P ∩ R| / (|P| + |R|) (Dice 1945).

    Returns
    -------
    float
        0 to 1. NaN when both masks are empty: not evaluable.
    """
    return _share(2 * pair.common_voxels, pair.predicted_voxels + pair.reference_voxels)


def label_dice(one: NDArray[Any], other: NDArray[Any], value: int) -> float:
    """Dice of the voxels that two label maps of one shape give ``value``; NaN where neither has any."""
    unit = (1.0,) * one.ndim  # overlap has no length
    return dice(MaskPair.of(one == value, other == value, spacing_mm=unit))


def jaccard(pair: MaskPair) -> float:
    """|P ∩ R| / |P ∪ R| (Jaccard 1912).

    Returns
    -------
    float
        0 to 1. NaN when both masks are empty: not evaluable.
    """
    common = pair.common_voxels
    return _share(common, pair.predicted_voxels + pair.reference_voxels - common)


def voxel_sensitivity(pair: MaskPair) -> float:
    """Share of the reference that was found: |P ∩ R| / |R| (Maier-Hein et al. 2024).

    Returns
    -------
    float
        0 to 1. NaN when the reference is empty: there is nothing to find.
    """
    return _share(pair.common_voxels, pair.reference_voxels)


def voxel_precision(pair: MaskPair) -> float:
    """Share of what was found that is right: |P ∩ R| / |P| (Maier-Hein et al. 2024).

    Returns
    -------
    float
        0 to 1. NaN when both masks are empty; 0 when only the predicted one is, so that an empty answer gains nothing.
    """
    if not pair.predicted_voxels and pair.reference_voxels:
        return 0.0
    return _share(pair.common_voxels, pair.predicted_voxels)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
