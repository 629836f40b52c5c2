"""Which cases are the worst: those without an answer first, then those furthest to the wrong side."""

from dataclasses import dataclass

from host.reports.model import CaseSection, Report
from host.validation.criterion import Criterion
from host.validation.verdict import CaseRow

SHOWN = 5


@dataclass(frozen=True)
class RankedCase:
    """A case, its value, and what the value stands for where the case has no answer."""

    section: CaseSection
    value: float | None
    note: str = ""


def worst_cases(report: Report, metric_id: str, *, count: int = SHOWN) -> list[RankedCase]:
    """The worst cases of a metric by its first criterion; none where no criterion looks at it or has no values.

    Ties go by the case's name. An outcome metric lists only cases that ended otherwise than expected.
    """
    criterion = next((one for one in report.protocol.criteria if one.metric == metric_id), None)
    if criterion is None:
        return []
    found = [
        RankedCase(section, section.row.values.get(metric_id), _note(section.row, metric_id))
        for section in report.cases
        if section.row.values.get(metric_id) is not None or metric_id in section.row.never_met
    ]
    if report.protocol.metric(metric_id).kind == "outcome":
        found = [one for one in found if one.section.row.outcome != one.section.row.expected]
    found.sort(key=lambda one: (-_badness(criterion, one.value), one.section.row.case))
    return found[:count]


def shown_cases(report: Report, *, count: int = SHOWN) -> dict[str, str]:
    """Cases to draw, case id to why: in turn the worst that answered by each criterion on an image."""
    metrics = [
        metric.id for metric in report.protocol.metrics if metric.kind in {"masks", "lesions", "findings"}
    ]
    ranked = {
        metric: [one for one in worst_cases(report, metric, count=len(report.cases)) if not one.note]
        for metric in metrics
    }
    shown: dict[str, str] = {}
    for rank in range(max(map(len, ranked.values()), default=0)):
        for metric, cases in ranked.items():
            if rank < len(cases) and len(shown) < count:
                case = cases[rank].section.row.case
                shown.setdefault(case, f"number {rank + 1} among the worst of {metric}")
    return shown


def _note(row: CaseRow, metric: str) -> str:
    if metric in row.never_met:
        return "counts as not met"
    if metric in row.imputed:
        return "value by the protocol"
    return "" if row.expected == row.outcome else "ended otherwise than expected"


def _badness(criterion: Criterion, value: float | None) -> float:
    """How far to the wrong side a value lies; beyond all where there is none."""
    if value is None:
        return float("inf")
    if criterion.comparator == ">=":
        return -value
    if criterion.comparator == "<=":
        return value
    low, high = criterion.allowed
    return abs(value - (low + high) / 2)
