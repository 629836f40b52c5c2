"""Lesion by lesion: which lesions of the reference were found, and which of those predicted are right.

"A lesion was found" means nothing until four things are said. Here:

* a lesion: voxels that touch by a face (``connectivity`` 6), also by an edge (18), or also by a corner (26).
* the smallest that counts: in mm3 and in voxels. Smaller ones are dropped from both masks before anything is matched.
* when two belong together (``matching``): they share a voxel (``any_overlap``); at least ``threshold`` of the lesion is
  covered (``overlap_fraction``); or at least that share of their union is common (``iou``).
* how often one may be used (``assignment``). ``many_to_many``: each lesion is looked at by itself, and what covers it
  may cover others (Carass et al. 2017; ``overlap_fraction`` is of all lesions of the other mask together, the first of
  the two conditions of Commowick et al. 2018). ``one_to_one``: each belongs to at most one of the other mask, so that
  as many as possible are paired and, among such pairings, the sum of intersections over unions is largest (an
  assignment problem: Kuhn 1955); ``overlap_fraction`` is then that of the reference lesion.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from host.metrics.components import Components, Connectivity, touching_runs
from host.metrics.lattice import Lattice, in_rows
from host.metrics.mask_pair import TIE, Mask, MaskPair
from plugin_spec.host_hooks import Observed

Matching = Literal["any_overlap", "overlap_fraction", "iou"]
Assignment = Literal["many_to_many", "one_to_one"]
Figure = Literal["f1", "sensitivity", "precision", "false_positives"]
Sizes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Volumes = NDArray[np.floating]


@dataclass(frozen=True)
class LesionRule:
    """What is one lesion, and when two are the same; the module's docstring says what each word means.

    Attributes
    ----------
    connectivity : {6, 18, 26}
    matching : {"any_overlap", "overlap_fraction", "iou"}
    assignment : {"many_to_many", "one_to_one"}
    threshold : float
        0 to 1, reached when equal; a pair that shares no voxel never matches.
    minimum_mm3, minimum_voxels : float
        A lesion has at least both.
    """

    connectivity: Connectivity
    matching: Matching
    assignment: Assignment
    threshold: float = 0.0
    minimum_mm3: float = 0.0
    minimum_voxels: float = 1.0


@dataclass(frozen=True, eq=False)
class LesionMatch:
    """The lesions of a pair of masks and what became of them.

    Attributes
    ----------
    reference_mm3, predicted_mm3 : ndarray of float
        Size of every lesion that counts, in the order of their first voxels.
    found : ndarray of bool
        Of the reference's lesions.
    right : ndarray of bool
        Of the predicted lesions.
    """

    reference_mm3: Volumes
    predicted_mm3: Volumes
    found: Flags
    right: Flags

    @property
    def sensitivity(self) -> float:
        """Share of the reference's lesions that were found; NaN where there is none."""
        return float(self.found.mean()) if self.found.size else math.nan

    @property
    def precision(self) -> float:
        """Share of the predicted lesions that are right; NaN where both masks have none, 0 where only this one."""
        if not self.right.size:
            return 0.0 if self.found.size else math.nan
        return float(self.right.mean())

    @property
    def f1(self) -> float:
        """Harmonic mean of the two; NaN where both masks have no lesion, 0 where one has none."""
        if not self.found.size or not self.right.size:
            return 0.0 if self.found.size or self.right.size else math.nan
        total = self.sensitivity + self.precision
        return 2 * self.sensitivity * self.precision / total if total else 0.0

    @property
    def false_positives(self) -> float:
        """Number of the predicted lesions that are not right."""
        return float((~self.right).sum())

    def observations(self) -> dict[str, tuple[float, ...]]:
        """Counts for statistics over all cases, and the reference's lesions one by one."""
        counts = {
            "reference": self.found.size,
            "predicted": self.right.size,
            "reference_found": int(self.found.sum()),
            "predicted_matched": int(self.right.sum()),
        }
        return {
            **{name: (float(count),) for name, count in counts.items()},
            "reference_mm3": tuple(self.reference_mm3.tolist()),
            "found": tuple(self.found.astype(float).tolist()),
        }


def match_lesions(pair: MaskPair, rule: LesionRule) -> LesionMatch:
    """Find the lesions of both masks and match them; computed when the first metric asks with this rule.

    Parameters
    ----------
    pair : MaskPair
    rule : LesionRule
    """
    return pair.once(("lesions", rule), lambda one: _match(one, rule))


def lesion_detection(pair: MaskPair, *, figure: Figure, **rule: Any) -> Observed:
    """One figure of a case's lesions, with the counts behind it.

    Parameters
    ----------
    pair : MaskPair
    figure : {"f1", "sensitivity", "precision", "false_positives"}
        Which property of `LesionMatch` the case's value is.
    **rule
        The fields of `LesionRule`.
    """
    found = match_lesions(pair, LesionRule(**rule))
    value: float = getattr(found, figure)
    return Observed(value=value, observations=found.observations())


def _match(pair: MaskPair, rule: LesionRule) -> LesionMatch:
    voxel_mm3 = pair.voxel_volume_ml * 1000
    lattice, rows, _ = in_rows(pair)
    p, r = (_components(pair, lattice, row, rule.connectivity) for row in rows)
    (p_number, p_sizes), (r_number, r_sizes) = (_that_count(one, rule, voxel_mm3) for one in (p, r))
    r_run, p_run = touching_runs(r.starts, r.ends, p.starts, p.ends)
    common = np.minimum(r.ends[r_run], p.ends[p_run]) - np.maximum(r.starts[r_run], p.starts[p_run])
    at = np.stack((r_number[r.owner[r_run]], p_number[p.owner[p_run]]))
    both = at.min(axis=0, initial=0) >= 0
    pairs, which = np.unique(at[:, both], axis=1, return_inverse=True)
    shared = np.zeros(pairs.shape[1], np.int64)
    np.add.at(shared, which, common[both])
    overlap = _Overlap(r_sizes, p_sizes, pairs[0], pairs[1], shared)
    found, right = overlap.paired(rule) if rule.assignment == "one_to_one" else overlap.covered(rule)
    return LesionMatch(r_sizes * voxel_mm3, p_sizes * voxel_mm3, found, right)


def _components(pair: MaskPair, lattice: Lattice, row: Mask, connectivity: Connectivity) -> Components:
    """The components of a mask, numbered as their first voxels come in the image, however it lies in memory."""
    found = Components.of(lattice, row, connectivity)
    places = np.unravel_index(found.starts, lattice.shape)
    axes = np.argsort(pair.memory_axes)
    shape = [lattice.shape[axis] for axis in axes]
    return found.in_order(np.ravel_multi_index([places[axis] for axis in axes], shape))


def _that_count(found: Components, rule: LesionRule, voxel_mm3: float) -> tuple[Sizes, Sizes]:
    """A new number for every component (-1: too small to count), and the sizes in voxels of those that do."""
    sizes = found.sizes()
    large = (sizes >= rule.minimum_voxels) & (sizes * voxel_mm3 >= rule.minimum_mm3 * (1 - TIE))
    return np.where(large, np.cumsum(large) - 1, -1), sizes[large]


@dataclass(frozen=True, eq=False)
class _Overlap:
    """Which lesions share how many voxels: one entry per pair that shares any."""

    reference_sizes: Sizes
    predicted_sizes: Sizes
    reference: Sizes
    predicted: Sizes
    shared: Sizes

    def covered(self, rule: LesionRule) -> tuple[Flags, Flags]:
        """Each lesion by itself: whether the other mask's cover it, or one of them is like it."""
        sides = ((self.reference, self.reference_sizes), (self.predicted, self.predicted_sizes))
        if rule.matching == "overlap_fraction":
            covered = [np.bincount(one, self.shared, sizes.size) for one, sizes in sides]
            found, right = (
                (voxels > 0) & (voxels >= rule.threshold * (1 - TIE) * sizes)
                for voxels, (_, sizes) in zip(covered, sides, strict=True)
            )
            return found, right
        like = self._alike(rule)
        found, right = (np.bincount(one[like], minlength=sizes.size) > 0 for one, sizes in sides)
        return found, right

    def paired(self, rule: LesionRule) -> tuple[Flags, Flags]:
        """One to one: as many as possible, and of those pairings the one with the largest sum of unions' shares.

        Every reference lesion may also be paired with a place of its own that stands for nothing, so that a full
        pairing exists; a real partner is worth more than any sum of shares.
        """
        like, n, m = self._alike(rule), self.reference_sizes.size, self.predicted_sizes.size
        found, right = np.zeros(n, bool), np.zeros(m, bool)
        if not like.any():
            return found, right
        worth = 2 + self._iou()[like] / (n + 1)
        nothing = np.arange(n)
        weights = sparse.csr_array(
            (
                np.concatenate((worth, np.ones(n))),
                (
                    np.concatenate((self.reference[like], nothing)),
                    np.concatenate((self.predicted[like], m + nothing)),
                ),
            ),
            shape=(n, m + n),
        )
        rows, columns = min_weight_full_bipartite_matching(weights, maximize=True)
        real = columns < m
        found[rows[real]] = right[columns[real]] = True
        return found, right

    def _alike(self, rule: LesionRule) -> Flags:
        """Of each pair: whether it may belong together."""
        if rule.matching == "any_overlap":
            return np.ones(self.shared.size, bool)
        share = self._iou() if rule.matching == "iou" else self.shared / self.reference_sizes[self.reference]
        alike: Flags = share >= rule.threshold * (1 - TIE)
        return alike

    def _iou(self) -> NDArray[np.float64]:
        union = self.reference_sizes[self.reference] + self.predicted_sizes[self.predicted] - self.shared
        share: NDArray[np.float64] = self.shared / union
        return share
