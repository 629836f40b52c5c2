"""Intervals of a proportion: successes out of independent trials.

Cases of one subject are not independent trials: see `clustered.clustered_proportion`.
"""

import math
from collections.abc import Callable
from typing import Final, Literal

from host.statistics.estimate import Estimate
from host.statistics.samples import deviate, not_estimable, tail

ProportionMethod = Literal["wilson", "clopper_pearson"]


def wilson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """Score interval of a proportion, without continuity correction (Wilson 1927; Newcombe 1998, method 3).

    Parameters
    ----------
    successes, n : int
        0 <= successes <= n, counts of independent trials.
    level : float
        Coverage of the two-sided interval.

    Returns
    -------
    Estimate
        0 to 1. Not estimable without trials.

    Raises
    ------
    ValueError
        If the counts are not those of trials.
    """
    if not _are_trials(successes, n):
        return _without_trials(level)
    low, high = wilson_interval(successes / n, n, deviate(level))
    return Estimate(successes / n, low, high, level, "Wilson", n)


def wilson_interval(proportion: float, n: float, z: float) -> tuple[float, float]:
    """Ends of Wilson's interval at a normal quantile; ``n`` > 0 need not be whole."""
    centre = proportion + z * z / (2 * n)
    half = z * math.sqrt(proportion * (1 - proportion) / n + z * z / (4 * n * n))
    shrink = 1 + z * z / n
    # At the ends the bound is exact; the arithmetic would leave 1e-17 of it.
    low = 0.0 if proportion == 0 else (centre - half) / shrink
    high = 1.0 if proportion == 1 else (centre + half) / shrink
    return low, high


def clopper_pearson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """Interval of a proportion by the binomial's tails (Clopper and Pearson 1934; Newcombe 1998, method 5).

    It covers at least ``level`` for every proportion, and so is wider than Wilson's.

    Parameters
    ----------
    successes, n : int
        0 <= successes <= n, counts of independent trials.
    level : float
        Coverage of the two-sided interval.

    Returns
    -------
    Estimate
        0 to 1. Not estimable without trials.

    Raises
    ------
    ValueError
        If the counts are not those of trials.
    """
    from scipy.special import betaincinv

    if not _are_trials(successes, n):
        return _without_trials(level)
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail(level)))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail(level)))
    return Estimate(successes / n, low, high, level, "Clopper-Pearson", n)


INTERVALS: Final[dict[ProportionMethod, Callable[..., Estimate]]] = {
    "wilson": wilson,
    "clopper_pearson": clopper_pearson,
}


def _are_trials(successes: int, n: int) -> bool:
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} trials")
    return n > 0


def _without_trials(level: float) -> Estimate:
    return not_estimable(level, 0, "there is no trial")
