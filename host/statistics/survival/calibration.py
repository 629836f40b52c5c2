"""Whether predicted risks up to a horizon come true as often as predicted, under censoring.

A predicted probability is that of the event by the horizon.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host.statistics.estimate import Estimate, without_interval
from host.statistics.influence import Clusters, from_pulls
from host.statistics.probability import CalibrationBin, all_equal, equal_groups
from host.statistics.survival.at_horizon import horizon_fault, not_estimable_from, probability_fault
from host.statistics.survival.kaplan_meier import survival_at
from host.statistics.survival.product_limit import FollowUp

Numbers = NDArray[np.float64]

_MOST_STEPS = 50
_CONVERGED = 1e-10


def observed_expected_at(
    probability: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizon: float,
    clusters: Clusters = None,
    level: float = 0.95,
) -> Estimate:
    """Risk observed by the horizon (Kaplan and Meier's) over the mean predicted risk; 1 is best.

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
        Coverage of the two-sided interval: that of the observed risk over the mean prediction, which is taken as it is.

    Returns
    -------
    Estimate
        0 or more. Not estimable if nobody is known to be free of the event at the horizon, or no event is expected.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    follow_up = FollowUp.of(time, event)
    predicted = follow_up.column(probability)
    reason = horizon_fault(follow_up, horizon) or probability_fault(predicted)
    if reason or not predicted.any():
        return not_estimable_from(follow_up, clusters, level, reason or "no event is expected")
    return _over(
        survival_at(time, event, horizon=horizon, clusters=clusters, level=level), float(predicted.mean())
    )


def calibration_slope_at(
    probability: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizon: float,
    clusters: Clusters = None,
    level: float = 0.95,
) -> Estimate:
    """Slope of a Cox regression on the logarithm of the predicted cumulative hazard (van Houwelingen 2000); 1 is best.

    Below 1 the predictions are too extreme, above 1 too timid. Follow-up ends at the horizon; events at the same time
    are taken together as Breslow (1974) does. It makes sense where hazards are about proportional up to the horizon.

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
        Coverage of the two-sided interval: infinitesimal jackknife, which is the robust one of Lin and Wei (1989).

    Returns
    -------
    Estimate
        Not estimable where a probability is exactly 0 or 1, all are equal, no event comes by the horizon, or the
        predictions order the events perfectly.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    follow_up = FollowUp.of(time, event)
    predicted = follow_up.column(probability)
    reason = horizon_fault(follow_up, horizon) or probability_fault(predicted)
    if not reason and (certain := int(((predicted == 0) | (predicted == 1)).sum())):
        reason = f"{certain} probabilities are exactly 0 or 1"
    until = FollowUp(np.minimum(follow_up.time, horizon), follow_up.event & (follow_up.time <= horizon))
    if not reason and not until.event.any():
        reason = "no event comes by the horizon"
    if not reason and all_equal(predicted):
        reason = "all predictions are equal"
    if reason:
        return not_estimable_from(follow_up, clusters, level, reason)
    fitted = cox_slope(np.log(-np.log1p(-predicted)), until)
    if fitted is None:
        return not_estimable_from(follow_up, clusters, level, "the predictions order the events perfectly")
    return from_pulls(*fitted, clusters=clusters, level=level)


def calibration_bins_at(
    probability: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizon: float,
    bins: int = 10,
    level: float = 0.95,
) -> tuple[CalibrationBin, ...]:
    """Cases in groups of about equal size by their predicted risk, with the risk observed in each, for a plot.

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
    bins : int
        How many groups at most; equal probabilities stay together.
    level : float
        Coverage of the intervals, which are those of `survival_at`.

    Returns
    -------
    tuple of CalibrationBin
        By rising probability; empty without cases. A group in which nobody is followed to the horizon has no value.

    Raises
    ------
    ValueError
        If lengths differ, a value is no probability, or no bin is asked for.
    """
    follow_up = FollowUp.of(time, event)
    predicted = follow_up.column(probability)
    found = []
    for which in equal_groups(predicted, bins):
        chosen = predicted[which]
        free = survival_at(follow_up.time[which], follow_up.event[which], horizon=horizon, level=level)
        found.append(
            CalibrationBin(float(chosen.mean()), _over(free, 1.0), float(chosen.min()), float(chosen.max()))
        )
    return tuple(found)


def _over(free: Estimate, expected: float) -> Estimate:
    """The observed risk over the expected one."""
    value = (1 - free.value) / expected
    if not free.has_interval:
        return without_interval(value, level=free.level, n=free.n, reason=free.reason)
    low, high = (1 - free.high) / expected, (1 - free.low) / expected
    return Estimate(value, low, high, free.level, free.method, free.n)


def cox_slope(covariate: Numbers, follow_up: FollowUp) -> tuple[float, Numbers] | None:
    """Cox regression on one covariate by Newton's steps, events at the same time as in Breslow (1974).

    Parameters
    ----------
    covariate : ndarray of float, shape (n,)
        Not all equal.
    follow_up : FollowUp
        With at least one event.

    Returns
    -------
    tuple of float and ndarray of shape (n,), or None
        The coefficient, and its derivative by the weight of each case (Lin and Wei 1989); None where the likelihood has
        no maximum.
    """
    scale = covariate.std()
    standard = (covariate - covariate.mean()) / scale
    times, place = np.unique(follow_up.time, return_inverse=True)
    fallen = np.bincount(place, follow_up.event, minlength=len(times))
    slope, step, reached = 0.0, 0.0, -math.inf
    for _ in range(_MOST_STEPS):
        at_risk, mean, spread = _risk_sets(slope + step, standard, place, len(times))
        likelihood = float(((slope + step) * standard)[follow_up.event].sum() - fallen @ np.log(at_risk))
        if math.isnan(likelihood) or likelihood < reached - _CONVERGED:
            step /= 2
            continue
        slope, reached = slope + step, likelihood
        score = float((standard - mean[place])[follow_up.event].sum())
        information = float(fallen @ spread)
        if information <= _CONVERGED:
            return None
        step = score / information
        if abs(step) < _CONVERGED * max(1.0, abs(slope)):
            residual = follow_up.event * (standard - mean[place])
            hazard, shift = np.cumsum(fallen / at_risk)[place], np.cumsum(fallen / at_risk * mean)[place]
            score_pulls = residual - np.exp(slope * standard) * (standard * hazard - shift)
            return slope / scale, score_pulls / information / scale
    return None


def _risk_sets(slope: float, covariate: Numbers, place: NDArray[np.int64], count: int) -> Numbers:
    """At each time: the sum of the relative hazards at risk, and the weighted mean and variance of the covariate."""
    at_each = np.zeros((3, count))
    with np.errstate(over="ignore", invalid="ignore"):  # a step too large is taken back
        relative = np.exp(slope * covariate)
        for power in range(3):
            at_each[power] = np.bincount(place, relative * covariate**power, minlength=count)
        total, first, second = np.cumsum(at_each[:, ::-1], axis=1)[:, ::-1]
        mean = first / total
        return np.array([total, mean, second / total - mean**2])
