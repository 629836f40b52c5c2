"""Rotation and resampling against geometry that is known."""

import numpy as np
import pytest

from host.cases.geometry import Grid
from host.perturbations.resampling import Resampling, axis_weights, new_grid
from host.perturbations.rotation import (
    index_map,
    moved_out,
    rotated_labels,
    rotated_slice,
    rotation_matrix,
)

OBLIQUE = Grid(
    (40, 44, 24), ((-1.0, 0.1, 0.2, 30.0), (0.1, 1.1, -0.3, -40.0), (0.05, 0.2, 2.0, 12.0), (0, 0, 0, 1.0))
)
CUBIC = Grid((21, 21, 21), ((1.0, 0, 0, 0), (0, 1.0, 0, 0), (0, 0, 1.0, 0), (0, 0, 0, 1.0)))


def ball(grid: Grid, centre_mm: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    """Voxels whose centre lies within the ball."""
    return (np.linalg.norm(positions(grid) - np.array(centre_mm), axis=-1) <= radius_mm).astype(np.uint8)


def positions(grid: Grid) -> np.ndarray:
    """World positions of all voxels, shape (I, J, K, 3)."""
    index = np.stack(np.meshgrid(*(np.arange(size) for size in grid.shape), indexing="ij"), axis=-1)
    affine = np.array(grid.affine)
    return index @ affine[:3, :3].T + affine[:3, 3]


def centroid(labels: np.ndarray, grid: Grid) -> np.ndarray:
    return positions(grid)[labels > 0].mean(axis=0)


def centre(grid: Grid) -> np.ndarray:
    i, j, k = ((size - 1) / 2 for size in grid.shape)
    return np.array(grid.world_mm((i, j, k)))


@pytest.mark.parametrize(("axis", "moves"), [("x", (1, 2)), ("y", (2, 0)), ("z", (0, 1))])
def test_a_quarter_turn_takes_one_world_axis_to_the_next(axis: str, moves: tuple[int, int]) -> None:
    start, end = np.eye(3)[moves[0]], np.eye(3)[moves[1]]
    assert rotation_matrix(axis, 90.0) @ start == pytest.approx(end)


def test_a_quarter_turn_of_a_cube_of_voxels_is_exact() -> None:
    labels = np.zeros(CUBIC.shape, np.uint8)
    labels[15, 10, 4], labels[10, 12, 4] = 1, 2
    moved = rotated_labels(labels, CUBIC, rotation_matrix("z", 90.0))
    assert {value: tuple(np.argwhere(moved == value)[0]) for value in (1, 2)} == {
        1: (10, 15, 4),
        2: (8, 10, 4),
    }


@pytest.mark.parametrize(("axis", "degrees"), [("x", 15.0), ("y", -20.0), ("z", 30.0)])
def test_a_rotated_ball_lies_where_the_rotation_takes_it_and_keeps_its_volume(
    axis: str, degrees: float
) -> None:
    at = centre(OBLIQUE) + (6.0, -7.0, 5.0)
    labels = ball(OBLIQUE, tuple(at), 8.0)
    rotation = rotation_matrix(axis, degrees)
    moved = rotated_labels(labels, OBLIQUE, rotation)
    expected = rotation @ (centroid(labels, OBLIQUE) - centre(OBLIQUE)) + centre(OBLIQUE)
    assert centroid(moved, OBLIQUE) == pytest.approx(expected, abs=0.4)  # a fifth of the longest voxel edge
    assert np.count_nonzero(moved) == pytest.approx(np.count_nonzero(labels), rel=0.03)
    assert moved_out(labels, OBLIQUE, rotation) == 0


def test_a_rotated_linear_image_is_exact_inside_since_linear_interpolation_is() -> None:
    ramp = positions(OBLIQUE) @ np.array([2.0, -1.0, 0.5])
    rotation = rotation_matrix("y", 12.0)
    sources = index_map(OBLIQUE, rotation)
    k = 12
    found = rotated_slice(ramp, k, sources=sources, order=1, fill=np.nan)
    back = (positions(OBLIQUE)[:, :, k] - centre(OBLIQUE)) @ rotation + centre(OBLIQUE)  # rows: R^T applied
    inside = np.isfinite(found)
    assert inside.mean() > 0.6
    assert found[inside] == pytest.approx((back @ np.array([2.0, -1.0, 0.5]))[inside])


def test_turning_back_and_forth_gives_an_image_back() -> None:
    labels = ball(CUBIC, (10.0, 10.0, 10.0), 6.0)
    there = rotated_labels(labels, CUBIC, rotation_matrix("x", 33.0))
    back = rotated_labels(there, CUBIC, rotation_matrix("x", -33.0))
    assert (back != labels).sum() < 0.12 * labels.sum()


def test_labelled_voxels_that_a_rotation_takes_out_are_counted() -> None:
    labels = np.zeros(CUBIC.shape, np.uint8)
    labels[20, 20, 10] = labels[10, 10, 10] = 1
    assert moved_out(labels, CUBIC, rotation_matrix("z", 45.0)) == 1
    assert moved_out(labels, CUBIC, rotation_matrix("z", 90.0)) == 0


@pytest.mark.parametrize("spacing_mm", [0.5, 0.7, 1.0, 2.0, 3.3])
def test_resampling_keeps_the_centre_the_directions_and_all_of_the_field(spacing_mm: float) -> None:
    new = new_grid(OBLIQUE, spacing_mm)
    assert new.spacing_mm == pytest.approx((spacing_mm,) * 3)
    assert centre(new) == pytest.approx(centre(OBLIQUE))
    old_axes, new_axes = (np.array(one.affine)[:3, :3] / one.spacing_mm for one in (OBLIQUE, new))
    assert new_axes == pytest.approx(old_axes)
    beyond = np.array(new.extent_mm) - np.array(OBLIQUE.extent_mm)
    assert (beyond > -1e-3).all() and (beyond < spacing_mm).all()


def test_resampling_along_one_world_axis_leaves_the_others() -> None:
    new = new_grid(OBLIQUE, 5.0, "z")
    assert new.shape[:2] == OBLIQUE.shape[:2]
    assert new.spacing_mm == pytest.approx((*OBLIQUE.spacing_mm[:2], 5.0))


def test_voxels_twice_as_long_see_the_mean_of_two() -> None:
    assert axis_weights(4, 2, 2.0) == pytest.approx(np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]))


def test_voxels_half_as_long_interpolate_between_centres() -> None:
    assert axis_weights(2, 4, 0.5) == pytest.approx(np.array([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]))


@pytest.mark.parametrize(("spacing_mm", "off"), [(0.6, 1e-9), (1.7, 0.125), (3.0, 0.125)])
def test_a_linear_image_is_the_same_seen_by_other_voxels(spacing_mm: float, off: float) -> None:
    """Larger voxels that end inside an old one see its mean there, at most an eighth of its edge off."""
    new, slope = new_grid(OBLIQUE, spacing_mm), np.array([2.0, -1.0, 0.5])
    resampling, ramp = Resampling(OBLIQUE, new), positions(OBLIQUE) @ slope
    found = np.stack([resampling.slice(ramp, k) for k in range(new.shape[2])], axis=2)
    steps = np.abs(slope @ np.array(OBLIQUE.affine)[:3, :3]).sum()
    inner = (slice(4, -4),) * 3  # at the border, only what was imaged counts
    assert found[inner] == pytest.approx((positions(new) @ slope)[inner], rel=0, abs=max(off * steps, 1e-9))


def test_the_mean_is_kept_where_the_new_voxels_cover_the_old_ones_exactly() -> None:
    grid = Grid((20, 20, 20), CUBIC.affine)
    data = np.random.RandomState(5).uniform(0, 100, grid.shape)
    resampling = Resampling(grid, new_grid(grid, 2.0))
    found = np.stack([resampling.slice(data, k) for k in range(10)], axis=2)
    assert found.mean() == pytest.approx(data.mean())
    assert found[3, 4, 5] == pytest.approx(data[6:8, 8:10, 10:12].mean())


@pytest.mark.parametrize("spacing_mm", [0.5, 1.5])
def test_a_resampled_ball_keeps_its_place_and_volume(spacing_mm: float) -> None:
    grid = Grid((60, 60, 60), CUBIC.affine)
    labels = ball(grid, (31.3, 27.8, 30.2), 14.0)
    new = new_grid(grid, spacing_mm)
    found = Resampling(grid, new).labels(labels)
    assert centroid(found, new) == pytest.approx(centroid(labels, grid), abs=0.1)
    volume = found.sum() * new.voxel_volume_ml
    assert volume == pytest.approx(labels.sum() * grid.voxel_volume_ml, rel=0.02)


def test_a_voxel_gets_the_label_that_takes_up_most_of_it_and_the_lower_of_two_equal_ones() -> None:
    grid = Grid((2, 2, 4), CUBIC.affine)
    labels = np.zeros(grid.shape, np.uint8)
    labels[:, :, 0], labels[0, 0, 1] = 5, 5
    labels[:, :, 2] = 7
    found = Resampling(grid, new_grid(grid, 2.0)).labels(labels)
    assert found.tolist() == [[[5, 0]]]


def test_resampling_to_the_voxels_that_are_there_changes_nothing() -> None:
    labels = ball(OBLIQUE, tuple(centre(OBLIQUE)), 9.0)
    one_axis = new_grid(OBLIQUE, OBLIQUE.spacing_mm[2], "z")
    assert one_axis.shape == OBLIQUE.shape
    assert (Resampling(OBLIQUE, one_axis).labels(labels) == labels).all()
