"""What every statistic of measured numbers asks of its sample first."""

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host.statistics.estimate import Estimate, without_interval

Numbers = NDArray[np.float64]

# What rounding in 64 bits may leave of a difference that is none, relative to the numbers it is made of.
ROUNDING: Final = 1e-12


def sample(values: ArrayLike) -> Numbers:
    """One number per subject, as a vector of its own.

    Raises
    ------
    ValueError
        When the values are not a plain sequence of numbers.
    """
    found = np.array(values, dtype=np.float64)
    if found.ndim != 1:
        raise ValueError(f"a sample has one axis, not {found.ndim}")
    return found


def pairs(a: ArrayLike, b: ArrayLike) -> tuple[Numbers, Numbers]:
    """Two measurements per subject.

    Raises
    ------
    ValueError
        When the two are not equally long.
    """
    first, second = sample(a), sample(b)
    if first.size != second.size:
        raise ValueError(f"pairs need equally many of both, not {first.size} and {second.size}")
    return first, second


def fault(values: Numbers, *, least: int, unit: str = "subjects") -> str:
    """Why a sample cannot be used, or nothing.

    Parameters
    ----------
    values : ndarray of float, shape (n,) or (n, k)
        One row per subject.
    least : int
        Subjects that the statistic needs for an interval.
    """
    if len(values) < least:
        return f"{len(values)} {unit}, and this needs at least {least}"
    odd = int(np.count_nonzero(~np.isfinite(values)))
    return f"{odd} of {values.size} values are not finite" if odd else ""


def constant(values: Numbers) -> bool:
    """Whether all values are the same but for rounding; a sample without values is."""
    if not values.size:
        return True
    return bool(float(np.ptp(values)) <= ROUNDING * float(np.abs(values).max()))


def not_estimable(level: float, n: int, reason: str) -> Estimate:
    """Neither a value nor an interval, and why."""
    return without_interval(math.nan, level=level, n=n, reason=reason)


def tail(level: float) -> float:
    """Probability that a two-sided interval leaves out at either end.

    Raises
    ------
    ValueError
        When the level is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"a level lies between 0 and 1, not {level}")
    return (1.0 - level) / 2.0


def deviate(level: float) -> float:
    """How many standard errors a normal two-sided interval reaches to either side.

    Raises
    ------
    ValueError
        When the level is not between 0 and 1.
    """
    return NormalDist().inv_cdf(1.0 - tail(level))


@lru_cache(maxsize=1024)
def student(level: float, df: int) -> float:
    """How many standard errors either side of a mean Student's two-sided interval reaches; kept, since it is slow."""
    from scipy import stats

    return float(stats.t.isf(tail(level), df))


def replicates(groups: Sequence[ArrayLike]) -> list[Numbers]:
    """The replicates of each subject, without subjects that were measured once: they say nothing on spread."""
    return [values for values in map(sample, groups) if values.size > 1]
