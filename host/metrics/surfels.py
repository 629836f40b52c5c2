"""Elements of the surface between voxels, and their areas.

Between the centres of 2 x 2 x 2 voxels (2 x 2 in a plane) lies one element of surface wherever some of them are
inside and others not. Which are gives a code, and the code with the spacing gives the area, as Nikolov et al. (2021)
weigh surfaces: marching cubes with vertices halfway along the edges (Lorensen & Cline 1987), where voxels that touch
at an edge or corner only are apart. All 256 cases come down to six shapes: of the inside or, where that is more than
half, of the outside.
"""

import math
from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from host.metrics.lattice import Lattice, Places
from host.metrics.mask_pair import Mask

Corner = tuple[int, ...]
Areas = NDArray[np.float64]


def surfel_codes(lattice: Lattice, row: Mask, places: Places) -> NDArray[np.uint8]:
    """Which of the voxels around a place are inside: the one there and those before it along each axis.

    Returns
    -------
    ndarray of uint8
        One code per place, a bit per voxel.
    """
    codes = np.zeros(places.size, np.uint8)
    inside = row.view(np.uint8)
    for bit, corner in enumerate(_corners(len(lattice.steps))):
        back = sum(step for step, here in zip(lattice.steps, corner, strict=True) if not here)
        codes |= inside[places - back] << bit
    return codes


@cache
def surfel_areas(spacing_mm: tuple[float, ...]) -> Areas:
    """Area of the surface that a code of `surfel_codes` stands for.

    Parameters
    ----------
    spacing_mm : tuple of float
        Edge lengths of a voxel, three or two.

    Returns
    -------
    ndarray of float, shape (256,) or (16,)
        mm2 with three axes, mm (length of contour) with two; 0 where the voxels are all inside or all outside.
    """
    corners = _corners(len(spacing_mm))
    areas = np.zeros(2 ** len(corners))
    for code in range(areas.size):
        inside = {corner for bit, corner in enumerate(corners) if code >> bit & 1}
        smaller = inside if 2 * len(inside) <= len(corners) else {*corners} - inside
        areas[code] = sum(_area(piece, spacing_mm) for piece in _pieces(smaller))
    areas.flags.writeable = False
    return areas


def _corners(axes: int) -> list[Corner]:
    return list(product((0, 1), repeat=axes))


def _pieces(corners: set[Corner]) -> Iterator[set[Corner]]:
    """Split corners of a cube into what hangs together along its edges."""
    left = corners
    while left:
        piece, reached = set[Corner](), {min(left)}
        while reached:
            piece |= reached
            reached = {one for one in left - piece if any(math.dist(one, other) == 1 for other in piece)}
        left = left - piece
        yield piece


def _area(piece: set[Corner], spacing_mm: tuple[float, ...]) -> float:
    """Area of the surface around one piece: the lengths of its triangles' normals, summed."""
    edges = [(one, other) for one in piece for other in piece if one < other and math.dist(one, other) == 1]
    if len(spacing_mm) == 2:
        return spacing_mm[_axis(*edges[0])] if edges else 0.5 * math.hypot(*spacing_mm)
    # A normal's unit along an axis is the voxel's face across it.
    faces = [math.prod(spacing_mm) / step for step in spacing_mm]
    return sum(
        math.hypot(*(part * face for part, face in zip(normal, faces, strict=True)))
        for normal in _normals(len(piece), edges)
    )


def _normals(corners: int, edges: list[tuple[Corner, Corner]]) -> list[list[float]]:
    """Normals of the triangles around a piece (without sign; those of one plane as one), by its shape."""
    along = {_axis(*edge) for edge in edges}
    across = [float(axis not in along) for axis in range(3)]
    if corners == 1:  # a corner cut off
        return [[1 / 8, 1 / 8, 1 / 8]]
    if corners == 2:  # a slope along the edge
        return [[part / 2 for part in across]]
    if corners == 3:  # a triangle of the face, and a slope
        return [[part / 2 for part in across], [3 / 8, 3 / 8, 3 / 8]]
    if len(edges) == 4:  # a whole face
        return [across]
    ends = [corner for edge in edges for corner in edge if sum(corner in one for one in edges) == 1]
    if len(ends) == 3:  # one corner and its three neighbours
        return [[6 / 8, 6 / 8, 6 / 8]]
    # A path along each axis once: what is left is bent towards the axis of its middle edge.
    middle = next(_axis(*edge) for edge in edges if not set(edge) & set(ends))
    bent = [[0.0 if axis == one else 1 / 4 for axis in range(3)] for one in range(3) if one != middle]
    return [[1 / 2, 1 / 2, 1 / 2], *bent]


def _axis(one: Corner, other: Corner) -> int:
    return next(axis for axis, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
