"""How far it is from the points of one surface to the nearest of another.

Two surfaces of one thing mostly lie within a few voxels, so the places around every point are looked at first, nearest
first. What is left is searched for in a KD-tree; where many points have nothing near, which takes a tree long, in a
distance transform instead. All three are exact, and the answer does not depend on which was taken.
"""

import math
from functools import cache, reduce
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, spatial

from host.metrics.lattice import REACH, Lattice, Places

Distances = NDArray[np.float64]

# A tree is asked for what is within so many voxels; beyond, its time per point grows with the distance.
_TREE_VOXELS: Final = 10
# Voxels of the lattice per point beyond which a tree is still faster than transforming the whole.
_VOXELS_PER_FAR_POINT: Final = 2000


def nearest_mm(lattice: Lattice, a: Places, b: Places, spacing_mm: tuple[float, ...]) -> Distances:
    """Euclidean distance from every place of ``a`` to the nearest of ``b``.

    Parameters
    ----------
    lattice : Lattice
    a, b : ndarray of int
        Places in its row.
    spacing_mm : tuple of float
        Edge lengths of a voxel, one per axis of the lattice.

    Returns
    -------
    ndarray of float
        mm, in the order of ``a``; infinity where ``b`` is empty.
    """
    found = np.full(a.size, np.inf)
    if not b.size:
        return found
    taken = np.zeros(math.prod(lattice.shape), np.bool_)
    taken[b] = True
    left = np.arange(a.size)
    for mm, offsets in _shells(spacing_mm):
        if not left.size:
            return found
        hit = reduce(np.logical_or, (taken[a[left] + step] for step in offsets @ lattice.steps))
        found[left[hit]] = mm
        left = left[~hit]
    found[left] = _searched_mm(lattice, a[left], b, spacing_mm)
    return found


@cache
def _shells(spacing_mm: tuple[float, ...]) -> list[tuple[float, NDArray[np.int64]]]:
    """Voxels to go along each axis to all places nearer than the nearest one beyond `REACH`, by distance."""
    beyond_mm = (REACH + 1) * min(spacing_mm)
    shells: dict[float, list[tuple[int, ...]]] = {}
    for offset in product(range(-REACH, REACH + 1), repeat=len(spacing_mm)):
        mm = math.hypot(*(count * length for count, length in zip(offset, spacing_mm, strict=True)))
        if mm < beyond_mm:
            shells.setdefault(mm, []).append(offset)
    return [(mm, np.array(shells[mm])) for mm in sorted(shells)]


def _searched_mm(lattice: Lattice, a: Places, b: Places, spacing_mm: tuple[float, ...]) -> Distances:
    # Few points are left for it, so a tree that is built fast beats one that is searched fast.
    tree = spatial.KDTree(lattice.positions_mm(b, spacing_mm), balanced_tree=False, compact_nodes=False)
    points = lattice.positions_mm(a, spacing_mm)
    found: Distances
    found, _ = tree.query(points, distance_upper_bound=_TREE_VOXELS * max(spacing_mm))
    far = np.flatnonzero(np.isinf(found))
    if far.size * _VOXELS_PER_FAR_POINT > math.prod(lattice.shape):
        outside = np.ones(lattice.shape, np.bool_)
        outside.reshape(-1)[b] = False
        found[far] = ndimage.distance_transform_edt(outside, sampling=spacing_mm).reshape(-1)[a[far]]
    elif far.size:
        found[far], _ = tree.query(points[far])
    return found
