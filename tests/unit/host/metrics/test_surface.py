"""Surface metrics against published numbers (oracles 7 and 8) and against brute force."""

import math
import time

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from host.metrics.overlap import dice, jaccard
from host.metrics.surface import (
    average_symmetric_surface_distance_mm,
    hausdorff_95_mm,
    mean_average_surface_distance_mm,
    normalized_surface_dice,
    surface_distances,
)

ISOTROPIC_2D = (1.0, 1.0)
ISOTROPIC_3D = (1.0, 1.0, 1.0)


def square_and_cross():
    """The pair of 11 by 11 masks in the tests of MetricsReloaded."""
    reference = np.zeros((11, 11), bool)
    reference[3:8, 3:8] = True
    predicted = reference.copy()
    predicted[5, 1:10] = predicted[1:10, 5] = True
    return predicted, reference


def far_point():
    """The pair of 14 by 14 masks in the tests of MetricsReloaded."""
    reference = np.zeros((14, 14), bool)
    reference[9:12, 9:12] = True
    predicted = reference.copy()
    predicted[1, 1] = True
    return predicted, reference


def test_half_cubes_match_the_published_numbers_of_surface_distance():
    predicted, reference = np.zeros((2, 100, 100, 100), bool)
    reference[:50] = True
    predicted[:51] = True
    assert hausdorff_95_mm(predicted, reference, spacing_mm=(2.0, 1.0, 1.0)) == 2.0
    assert dice(predicted, reference, spacing_mm=(2.0, 1.0, 1.0)) == pytest.approx(0.990, abs=5e-4)


def test_two_voxels_match_the_published_numbers_of_surface_distance():
    predicted, reference = np.zeros((2, 100, 100, 100), bool)
    reference[50, 60, 70] = True
    predicted[50, 60, 72] = True
    found = surface_distances(predicted, reference, spacing_mm=(3.0, 2.0, 1.0), surface="voxel_corners")
    assert found.from_predicted_mm.mean() == 1.5
    assert found.from_reference_mm.mean() == 1.5
    assert max(found.from_predicted_mm.max(), found.from_reference_mm.max()) == 2.0
    assert hausdorff_95_mm(predicted, reference, spacing_mm=(3.0, 2.0, 1.0)) == 2.0


def test_square_and_cross_match_the_published_numbers_of_metrics_reloaded():
    predicted, reference = square_and_cross()
    assert dice(predicted, reference, spacing_mm=ISOTROPIC_2D) == pytest.approx(0.862, abs=5e-4)
    assd = average_symmetric_surface_distance_mm(predicted, reference, spacing_mm=ISOTROPIC_2D)
    assert assd == pytest.approx(0.44, abs=5e-3)
    masd = mean_average_surface_distance_mm(predicted, reference, spacing_mm=ISOTROPIC_2D)
    assert masd == pytest.approx(0.425, abs=5e-4)
    nsd = normalized_surface_dice(predicted, reference, spacing_mm=ISOTROPIC_2D, tolerance_mm=1.0)
    assert nsd == pytest.approx(0.89, abs=5e-3)


def test_a_far_point_matches_the_published_numbers_of_metrics_reloaded():
    predicted, reference = far_point()
    found = surface_distances(predicted, reference, spacing_mm=ISOTROPIC_2D)
    assert found.from_predicted_mm.max() == pytest.approx(11.31, abs=5e-3)
    assert hausdorff_95_mm(predicted, reference, spacing_mm=ISOTROPIC_2D) == pytest.approx(6.79, abs=5e-3)


def test_overlapping_boxes_match_the_published_dice_of_metrics_reloaded():
    predicted, reference = np.zeros((2, 10, 10, 10), bool)
    reference[4:5, 3:6] = True
    predicted[4:8, 2:5] = True
    assert dice(predicted, reference, spacing_mm=ISOTROPIC_3D) == pytest.approx(0.26667, abs=5e-6)


@pytest.mark.parametrize("density", [0.002, 0.3])
def test_tree_and_transform_agree_with_brute_force(density):
    generator = np.random.default_rng(7)
    predicted, reference = generator.random((2, 17, 23, 19)) < density
    spacing_mm = (0.7, 1.3, 3.0)
    found = surface_distances(predicted, reference, spacing_mm=spacing_mm)
    surfaces = [np.argwhere(mask & ~eroded(mask)) * spacing_mm for mask in (predicted, reference)]
    table = cdist(*surfaces)
    assert np.sort(found.from_predicted_mm) == pytest.approx(np.sort(table.min(axis=1)))
    assert np.sort(found.from_reference_mm) == pytest.approx(np.sort(table.min(axis=0)))


def eroded(mask):
    """A voxel stays when it and its six neighbours are inside."""
    padded = np.pad(mask, 1)
    inner = mask.copy()
    for axis in range(3):
        for step in (-1, 1):
            inner &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    return inner


def test_two_empty_masks_are_not_evaluable():
    nothing = np.zeros((5, 5, 5), bool)
    for metric in (dice, jaccard, hausdorff_95_mm, average_symmetric_surface_distance_mm):
        assert math.isnan(metric(nothing, nothing, spacing_mm=ISOTROPIC_3D))
    assert math.isnan(normalized_surface_dice(nothing, nothing, spacing_mm=ISOTROPIC_3D, tolerance_mm=1.0))


@pytest.mark.parametrize("swapped", [False, True])
def test_one_empty_mask_is_infinitely_far_and_shares_nothing(swapped):
    nothing, something = np.zeros((2, 5, 5, 5), bool)
    something[2, 2, 2] = True
    pair = (something, nothing) if swapped else (nothing, something)
    assert dice(*pair, spacing_mm=ISOTROPIC_3D) == 0.0
    assert hausdorff_95_mm(*pair, spacing_mm=ISOTROPIC_3D) == math.inf
    assert average_symmetric_surface_distance_mm(*pair, spacing_mm=ISOTROPIC_3D) == math.inf
    assert mean_average_surface_distance_mm(*pair, spacing_mm=ISOTROPIC_3D) == math.inf
    assert normalized_surface_dice(*pair, spacing_mm=ISOTROPIC_3D, tolerance_mm=1.0) == 0.0


def test_masks_are_not_modified():
    predicted, reference = far_point()
    before = predicted.copy(), reference.copy()
    hausdorff_95_mm(predicted, reference, spacing_mm=ISOTROPIC_2D)
    assert np.array_equal(before, (predicted, reference))


def test_an_organ_in_a_full_scan_takes_well_under_a_second():
    i, j, k = np.ogrid[:256, :256, :160]
    predicted = (i - 128) ** 2 + (j - 128) ** 2 + (k - 80) ** 2 < 50**2
    reference = (i - 130) ** 2 + (j - 128) ** 2 + (k - 80) ** 2 < 50**2
    start = time.perf_counter()
    assert hausdorff_95_mm(predicted, reference, spacing_mm=ISOTROPIC_3D) == pytest.approx(2.0, abs=0.3)
    assert time.perf_counter() - start < 5.0  # generous: the machine may be busy
