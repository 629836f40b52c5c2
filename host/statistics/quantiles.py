"""Quantiles with intervals from the order of the sample alone, whatever the distribution."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from host.statistics.estimate import Estimate, without_interval
from host.statistics.samples import not_estimable, sample, tail


def quantile(values: ArrayLike, share: float, *, level: float = 0.95) -> Estimate:
    """A quantile, and its interval between two order statistics (Hahn and Meeker 1991, section 5.2).

    Parameters
    ----------
    values : array_like, shape (n,)
        One per subject.
    share : float
        Between 0 and 1: 0.5 is the median. The value is interpolated linearly (Hyndman and Fan 1996, type 7).
    level : float, optional
        Each end misses with at most half of the rest.

    Returns
    -------
    Estimate
        In the unit of the values, which may be infinite; NaN for none. An end is NaN where even the outermost value
        of the sample does not reach it: 59 subjects are needed for a lower 95 % bound of the 5th percentile.

    Raises
    ------
    ValueError
        When the share does not lie between 0 and 1.
    """
    alone = quantile_alone(values, share)
    if math.isnan(alone.value):
        return replace(alone, level=level)
    found = np.sort(sample(values))
    n = found.size
    below = _places_below(n, share, tail(level))
    above = _places_below(n, 1 - share, tail(level))
    low = float(found[below - 1]) if below else math.nan
    high = float(found[n - above]) if above else math.nan
    missing = [name for name, places in (("lower", below), ("upper", above)) if not places]
    reason = f"{n} subjects are too few for the {' and the '.join(missing)} end" if missing else ""
    return Estimate(alone.value, low, high, level, "order statistics", n, reason)


def quantile_alone(values: ArrayLike, share: float) -> Estimate:
    """A quantile without an interval; arguments, unit and empty case as for `quantile`.

    Raises
    ------
    ValueError
        When the share does not lie between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"a quantile's share lies between 0 and 1, not {share}")
    found = np.sort(sample(values))
    if not found.size or np.isnan(found).any():
        reason = "a value is missing" if found.size else "there is no value"
        return not_estimable(0.95, found.size, reason)
    place, part = divmod((found.size - 1) * share, 1)
    low = float(found[int(place)])
    value = (
        low if part == 0 else low + part * (float(found[int(place) + 1]) - low) if math.isfinite(low) else low
    )
    return without_interval(value, level=0.95, n=found.size, reason="no interval was asked for")


def _places_below(n: int, share: float, most: float) -> int:
    """The largest k such that the k-th smallest value lies above the quantile with a chance of at most ``most``."""
    from scipy.stats import binom

    places = 0
    while places < n and binom.cdf(places, n, share) <= most:
        places += 1
    return places
