"""Statistics of predicted risks under censoring. A higher score means an earlier event."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from host.statistics.estimate import Estimate
from host.statistics.registration import Asked, Option, StatisticRegistration

if TYPE_CHECKING:
    from host.statistics.cases import Cases

_KINDS = ("survival",)
_FOLLOWED = ("time", "event")
_HORIZON = Option(name="horizon", summary="the time at which it is judged, in the unit of the kit's times")
_TAU = Option(name="tau", summary="the time up to which pairs count, in the unit of the kit's times")


def _ranking(function: str) -> Callable[["Cases", Asked], Estimate]:
    """A statistic of how scores rank."""

    def compute(cases: "Cases", asked: Asked) -> Estimate:
        from host.statistics import survival

        estimate: Estimate = getattr(survival, function)(
            cases["score"],
            cases["time"],
            cases["event"] == 1.0,
            clusters=cases.subjects.tolist(),
            level=asked.level,
            **asked.options,
        )
        return estimate

    return compute


def _gain(cases: "Cases", asked: Asked) -> Estimate:
    from host.statistics.survival import delta_c

    tau = asked.options.get("tau")
    return delta_c(
        cases["score"],
        cases["baseline"],
        cases["time"],
        cases["event"] == 1.0,
        kind="harrell" if tau is None else "uno",
        tau=math.inf if tau is None else float(tau),
        clusters=cases.subjects.tolist(),
        level=asked.level,
    )


def _at_horizon(function: str) -> Callable[["Cases", Asked], Estimate]:
    """A statistic of the risk predicted for one horizon."""

    def compute(cases: "Cases", asked: Asked) -> Estimate:
        import numpy as np

        from host.statistics import survival

        horizon = asked.number("horizon")
        pairs = zip(cases.each("probability"), cases.each("horizon"), strict=True)
        risks = [float(risk[np.flatnonzero(horizons == horizon)[0]]) for risk, horizons in pairs]
        estimate: Estimate = getattr(survival, function)(
            risks,
            cases["time"],
            cases["event"] == 1.0,
            horizon=horizon,
            clusters=cases.subjects.tolist(),
            level=asked.level,
        )
        return estimate

    return compute


def _integrated_brier(cases: "Cases", asked: Asked) -> Estimate:
    import numpy as np

    from host.statistics.survival import integrated_brier

    horizons = cases.each("horizon")[0] if len(cases) else np.array([1.0, 2.0])
    return integrated_brier(
        np.array(cases.each("probability")).reshape(len(cases), len(horizons)),
        cases["time"],
        cases["event"] == 1.0,
        horizons=horizons,
        clusters=cases.subjects.tolist(),
        level=asked.level,
    )


def _registration(
    name: str,
    compute: Callable[["Cases", Asked], Estimate],
    definition: str,
    source: str,
    columns: tuple[str, ...],
    *,
    options: tuple[Option, ...] = (),
    ends: tuple[float, float] = (-math.inf, math.inf),
) -> StatisticRegistration:
    return StatisticRegistration(
        name=name,
        definition=definition,
        source=source,
        kinds=_KINDS,
        columns=(*columns, *_FOLLOWED),
        compute=compute,
        clustered_methods=("jackknife",),
        options=options,
        least=ends[0],
        most=ends[1],
    )


_SCORE, _GAIN, _RISK = ("score",), ("score", "baseline"), ("probability", "horizon")
_SHARE, _SIGNED, _POSITIVE = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)

STATISTICS = (
    _registration(
        "harrell_c", _ranking("harrell_c"), "Share of the comparable pairs that the score puts in order",
        "Harrell 1982, 1996", _SCORE, ends=_SHARE,
    ),
    _registration(
        "uno_c", _ranking("uno_c"), "Concordance freed from the censoring by weighting, up to tau",
        "Uno 2011", _SCORE, options=(_TAU,), ends=_SHARE,
    ),
    _registration(
        "delta_c", _gain, "Harrell's C less that of the kit's comparator on the same cases",
        "Harrell 1996; Uno 2011", _GAIN, ends=_SIGNED,
    ),
    _registration(
        "delta_uno_c", _gain, "Uno's C up to tau less that of the kit's comparator on the same cases",
        "Uno 2011", _GAIN, options=(_TAU,), ends=_SIGNED,
    ),
    _registration(
        "auc_at", _ranking("time_dependent_auc"),
        "Chance that a case with the event by the horizon scores above one free of it",
        "Uno 2007; Hung and Chiang 2010", _SCORE, options=(_HORIZON,), ends=_SHARE,
    ),
    _registration(
        "brier_at", _at_horizon("brier_at"), "Brier score of the risk at a horizon, weighted for censoring",
        "Graf 1999", _RISK, options=(_HORIZON,), ends=_POSITIVE,
    ),
    _registration(
        "integrated_brier", _integrated_brier, "Mean over time of the Brier score between the first and last horizon",
        "Graf 1999", _RISK, ends=_POSITIVE,
    ),
    _registration(
        "o_e_at", _at_horizon("observed_expected_at"), "Observed over mean predicted risk at a horizon",
        "Kaplan and Meier 1958", _RISK, options=(_HORIZON,), ends=_POSITIVE,
    ),
    _registration(
        "calibration_slope_at", _at_horizon("calibration_slope_at"),
        "Slope of a Cox regression on the predicted cumulative hazard up to a horizon", "van Houwelingen 2000",
        _RISK, options=(_HORIZON,),
    ),
)  # fmt: skip
