"""Distances between surfaces are exact, whichever way they are found."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist

from host.metrics.lattice import Lattice
from host.metrics.mask_pair import Mask
from host.metrics.nearest import nearest_mm

SPACING_MM = (0.8, 1.0, 1.7)


def ball(radius: float, centre: tuple[int, int, int] = (30, 30, 30)) -> Mask:
    grid = np.ogrid[:61, :61, :61]
    return sum((one - at) ** 2 for one, at in zip(grid, centre, strict=True)) < radius**2


def voxels(*places: tuple[int, int, int]) -> Mask:
    mask = np.zeros((61, 61, 61), bool)
    mask[tuple(np.transpose(places))] = True
    return mask


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(ball(20), ball(20, (31, 30, 29)), id="all of it a voxel or two away"),
        pytest.param(ball(20), ball(20, (36, 30, 30)), id="some of it further than a tree's first reach"),
        pytest.param(ball(8), ball(29), id="all of it far: one ball inside another"),
        pytest.param(ball(29), ball(8), id="all of it far: one ball around another"),
        pytest.param(voxels((0, 0, 0), (60, 60, 60)), ball(3), id="two far voxels"),
        pytest.param(voxels((0, 0, 0)), voxels((60, 60, 60)), id="corner to corner"),
    ],
)
def test_the_nearest_is_what_comparing_with_every_point_says(a: Mask, b: Mask) -> None:
    lattice = Lattice.around(a.shape)
    one, other = (lattice.border(lattice.row(mask)) for mask in (a, b))
    found = nearest_mm(lattice, one, other, SPACING_MM)
    points, others = (
        np.argwhere(mask & ~ndimage.binary_erosion(mask)) * np.array(SPACING_MM) for mask in (a, b)
    )
    assert found == pytest.approx(cdist(points, others).min(axis=1), abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9), (2, 3, 8), (5, 1, 17)])
def test_a_mask_that_fills_the_image_has_its_border_at_the_edge(shape: tuple[int, ...]) -> None:
    lattice = Lattice.around(shape)
    row = lattice.row(np.ones(shape, bool))
    inner = np.prod([max(size - 2, 0) for size in shape])
    assert lattice.border(row).size == np.prod(shape) - inner
    corners = np.prod([size + 1 for size in shape])
    assert lattice.mixed(row).size == corners - np.prod([size - 1 for size in shape])


def test_nothing_is_infinitely_far() -> None:
    lattice = Lattice.around((3, 3, 3))
    some, none = lattice.border(lattice.row(np.ones((3, 3, 3), bool))), np.array([], np.int64)
    assert np.isinf(nearest_mm(lattice, some, none, SPACING_MM)).all()
    assert nearest_mm(lattice, none, some, SPACING_MM).size == 0
