"""The figures that need no image, made from a report: case flow, forest plots, and one or two per metric."""

from collections.abc import Iterator, Sequence

from host.reports.fields import criterion_key, display, report_fields
from host.reports.figure import Figure
from host.reports.figures.agreement import Limit, agreement_figure
from host.reports.figures.by_case import Dot, by_case_figure
from host.reports.figures.flow import flow_figure
from host.reports.figures.forest import ForestRow, forest
from host.reports.marks import Marks
from host.reports.markup import Html, join
from host.reports.model import CaseSection, Report
from host.reports.observed import observed
from host.reports.wording import criterion_words, named, scope_words, statistic_words
from host.validation.criterion import EVERY_CASE, Criterion
from host.validation.metric import Metric


def standard_figures(report: Report) -> list[Figure]:
    """Make every figure that needs no image, in the order of the report's metrics."""
    marks = Marks(report_fields(report))
    flow = "Every case of the kit and where it went. Failed cases stay in the denominator."
    figures = [Figure("flow", "Case flow", flow, flow_figure(report), "flow")]
    for metric in report.protocol.metrics:
        figures += _forests(report, metric, marks)
        figures += _agreement(report, metric, marks)
        figures += _by_case(report, metric)
    return figures


def _forests(report: Report, metric: Metric, marks: Marks) -> Iterator[Figure]:
    for criterion in report.protocol.criteria:
        judged = [
            one
            for one in report.verdict.criteria
            if one.criterion == criterion.id and one.estimate is not None
        ]
        if criterion.metric != metric.id or not judged:
            continue
        rows = [
            ForestRow(
                f"{scope_words(one.scope)} (n {one.estimate.n})",
                one.estimate,
                _said(marks, f"{criterion_key(one)}/estimate"),
                one.verdict,
            )
            for one in judged
            if one.estimate is not None
        ]
        rows += _strata_rows(report, criterion, marks)
        figure_id, title = (
            f"forest-{_plain(criterion.id)}",
            f"{criterion.id}: {statistic_words(criterion, report.protocol)}",
        )
        yield Figure(
            figure_id,
            title,
            f"Accepted, shaded: {criterion_words(criterion, report.protocol)}. Marker: estimate; bar: its interval; "
            "hollow marker: no interval can be given. Circle: met, square: not met, diamond: insufficient evidence, "
            "grey: for information. Failed cases count as the protocol says.",
            forest(rows, allowed=criterion.allowed, x_label=named(metric), title=title, figure_id=figure_id),
            f"metric {metric.id}",
        )


def _strata_rows(report: Report, criterion: Criterion, marks: Marks) -> list[ForestRow]:
    """Strata that no criterion judges, for information, where they were computed."""
    return [
        ForestRow(f"{scope_words(scope)} (n {estimate.n})", estimate, _said(marks, f"analysis/{at}/{scope}"))
        for at, one in enumerate(report.analyses, start=1)
        if one.kind == "strata" and one.metric == criterion.metric and one.scope == criterion.id
        for scope, estimate in one.estimates.items()
    ]


def _agreement(report: Report, metric: Metric, marks: Marks) -> Iterator[Figure]:
    if metric.kind != "numbers":
        return
    pairs = {
        level: found
        for level, cases in by_stratum(report, metric)
        if (found := [pair for case in cases if (pair := _pair(case, metric))])
    }
    if not pairs:
        return
    limits = [
        Limit(one.estimates[name], join((words, marks.text(f"analysis/{at}/{name}/value", tag="tspan"))))
        for at, one in enumerate(report.analyses, start=1)
        if (one.kind, one.metric) == ("agreement", metric.id)
        for name, words in (("bias", "bias "), ("loa_low", "lower "), ("loa_high", "upper "))
        if name in one.estimates
    ]
    quantity = f"{metric.column} [{unit_of(report, metric)}]"
    figure_id, title = f"agreement-{_plain(metric.id)}", f"Measured against reference: {metric.column}"
    yield Figure(
        figure_id,
        title,
        "Left: points are single cases, the dashed diagonal is identity. Right: differences against means (Bland & "
        "Altman 1986); solid line: bias, dashed lines: limits of agreement, bands: their intervals, where there are "
        "any.",
        agreement_figure(
            pairs,
            limits,
            quantity=quantity,
            tolerance=_tolerance(report, metric),
            title=title,
            figure_id=figure_id,
        ),
        f"metric {metric.id}",
    )


def _by_case(report: Report, metric: Metric) -> Iterator[Figure]:
    groups = [(level, _dots(cases, metric)) for level, cases in by_stratum(report, metric)]
    groups = [(level, dots) for level, dots in groups if dots]
    if metric.kind == "outcome" or not groups:
        return
    each = [one for one in report.protocol.criteria if (one.metric, one.statistic) == (metric.id, EVERY_CASE)]
    figure_id, title = f"cases-{_plain(metric.id)}", f"{metric.id} by case"
    shaded = (
        "The shaded range is accepted of every case. " if each else "No criterion looks at single cases. "
    )
    yield Figure(
        figure_id,
        title,
        f"{shaded}A red cross is a case without an answer, at what the protocol counts it as.",
        by_case_figure(
            groups,
            allowed=each[0].allowed if each else None,
            x_label=named(metric),
            title=title,
            figure_id=figure_id,
        ),
        f"metric {metric.id}",
    )


def _dots(cases: Sequence[CaseSection], metric: Metric) -> list[Dot]:
    dots = []
    for case in cases:
        row, value = case.row, case.row.values.get(metric.id)
        if metric.id in row.never_met:
            dots.append(Dot(row.case, None, f"{row.outcome}: counts as not met"))
        elif value is not None and metric.id in row.imputed:
            dots.append(Dot(row.case, value, f"{row.outcome}: counts as {display(value)}"))
        elif value is not None:
            dots.append(Dot(row.case, value))
    return dots


def by_stratum(report: Report, metric: Metric) -> list[tuple[str, list[CaseSection]]]:
    """Cases by level of the first stratum that a criterion on the metric names, else of the first that there is."""
    names = sorted(report.protocol.strata_of(metric.id)) or report.protocol.strata()
    names = names or sorted({name for case in report.cases for name in case.row.strata})
    if not names:
        return [("", list(report.cases))]
    groups: dict[str, list[CaseSection]] = {}
    for case in report.cases:
        groups.setdefault(case.row.strata.get(names[0], ""), []).append(case)
    words = names[0].replace("_", " ")
    return [(f"{words}: {level or 'not given'}", cases) for level, cases in sorted(groups.items())]


def _pair(case: CaseSection, metric: Metric) -> tuple[float, float] | None:
    """Reference and measured value of a case that answered."""
    found = observed(case, metric)
    return (found["reference"][0], found["predicted"][0]) if found else None


def unit_of(report: Report, metric: Metric) -> str:
    """The unit of a metric's column, as the plugin writes it."""
    units = (
        one.unit
        for case in report.cases
        for one in case.measured
        if (one.port, one.column) == (metric.port, metric.column)
    )
    return next((unit for unit in units if unit), "1")


def _tolerance(report: Report, metric: Metric) -> float | None:
    """The narrowest two-sided relative criterion on every case that can be drawn as a band around identity."""
    if metric.unit != "%":
        return None
    bounds = [
        one.bound
        for one in report.protocol.criteria
        if (one.metric, one.statistic, one.comparator) == (metric.id, EVERY_CASE, "abs<=")
    ]
    return min(bounds, default=None)


def _said(marks: Marks, key: str) -> Html:
    return join((marks.text(f"{key}/value", tag="tspan"), "; ", marks.interval(key, tag="tspan")))


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-").replace("=", "-")
