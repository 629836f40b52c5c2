"""Pairs of masks made for tests, and those whose figures were published."""

import numpy as np

from host.metrics.mask_pair import Mask, MaskPair
from host.metrics.published_masks import boxes, far_point, half_cubes, square_and_cross, two_voxels

__all__ = ["boxes", "far_point", "half_cubes", "pair", "square_and_cross", "two_voxels", "voxels"]

ISOTROPIC_3D = (1.0, 1.0, 1.0)


def pair(predicted: Mask, reference: Mask, spacing_mm: tuple[float, ...] = ISOTROPIC_3D) -> MaskPair:
    """The two masks, with voxels of 1 mm unless said."""
    return MaskPair.of(predicted, reference, spacing_mm=spacing_mm)


def voxels(predicted: int, reference: int, spacing_mm: tuple[float, ...] = ISOTROPIC_3D) -> MaskPair:
    """Masks of so many voxels each, the first of 10 x 10 x 10."""
    masks = [np.arange(1000).reshape(10, 10, 10) < count for count in (predicted, reference)]
    return pair(*masks, spacing_mm)
