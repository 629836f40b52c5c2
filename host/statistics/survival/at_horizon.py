"""How far predicted risks up to a horizon can be believed: discrimination, Brier scores and calibration at that time.

A predicted probability is that of the event by the horizon. There is one kind of event: a death from another cause is
not censoring, and these figures do not hold where it is frequent. Censoring is taken not to depend on the prediction.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host.statistics.estimate import Estimate
from host.statistics.influence import Clusters, cluster_count, from_pulls
from host.statistics.samples import not_estimable
from host.statistics.survival.product_limit import FollowUp, ProductLimit

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class _AtHorizon:
    """What is known at a horizon, weighted for those censored before (Graf 1999).

    A case censored at the horizon itself is known to be free of the event, as censoring comes after events.

    Attributes
    ----------
    had, free : ndarray of bool, shape (n,)
        Whether the event had come by the horizon, and whether the case was known to be free of it; neither where it was
        censored before.
    weights : ndarray of float, shape (n,)
        Inverse probability of being known: 0 where neither.
    """

    had: Flags
    free: Flags
    weights: Numbers
    _censoring: ProductLimit
    _known_from: Numbers

    @classmethod
    def of(cls, follow_up: FollowUp, horizon: float) -> "_AtHorizon":
        censoring = ProductLimit.of_censoring(follow_up)
        known_from = np.minimum(follow_up.time, horizon)
        had, free = follow_up.event & (follow_up.time <= horizon), free_at(follow_up, horizon)
        known = had | free
        weights = np.divide(known, censoring.before(known_from), out=np.zeros(len(had)), where=known)
        return cls(had, free, weights, censoring, known_from)

    def weight_pulls(self, amounts: Numbers) -> Numbers:
        """Derivative by each case's weight of the sum of amounts, each of which contains one weight as a factor."""
        result: Numbers = -self._censoring.log_pulls(self._known_from, amounts, before=True)
        return result


def time_dependent_auc(
    score: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizon: float,
    clusters: Clusters = None,
    level: float = 0.95,
) -> Estimate:
    """Chance that a case with the event by the horizon scores above one free of it (Uno 2007; Hung and Chiang 2010).

    The cumulative/dynamic area. Cases with the event weigh the inverse probability of still being under observation
    when it came; equal scores count half.

    Parameters
    ----------
    score : array of float, shape (n,)
        Higher is sooner.
    time : array of float, shape (n,)
        Time to the event or to censoring.
    event : array of bool, shape (n,)
        Whether the time ended with the event.
    horizon : float
        In the unit of time.
    clusters : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval: infinitesimal jackknife, which takes in that the weights are estimated.

    Returns
    -------
    Estimate
        0 to 1. Not estimable without a case that had the event by the horizon, or one free of it then.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    follow_up = FollowUp.of(time, event)
    scores = follow_up.column(score)
    reason = horizon_fault(follow_up, horizon)
    if not reason and not (follow_up.event & (follow_up.time <= horizon)).any():
        reason = "no event comes by the horizon"
    if not reason and (lost := int(np.isnan(scores).sum())):
        reason = f"{lost} cases have no score"
    if reason:
        return not_estimable_from(follow_up, clusters, level, reason)
    here = _AtHorizon.of(follow_up, horizon)
    case_weights = here.weights * here.had
    controls = float(np.count_nonzero(here.free))
    total = float(case_weights.sum()) * controls
    below = _weight_below(scores, here.free.astype(float)) * here.had
    above = (case_weights.sum() - _weight_below(scores, case_weights)) * here.free
    value = float(case_weights @ below) / total
    excess = case_weights * (below - value * controls)
    pulls = excess + above - value * case_weights.sum() * here.free + here.weight_pulls(excess)
    return from_pulls(value, pulls / total, clusters=clusters, level=level, ends=(0.0, 1.0))


def brier_at(
    probability: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizon: float,
    clusters: Clusters = None,
    level: float = 0.95,
) -> Estimate:
    """Brier score at a horizon, weighted for censoring (Graf 1999); 0 is best.

    Parameters
    ----------
    probability : array of float, shape (n,)
        Predicted probability of the event by the horizon.
    time : array of float, shape (n,)
        Time to the event or to censoring.
    event : array of bool, shape (n,)
        Whether the time ended with the event.
    horizon : float
        In the unit of time.
    clusters : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval: infinitesimal jackknife, which takes in that the weights are estimated.

    Returns
    -------
    Estimate
        0 or more. Not estimable if nobody is known to be free of the event at the horizon or a value is no probability.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    follow_up = FollowUp.of(time, event)
    predicted = follow_up.column(probability)
    if reason := horizon_fault(follow_up, horizon) or probability_fault(predicted):
        return not_estimable_from(follow_up, clusters, level, reason)
    value, pulls = _brier(predicted, follow_up, horizon)
    return from_pulls(value, pulls, clusters=clusters, level=level, ends=(0.0, math.inf))


def integrated_brier(
    probabilities: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizons: ArrayLike,
    clusters: Clusters = None,
    level: float = 0.95,
) -> Estimate:
    """Mean over time of the Brier score (Graf 1999): the trapezia between the horizons, over their range.

    Parameters
    ----------
    probabilities : array of float, shape (n, k)
        Predicted probability of the event by each horizon.
    time : array of float, shape (n,)
        Time to the event or to censoring.
    event : array of bool, shape (n,)
        Whether the time ended with the event.
    horizons : array of float, shape (k,)
        At least two, rising, in the unit of time.
    clusters : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval: infinitesimal jackknife, which takes in that the weights are estimated.

    Returns
    -------
    Estimate
        0 or more. Not estimable as in `brier_at` at the last horizon.

    Raises
    ------
    ValueError
        If lengths differ or the horizons do not rise.
    """
    follow_up, times = FollowUp.of(time, event), np.asarray(horizons, float)
    predicted = np.asarray(probabilities, float)
    if times.ndim != 1 or len(times) < 2 or not (np.diff(times) > 0).all():
        raise ValueError("there must be at least two rising horizons")
    if predicted.shape != (len(follow_up.time), len(times)):
        raise ValueError(
            f"{predicted.shape} probabilities for {len(follow_up.time)} cases, {len(times)} horizons"
        )
    if reason := horizon_fault(follow_up, float(times[-1])) or probability_fault(predicted):
        return not_estimable_from(follow_up, clusters, level, reason)
    scores = [_brier(predicted[:, place], follow_up, float(at)) for place, at in enumerate(times)]
    widths = np.diff(times)
    shares = (np.append(widths, 0.0) + np.append(0.0, widths)) / (2 * widths.sum())
    value = float(shares @ [score for score, _ in scores])
    pulls = shares @ np.array([pull for _, pull in scores])
    return from_pulls(value, pulls, clusters=clusters, level=level, ends=(0.0, math.inf))


def _brier(predicted: Numbers, follow_up: FollowUp, horizon: float) -> tuple[float, Numbers]:
    here = _AtHorizon.of(follow_up, horizon)
    terms = here.weights * (predicted - here.had) ** 2
    value = float(terms.mean())
    return value, (terms - value + here.weight_pulls(terms)) / len(terms)


def _weight_below(scores: Numbers, weights: Numbers) -> Numbers:
    """Weight of the cases that score below each, and half of those that score alike."""
    distinct, place = np.unique(scores, return_inverse=True)
    of_each = np.bincount(place, weights, minlength=len(distinct))
    result: Numbers = (np.cumsum(of_each) - of_each / 2)[place]
    return result


def free_at(follow_up: FollowUp, horizon: float) -> Flags:
    """Which cases are known to be free of the event at a horizon."""
    result: Flags = (follow_up.time > horizon) | ((follow_up.time == horizon) & ~follow_up.event)
    return result


def horizon_fault(follow_up: FollowUp, horizon: float) -> str:
    """Why nothing can be said at a horizon; empty where something can."""
    if follow_up.fault:
        return follow_up.fault
    return (
        "" if free_at(follow_up, horizon).any() else f"nobody is known to be free of the event at {horizon:g}"
    )


def probability_fault(predicted: Numbers) -> str:
    """Which values are no probabilities; empty where all are."""
    odd = predicted.size - int(((predicted >= 0) & (predicted <= 1)).sum())
    return f"{odd} values are not probabilities" if odd else ""


def not_estimable_from(follow_up: FollowUp, clusters: Clusters, level: float, reason: str) -> Estimate:
    """Neither a value nor an interval, and why."""
    n = cluster_count(clusters, len(follow_up.time))
    return not_estimable(level, n, reason)
