"""Intervals of a variance and of a sum of variance components."""

import math
from collections.abc import Sequence

from scipy import stats

from host.statistics.samples import tail


def sum_interval(shares: Sequence[float], degrees: Sequence[float], *, level: float) -> tuple[float, float]:
    """Interval of a sum of independent variances, each estimated with its own degrees of freedom.

    Graybill and Wang (1980), also known as MOVER; for a single variance it is the exact chi-square interval.

    Parameters
    ----------
    shares : sequence of float
        What each mean square adds to the sum: a positive factor times the mean square; at least one.
    degrees : sequence of float
        Degrees of freedom of each.
    level : float

    Returns
    -------
    low, high : float
        Around ``sum(shares)``.
    """
    total, alpha = math.fsum(shares), tail(level)
    below, above = 0.0, 0.0
    for share, df in zip(shares, degrees, strict=True):
        below += (share * (1.0 - df / float(stats.chi2.isf(alpha, df)))) ** 2
        above += (share * (df / float(stats.chi2.ppf(alpha, df)) - 1.0)) ** 2
    return max(total - math.sqrt(below), 0.0), total + math.sqrt(above)
