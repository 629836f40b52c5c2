"""Equivalence: is a difference surely inside a margin that was fixed beforehand.

The margin comes from the treatment effect to be detected, never from the spread of the sample at hand.
"""

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike
from scipy import stats

from host.statistics.agreement import mean_difference
from host.statistics.estimate import Estimate
from host.statistics.samples import sample


@dataclass(frozen=True)
class Tost:
    """Two one-sided tests of a mean.

    Attributes
    ----------
    estimate : Estimate
        The mean with its two-sided 1 - 2 alpha interval.
    p_above_low, p_below_high : float
        One-sided p of "the mean is at or below the lower margin" and "at or above the upper"; NaN without an interval.
    equivalent : bool or None
        Both rejected at alpha, which is the interval inside the margin; None where it cannot be said.
    """

    estimate: Estimate
    p_above_low: float
    p_below_high: float
    equivalent: bool | None


def tost(estimate: Estimate, *, low: float, high: float) -> bool | None:
    """Whether a two-sided interval lies inside a margin: two one-sided tests at alpha = (1 - level) / 2.

    Schuirmann (1987): the tests both reject exactly when the 1 - 2 alpha interval lies inside; a 90 % interval tests at
    5 %.

    Parameters
    ----------
    estimate : Estimate
        With the interval to judge.
    low, high : float
        The margin; an end that touches it is not inside.

    Returns
    -------
    bool or None
        None where the estimate has no interval.

    Raises
    ------
    ValueError
        When the margin is empty.
    """
    if not low < high:
        raise ValueError(f"a margin runs from low to high, not from {low} to {high}")
    if not estimate.has_interval:
        return None
    return low < estimate.low and estimate.high < high


def tost_mean(differences: ArrayLike, *, low: float, high: float, alpha: float = 0.05) -> Tost:
    """Equivalence of a mean of one number per subject by two one-sided t tests (Schuirmann 1987).

    Parameters
    ----------
    differences : array_like, shape (n,)
        One per subject, in the unit of the margin.
    low, high : float
        The margin.
    alpha : float, optional
        Of each one-sided test.

    Returns
    -------
    Tost
        No answer below two subjects or where all differences are equal.
    """
    values = sample(differences)
    estimate = mean_difference(values, level=1.0 - 2.0 * alpha)
    equivalent = tost(estimate, low=low, high=high)
    if equivalent is None:
        return Tost(estimate, math.nan, math.nan, None)
    error = float(values.std(ddof=1)) / math.sqrt(values.size)
    above = float(stats.t.sf((estimate.value - low) / error, values.size - 1))
    below = float(stats.t.cdf((estimate.value - high) / error, values.size - 1))
    return Tost(estimate, above, below, equivalent)
