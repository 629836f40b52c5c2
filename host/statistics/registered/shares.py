"""Shares of cases: by Wilson or Clopper and Pearson, or by Rao and Scott where subjects have several cases each."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from host.statistics.estimate import Estimate
from host.statistics.registration import Asked

if TYPE_CHECKING:
    from host.statistics.cases import Flags

SHARE_METHODS: Final = ("wilson", "clopper_pearson")
CLUSTERED_SHARE_METHODS: Final = ("rao_scott",)
SHARE_SOURCE: Final = "Wilson 1927; Clopper and Pearson 1934; Rao and Scott 1992"


def share(holds: "Flags", subjects: Any, asked: Asked) -> Estimate:
    """The share of cases for which something holds.

    Parameters
    ----------
    holds : ndarray of bool, shape (n,)
    subjects : ndarray of str, shape (n,)
        Whose each case is.
    asked : Asked
    """
    from host.statistics.clustered import clustered_proportion
    from host.statistics.proportions import INTERVALS

    if asked.method == "rao_scott":
        ones, of = [1] * len(holds), subjects.tolist()
        found, every, none = (
            clustered_proportion(one, ones, clusters=of, level=asked.level)
            for one in (holds, ones, [0] * len(holds))
        )
        if not found.has_interval:
            return found
        # The design effect of all or none is the greatest possible one, and an estimate may be less: without this, one
        # failure among successes would raise the lower bound.
        return replace(found, low=min(found.low, every.low), high=max(found.high, none.high))
    made = INTERVALS["clopper_pearson" if asked.method == "clopper_pearson" else "wilson"]
    return made(int(holds.sum()), len(holds), level=asked.level)
