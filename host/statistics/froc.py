"""How well findings are located: sensitivity by lesion against false positives by case.

Lesions of all cases are pooled, and so count more where a subject has many. A case whose lesions are many or whose
false positives are many is one piece of evidence all the same: intervals are those of subjects.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host.statistics.bootstrap import BootstrapMethod, cluster_bootstrap
from host.statistics.clustered import clustered_proportion, clustered_rate
from host.statistics.estimate import Estimate, without_interval
from host.statistics.influence import Clusters, cluster_count, from_pulls
from host.statistics.samples import not_estimable

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]

_NO_LESION: Final = "there is no lesion"


@dataclass(frozen=True)
class FrocCurve:
    """A free-response curve, from no detection counted to all.

    Attributes
    ----------
    thresholds : ndarray of float, shape (k,)
        Falling; a detection counts at this score or above. The first is infinite.
    false_positives_per_case, sensitivity : ndarray of float, shape (k,)
        Sensitivity is NaN where there is no lesion.
    """

    thresholds: Numbers
    false_positives_per_case: Numbers
    sensitivity: Numbers


@dataclass(frozen=True)
class Findings:
    """Detections of all cases in one list, by falling score.

    A lesion that several detections hit is found by the one with the highest score; the others are no false positives.

    Attributes
    ----------
    case : ndarray of int, shape (m,)
        Of which case each detection is.
    score : ndarray of float, shape (m,)
    false, finds : ndarray of bool, shape (m,)
        Whether it hits no lesion; whether it is the first to hit its own.
    lesions : ndarray of float, shape (n,)
        Lesions of each case.
    """

    case: Indices
    score: Numbers
    false: Flags
    finds: Flags
    lesions: Numbers

    @classmethod
    def of(cls, scores: Sequence[ArrayLike], matched: Sequence[ArrayLike], lesions: ArrayLike) -> "Findings":
        """From what each case left.

        Parameters
        ----------
        scores : sequence of n arrays
            Scores of each case's detections; higher is surer.
        matched : sequence of n arrays of int
            Which of the case's lesions each detection hits, from 0; -1 for none.
        lesions : array of int, shape (n,)
            How many lesions each case has.

        Raises
        ------
        ValueError
            If lengths differ, a score is NaN, or a detection hits a lesion that the case does not have.
        """
        sizes = [np.size(one) for one in scores]
        count = np.asarray(lesions, float)
        if [np.size(one) for one in matched] != sizes or count.shape != (len(sizes),):
            raise ValueError("scores, matches and lesions are not of the same cases")
        case = np.repeat(np.arange(len(sizes)), sizes)
        score, hit = (_joined(part) for part in (scores, matched))
        if np.isnan(score).any() or (hit < -1).any() or (hit >= count[case]).any():
            raise ValueError("a score is NaN, or a detection hits a lesion that its case does not have")
        order = np.argsort(-score, kind="stable")
        case, score, hit = case[order], score[order], hit[order]
        finds = np.zeros(len(score), bool)
        finds[np.unique(np.column_stack([case, hit]), axis=0, return_index=True)[1]] = True
        return cls(case, score, hit < 0, finds & (hit >= 0), count)

    def curve(self, cases: Indices | None = None) -> FrocCurve:
        """The curve of some cases, repeated where they are; by default of each once."""
        chosen = np.arange(len(self.lesions)) if cases is None else cases
        times = np.bincount(chosen, minlength=len(self.lesions)).astype(float)
        each = times[self.case]
        last = np.append(np.diff(self.score) != 0, True)[: len(self.score)]  # of those with the same score
        false, found = (np.append(0.0, np.cumsum(each * which)[last]) for which in (self.false, self.finds))
        total = float(times @ self.lesions)
        sensitivity = found / total if total else np.full(len(found), math.nan)
        return FrocCurve(np.append(math.inf, self.score[last]), false / max(1, len(chosen)), sensitivity)

    def sensitivity_at(self, false_positives_per_case: float, cases: Indices | None = None) -> float:
        """Sensitivity at the lowest threshold with no more false positives; NaN without lesions."""
        curve = self.curve(cases)
        allowed = np.flatnonzero(curve.false_positives_per_case <= false_positives_per_case)
        return float(curve.sensitivity[allowed[-1]])


def _joined(parts: Sequence[ArrayLike]) -> Numbers:
    return np.concatenate([np.empty(0), *(np.asarray(one, float).ravel() for one in parts)])


def froc_curve(scores: Sequence[ArrayLike], matched: Sequence[ArrayLike], lesions: ArrayLike) -> FrocCurve:
    """Sensitivity against false positives per case, at every score (Chakraborty 1989).

    Parameters
    ----------
    scores, matched, lesions
        As in `Findings.of`.

    Returns
    -------
    FrocCurve
        One point per distinct score, and the one at which nothing counts.

    Raises
    ------
    ValueError
        As `Findings.of` does.
    """
    return Findings.of(scores, matched, lesions).curve()


def sensitivity_at(
    scores: Sequence[ArrayLike],
    matched: Sequence[ArrayLike],
    lesions: ArrayLike,
    *,
    false_positives_per_case: float,
    subjects: Sequence[Hashable],
    seed: int,
    strata: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    method: BootstrapMethod = "bca",
    level: float = 0.95,
) -> Estimate:
    """Fraction of the lesions found at the lowest threshold with no more than so many false positives per case.

    No interpolation: the operating point is one that a threshold reaches. Each resample of subjects has its own.

    Parameters
    ----------
    scores, matched, lesions
        As in `Findings.of`.
    false_positives_per_case : float
        Not negative.
    subjects : sequence
        The subject of each case.
    seed, strata, resamples, method, level
        As in `cluster_bootstrap`, which makes the interval.

    Returns
    -------
    Estimate
        0 to 1. Not estimable without lesions.

    Raises
    ------
    ValueError
        As `Findings.of` does, or if the rate is negative.
    """
    if not false_positives_per_case >= 0:
        raise ValueError(f"{false_positives_per_case} false positives per case")
    findings = Findings.of(scores, matched, lesions)
    if not findings.lesions.any():
        return not_estimable(level, cluster_count(subjects, len(scores)), _NO_LESION)
    return cluster_bootstrap(
        lambda cases: findings.sensitivity_at(false_positives_per_case, cases),
        subjects,
        seed=seed,
        strata=strata,
        resamples=resamples,
        method=method,
        level=level,
    )


def lesion_sensitivity(
    found: ArrayLike, lesions: ArrayLike, *, subjects: Clusters = None, level: float = 0.95
) -> Estimate:
    """Lesions found over all lesions, pooled over cases.

    Parameters
    ----------
    found, lesions : array of int, shape (n,)
        Of each case, how many lesions were found and how many there are.
    subjects : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval, as in `clustered_proportion`.

    Returns
    -------
    Estimate
        0 to 1; its n counts subjects with a lesion. Not estimable without lesions.

    Raises
    ------
    ValueError
        If lengths differ or more are found than there are.
    """
    return clustered_proportion(found, lesions, clusters=subjects, level=level)


def lesion_precision(
    right: ArrayLike, predicted: ArrayLike, *, subjects: Clusters = None, level: float = 0.95
) -> Estimate:
    """Predicted lesions that are right over all predicted, pooled over cases.

    Parameters
    ----------
    right, predicted : array of int, shape (n,)
        Of each case, how many predicted lesions match one of the reference standard and how many there are.
    subjects : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval, as in `clustered_proportion`.

    Returns
    -------
    Estimate
        0 to 1; its n counts subjects with a predicted lesion. Not estimable without one.

    Raises
    ------
    ValueError
        If lengths differ or more are right than are predicted.
    """
    return clustered_proportion(right, predicted, clusters=subjects, level=level)


def false_positives_per_case(
    false_positives: ArrayLike, *, subjects: Clusters = None, level: float = 0.95
) -> Estimate:
    """Mean number of false positives in a case.

    Parameters
    ----------
    false_positives : array of int, shape (n,)
        Of each case.
    subjects : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval, as in `clustered_rate`.

    Returns
    -------
    Estimate
        0 or more. Not estimable without cases.

    Raises
    ------
    ValueError
        If a count is negative.
    """
    counts = np.asarray(false_positives, float)
    return clustered_rate(counts, np.ones(counts.shape), clusters=subjects, level=level)


def lesion_f1(
    found: ArrayLike,
    lesions: ArrayLike,
    right: ArrayLike,
    predicted: ArrayLike,
    *,
    subjects: Clusters = None,
    level: float = 0.95,
) -> Estimate:
    """Harmonic mean of sensitivity and precision by lesion, each pooled over cases (Commowick 2018).

    Parameters
    ----------
    found, lesions : array of int, shape (n,)
        Of each case, how many lesions were found and how many there are.
    right, predicted : array of int, shape (n,)
        How many predicted lesions match one of the reference standard and how many there are.
    subjects : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval: infinitesimal jackknife over subjects, cut off at 0 and 1.

    Returns
    -------
    Estimate
        0 to 1; 0 where either side has no lesion at all or none is found. Not estimable where neither side has one.

    Raises
    ------
    ValueError
        If lengths differ or more are found, or right, than there are.
    """
    hits, real, good, called = (np.asarray(one, float) for one in (found, lesions, right, predicted))
    if len({one.shape for one in (hits, real, good, called)}) > 1 or hits.ndim != 1:
        raise ValueError("the counts are not of the same cases")
    if not ((hits >= 0) & (hits <= real) & (good >= 0) & (good <= called)).all():
        raise ValueError("more lesions are found, or right, than there are")
    n = cluster_count(subjects, len(hits))
    if not (real.any() or called.any()):
        return not_estimable(level, n, _NO_LESION)
    if not (hits.any() and good.any()):
        return without_interval(0.0, level=level, n=n, reason="no lesion is found: the variance is zero")
    sensitivity, precision = hits.sum() / real.sum(), good.sum() / called.sum()
    total = sensitivity + precision
    pulls = 2 * (
        (precision / total) ** 2 * (hits - sensitivity * real) / real.sum()
        + (sensitivity / total) ** 2 * (good - precision * called) / called.sum()
    )
    value = float(2 * sensitivity * precision / total)
    return from_pulls(value, pulls, clusters=subjects, level=level, ends=(0.0, 1.0))
