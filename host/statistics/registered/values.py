"""Statistics of one value per case: a mean, a quantile, a share."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from host.statistics.estimate import Estimate, without_interval
from host.statistics.registered.shares import CLUSTERED_SHARE_METHODS, SHARE_METHODS, SHARE_SOURCE, share
from host.statistics.registration import Asked, StatisticRegistration

if TYPE_CHECKING:
    from host.statistics.cases import Cases

_ALONE = "value alone"


def _mean(cases: "Cases", asked: Asked) -> Estimate:
    import numpy as np

    from host.statistics.agreement import mean_difference

    values = cases["value"]
    infinite = values[np.isinf(values)]
    if infinite.size and np.unique(infinite).size == 1:
        reason = f"{infinite.size} of {values.size} values are infinite"
        return without_interval(float(infinite[0]), level=asked.level, n=cases.n_subjects, reason=reason)
    return mean_difference(values, level=asked.level)


def _quantile(share: float) -> Callable[["Cases", Asked], Estimate]:
    def compute(cases: "Cases", asked: Asked) -> Estimate:
        from host.statistics.quantiles import quantile, quantile_alone

        if asked.method == _ALONE:
            return quantile_alone(cases["value"], share)
        return quantile(cases["value"], share, level=asked.level)

    return compute


def _rate(cases: "Cases", asked: Asked) -> Estimate:
    return share(cases["value"] == 1.0, cases.subjects, asked)


def _quantile_registration(name: str, title: str, share: float) -> StatisticRegistration:
    return StatisticRegistration(
        name=name,
        definition=f"{title} of the cases' values, interpolated linearly; none without cases",
        source="Hahn and Meeker 1991; Hyndman and Fan 1996, type 7",
        columns=("value",),
        unit="metric",
        compute=_quantile(share),
        methods=("order_statistics",),
        quick_method=_ALONE,
    )


STATISTICS = (
    StatisticRegistration(
        name="mean",
        definition="Mean of the cases' values; no interval for one subject, or where all values are equal",
        source="Student 1908",
        columns=("value",),
        unit="metric",
        compute=_mean,
        methods=("t",),
    ),
    _quantile_registration("median", "Median", 0.5),
    _quantile_registration("p5", "5th percentile", 0.05),
    _quantile_registration("p95", "95th percentile", 0.95),
    StatisticRegistration(
        name="rate",
        definition="Share of the cases whose value is 1; none without cases",
        source=SHARE_SOURCE,
        kinds=("outcome", "sameness"),
        columns=("value",),
        compute=_rate,
        methods=SHARE_METHODS,
        clustered_methods=CLUSTERED_SHARE_METHODS,
        least=0.0,
        most=1.0,
    ),
)
