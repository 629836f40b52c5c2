"""A figure with its interval: what every statistic answers."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """An estimated quantity and its two-sided confidence interval.

    Attributes
    ----------
    value : float
        NaN where the sample does not let it be computed.
    low, high : float
        Ends of the interval; NaN where none can be computed, infinity where one side is open.
    level : float
        Coverage of the two-sided interval. A one-sided bound at level p is an end of the interval at 2p - 1.
    method : str
        How the interval was made, as a reader of a paper would call it: "Wilson", "BCa bootstrap, 2000 resamples".
    n : int
        Independent units (subjects) behind it.
    reason : str
        Why there is no value or no interval; empty where there is one.
    """

    value: float
    low: float
    high: float
    level: float
    method: str
    n: int
    reason: str = ""

    @property
    def has_interval(self) -> bool:
        """Whether both ends are there."""
        return not (math.isnan(self.low) or math.isnan(self.high))


def without_interval(value: float, *, level: float, n: int, reason: str) -> Estimate:
    """An estimate whose interval cannot be computed, and why."""
    return Estimate(value, math.nan, math.nan, level, "none", n, reason)
