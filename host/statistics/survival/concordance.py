"""Whether those predicted to have the event sooner do: concordance of a risk score with censored times.

A higher score means a sooner event. Intervals are those of the infinitesimal jackknife over clusters.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host.statistics.estimate import Estimate
from host.statistics.influence import Clusters, cluster_count, from_pulls
from host.statistics.samples import not_estimable
from host.statistics.survival.product_limit import FollowUp, ProductLimit

Numbers = NDArray[np.float64]
Concordance = Literal["harrell", "uno"]

# Pairs looked at together: what bounds the memory.
_PAIRS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class _Found:
    """A concordance and how each case pulls on it; or why there is none."""

    value: float
    pulls: Numbers
    reason: str = ""


def harrell_c(
    score: ArrayLike, time: ArrayLike, event: ArrayLike, *, clusters: Clusters = None, level: float = 0.95
) -> Estimate:
    """Fraction of the comparable pairs that the score puts in order (Harrell 1982, 1996).

    A pair is comparable if the one with the shorter time had the event; at equal times, if one had it and the other was
    censored. Equal scores count half. It depends on the censoring: see `uno_c`.

    Parameters
    ----------
    score : array of float, shape (n,)
        Higher is sooner.
    time : array of float, shape (n,)
        Time to the event or to censoring.
    event : array of bool, shape (n,)
        Whether the time ended with the event.
    clusters : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval.

    Returns
    -------
    Estimate
        0 to 1. Not estimable without a comparable pair or with a case without a score.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    return _estimate(
        _found("harrell", score, FollowUp.of(time, event), math.inf), clusters, level, (0.0, 1.0)
    )


def uno_c(
    score: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    tau: float = math.inf,
    clusters: Clusters = None,
    level: float = 0.95,
) -> Estimate:
    """Concordance freed from the censoring by weighting (Uno 2011, equation 6).

    The earlier of a pair weighs the inverse square of the probability of still being under observation when its event
    came, estimated in these same cases. Censoring is taken to come after an event at the same time, and not to depend
    on the score.

    Parameters
    ----------
    score : array of float, shape (n,)
        Higher is sooner.
    time : array of float, shape (n,)
        Time to the event or to censoring.
    event : array of bool, shape (n,)
        Whether the time ended with the event.
    tau : float
        Events from this time on are not looked at; it should lie where many are still under observation.
    clusters : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval, which takes in that the weights are estimated.

    Returns
    -------
    Estimate
        0 to 1. Not estimable without a comparable pair or with a case without a score.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    return _estimate(_found("uno", score, FollowUp.of(time, event), tau), clusters, level, (0.0, 1.0))


def delta_c(
    score: ArrayLike,
    baseline: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    kind: Concordance = "harrell",
    tau: float = math.inf,
    clusters: Clusters = None,
    level: float = 0.95,
) -> Estimate:
    """How much more concordant a score is than a baseline's on the same cases.

    Parameters
    ----------
    score, baseline : array of float, shape (n,)
        Higher is sooner.
    time : array of float, shape (n,)
        Time to the event or to censoring.
    event : array of bool, shape (n,)
        Whether the time ended with the event.
    kind : {"harrell", "uno"}
        Which concordance.
    tau : float
        As for `uno_c`; Harrell's takes none.
    clusters : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval of the paired difference.

    Returns
    -------
    Estimate
        -1 to 1. Not estimable as for either.

    Raises
    ------
    ValueError
        If lengths differ, or Harrell's concordance is asked for up to a time.
    """
    if kind == "harrell" and tau != math.inf:
        raise ValueError("Harrell's concordance takes no tau")
    follow_up = FollowUp.of(time, event)
    first, second = (_found(kind, one, follow_up, tau) for one in (score, baseline))
    difference = _Found(first.value - second.value, first.pulls - second.pulls, first.reason or second.reason)
    return _estimate(difference, clusters, level, (-1.0, 1.0))


def _estimate(found: _Found, clusters: Clusters, level: float, ends: tuple[float, float]) -> Estimate:
    if found.reason:
        n = cluster_count(clusters, len(found.pulls))
        return not_estimable(level, n, found.reason)
    return from_pulls(found.value, found.pulls, clusters=clusters, level=level, ends=ends)


def _found(kind: Concordance, score: ArrayLike, follow_up: FollowUp, tau: float) -> _Found:
    """Ratio of weighted concordant to weighted comparable pairs, and its derivative by the weight of each case."""
    scores = follow_up.column(score)
    nothing = np.full(len(scores), math.nan)
    reason = follow_up.fault
    if not reason and (lost := int(np.isnan(scores).sum())):
        reason = f"{lost} cases have no score"
    if reason:
        return _Found(math.nan, nothing, reason)
    earlier = follow_up.event & (follow_up.time < tau)
    censoring, power = ProductLimit.of_censoring(follow_up), 2 if kind == "uno" else 0
    weights = np.where(earlier, censoring.before(follow_up.time) ** -float(power), 0.0)
    concordant, comparable, pulled = _pairs(scores, follow_up, earlier, weights)
    pairs = float(weights @ comparable)
    if not pairs:
        return _Found(math.nan, nothing, "there is no pair to compare")
    value = float(weights @ concordant) / pairs
    excess = weights * (concordant - value * comparable)
    pulls = excess + pulled[0] - value * pulled[1]
    if power:
        pulls -= power * censoring.log_pulls(follow_up.time, excess, before=True)
    return _Found(value, pulls / pairs)


def _pairs(
    scores: Numbers, follow_up: FollowUp, earlier: NDArray[np.bool_], weights: Numbers
) -> tuple[Numbers, Numbers, tuple[Numbers, Numbers]]:
    """Concordant and comparable pairs by their earlier case, and weighted by the earlier one by their later case."""
    n = len(scores)
    concordant, comparable = np.zeros(n), np.zeros(n)
    later_concordant, later_comparable = np.zeros(n), np.zeros(n)
    firsts = np.flatnonzero(earlier)
    for block in np.array_split(firsts, max(1, math.ceil(len(firsts) * n / _PAIRS_AT_ONCE))):
        time, score = follow_up.time[block, None], scores[block, None]
        pairs = (follow_up.time > time) | ((follow_up.time == time) & ~follow_up.event)
        above, not_below = pairs & (score > scores), pairs & (score >= scores)
        both = np.add(above, not_below, dtype=np.float32)  # two for a pair in order, one for equal scores
        concordant[block], comparable[block] = both.sum(axis=1) / 2, np.count_nonzero(pairs, axis=1)
        later_concordant += weights[block] @ both / 2
        later_comparable += weights[block] @ pairs
    return concordant, comparable, (later_concordant, later_comparable)
