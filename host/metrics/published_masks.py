"""Pairs of masks whose figures others published, in the tests of surface-distance and of MetricsReloaded."""

import numpy as np

from host.metrics.mask_pair import MaskPair


def half_cubes() -> MaskPair:
    """In the tests of surface-distance: 0:51 against 0:50 of 100 voxels, spacing (2, 1, 1)."""
    predicted, reference = np.zeros((2, 100, 100, 100), bool)
    predicted[:51] = reference[:50] = True
    return MaskPair.of(predicted, reference, spacing_mm=(2.0, 1.0, 1.0))


def two_voxels() -> MaskPair:
    """In the tests of surface-distance: one voxel each, two apart along the last axis, spacing (3, 2, 1)."""
    predicted, reference = np.zeros((2, 100, 100, 100), bool)
    predicted[50, 60, 72] = reference[50, 60, 70] = True
    return MaskPair.of(predicted, reference, spacing_mm=(3.0, 2.0, 1.0))


def square_and_cross() -> MaskPair:
    """In the tests of MetricsReloaded: a square against the same square plus a cross, 11 x 11."""
    reference = np.zeros((11, 11), bool)
    reference[3:8, 3:8] = True
    predicted = reference.copy()
    predicted[5, 1:10] = predicted[1:10, 5] = True
    return MaskPair.of(predicted, reference, spacing_mm=(1.0, 1.0))


def far_point() -> MaskPair:
    """In the tests of MetricsReloaded: a square against the same square and a voxel far off, 14 x 14."""
    reference = np.zeros((14, 14), bool)
    reference[9:12, 9:12] = True
    predicted = reference.copy()
    predicted[1, 1] = True
    return MaskPair.of(predicted, reference, spacing_mm=(1.0, 1.0))


def boxes() -> MaskPair:
    """In the tests of MetricsReloaded: two boxes that overlap, in 10 x 10 x 10."""
    predicted, reference = np.zeros((2, 10, 10, 10), bool)
    reference[4:5, 3:6] = True
    predicted[4:8, 2:5] = True
    return MaskPair.of(predicted, reference, spacing_mm=(1.0, 1.0, 1.0))
