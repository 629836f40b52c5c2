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

from host.metrics.lattice import in_rows
from host.metrics.mask_pair import TIE, MaskPair
from host.metrics.nearest import nearest_mm
from host.metrics.surfels import surfel_areas, surfel_codes

Distances = NDArray[np.float64]
Surface = Literal["border_voxels", "surfels"]
Directions = Literal["larger", "pooled"]


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
        return float(self.mm.sum() if self.area is None else (self.mm * self.area).sum())

    def within(self, tolerance_mm: float) -> float:
        """What the points count that are no farther than ``tolerance_mm``."""
        inside = int(np.searchsorted(self.mm, tolerance_mm * (1 + TIE), side="right"))
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
    lattice, rows, spacing_mm = in_rows(pair)
    one, other = (lattice.border(row) for row in rows)
    return SurfaceDistances(
        DirectedDistances(np.sort(nearest_mm(lattice, one, other, spacing_mm)), None),
        DirectedDistances(np.sort(nearest_mm(lattice, other, one, spacing_mm)), None),
    )


def _between_surfels(pair: MaskPair) -> SurfaceDistances:
    lattice, rows, spacing_mm = in_rows(pair)
    one, other = (lattice.mixed(row) for row in rows)
    directed, areas = [], surfel_areas(spacing_mm)
    for row, places, others in ((rows[0], one, other), (rows[1], other, one)):
        mm = nearest_mm(lattice, places, others, spacing_mm)
        order = np.argsort(mm, kind="stable")
        area = areas[surfel_codes(lattice, row, places)]
        directed.append(DirectedDistances(mm[order], area[order]))
    return SurfaceDistances(*directed)


_FINDERS: Final[dict[Surface, Callable[[MaskPair], SurfaceDistances]]] = {
    "border_voxels": _between_border_voxels,
    "surfels": _between_surfels,
}
