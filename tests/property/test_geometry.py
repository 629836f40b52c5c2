"""Geometry: round trips and invariants on arbitrary grids."""

import math

import nibabel
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from host.cases.errors import GridError
from host.cases.geometry import Grid, same_grid

angles = st.floats(-math.pi, math.pi)
spacings = st.tuples(*[st.floats(0.1, 20.0)] * 3)
shapes = st.tuples(*[st.integers(1, 512)] * 3)
offsets = st.tuples(*[st.floats(-500.0, 500.0)] * 3)
shears = st.tuples(*[st.floats(-0.3, 0.3)] * 3)


def rotation(a, b, c):
    def about(axis, angle):
        matrix = np.eye(3)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        matrix[i, i] = matrix[j, j] = math.cos(angle)
        matrix[i, j], matrix[j, i] = -math.sin(angle), math.sin(angle)
        return matrix

    return about(0, a) @ about(1, b) @ about(2, c)


@st.composite
def grids(draw, max_angle=math.pi):
    """Rotated, sheared, anisotropic and possibly mirrored grids."""
    turn = st.floats(-max_angle, max_angle)
    matrix = rotation(draw(turn), draw(turn), draw(turn))
    upper = np.eye(3)
    upper[0, 1], upper[0, 2], upper[1, 2] = draw(shears)
    flips = np.diag([draw(st.sampled_from([-1.0, 1.0])) for _ in range(3)])
    affine = np.eye(4)
    affine[:3, :3] = matrix @ upper @ np.diag(draw(spacings)) @ flips
    affine[:3, 3] = draw(offsets)
    return Grid(draw(shapes), tuple(map(tuple, affine.tolist())))


@given(grids(), st.tuples(*[st.floats(-10.0, 600.0)] * 3))
def test_index_to_world_and_back_is_the_same_index(grid, index):
    assert grid.index(grid.world_mm(index)) == pytest.approx(index, abs=1e-6)


@given(grids())
def test_skew_is_the_largest_cosine_between_two_axes(grid):
    axes = np.array(grid.affine)[:3, :3] / grid.spacing_mm
    cosines = np.abs(axes.T @ axes)[np.triu_indices(3, k=1)]
    assert grid.skew == pytest.approx(cosines.max(), abs=1e-12)


@given(grids())
def test_voxel_volume_is_the_determinant_and_not_the_product_of_spacings(grid):
    affine = np.array(grid.affine)
    assert grid.voxel_volume_ml == pytest.approx(abs(np.linalg.det(affine[:3, :3])) / 1000)
    assert grid.voxel_volume_ml <= math.prod(grid.spacing_mm) / 1000 * (1 + 1e-9)


@given(grids())
def test_spacing_is_what_nibabel_measures(grid):
    assert grid.spacing_mm == pytest.approx(nibabel.affines.voxel_sizes(np.array(grid.affine)))
    assert grid.extent_mm == pytest.approx(np.array(grid.spacing_mm) * grid.shape)


@given(grids(max_angle=math.radians(15)))
def test_orientation_is_what_nibabel_names(grid):
    assert grid.orientation == nibabel.aff2axcodes(np.array(grid.affine))


@given(grids(), st.floats(0.0, 5.0), angles, st.floats(-1.0, 1.0))
def test_a_shifted_grid_is_the_same_within_the_shift_and_no_less(grid, shift_mm, angle, height):
    assume(shift_mm > 1e-3)
    flat = math.sqrt(1 - height**2)
    direction = (flat * math.cos(angle), flat * math.sin(angle), height)
    rows = [
        (*row[:3], row[3] + shift_mm * step) for row, step in zip(grid.affine, (*direction, 0.0), strict=True)
    ]
    moved = Grid(grid.shape, tuple(rows))
    assert same_grid(grid, moved, tolerance_mm=shift_mm * 1.001)
    assert not same_grid(grid, moved, tolerance_mm=shift_mm * 0.999)


@given(grids(), grids())
def test_sameness_has_no_direction(a, b):
    assert same_grid(a, a, tolerance_mm=0.0)
    assert same_grid(a, b, tolerance_mm=1.0) == same_grid(b, a, tolerance_mm=1.0)


def test_a_flipped_axis_is_another_grid_even_though_spacing_agrees():
    a = Grid((10, 10, 10), ((1.0, 0, 0, 0), (0, 1.0, 0, 0), (0, 0, 1.0, 0), (0.0, 0.0, 0.0, 1.0)))
    b = Grid((10, 10, 10), ((-1.0, 0, 0, 9.0), (0, 1.0, 0, 0), (0, 0, 1.0, 0), (0.0, 0.0, 0.0, 1.0)))
    assert a.spacing_mm == b.spacing_mm
    assert not same_grid(a, b, tolerance_mm=0.01)


@pytest.mark.parametrize(
    ("shape", "row"),
    [((0, 1, 1), (1.0, 0, 0, 0)), ((1, 1, 1), (0.0, 1.0, 0, 0)), ((1, 1, 1), (math.nan, 0, 0, 0))],
)
def test_a_grid_without_voxels_or_volume_cannot_be_made(shape, row):
    with pytest.raises(GridError):
        Grid(shape, (row, (0, 1.0, 0, 0), (0, 0, 1.0, 0), (0.0, 0.0, 0.0, 1.0)))
