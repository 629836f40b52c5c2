"""A verdict on a terminal: one line per criterion and stratum, and why those that were not met were not."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from host.cli.answer import table

if TYPE_CHECKING:
    from host.reports.model import Report
    from host.validation.criterion import Criterion
    from host.validation.verdict import CriterionVerdict

_HEADINGS: Final = (
    "criterion", "scope", "estimate", "interval", "cases", "failed", "subjects", "accepted", "evidence", "verdict",
)  # fmt: skip
_JUDGED: Final = {"ci_low": "lower end ", "ci_high": "upper end ", "interval": "both ends "}


def lines_of_verdict(report: "Report") -> Iterator[str]:
    """Every criterion with its figure, its interval, on how many subjects it rests, and the whole.

    The figure of a criterion on every case is that of the worst one. Subjects are those that the interval rests on;
    without one, the independent subjects among the cases.
    """
    criteria = {one.id: one for one in report.protocol.criteria}
    judged = report.verdict.criteria
    yield from table(_HEADINGS, [_row(criteria[one.criterion], one, report.kit.evidence) for one in judged])
    for one in judged:
        if one.verdict != "met" and one.reason:
            yield f"{one.criterion} ({one.scope}): {one.verdict}: {one.reason}"
    yield (
        f"verdict: {report.verdict.verdict} ({report.kit.evidence} evidence, {report.flow.cases} cases from "
        f"{report.flow.subjects} subject(s), {report.flow.failed} failed)"
    )


def _row(criterion: "Criterion", one: "CriterionVerdict", of_kit: str) -> tuple[str, ...]:
    estimate, interval = _figures(one)
    subjects = one.estimate.n if one.estimate is not None and one.subjects else one.subjects
    return (
        one.criterion,
        one.scope,
        estimate,
        interval,
        str(one.cases),
        str(one.failed) if one.evidence is not None else "",
        str(subjects),
        _accepted(criterion),
        one.evidence or of_kit,
        one.verdict,
    )


def _figures(one: "CriterionVerdict") -> tuple[str, str]:
    found = one.estimate
    if found is None:
        value = "no value" if one.worst_case and one.worst_value is None else _number(one.worst_value)
        return f"{value}{f' in {one.worst_case}' if one.worst_case else ''}", ""
    if found.low is None and found.high is None:
        return _number(found.value), "none"
    return _number(found.value), f"{_end(found.low)} to {_end(found.high)} ({100 * found.level:.4g} %)"


def _accepted(criterion: "Criterion") -> str:
    """The bound, and what is held against it."""
    named = "every case " if criterion.judged is None else _JUDGED.get(criterion.judged, "")
    if criterion.bound_high is not None:
        return f"{named}{criterion.bound:g} to {criterion.bound_high:g}"
    sign = "within +-" if criterion.comparator == "abs<=" else f"{criterion.comparator} "
    return f"{named}{sign}{criterion.bound:g}"


def _number(value: float | None) -> str:
    return "not evaluable" if value is None else f"{value:.4g}"


def _end(value: float | None) -> str:
    return "?" if value is None else f"{value:.4g}"
