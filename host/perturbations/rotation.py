"""Rotation of what an image shows, about the image's centre and a world axis; the grid stays. Pure.

A point at world position w moves to R (w - c) + c, where c is the centre of the grid. Angles are right-handed about the
axes of RAS+: x to the right, y to the front, z to the head.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from host.cases.geometry import Grid

Matrix = NDArray[np.float64]
_AXES: Final = {"x": 0, "y": 1, "z": 2}


def rotation_matrix(axis: str, degrees: float) -> Matrix:
    """The right-handed rotation about a world axis, shape (3, 3)."""
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    first, second = (_AXES[axis] + 1) % 3, (_AXES[axis] + 2) % 3
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix


def index_map(grid: Grid, rotation: Matrix) -> tuple[Matrix, Matrix]:
    """Where a voxel of the rotated image comes from: source index = matrix @ index + offset."""
    affine = np.array(grid.affine)[:3, :3]
    matrix = np.linalg.solve(affine, rotation.T @ affine)
    centre = (np.array(grid.shape) - 1) / 2
    return matrix, centre - matrix @ centre


def rotated_slice(
    data: NDArray[Any], k: int, *, sources: tuple[Matrix, Matrix], order: int, fill: float
) -> NDArray[np.float64]:
    """Slice ``k`` of the rotated image, shape (I, J).

    Parameters
    ----------
    data : ndarray, shape (I, J, K)
    k : int
    sources : matrix and offset
        From `index_map`.
    order : int
        1 interpolates linearly; 0 takes the nearest voxel, as labels need.
    fill : float
        What comes in from outside the image.
    """
    from scipy import ndimage

    matrix, offset = sources
    found: NDArray[np.float64] = ndimage.affine_transform(
        data,
        matrix,
        offset=offset + matrix[:, 2] * k,
        output_shape=(*data.shape[:2], 1),
        output=np.float64,
        order=order,
        mode="constant",
        cval=fill,
    )
    return found[:, :, 0]


def rotated_labels(labels: NDArray[Any], grid: Grid, rotation: Matrix) -> NDArray[Any]:
    """A label map, rotated by nearest neighbour; background comes in from outside."""
    sources = index_map(grid, rotation)
    moved = np.empty(labels.shape, labels.dtype, order="F")
    for k in range(labels.shape[2]):
        moved[:, :, k] = rotated_slice(labels, k, sources=sources, order=0, fill=0)
    return moved


def moved_out(labels: NDArray[Any], grid: Grid, rotation: Matrix) -> int:
    """How many labelled voxels a rotation takes out of the image."""
    matrix, offset = index_map(grid, rotation)
    inverse = np.linalg.inv(matrix)
    last = np.array(labels.shape)[:, None] - 0.5
    lost = 0
    for k in range(labels.shape[2]):
        i, j = np.nonzero(labels[:, :, k])
        index = inverse @ (np.stack([i, j, np.full(i.size, k)]).astype(np.float64) - offset[:, None])
        lost += int(np.count_nonzero(((index < -0.5) | (index > last)).any(axis=0)))
    return lost
