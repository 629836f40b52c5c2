"""Distances between the surfaces of two masks on the same grid.

A surface distance is not one number until four things are said. Here:

* surface: the mask's voxels that share a face with a voxel outside it; the image's edge counts as outside.
  (`surface_distances` also offers the corners where voxels inside and outside meet.)
* distance: Euclidean, between voxel centres, in mm, from every surface voxel of one mask to the nearest of
  the other.
* percentile: linear interpolation between order statistics (Hyndman & Fan 1996, type 7), of each direction on
  its own.
* empty masks: NaN when both are empty (not evaluable); infinity, or 0 for the share within tolerance, when
  one is.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, spatial

Mask = NDArray[np.bool_]
Distances = NDArray[np.float64]
Surface = Literal["border_voxels", "voxel_corners"]

# Voxels of the crop per surface point above which a KD-tree is faster than two distance transforms.
_VOXELS_PER_POINT: Final = 16


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """The two directed distance vectors that every surface metric is made of.

    Attributes
    ----------
    from_predicted_mm, from_reference_mm : ndarray of float
        One entry per surface point of that mask; infinity where the other mask is empty.
    """

    from_predicted_mm: Distances
    from_reference_mm: Distances


def surface_distances(
    predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...], surface: Surface = "border_voxels"
) -> SurfaceDistances:
    """Distance from every surface point of one mask to the surface of the other, in both directions.

    Parameters
    ----------
    predicted, reference : ndarray of bool, shape (I, J, K)
        On the same grid; two axes work as well.
    spacing_mm : tuple of float
        Edge lengths of a voxel, one per axis; the axes must be perpendicular.
    surface : {"border_voxels", "voxel_corners"}, optional
        What the surface points are. Corners are not weighted by area.
    """
    crop = _bounding_box(predicted | reference)
    points = _border_voxels if surface == "border_voxels" else _voxel_corners
    a, b = points(predicted[crop]), points(reference[crop])
    count_a, count_b = np.count_nonzero(a), np.count_nonzero(b)
    if not count_a or not count_b:
        return SurfaceDistances(np.full(count_a, np.inf), np.full(count_b, np.inf))
    if (count_a + count_b) * _VOXELS_PER_POINT < a.size:
        return SurfaceDistances(*_by_tree(a, b, spacing_mm))
    return SurfaceDistances(_by_transform(a, b, spacing_mm), _by_transform(b, a, spacing_mm))


def hausdorff_95_mm(predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]) -> float:
    """HD95: the larger of the two directed 95th percentiles (Huttenlocher 1993; Maier-Hein 2024).

    Parameters
    ----------
    predicted, reference : ndarray of bool, shape (I, J, K)
    spacing_mm : tuple of float

    Returns
    -------
    float
        mm; NaN when both masks are empty, infinity when one is.
    """
    found = surface_distances(predicted, reference, spacing_mm=spacing_mm)
    if (empty := _empty_case_mm(found)) is not None:
        return empty
    return float(max(np.percentile(found.from_predicted_mm, 95), np.percentile(found.from_reference_mm, 95)))


def average_symmetric_surface_distance_mm(
    predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]
) -> float:
    """ASSD: the mean over the surface points of both masks (Heimann et al. 2009; Maier-Hein et al. 2024).

    Parameters and empty cases as for `hausdorff_95_mm`.
    """
    found = surface_distances(predicted, reference, spacing_mm=spacing_mm)
    if (empty := _empty_case_mm(found)) is not None:
        return empty
    return float(np.concatenate((found.from_predicted_mm, found.from_reference_mm)).mean())


def mean_average_surface_distance_mm(
    predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]
) -> float:
    """MASD: the mean of the two directed means: both surfaces count alike (Beneš & Zitová 2015).

    Parameters and empty cases as for `hausdorff_95_mm`.
    """
    found = surface_distances(predicted, reference, spacing_mm=spacing_mm)
    if (empty := _empty_case_mm(found)) is not None:
        return empty
    return float(found.from_predicted_mm.mean() + found.from_reference_mm.mean()) / 2.0


def normalized_surface_dice(
    predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...], tolerance_mm: float
) -> float:
    """Share of both surfaces that lies within ``tolerance_mm`` of the other one (Nikolov et al. 2021).

    Parameters
    ----------
    predicted, reference : ndarray of bool, shape (I, J, K)
    spacing_mm : tuple of float
    tolerance_mm : float
        What readers differ by; a distance equal to it is within.

    Returns
    -------
    float
        0 to 1; NaN when both masks are empty, 0 when one is.
    """
    found = surface_distances(predicted, reference, spacing_mm=spacing_mm)
    distances = np.concatenate((found.from_predicted_mm, found.from_reference_mm))
    return float(np.count_nonzero(distances <= tolerance_mm) / distances.size) if distances.size else math.nan


def _empty_case_mm(found: SurfaceDistances) -> float | None:
    empty = (found.from_predicted_mm.size == 0, found.from_reference_mm.size == 0)
    return math.nan if all(empty) else math.inf if any(empty) else None


def _bounding_box(mask: Mask) -> tuple[slice, ...]:
    box = []
    for axis in range(mask.ndim):
        hit = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        box.append(slice(int(hit[0]), int(hit[-1]) + 1) if hit.size else slice(0, 0))
    return tuple(box)


def _border_voxels(mask: Mask) -> Mask:
    inner = mask.copy()
    for axis in range(mask.ndim):
        source, target = np.moveaxis(mask, axis, 0), np.moveaxis(inner, axis, 0)
        target[1:] &= source[:-1]
        target[:-1] &= source[1:]
        target[:1] = target[-1:] = False
    return mask & ~inner


def _voxel_corners(mask: Mask) -> Mask:
    """Corners between voxels, one more per axis than voxels, that touch the inside and the outside."""
    some = every = np.pad(mask, 1)
    for axis in range(mask.ndim):
        low, high = (np.take(some, range(start, some.shape[axis] - 1 + start), axis) for start in (0, 1))
        low_all, high_all = (
            np.take(every, range(start, every.shape[axis] - 1 + start), axis) for start in (0, 1)
        )
        some, every = low | high, low_all & high_all
    return some & ~every


def _by_transform(source: Mask, target: Mask, spacing_mm: tuple[float, ...]) -> Distances:
    distances: Distances = ndimage.distance_transform_edt(~target, sampling=spacing_mm)[source]
    return distances


def _by_tree(a: Mask, b: Mask, spacing_mm: tuple[float, ...]) -> tuple[Distances, Distances]:
    points_a, points_b = (np.argwhere(points) * np.asarray(spacing_mm) for points in (a, b))
    from_a, _ = spatial.KDTree(points_b).query(points_a)
    from_b, _ = spatial.KDTree(points_a).query(points_b)
    return from_a, from_b
