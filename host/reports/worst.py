"""Which cases are the worst: those without an answer first, then those furthest to the wrong side."""

from dataclasses import dataclass
from typing import Literal

from host import extensions
from host.reports.model import CaseSection, Report
from host.validation.metric import Metric
from host.validation.rows import CaseRow

SHOWN = 5
Better = Literal["higher", "lower", "zero"]


@dataclass(frozen=True)
class RankedCase:
    """A case, its figure, and what there is to know beside it.

    Attributes
    ----------
    section : CaseSection
    value : float or None
        None where it counts as not met.
    note : str
        What the figure stands for where the case has no answer; what was called where it has a class.
    """

    section: CaseSection
    value: float | None
    note: str = ""

    @property
    def has_answer(self) -> bool:
        """Whether it was answered and was to be."""
        return self.section.row.outcome == self.section.row.expected == "ok"


def worst_cases(report: Report, metric_id: str, *, count: int = SHOWN) -> list[RankedCase]:
    """The worst cases of a metric that a criterion looks at; none of one that has no value per case.

    Ties go by the case's name. An outcome metric lists only cases that ended otherwise than expected. A class with a
    probability goes by the probability of the class that is right.
    """
    metric = report.protocol.metric(metric_id)
    if not any(one.metric == metric_id for one in report.protocol.criteria):
        return []
    found = [one for section in report.cases if (one := _ranked(section, metric)) is not None]
    if metric.kind == "outcome":
        found = [one for one in found if one.section.row.outcome != one.section.row.expected]
    better = _better(report, metric)
    found.sort(key=lambda one: (not _failed(one, metric), -_badness(better, one.value), one.section.row.case))
    return found[:count]


def shown_cases(report: Report, *, count: int = SHOWN) -> dict[str, str]:
    """Cases to draw, case id to why: in turn the worst that answered by each criterion on an image."""
    metrics = [
        metric.id for metric in report.protocol.metrics if metric.kind in {"masks", "lesions", "findings"}
    ]
    ranked = {
        metric: [one for one in worst_cases(report, metric, count=len(report.cases)) if one.has_answer]
        for metric in metrics
    }
    shown: dict[str, str] = {}
    for rank in range(max(map(len, ranked.values()), default=0)):
        for metric, cases in ranked.items():
            if rank < len(cases) and len(shown) < count:
                case = cases[rank].section.row.case
                shown.setdefault(case, f"number {rank + 1} among the worst of {metric}")
    return shown


def _ranked(section: CaseSection, metric: Metric) -> RankedCase | None:
    row = section.row
    value = row.values.get(metric.id)
    if metric.id in row.never_met:
        return RankedCase(section, None, "counts as not met")
    if metric.id in row.imputed:
        return RankedCase(section, value, "value by the protocol")
    if metric.kind == "classes" and metric.id in row.observations:
        return _called(section, metric)
    if value is None:
        return None
    return RankedCase(section, value, "" if row.expected == row.outcome else "ended otherwise than expected")


def _called(section: CaseSection, metric: Metric) -> RankedCase:
    """A case with a class: what was called, what is right, and how probable that was called."""
    observed = section.row.observations[metric.id]
    classes = metric.classes or ()
    predicted, reference = (int(observed[name][0]) for name in ("predicted", "reference"))
    note = f"called {classes[predicted]}, is {classes[reference]}"
    if "score" not in observed or metric.positive not in classes:
        return RankedCase(section, float(predicted == reference), note)
    score = observed["score"][0]
    right = score if classes[reference] == metric.positive else 1 - score
    return RankedCase(section, right, f"{note}; probability given to what it is")


def _better(report: Report, metric: Metric) -> Better:
    """Which values of a metric are good: as its function is registered, else as its first criterion has it."""
    registered = extensions.metrics().get(metric.function or "")
    if registered is not None:
        return registered.better
    if metric.kind in {"classes", "outcome", "sameness"}:
        return "higher"
    comparators = [one.comparator for one in report.protocol.criteria if one.metric == metric.id]
    by_comparator: dict[str, Better] = {">=": "higher", "<=": "lower"}
    return by_comparator.get(comparators[0], "zero")


def _failed(one: RankedCase, metric: Metric) -> bool:
    row: CaseRow = one.section.row
    return metric.id in row.imputed + row.never_met


def _badness(better: Better, value: float | None) -> float:
    """How far to the wrong side a value lies; beyond all where there is none."""
    if value is None:
        return float("inf")
    return {"higher": -value, "lower": value, "zero": abs(value)}[better]
