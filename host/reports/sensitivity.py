"""The criteria judged once more under other assumptions: pure functions of the results table and the protocol.

| analysis | what differs |
|---|---|
| complete case | the cases that failed are left out |
| leave one level out | one level of one stratum, such as a site, is left out |
| metric definition | another metric of the protocol, which defines the same thing otherwise, is judged instead |

Each is the verdict's own function over other rows or another metric, so no second way of judging exists.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from host.perturbations.declared import STRATUM
from host.reports.analyses import levels_of
from host.reports.sections import SensitivityRow
from host.validation.criterion import EVERY_CASE, Criterion
from host.validation.estimate_row import EstimateRow
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.verdict import CriterionVerdict, Verdict, VerdictWord, evaluate

Analysis = Literal["complete case", "leave one level out", "metric definition"]
COMPLETE: Final = "failed cases left out"
# Functions that define one thing in several ways; one function under other parameters is so too.
FAMILIES: Final = (
    frozenset({"hd_mm", "hd95_mm", "hd95_pooled_mm", "hd95_surfels_mm", "hausdorff_percentile_mm"}),
    frozenset({"assd_mm", "masd_mm"}),
    frozenset({"nsd", "nsd_1mm", "nsd_2mm", "nsd_3mm"}),
)


def sensitivity(protocol: Protocol, rows: Sequence[CaseRow], verdict: Verdict) -> tuple[SensitivityRow, ...]:
    """Judge under every other assumption that the results table allows.

    Parameters
    ----------
    protocol : Protocol
    rows : sequence of CaseRow
        Every case.
    verdict : Verdict
        As registered.

    Returns
    -------
    tuple of SensitivityRow
        Complete cases only where a case failed; other definitions only where the protocol has them.
    """
    registered = {(one.criterion, one.scope): one.verdict for one in verdict.criteria}
    return (
        *_complete_case(protocol, rows, registered),
        *_one_level_out(protocol, rows, registered),
        *_definitions(protocol, rows, registered),
    )


Registered = Mapping[tuple[str, str], VerdictWord]


def _complete_case(
    protocol: Protocol, rows: Sequence[CaseRow], registered: Registered
) -> Iterator[SensitivityRow]:
    kept = [row for row in rows if row.expected == "refused" or row.outcome == "ok"]
    criteria = [one for one in protocol.criteria if protocol.metric(one.metric).kind != "outcome"]
    if len(kept) < len(rows) and kept:
        yield from _judged(protocol, criteria, kept, registered, analysis="complete case", changed=COMPLETE)


def _one_level_out(
    protocol: Protocol, rows: Sequence[CaseRow], registered: Registered
) -> Iterator[SensitivityRow]:
    criteria = [one for one in protocol.criteria if one.scope == "overall"]
    subjects = len({row.subject for row in rows})
    for name, levels in levels_of(rows).items():
        divides = name != STRATUM and len(levels) <= subjects  # copies of one subject are no sites
        for level in levels if criteria and divides else ():
            kept = [row for row in rows if row.strata.get(name, "") != level]
            changed = f"without {name}={level}"
            yield from _judged(
                protocol, criteria, kept, registered, analysis="leave one level out", changed=changed
            )


def _definitions(
    protocol: Protocol, rows: Sequence[CaseRow], registered: Registered
) -> Iterator[SensitivityRow]:
    for criterion in protocol.criteria:
        metric = protocol.metric(criterion.metric)
        for other in protocol.metrics:
            if is_variant(metric, other):
                changed = criterion.model_copy(update={"metric": other.id})
                yield from _judged(
                    protocol,
                    [changed],
                    rows,
                    registered,
                    analysis="metric definition",
                    changed=f"{metric.id} as {other.id}",
                )


def is_variant(metric: Metric, other: Metric) -> bool:
    """Whether another metric defines the same thing of the same output otherwise."""
    looks_at = ("kind", "port", "label", "reference_value", "column", "unit", "against")
    if metric.id == other.id or any(getattr(metric, name) != getattr(other, name) for name in looks_at):
        return False
    functions = {metric.function, other.function}
    return metric.function is not None and (
        len(functions) == 1 or any(functions <= family for family in FAMILIES)
    )


def _judged(
    protocol: Protocol,
    criteria: Sequence[Criterion],
    rows: Sequence[CaseRow],
    registered: Registered,
    *,
    analysis: Analysis,
    changed: str,
) -> Iterator[SensitivityRow]:
    """Judge these criteria over these rows; a scope that is empty then is left out."""
    # Holm's procedure divides the error among all claims: there, all of them are judged.
    asked = (
        protocol.criteria if protocol.multiplicity == "holm" and analysis != "metric definition" else criteria
    )
    found = evaluate(protocol.model_copy(update={"criteria": tuple(asked)}), rows)
    wanted = {one.id: one for one in criteria}
    for one in found.criteria:
        if one.criterion in wanted and (one.criterion, one.scope) in registered:
            yield SensitivityRow(
                analysis=analysis,
                changed=changed,
                criterion=one.criterion,
                scope=one.scope,
                metric=wanted[one.criterion].metric,
                estimate=_figure(protocol, wanted[one.criterion], one),
                verdict=one.verdict,
                as_registered=registered[one.criterion, one.scope],
            )


def _figure(protocol: Protocol, criterion: Criterion, one: CriterionVerdict) -> EstimateRow:
    if one.estimate is not None:
        return one.estimate
    method = "the worst case" if criterion.statistic == EVERY_CASE else "none"
    return EstimateRow(
        value=one.worst_value, low=None, high=None, level=protocol.level, method=method, n=one.cases
    )
