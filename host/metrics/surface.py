"""Distances between the surfaces of a pair of masks.

A surface distance is not one number until five things are said. Here:

* surface: ``border_voxels``, the mask's voxels that share a face with a voxel outside it, each counting alike; or
  ``surfels``, the elements of surface between voxels, each counting by its area (`surfels`). Beyond the image's edge
  is outside.
* distance: Euclidean, between voxel centres or surfels, in mm, from every surface point of one mask to the nearest
  of the other.
* percentile: of border voxels, linear interpolation between order statistics (Hyndman & Fan 1996, type 7); of
  surfels, the smallest distance within which that share of the area lies (Nikolov et al. 2021).
* directions: each on its own, or both pooled.
* empty masks: NaN when both are empty (not evaluable); infinity, or 0 for the share within tolerance, when
  one is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, spatial

from host.metrics.mask_pair import Mask, MaskPair
from host.metrics.surfels import surfel_areas, surfel_codes

Distances = NDArray[np.float64]
Surface = Literal["border_voxels", "surfels"]
Directions = Literal["larger", "pooled"]

# Voxels of the crop per surface point above which a KD-tree is faster than two distance transforms.
_VOXELS_PER_POINT: Final = 16
# A distance this much above a tolerance, in relation to it, is equal to it: headers hold spacings in float32.
_TIE: Final = 1e-6


@dataclass(frozen=True, eq=False)
class DirectedDistances:
    """Distance from every surface point of one mask to the surface of the other.

    Attributes
    ----------
    mm : ndarray of float
        Ascending; empty where the mask is, infinity where the other one is.
    area : ndarray of float, optional
        What each point counts, in the same order; None where all count alike.
    """

    mm: Distances
    area: Distances | None

    @property
    def total(self) -> float:
        """Sum of what the points count."""
        return float(self.mm.size if self.area is None else self.area.sum())

    def integral(self) -> float:
        """Sum of the distances, each times what its point counts."""
        return float(self.mm.sum() if self.area is None else self.mm @ self.area)

    def within(self, tolerance_mm: float) -> float:
        """What the points count that are no farther than ``tolerance_mm``."""
        inside = int(np.searchsorted(self.mm, tolerance_mm * (1 + _TIE), side="right"))
        return float(inside if self.area is None else self.area[:inside].sum())

    def percentile(self, percent: float) -> float:
        """The distance that ``percent`` of the surface does not exceed."""
        if self.area is None:
            return float(np.percentile(self.mm, percent))
        covered = np.cumsum(self.area) / self.area.sum()
        return float(self.mm[min(int(np.searchsorted(covered, percent / 100)), self.mm.size - 1)])


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """The two directed distance vectors that every surface metric is made of."""

    from_predicted: DirectedDistances
    from_reference: DirectedDistances

    @property
    def empty_case_mm(self) -> float | None:
        """NaN without any surface, infinity with only one, None where there are distances."""
        empty = (self.from_predicted.mm.size == 0, self.from_reference.mm.size == 0)
        return math.nan if all(empty) else math.inf if any(empty) else None

    def pooled(self) -> DirectedDistances:
        """Both directions as one."""
        one, other = self.from_predicted, self.from_reference
        mm = np.concatenate((one.mm, other.mm))
        if one.area is None or other.area is None:
            return DirectedDistances(np.sort(mm), None)
        order = np.argsort(mm, kind="stable")
        return DirectedDistances(mm[order], np.concatenate((one.area, other.area))[order])


def surface_distances(pair: MaskPair, surface: Surface = "border_voxels") -> SurfaceDistances:
    """Distances in both directions; computed when the first metric of a pair asks for them."""
    return pair.once(("surface_distances", surface), _FINDERS[surface])


def hausdorff_percentile_mm(
    pair: MaskPair,
    *,
    percentile: float = 95.0,
    directions: Directions = "larger",
    surface: Surface = "border_voxels",
) -> float:
    """Percentile of the distances between two surfaces (Huttenlocher et al. 1993; Maier-Hein et al. 2024).

    Parameters
    ----------
    pair : MaskPair
    percentile : float, optional
        0 to 100; 100 is the Hausdorff distance itself.
    directions : {"larger", "pooled"}, optional
        The larger of the two directed percentiles, or the percentile of both directions pooled.
    surface : {"border_voxels", "surfels"}, optional

    Returns
    -------
    float
        mm; NaN when both masks are empty, infinity when one is.
    """
    found = surface_distances(pair, surface)
    if (empty := found.empty_case_mm) is not None:
        return empty
    if directions == "pooled":
        return found.pooled().percentile(percentile)
    return max(found.from_predicted.percentile(percentile), found.from_reference.percentile(percentile))


def average_symmetric_surface_distance_mm(pair: MaskPair, *, surface: Surface = "border_voxels") -> float:
    """ASSD: the mean over the surface points of both masks (Heimann et al. 2009; Maier-Hein et al. 2024).

    Parameters and empty cases as for `hausdorff_percentile_mm`.
    """
    found = surface_distances(pair, surface)
    if (empty := found.empty_case_mm) is not None:
        return empty
    one, other = found.from_predicted, found.from_reference
    return (one.integral() + other.integral()) / (one.total + other.total)


def mean_average_surface_distance_mm(pair: MaskPair, *, surface: Surface = "border_voxels") -> float:
    """MASD: the mean of the two directed means: both surfaces count alike (Beneš & Zitová 2015).

    Parameters and empty cases as for `hausdorff_percentile_mm`.
    """
    found = surface_distances(pair, surface)
    if (empty := found.empty_case_mm) is not None:
        return empty
    one, other = found.from_predicted, found.from_reference
    return (one.integral() / one.total + other.integral() / other.total) / 2.0


def normalized_surface_dice(
    pair: MaskPair, *, tolerance_mm: float, surface: Surface = "border_voxels"
) -> float:
    """NSD: share of both surfaces that lies within a tolerance of the other one (Nikolov et al. 2021).

    Parameters
    ----------
    pair : MaskPair
    tolerance_mm : float
        What readers differ by; a distance equal to it is within.
    surface : {"border_voxels", "surfels"}, optional
        Nikolov et al. weigh by area (``surfels``); Maier-Hein et al. (2024) count border voxels.

    Returns
    -------
    float
        0 to 1; NaN when both masks are empty, 0 when one is.
    """
    found = surface_distances(pair, surface)
    one, other = found.from_predicted, found.from_reference
    total = one.total + other.total
    return (one.within(tolerance_mm) + other.within(tolerance_mm)) / total if total else math.nan


def _between_border_voxels(pair: MaskPair) -> SurfaceDistances:
    a, b = _border_voxels(pair.predicted), _border_voxels(pair.reference)
    from_a, from_b = _nearest_mm(a, b, pair.spacing_mm)
    return SurfaceDistances(
        DirectedDistances(np.sort(from_a), None), DirectedDistances(np.sort(from_b), None)
    )


def _between_surfels(pair: MaskPair) -> SurfaceDistances:
    codes = surfel_codes(pair.predicted), surfel_codes(pair.reference)
    areas = surfel_areas(pair.spacing_mm)
    a, b = (areas[one] > 0 for one in codes)
    directed = []
    for mm, one, points in zip(_nearest_mm(a, b, pair.spacing_mm), codes, (a, b), strict=True):
        order = np.argsort(mm, kind="stable")
        directed.append(DirectedDistances(mm[order], areas[one[points]][order]))
    return SurfaceDistances(*directed)


_FINDERS: Final[dict[Surface, Callable[[MaskPair], SurfaceDistances]]] = {
    "border_voxels": _between_border_voxels,
    "surfels": _between_surfels,
}


def _border_voxels(mask: Mask) -> Mask:
    inner = mask.copy()
    for axis in range(mask.ndim):
        source, target = np.moveaxis(mask, axis, 0), np.moveaxis(inner, axis, 0)
        target[1:] &= source[:-1]
        target[:-1] &= source[1:]
        target[:1] = target[-1:] = False
    return mask & ~inner


def _nearest_mm(a: Mask, b: Mask, spacing_mm: tuple[float, ...]) -> tuple[Distances, Distances]:
    """From every point of ``a`` to the nearest of ``b``, and the other way round, in the order of the arrays."""
    count_a, count_b = np.count_nonzero(a), np.count_nonzero(b)
    if not count_a or not count_b:
        return np.full(count_a, np.inf), np.full(count_b, np.inf)
    if (count_a + count_b) * _VOXELS_PER_POINT < a.size:
        return _by_tree(a, b, spacing_mm)
    return _by_transform(a, b, spacing_mm), _by_transform(b, a, spacing_mm)


def _by_transform(source: Mask, target: Mask, spacing_mm: tuple[float, ...]) -> Distances:
    distances: Distances = ndimage.distance_transform_edt(~target, sampling=spacing_mm)[source]
    return distances


def _by_tree(a: Mask, b: Mask, spacing_mm: tuple[float, ...]) -> tuple[Distances, Distances]:
    points_a, points_b = (np.argwhere(points) * np.asarray(spacing_mm) for points in (a, b))
    from_a, _ = spatial.KDTree(points_b).query(points_a)
    from_b, _ = spatial.KDTree(points_a).query(points_b)
    return from_a, from_b
