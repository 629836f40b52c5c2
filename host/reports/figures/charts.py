"""The figures that need no image, made from a report: case flow, forest plots, and one or two per metric."""

from collections.abc import Iterator, Sequence

from host.reports.fields import criterion_key, display, report_fields
from host.reports.figure import Figure
from host.reports.figures.by_case import Dot, by_case_figure
from host.reports.figures.flow import flow_figure
from host.reports.figures.forest import ForestRow, forest
from host.reports.figures.kinds import of_kind
from host.reports.figures.strata import by_stratum, plain
from host.reports.marks import Marks
from host.reports.markup import Html, join
from host.reports.model import Report
from host.reports.observed import observed_rows
from host.reports.wording import criterion_words, named, scope_words, statistic_words
from host.validation.criterion import EVERY_CASE, Criterion
from host.validation.metric import Metric
from host.validation.rows import CaseRow


def standard_figures(report: Report) -> list[Figure]:
    """Make every figure that needs no image, in the order of the report's metrics."""
    marks = Marks(report_fields(report))
    flow = "Every case of the kit and where it went. Failed cases stay in the denominator."
    rows = observed_rows(report.protocol, report.cases)
    figures = [Figure("flow", "Case flow", flow, flow_figure(report), "flow")]
    for metric in report.protocol.metrics:
        figures += _forests(report, metric, marks)
        figures += of_kind(report, metric, rows, marks)
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
            f"forest-{plain(criterion.id)}",
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
        for scope, estimate in sorted(one.estimates.items())
    ]


def _by_case(report: Report, metric: Metric) -> Iterator[Figure]:
    groups = [
        (level, _dots(rows, metric))
        for level, rows in by_stratum(report.protocol, metric, [case.row for case in report.cases])
    ]
    groups = [(level, dots) for level, dots in groups if dots]
    if metric.kind in {"outcome", "classes", "sameness"} or not groups:
        return
    each = [one for one in report.protocol.criteria if (one.metric, one.statistic) == (metric.id, EVERY_CASE)]
    figure_id, title = f"cases-{plain(metric.id)}", f"{metric.id} by case"
    shaded = (
        "The shaded range is accepted of every case. " if each else "No criterion looks at single cases. "
    )
    yield Figure(
        figure_id,
        title,
        f"{shaded}A red cross is a case without an answer, with what the protocol counts it as.",
        by_case_figure(
            groups,
            allowed=each[0].allowed if each else None,
            x_label=named(metric),
            title=title,
            figure_id=figure_id,
        ),
        f"metric {metric.id}",
    )


def _dots(rows: Sequence[CaseRow], metric: Metric) -> list[Dot]:
    dots = []
    for row in rows:
        value = row.values.get(metric.id)
        if metric.id in row.never_met:
            dots.append(Dot(row.case, 0.0, f"{row.outcome}: counts as not met"))
        elif value is not None and metric.id in row.imputed:
            dots.append(Dot(row.case, value, f"{row.outcome}: counts as {display(value)}"))
        elif value is not None:
            dots.append(Dot(row.case, value))
    return dots


def _said(marks: Marks, key: str) -> Html:
    return join((marks.text(f"{key}/value", tag="tspan"), "; ", marks.interval(key, tag="tspan")))
