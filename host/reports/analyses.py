"""Figures of each metric over the cases that answered, beside the criteria: what the plots show, in numbers. Pure.

Invariants
----------
* None of them decides anything; a criterion's own figure, failed cases counted, stands in the verdict.
* They are registered statistics under their own names, computed again from the results table when a report is checked.
* An interval is given over patients only, as for criteria.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from host.perturbations.declared import STRATUM
from host.reports.observed import answered
from host.reports.sections import AnalysisRow
from host.statistics.registration import StatisticRegistration
from host.statistics.registrations import statistics
from host.validation.criterion import EVERY_CASE, Criterion
from host.validation.estimate_row import EstimateRow
from host.validation.judging import two_sided
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.sample import without_failed

Kind = Literal["agreement", "roc", "calibration", "froc", "survival", "strata"]
_BY_LESION: Final = (
    "lesion_sensitivity",
    "lesion_precision",
    "lesion_f1",
    "false_positives_per_case",
    "sensitivity_at_fp",
)
# What is shown of each kind of metric, as far as the cases have what it is computed from.
SHOWN: Final[Mapping[str, tuple[tuple[Kind, tuple[str, ...]], ...]]] = {
    "numbers": (("agreement", ("bias", "loa_low", "loa_high", "proportional_bias", "ccc")),),
    "classes": (
        ("roc", ("auc", "sensitivity", "specificity", "ppv", "npv", "accuracy")),
        ("calibration", ("brier", "calibration_slope", "calibration_intercept", "o_e")),
    ),
    "lesions": (("froc", _BY_LESION),),
    "findings": (("froc", _BY_LESION),),
    "survival": (("survival", ("harrell_c", "uno_c", "delta_c", "integrated_brier")),),
}
AT_HORIZON: Final = ("auc_at", "brier_at", "o_e_at", "calibration_slope_at")
# What speaks of how subjects differ, and says nothing over copies of one.
OF_SUBJECTS: Final = frozenset({"loa_low", "loa_high", "proportional_bias", "ccc"})
LEVELS_MAX: Final = 12
NO_PATIENT: Final = "no case is a patient's, and cases of one subject are not independent"


def analyse(protocol: Protocol, rows: Sequence[CaseRow]) -> tuple[AnalysisRow, ...]:
    """Every analysis that the results table allows.

    Parameters
    ----------
    protocol : Protocol
    rows : sequence of CaseRow
        Every case, with observations (`host.reports.observed.observed_rows`).
    """
    return tuple(
        row
        for metric in protocol.metrics
        for row in (*_of_kind(protocol, metric, rows), *_by_stratum(protocol, metric, rows))
    )


def _of_kind(protocol: Protocol, metric: Metric, rows: Sequence[CaseRow]) -> Iterator[AnalysisRow]:
    members = answered(protocol, metric, rows)
    shown = [(kind, "overall", names, dict[str, float | str]()) for kind, names in SHOWN.get(metric.kind, ())]
    for risk in metric.probabilities or ():
        shown.append(("calibration", f"horizon {risk.horizon:g}", AT_HORIZON, {"horizon": risk.horizon}))
    patients = any(row.evidence == "patient" for row in members)
    for kind, scope, names, options in shown:
        asked = names if patients else [name for name in names if name not in OF_SUBJECTS]
        known = [(statistics()[name], options or _options(protocol, metric, name)) for name in asked]
        found = {
            statistic.name: estimate_of(
                protocol, metric, members, statistic, level=protocol.level, options=given
            )
            for statistic, given in known
            if metric.kind in statistic.kinds
            and given.keys() >= _needed(statistic)
            and len(without_failed(metric, statistic, members).cases)
        }
        if found:
            yield AnalysisRow(kind=kind, metric=metric.id, scope=scope, estimates=found)


def _needed(statistic: StatisticRegistration) -> set[str]:
    return {option.name for option in statistic.options if option.default is None}


def _options(protocol: Protocol, metric: Metric, name: str) -> Mapping[str, float | str]:
    """The options under which the protocol's first criterion on a statistic asks for it."""
    asked = (one.options for one in protocol.criteria if (one.metric, one.statistic) == (metric.id, name))
    return next(asked, {})


def _by_stratum(protocol: Protocol, metric: Metric, rows: Sequence[CaseRow]) -> Iterator[AnalysisRow]:
    """The statistic of each overall criterion in every level of every stratum that no criterion judges."""
    members = answered(protocol, metric, rows)
    judged = protocol.strata_of(metric.id) | {STRATUM}
    for criterion in protocol.criteria:
        if criterion.metric != metric.id or criterion.statistic == EVERY_CASE or criterion.scope != "overall":
            continue
        found = {
            f"{name}={level}": _in_level(protocol, criterion, members, f"{name}={level}")
            for name, levels in levels_of(members).items()
            if name not in judged
            for level in levels
        }
        if found:
            yield AnalysisRow(kind="strata", metric=metric.id, scope=criterion.id, estimates=found)


def levels_of(rows: Sequence[CaseRow]) -> dict[str, list[str]]:
    """Strata that divide the rows into two to twelve levels, with their levels."""
    names = sorted({name for row in rows for name in row.strata})
    levels = {name: sorted({row.strata.get(name, "") for row in rows}) for name in names}
    return {name: found for name, found in levels.items() if 2 <= len(found) <= LEVELS_MAX}


def _in_level(
    protocol: Protocol, criterion: Criterion, members: Sequence[CaseRow], scope: str
) -> EstimateRow:
    name, _, level = scope.partition("=")
    return estimate_of(
        protocol,
        protocol.metric(criterion.metric),
        [row for row in members if row.strata.get(name, "") == level],
        statistics()[criterion.statistic],
        level=two_sided(protocol, criterion),
        options=criterion.options,
        method=criterion.method,
    )


def estimate_of(
    protocol: Protocol,
    metric: Metric,
    rows: Sequence[CaseRow],
    statistic: StatisticRegistration,
    *,
    level: float,
    options: Mapping[str, float | str],
    method: str | None = None,
) -> EstimateRow:
    """A registered statistic of the rows that answered: with an interval where they are patients'."""
    from host.statistics.estimation import Plan, estimate, point

    cases = without_failed(metric, statistic, rows).cases
    if not any(row.evidence == "patient" for row in rows):
        found = EstimateRow.of(point(statistic, cases, options))
        return found if found.reason else found.model_copy(update={"reason": NO_PATIENT})
    plan = Plan(
        level=level,
        method=method,
        seed=protocol.seed,
        resamples=protocol.resamples,
        within=protocol.resample_within,
        options=options,
    )
    return EstimateRow.of(estimate(statistic, cases, plan))
