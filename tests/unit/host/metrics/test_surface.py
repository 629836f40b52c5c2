"""Surface metrics against published numbers (oracles 7 and 8) and against brute force."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from host.metrics.mask_pair import Mask
from host.metrics.overlap import dice
from host.metrics.surface import (
    average_symmetric_surface_distance_mm,
    hausdorff_percentile_mm,
    mean_average_surface_distance_mm,
    normalized_surface_dice,
    surface_distances,
)
from tests.support.masks import boxes, far_point, half_cubes, pair, square_and_cross, two_voxels, voxels

DISTANCES = (
    hausdorff_percentile_mm,
    average_symmetric_surface_distance_mm,
    mean_average_surface_distance_mm,
)


@pytest.mark.parametrize("surface", ["border_voxels", "surfels"])
def test_half_cubes_match_the_published_numbers_of_surface_distance(surface: str) -> None:
    cubes = half_cubes()
    assert hausdorff_percentile_mm(cubes, surface=surface) == 2.0
    assert dice(cubes) == pytest.approx(0.990, abs=5e-4)


def test_two_voxels_match_the_published_numbers_of_surface_distance() -> None:
    found = surface_distances(two_voxels(), "surfels")
    for direction in (found.from_predicted, found.from_reference):
        assert direction.integral() / direction.total == pytest.approx(1.5, rel=1e-12)
    assert hausdorff_percentile_mm(two_voxels(), percentile=100.0, surface="surfels") == 2.0


def test_square_and_cross_match_the_published_numbers_of_metrics_reloaded() -> None:
    masks = square_and_cross()
    assert dice(masks) == pytest.approx(0.862, abs=5e-4)
    assert average_symmetric_surface_distance_mm(masks) == pytest.approx(0.44, abs=5e-3)
    assert mean_average_surface_distance_mm(masks) == pytest.approx(0.425, abs=5e-4)
    assert normalized_surface_dice(masks, tolerance_mm=1.0) == pytest.approx(0.89, abs=5e-3)


def test_overlapping_boxes_match_the_published_dice_of_metrics_reloaded() -> None:
    assert dice(boxes()) == pytest.approx(0.26667, abs=5e-6)


@pytest.mark.parametrize(
    ("percentile", "directions", "surface", "expected_mm"),
    [
        (100.0, "larger", "border_voxels", 11.31),
        (95.0, "larger", "border_voxels", 6.79),
        (95.0, "pooled", "border_voxels", 2.26),
        (95.0, "larger", "surfels", 11.31),
    ],
)
def test_a_far_point_has_three_hd95_and_each_is_the_published_one(
    percentile: float, directions: str, surface: str, expected_mm: float
) -> None:
    found = hausdorff_percentile_mm(
        far_point(), percentile=percentile, directions=directions, surface=surface
    )
    assert found == pytest.approx(expected_mm, abs=5e-3)


@pytest.mark.parametrize("density", [0.002, 0.3])
def test_tree_and_transform_agree_with_brute_force(density: float) -> None:
    generator = np.random.RandomState(7)
    predicted, reference = generator.random_sample((2, 17, 23, 19)) < density
    spacing_mm = (0.7, 1.3, 3.0)
    found = surface_distances(pair(predicted, reference, spacing_mm))
    surfaces = [np.argwhere(mask & ~eroded(mask)) * spacing_mm for mask in (predicted, reference)]
    table = cdist(*surfaces)
    assert found.from_predicted.mm == pytest.approx(np.sort(table.min(axis=1)))
    assert found.from_reference.mm == pytest.approx(np.sort(table.min(axis=0)))


def eroded(mask: Mask) -> Mask:
    """A voxel stays when it and its six neighbours are inside."""
    padded = np.pad(mask, 1)
    inner = mask.copy()
    for axis in range(3):
        for step in (-1, 1):
            inner &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    return inner


@pytest.mark.parametrize("surface", ["border_voxels", "surfels"])
def test_two_empty_masks_have_no_distance(surface: str) -> None:
    nothing = voxels(0, 0)
    for metric in DISTANCES:
        assert math.isnan(metric(nothing, surface=surface))
    assert math.isnan(normalized_surface_dice(nothing, tolerance_mm=1.0, surface=surface))


@pytest.mark.parametrize("surface", ["border_voxels", "surfels"])
@pytest.mark.parametrize("counts", [(0, 5), (5, 0)])
def test_one_empty_mask_is_infinitely_far_and_shares_nothing(counts: tuple[int, int], surface: str) -> None:
    one_empty = voxels(*counts)
    for metric in DISTANCES:
        assert metric(one_empty, surface=surface) == math.inf
    assert normalized_surface_dice(one_empty, tolerance_mm=1.0, surface=surface) == 0.0


def test_a_distance_equal_to_the_tolerance_is_within_though_spacing_is_single_precision() -> None:
    predicted, reference = np.zeros((2, 12, 1, 1), bool)
    predicted[0] = reference[10] = True
    step_mm = float(np.float32(0.3))  # 10 of them: 3.0000001
    masks = pair(predicted, reference, (step_mm, 1.0, 1.0))
    assert normalized_surface_dice(masks, tolerance_mm=3.0) == 1.0
    assert normalized_surface_dice(masks, tolerance_mm=2.999) == 0.0
