"""An estimate as it stands in a signed document."""

import math

from host.statistics.estimate import Estimate
from plugin_spec.model import StrictModel

SIGNIFICANT_DIGITS = 12  # the last digits of a float differ between machines; a signed document's must not


class EstimateRow(StrictModel):
    """`host.statistics.estimate.Estimate` without NaN and infinity, which JSON has not.

    ``None`` is a value or an end that cannot be computed, or the end of a side that is open; ``reason`` says which.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    n: int
    reason: str = ""

    @classmethod
    def of(cls, estimate: Estimate) -> "EstimateRow":
        """Round an estimate to what is stored of it."""
        return cls(
            value=rounded(estimate.value),
            low=rounded(estimate.low),
            high=rounded(estimate.high),
            level=estimate.level,
            method=estimate.method,
            n=estimate.n,
            reason=estimate.reason,
        )


def rounded(value: float) -> float | None:
    """A number with twelve significant digits, or ``None`` where it is none."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
