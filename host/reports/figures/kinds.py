"""The figure that belongs to a kind of metric: agreement, ROC and calibration, free-response ROC, risks.

Points of curves are computed here from the results table; figures in words are those of the report's analyses.
"""

from collections.abc import Callable, Iterator, Sequence

from host.reports.figure import Figure
from host.reports.figures.agreement import Limit, agreement_figure
from host.reports.figures.curves import froc_figure, roc_figure
from host.reports.figures.risks import bin_of, risk_figures
from host.reports.figures.strata import LEVELS_MAX, by_stratum, plain
from host.reports.marks import Marks
from host.reports.markup import Html, join
from host.reports.model import Report
from host.reports.observed import answered
from host.validation.criterion import EVERY_CASE
from host.validation.metric import Metric
from host.validation.rows import CaseRow

Make = Callable[[Report, Metric, Sequence[CaseRow], Marks], Iterator[Figure]]


def of_kind(report: Report, metric: Metric, rows: Sequence[CaseRow], marks: Marks) -> Iterator[Figure]:
    """The figures that only this kind of metric has; none where no case left what they are drawn from."""
    make: Make | None = {
        "numbers": _agreement,
        "classes": _classes,
        "findings": _findings,
        "survival": _risks,
    }.get(metric.kind)
    members = [row for row in answered(report.protocol, metric, rows) if metric.id in row.observations]
    if make is not None and members:
        yield from make(report, metric, members, marks)


def _agreement(report: Report, metric: Metric, rows: Sequence[CaseRow], marks: Marks) -> Iterator[Figure]:
    pairs = {
        level: [pair for row in members for pair in _columns(row, metric, "reference", "predicted")]
        for level, members in by_stratum(report.protocol, metric, rows, levels_max=LEVELS_MAX)
    }
    limits = [
        Limit(one.estimates[name], join((words, marks.text(f"analysis/{at}/{name}/value", tag="tspan"))))
        for at, one in enumerate(report.analyses, start=1)
        if (one.kind, one.metric) == ("agreement", metric.id)
        for name, words in (("bias", "bias "), ("loa_low", "lower "), ("loa_high", "upper "))
        if name in one.estimates
    ]
    figure_id, title = f"agreement-{plain(metric.id)}", f"Measured against reference: {metric.column}"
    yield Figure(
        figure_id,
        title,
        "Left: points are single cases, the dashed diagonal is identity. Right: differences against means (Bland & "
        "Altman 1986); solid line: bias, dashed lines: limits of agreement, bands: their intervals, where there are "
        "any.",
        agreement_figure(
            pairs,
            limits,
            quantity=f"{metric.column} [{_unit(report, metric)}]",
            tolerance=_tolerance(report, metric),
            title=title,
            figure_id=figure_id,
        ),
        f"metric {metric.id}",
    )


def _classes(report: Report, metric: Metric, rows: Sequence[CaseRow], marks: Marks) -> Iterator[Figure]:
    from host.statistics.probability import calibration_bins
    from host.statistics.roc import roc_curve

    classes = metric.classes or ()
    index = classes.index(metric.positive) if metric.positive in classes else None
    scored = [row for row in rows if "score" in row.observations[metric.id]]
    if index is None or not scored:
        return
    scores = [row.observations[metric.id]["score"][0] for row in scored]
    positive = [row.observations[metric.id]["reference"][0] == index for row in scored]
    if all(positive) or not any(positive):
        return
    called = [row.observations[metric.id]["predicted"][0] == index for row in scored]
    curve = roc_curve(scores, positive)
    hits = sum(c and p for c, p in zip(called, positive, strict=True)) / sum(positive)
    alarms = sum(c and not p for c, p in zip(called, positive, strict=True)) / (len(positive) - sum(positive))
    figure_id, title = f"roc-{plain(metric.id)}", f"Discrimination and calibration: {metric.positive}"
    yield Figure(
        figure_id,
        title,
        f"Left: ROC curve of {len(scored)} cases, {sum(positive)} of them {metric.positive}; the diamond is how the "
        "release called them. Right: observed against predicted frequency in groups of about equal size, with 95 % "
        "intervals (Wilson); grey bars: how many cases.",
        roc_figure(
            [1 - one for one in curve.specificity],
            list(curve.sensitivity),
            operating=(alarms, hits),
            said=_worded(report, metric, marks, "roc", (("area ", "auc"),)),
            bins=[bin_of(one) for one in calibration_bins(scores, positive)],
            title=title,
            figure_id=figure_id,
        ),
        f"metric {metric.id}",
    )


def _findings(report: Report, metric: Metric, rows: Sequence[CaseRow], marks: Marks) -> Iterator[Figure]:
    from host.statistics.froc import froc_curve

    found = [row.observations[metric.id] for row in rows]
    lesions = [one["reference"][0] for one in found]
    if not any(lesions):
        return
    curve = froc_curve([one["scores"] for one in found], [one["matched"] for one in found], lesions)
    alarms, hits = list(curve.false_positives_per_case), list(curve.sensitivity)
    figure_id, title = f"froc-{plain(metric.id)}", f"Free-response ROC: {metric.id}"
    yield Figure(
        figure_id,
        title,
        f"Over {len(rows)} cases with {sum(lesions):g} reference findings; the diamond is all that the release "
        "reports. Green lines are bounds of the protocol.",
        froc_figure(
            alarms,
            hits,
            operating=(alarms[-1], hits[-1]),
            bounds=_froc_bounds(report, metric),
            said=_worded(report, metric, marks, "froc", (("sensitivity ", "lesion_sensitivity"),)),
            title=title,
            figure_id=figure_id,
        ),
        f"metric {metric.id}",
    )


def _risks(report: Report, metric: Metric, rows: Sequence[CaseRow], marks: Marks) -> Iterator[Figure]:
    return risk_figures(metric, rows)


def _columns(row: CaseRow, metric: Metric, *names: str) -> list[tuple[float, float]]:
    first, second = (row.observations[metric.id].get(name, ()) for name in names)
    return list(zip(first, second, strict=False))


def _worded(
    report: Report, metric: Metric, marks: Marks, kind: str, quantities: Sequence[tuple[str, str]]
) -> Html:
    """Estimates in words, as the report's analysis has them."""
    for at, one in enumerate(report.analyses, start=1):
        if (one.kind, one.metric) == (kind, metric.id):
            return join(
                join(
                    (
                        words,
                        marks.text(f"analysis/{at}/{name}/value", tag="tspan"),
                        "; ",
                        marks.interval(f"analysis/{at}/{name}", tag="tspan"),
                    )
                )
                for words, name in quantities
                if name in one.estimates
            )
    return Html("")


def _froc_bounds(report: Report, metric: Metric) -> tuple[float | None, float | None]:
    """The most false positives per case and the least sensitivity that the protocol accepts overall."""
    criteria = [
        one for one in report.protocol.criteria if one.metric == metric.id and one.statistic != EVERY_CASE
    ]
    most = [one.bound for one in criteria if one.comparator == "<=" and "false_positives" in one.statistic]
    least = [one.bound for one in criteria if one.comparator == ">=" and "sensitivity" in one.statistic]
    return min(most, default=None), max(least, default=None)


def _unit(report: Report, metric: Metric) -> str:
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
