"""The survival curve, with its interval at every time."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host.statistics.estimate import Estimate, without_interval
from host.statistics.influence import Clusters, cluster_count, standard_error
from host.statistics.samples import deviate, not_estimable
from host.statistics.survival.product_limit import FollowUp, ProductLimit

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class SurvivalCurve:
    """A curve by its steps.

    Attributes
    ----------
    times : ndarray of float, shape (k,)
        When events came, rising; before the first the probability is 1.
    at_risk, events : ndarray of float, shape (k,)
        Cases that could have the event then, and that did.
    survival : tuple of Estimate, length k
        Probability of being free of the event right after each.
    """

    times: Numbers
    at_risk: Numbers
    events: Numbers
    survival: tuple[Estimate, ...]


def kaplan_meier(
    time: ArrayLike, event: ArrayLike, *, clusters: Clusters = None, level: float = 0.95
) -> SurvivalCurve:
    """Probability of being free of the event over time (Kaplan and Meier 1958).

    Parameters
    ----------
    time : array of float, shape (n,)
        Time to the event or to censoring.
    event : array of bool, shape (n,)
        Whether the time ended with the event.
    clusters : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided intervals, as in `survival_at`.

    Returns
    -------
    SurvivalCurve
        Without steps where there is no case or no event.

    Raises
    ------
    ValueError
        If lengths differ or a time is no length of time.
    """
    follow_up = FollowUp.of(time, event)
    if len(follow_up.time) and follow_up.fault:
        raise ValueError(follow_up.fault)
    limit = ProductLimit.of_events(follow_up)
    steps = tuple(_at(limit, float(one), clusters, level) for one in limit.times)
    return SurvivalCurve(limit.times, limit.at_risk, limit.fallen, steps)


def survival_at(
    time: ArrayLike, event: ArrayLike, *, horizon: float, clusters: Clusters = None, level: float = 0.95
) -> Estimate:
    """Probability of being free of the event at a horizon, with the log-log interval (Kalbfleisch and Prentice 1980).

    Parameters
    ----------
    time : array of float, shape (n,)
        Time to the event or to censoring.
    event : array of bool, shape (n,)
        Whether the time ended with the event.
    horizon : float
        In the unit of time.
    clusters : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval. Its variance is Greenwood's, which is the infinitesimal jackknife's; over
        clusters it is the latter.

    Returns
    -------
    Estimate
        0 to 1. Not estimable beyond the last time if that was a censoring. No interval at 0 or 1.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    follow_up = FollowUp.of(time, event)
    n, reason = cluster_count(clusters, len(follow_up.time)), follow_up.fault
    if reason:
        return not_estimable(level, n, reason)
    limit = ProductLimit.of_events(follow_up)
    if horizon > follow_up.time.max() and limit.at(horizon) > 0:
        reason = f"nobody is followed up to {horizon:g}"
        return not_estimable(level, n, reason)
    return _at(limit, horizon, clusters, level)


def _at(limit: ProductLimit, horizon: float, clusters: Clusters, level: float) -> Estimate:
    value, n = float(limit.at(horizon)), cluster_count(clusters, len(limit.own))
    if n < 2 or value in (0.0, 1.0):
        reason = "there is a single subject" if n < 2 else f"the log-log interval does not exist at {value:g}"
        return without_interval(value, level=level, n=n, reason=reason)
    pulls = limit.log_pulls(np.array([horizon]), np.ones(1), before=False)
    spread = deviate(level) * standard_error(pulls, clusters) / -math.log(value)
    low, high = (value ** math.exp(sign * spread) for sign in (1, -1))
    return Estimate(value, low, high, level, "Kaplan-Meier, log-log", n)
