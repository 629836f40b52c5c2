"""Findings with scores against those of the reference: which were found, and which are false.

Here a finding is a box in patient coordinates (LPS, mm), and a point is a box without extent. Two of one label belong
together where

* ``distance``: the predicted one's centre is no farther than ``limit_mm`` from the reference one: from the point, from
  the nearest point of the box (0 inside it), or from the nearest voxel's centre of a lesion in a mask;
* ``iou``: their boxes intersect, in at least ``minimum_iou`` of their union. Of a lesion, the box around it counts.

The predicted findings choose in the order of their scores, highest first (those without score, in the order of the
document): each the nearest (or the most alike) of the reference that nobody chose before, as detection is usually
counted (Everingham et al. 2010). So what a higher threshold leaves is matched just as before. A further finding on one
already chosen is false, or where ``repeats`` is ``ignored`` counts as nothing (Setio et al. 2017).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from host.metrics.components import Components, Connectivity
from host.metrics.lattice import Lattice
from host.metrics.mask_pair import TIE, Mask
from plugin_spec.documents import DetectionsDocument
from plugin_spec.host_hooks import Observed

Nearness = Literal["distance", "iou"]
Repeats = Literal["false", "ignored"]
Figure = Literal["sensitivity", "false_positives", "f1"]
Corners = NDArray[np.float64]
Distances = NDArray[np.float64]


@dataclass(frozen=True)
class FindingRule:
    """When two findings belong together; the module's docstring says what each word means.

    Attributes
    ----------
    nearness : {"distance", "iou"}
    limit_mm, minimum_iou : float
        Reached when equal; the one that ``nearness`` speaks of counts.
    repeats : {"false", "ignored"}
        What a further finding on one that was chosen counts as.
    """

    nearness: Nearness
    limit_mm: float = 0.0
    minimum_iou: float = 0.0
    repeats: Repeats = "false"


@dataclass(frozen=True, eq=False)
class Voxels:
    """Voxels of lesions in a label map.

    Attributes
    ----------
    centres_mm : ndarray of float, shape (n, 3)
        LPS.
    owner : ndarray of int, shape (n,)
        To which finding each belongs.
    """

    centres_mm: Corners
    owner: NDArray[np.int64]

    @cached_property
    def tree(self) -> KDTree:
        """To look up what is near."""
        return KDTree(self.centres_mm)


@dataclass(frozen=True, eq=False)
class Findings:
    """Findings of one case.

    Attributes
    ----------
    lower_mm, upper_mm : ndarray of float, shape (n, 3)
        Opposite corners, LPS; equal for points.
    labels : tuple of str
        What each is.
    scores : ndarray of float, shape (n,)
        1 where a finding has none.
    voxels : Voxels, optional
        Where the findings are lesions of a mask; the corners are then those of the box around each.
    """

    lower_mm: Corners
    upper_mm: Corners
    labels: tuple[str, ...]
    scores: NDArray[np.float64]
    voxels: Voxels | None = None

    @classmethod
    def of_document(cls, document: DetectionsDocument) -> "Findings":
        """The findings of a document, in its order."""
        corners = [one.corners() for one in document.detections]
        lower, upper = (np.array([each[at] for each in corners], float).reshape(-1, 3) for at in (0, -1))
        scores = [1.0 if one.score is None else one.score for one in document.detections]
        return cls(lower, upper, tuple(one.label for one in document.detections), np.array(scores, float))

    @classmethod
    def of_mask(
        cls, mask: Mask, *, affine_ras: Sequence[Sequence[float]], connectivity: Connectivity, label: str
    ) -> "Findings":
        """The connected components of a mask, each a finding.

        Parameters
        ----------
        mask : ndarray of bool, shape (I, J, K)
        affine_ras : 4 by 4
            Voxel index to world RAS+ mm, as `Grid` has it.
        connectivity : {6, 18, 26}
        label : str
            What they are.
        """
        lattice = Lattice.around(mask.shape)
        found = Components.of(lattice, lattice.row(mask), connectivity)
        owner = np.repeat(found.owner, found.ends - found.starts)
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(affine_ras, float)
        centres = np.argwhere(mask) @ affine[:3, :3].T + affine[:3, 3]
        count = found.count
        lower, upper = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
        np.minimum.at(lower, owner, centres)
        np.maximum.at(upper, owner, centres)
        half = np.abs(affine[:3, :3]).sum(axis=1) / 2  # of the box around one voxel
        return cls(lower - half, upper + half, (label,) * count, np.ones(count), Voxels(centres, owner))

    def only(self, label: str) -> "Findings":
        """Those of one label."""
        these = np.array([one == label for one in self.labels], bool)
        voxels = self.voxels
        if voxels is not None:
            kept = these[voxels.owner]
            voxels = Voxels(voxels.centres_mm[kept], (np.cumsum(these) - 1)[voxels.owner[kept]])
        return Findings(
            self.lower_mm[these],
            self.upper_mm[these],
            (label,) * int(these.sum()),
            self.scores[these],
            voxels,
        )

    def distances_mm(self, place_mm: Corners, limit_mm: float) -> Distances:
        """From a place to the nearest point of each finding, 0 inside its box; infinity may stand beyond the limit."""
        if self.voxels is None:
            gap = np.maximum(np.maximum(self.lower_mm - place_mm, place_mm - self.upper_mm), 0.0)
            return np.asarray(np.linalg.norm(gap, axis=1))
        found = np.full(len(self.labels), np.inf)
        near = self.voxels.tree.query_ball_point(place_mm, limit_mm)
        centres = self.voxels.centres_mm[near]
        np.minimum.at(found, self.voxels.owner[near], np.linalg.norm(centres - place_mm, axis=1))
        return found

    def ious(self, lower_mm: Corners, upper_mm: Corners) -> Distances:
        """Intersection of a box with each finding's box over their union; 0 where neither has any extent."""
        inner = np.minimum(self.upper_mm, upper_mm) - np.maximum(self.lower_mm, lower_mm)
        common = np.prod(np.maximum(inner, 0.0), axis=1)
        union = np.prod(self.upper_mm - self.lower_mm, axis=1) + np.prod(upper_mm - lower_mm) - common
        shares: Distances = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
        return shares


@dataclass(frozen=True, eq=False)
class FindingsPair:
    """What was predicted for a case, and the reference; where a metric is of one label, those of it only."""

    predicted: Findings
    reference: Findings


@dataclass(frozen=True, eq=False)
class FindingMatch:
    """What became of the predicted findings, highest score first.

    Attributes
    ----------
    scores : ndarray of float
    matched : ndarray of int
        Which finding of the reference each found; -1: false.
    reference : int
        How many there are to find.
    """

    scores: NDArray[np.float64]
    matched: NDArray[np.int64]
    reference: int

    def figure(self, figure: Figure, threshold: float) -> float:
        """A figure of the case where findings below ``threshold`` are left out; NaN where there is nothing to find.

        F1 is NaN only where nothing was predicted either.
        """
        matched = self.matched[self.scores >= threshold]
        right = int((matched >= 0).sum())
        if figure == "false_positives":
            return float(matched.size - right)
        total = self.reference if figure == "sensitivity" else (matched.size + self.reference) / 2
        return right / total if total else math.nan


def match_findings(pair: FindingsPair, rule: FindingRule) -> FindingMatch:
    """Match findings one to one; the module's docstring says how.

    Parameters
    ----------
    pair : FindingsPair
    rule : FindingRule
    """
    predicted, reference = pair.predicted, pair.reference
    taken = np.zeros(len(reference.labels), bool)
    kinds = np.array(reference.labels, object)
    scores, matched = [], []
    for number in np.argsort(-predicted.scores, kind="stable"):
        far = np.where(
            kinds == predicted.labels[number], _farness(predicted, number, reference, rule), np.inf
        )
        free = np.where(taken, np.inf, far)
        chosen = int(free.argmin()) if np.isfinite(free).any() else -1
        if chosen >= 0:
            taken[chosen] = True
        elif rule.repeats == "ignored" and np.isfinite(far).any():
            continue
        scores.append(predicted.scores[number])
        matched.append(chosen)
    return FindingMatch(np.array(scores, float), np.array(matched, np.int64), len(reference.labels))


def _farness(predicted: Findings, number: np.intp, reference: Findings, rule: FindingRule) -> Distances:
    """Smaller for what is nearer or more alike; infinity where two do not belong together."""
    lower, upper = predicted.lower_mm[number], predicted.upper_mm[number]
    if rule.nearness == "distance":
        limit_mm = rule.limit_mm * (1 + TIE)
        far = reference.distances_mm((lower + upper) / 2, limit_mm)
        return np.where(far <= limit_mm, far, np.inf)
    iou = reference.ious(lower, upper)
    return np.where((iou > 0) & (iou >= rule.minimum_iou * (1 - TIE)), -iou, np.inf)


def finding_detection(pair: FindingsPair, *, figure: Figure, threshold: float = 0.0, **rule: Any) -> Observed:
    """One figure of a case's findings, with scores and matches of all of them for FROC.

    Parameters
    ----------
    pair : FindingsPair
    figure : {"sensitivity", "false_positives", "f1"}
    threshold : float, optional
        Findings with a lower score are left out of the case's own value.
    **rule
        The fields of `FindingRule`.
    """
    found = match_findings(pair, FindingRule(**rule))
    observations = {
        "scores": tuple(found.scores.tolist()),
        "matched": tuple(found.matched.astype(float).tolist()),
        "reference": (float(found.reference),),
    }
    return Observed(value=found.figure(figure, threshold), observations=observations)
