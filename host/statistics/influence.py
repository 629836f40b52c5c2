"""Intervals from the pull of each case on a statistic: the infinitesimal jackknife (Jaeckel 1972; Efron 1982).

The pull of a case is the derivative of the statistic by the case's weight. To first order the variance is the sum of
the squared pulls, after those of one cluster are added up: cases of one subject are no independent evidence.
"""

import math
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from host.statistics.estimate import Estimate, without_interval
from host.statistics.samples import deviate

Numbers = NDArray[np.float64]
Clusters = Sequence[Hashable] | None

_ROUNDING: Final = 1e-12


def cluster_count(clusters: Clusters, cases: int) -> int:
    """How many independent units there are; without clusters every case is one.

    Raises
    ------
    ValueError
        If there is not one cluster per case.
    """
    if clusters is None:
        return cases
    if len(clusters) != cases:
        raise ValueError(f"{cases} cases but {len(clusters)} clusters")
    return len(set(clusters))


def cluster_totals(values: Numbers, clusters: Clusters) -> Numbers:
    """Sum of the values of each cluster, in the order of their first case.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    clusters : sequence or None
        The cluster of each case; None if each is its own.

    Raises
    ------
    ValueError
        If there is not one cluster per case.
    """
    count = cluster_count(clusters, len(values))
    if clusters is None:
        return values
    numbers = {label: number for number, label in enumerate(dict.fromkeys(clusters))}
    totals = np.zeros(count)
    np.add.at(totals, [numbers[label] for label in clusters], values)
    return totals


def standard_error(pulls: Numbers, clusters: Clusters) -> float:
    """Root of the sum of the squared pulls of the clusters.

    Parameters
    ----------
    pulls : ndarray of float, shape (n,)
        Derivative of the statistic by the weight of each case.
    clusters : sequence or None
        The cluster of each case; None if each is its own.
    """
    return float(np.sqrt((cluster_totals(pulls, clusters) ** 2).sum()))


def from_pulls(
    value: float,
    pulls: Numbers,
    *,
    clusters: Clusters,
    level: float,
    ends: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """The normal interval of a statistic, cut off at the ends of its range.

    Parameters
    ----------
    value : float
        The statistic.
    pulls : ndarray of float, shape (n,)
        Its derivative by the weight of each case.
    clusters : sequence or None
        The cluster of each case; None if each is its own.
    level : float
        Coverage of the two-sided interval.
    ends : pair of float
        What the statistic cannot pass.

    Returns
    -------
    Estimate
        Its n counts clusters. No interval with a single cluster or where no case pulls.
    """
    n = cluster_count(clusters, len(pulls))
    error = standard_error(pulls, clusters)
    if n < 2 or error <= _ROUNDING * max(1.0, abs(value)):
        reason = "there is a single subject" if n < 2 else "no case pulls the estimate: its variance is zero"
        return without_interval(value, level=level, n=n, reason=reason)
    half = deviate(level) * error
    return Estimate(
        value, max(ends[0], value - half), min(ends[1], value + half), level, "infinitesimal jackknife", n
    )
