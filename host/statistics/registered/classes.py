"""Statistics of classes against their reference: calls, ranking and probabilities.

``predicted`` and ``reference`` are indices in the metric's order of classes, ``score`` the probability of its positive
class, ``positive`` that class's index and ``classes`` how many there are.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from host.statistics.estimate import Estimate
from host.statistics.registered.shares import CLUSTERED_SHARE_METHODS, SHARE_METHODS, SHARE_SOURCE, share
from host.statistics.registration import Asked, StatisticRegistration

if TYPE_CHECKING:
    from host.statistics.cases import Cases, Flags

_KINDS = ("classes",)
_CALLS = ("predicted", "reference", "positive")
_SCORES = ("score", "reference", "positive")


def _is_positive(cases: "Cases") -> "Flags":
    found: Flags = cases["reference"] == cases["positive"]
    return found


def _is_negative(cases: "Cases") -> "Flags":
    found: Flags = cases["reference"] != cases["positive"]
    return found


def _is_called_positive(cases: "Cases") -> "Flags":
    found: Flags = cases["predicted"] == cases["positive"]
    return found


def _is_called_negative(cases: "Cases") -> "Flags":
    found: Flags = cases["predicted"] != cases["positive"]
    return found


def _call(
    holds: Callable[["Cases"], "Flags"], among: Callable[["Cases"], "Flags"]
) -> Callable[["Cases", Asked], Estimate]:
    """Among the cases that concern it, the share for which it holds."""

    def compute(cases: "Cases", asked: Asked) -> Estimate:
        chosen = among(cases)
        return share(holds(cases)[chosen], cases.subjects[chosen], asked)

    return compute


def _accuracy(cases: "Cases", asked: Asked) -> Estimate:
    return share(cases["predicted"] == cases["reference"], cases.subjects, asked)


def _kappa(weights: Any) -> Callable[["Cases", Asked], Estimate]:
    def compute(cases: "Cases", asked: Asked) -> Estimate:
        from host.statistics.classes import weighted_kappa

        return weighted_kappa(
            cases["predicted"],
            cases["reference"],
            classes=int(cases["classes"].max(initial=2)),
            weights=weights,
            level=asked.level,
        )

    return compute


def _auc(cases: "Cases", asked: Asked) -> Estimate:
    from host.statistics.roc import auc

    scale: Any = "logit" if asked.method == "delong_logit" else "identity"
    return auc(cases["score"], _is_positive(cases), level=asked.level, scale=scale)


def _probability(function: str) -> Callable[["Cases", Asked], Estimate]:
    def compute(cases: "Cases", asked: Asked) -> Estimate:
        from host.statistics import probability

        estimate: Estimate = getattr(probability, function)(
            cases["score"], _is_positive(cases), level=asked.level
        )
        return estimate

    return compute


def _call_registration(
    name: str, definition: str, holds: Callable[["Cases"], "Flags"], among: Callable[["Cases"], "Flags"]
) -> StatisticRegistration:
    return StatisticRegistration(
        name=name,
        definition=definition,
        source=SHARE_SOURCE,
        kinds=_KINDS,
        columns=_CALLS,
        compute=_call(holds, among),
        methods=SHARE_METHODS,
        clustered_methods=CLUSTERED_SHARE_METHODS,
        concerns=among,
        least=0.0,
        most=1.0,
    )


def _kappa_registration(name: str, weights: str, words: str) -> StatisticRegistration:
    return StatisticRegistration(
        name=name,
        definition=f"Cohen's kappa, {words}; none where chance alone would agree",
        source="Cohen 1960, 1968; Fleiss, Cohen and Everitt 1969",
        kinds=_KINDS,
        columns=("predicted", "reference", "classes"),
        compute=_kappa(weights),
        methods=("asymptotic",),
        least=-1.0,
        most=1.0,
    )


def _probability_registration(
    name: str,
    function: str,
    definition: str,
    source: str,
    *,
    least: float = -math.inf,
    most: float = math.inf,
) -> StatisticRegistration:
    methods = {"brier": ("t",), "observed_expected": ("clopper_pearson",)}.get(function, ("wald",))
    return StatisticRegistration(
        name=name,
        definition=definition,
        source=source,
        kinds=_KINDS,
        columns=_SCORES,
        compute=_probability(function),
        methods=methods,
        least=least,
        most=most,
    )


STATISTICS = (
    _call_registration(
        "sensitivity",
        "Share of the positive cases that are called positive",
        _is_called_positive,
        _is_positive,
    ),
    _call_registration(
        "specificity",
        "Share of the negative cases that are called negative",
        _is_called_negative,
        _is_negative,
    ),
    _call_registration(
        "ppv",
        "Share of the cases called positive that are, at the kit's prevalence",
        _is_positive,
        _is_called_positive,
    ),
    _call_registration(
        "npv",
        "Share of the cases called negative that are, at the kit's prevalence",
        _is_negative,
        _is_called_negative,
    ),
    StatisticRegistration(
        name="accuracy",
        definition="Share of the cases given their own class",
        source=SHARE_SOURCE,
        kinds=_KINDS,
        columns=("predicted", "reference"),
        compute=_accuracy,
        methods=SHARE_METHODS,
        clustered_methods=CLUSTERED_SHARE_METHODS,
        least=0.0,
        most=1.0,
    ),
    StatisticRegistration(
        name="auc",
        definition="Chance that a positive case scores above a negative one, ties half; none without one of either",
        source="DeLong, DeLong and Clarke-Pearson 1988; Qin and Hotilovac 2008",
        kinds=_KINDS,
        columns=_SCORES,
        compute=_auc,
        methods=("delong", "delong_logit"),
        least=0.0,
        most=1.0,
    ),
    _kappa_registration("kappa", "none", "unweighted"),
    _kappa_registration("kappa_linear", "linear", "weighted by the distance of the classes"),
    _kappa_registration("kappa_quadratic", "quadratic", "weighted by the squared distance of the classes"),
    _probability_registration(
        "brier",
        "brier",
        "Mean squared distance of the probability from the outcome",
        "Brier 1950",
        least=0.0,
        most=1.0,
    ),
    _probability_registration(
        "calibration_slope",
        "calibration_slope",
        "Slope of a logistic regression on the predicted log odds; none where a probability is 0 or 1",
        "Cox 1958",
    ),
    _probability_registration(
        "calibration_intercept",
        "calibration_intercept",
        "Calibration in the large: intercept with the slope held at 1",
        "Cox 1958; Van Calster 2019",
    ),
    _probability_registration(
        "o_e",
        "observed_expected",
        "Observed over expected number of positive cases; none where none is expected",
        "Clopper and Pearson 1934",
        least=0.0,
    ),
)
