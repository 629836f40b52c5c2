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
from host.statistics.registrations import statistics
from host.validation.criterion import EVERY_CASE, Criterion
from host.validation.estimate_row import EstimateRow
from host.validation.judging import two_sided
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.sample import without_failed

Kind = Literal["agreement", "roc", "calibration", "froc", "survival", "strata"]
# What is shown of each kind of metric, as far as the statistic is registered.
SHOWN: Final[Mapping[str, tuple[tuple[Kind, tuple[str, ...]], ...]]] = {
    "numbers": (("agreement", ("bias", "loa_low", "loa_high", "proportional_bias", "ccc")),),
    "classes": (
        ("roc", ("auc", "sensitivity", "specificity", "ppv", "npv", "accuracy")),
        ("calibration", ("brier", "calibration_slope", "calibration_intercept", "o_e")),
    ),
    "lesions": (
        ("froc", ("lesion_sensitivity", "lesion_precision", "lesion_f1", "false_positives_per_case")),
    ),
    "findings": (
        ("froc", ("lesion_sensitivity", "lesion_precision", "lesion_f1", "false_positives_per_case")),
    ),
    "survival": (("survival", ("harrell_c", "uno_c", "delta_c")),),
}
LEVELS_MAX: Final = 12


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
    known = statistics()
    members = answered(protocol, metric, rows)
    observed: set[str] = set().union(*(row.observations.get(metric.id, {}) for row in members))
    for kind, names in SHOWN.get(metric.kind, ()):
        found = {
            name: _overall(protocol, metric, rows, name)
            for name in names
            if name in known and set(known[name].columns) <= observed | {"positive", "classes"}
        }
        found = {name: one for name, one in found.items() if one.value is not None or one.reason}
        if members and found:
            yield AnalysisRow(kind=kind, metric=metric.id, scope="overall", estimates=found)


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


def _overall(protocol: Protocol, metric: Metric, rows: Sequence[CaseRow], name: str) -> EstimateRow:
    return _estimate(protocol, metric, answered(protocol, metric, rows), name, level=protocol.level)


def _in_level(
    protocol: Protocol, criterion: Criterion, members: Sequence[CaseRow], scope: str
) -> EstimateRow:
    name, _, level = scope.partition("=")
    chosen = [row for row in members if row.strata.get(name, "") == level]
    metric = protocol.metric(criterion.metric)
    coverage = two_sided(protocol, criterion)
    return _estimate(protocol, metric, chosen, criterion.statistic, level=coverage, criterion=criterion)


def _estimate(
    protocol: Protocol,
    metric: Metric,
    rows: Sequence[CaseRow],
    name: str,
    *,
    level: float,
    criterion: Criterion | None = None,
) -> EstimateRow:
    from host.statistics.estimation import Plan, estimate, point

    statistic = statistics()[name]
    cases = without_failed(metric, statistic, rows).cases
    options = criterion.options if criterion else {}
    if not any(row.evidence == "patient" for row in rows):
        found = EstimateRow.of(point(statistic, cases, options))
        reason = "no case is a patient's, and cases of one subject are not independent"
        return found if found.reason else found.model_copy(update={"reason": reason})
    plan = Plan(
        level=level,
        method=criterion.method if criterion else None,
        seed=protocol.seed,
        resamples=protocol.resamples,
        within=protocol.resample_within,
        options=options,
    )
    return EstimateRow.of(estimate(statistic, cases, plan))
