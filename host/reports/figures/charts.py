"""Charts of the results: measured against reference, and each metric by case.

Invariants
----------
* No interval is drawn: cases derived from one scan are not independent, and the protocol judges each case.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from host.reports.figures.canvas import BAD, COLOURS, GOOD_SHADE, MARKERS, canvas, svg
from host.reports.model import CaseSection, Report
from host.reports.write import display
from host.validation.protocol import Criterion, Metric

NAMED_CASES_MAX = 60
_PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}


def measured_against_reference(report: Report, column: str) -> str:
    """Draw a measurements column against its reference, and the relative difference by stratum."""
    groups = _by_stratum(report)
    pairs = {
        level: [(case, *pair) for case in cases if (pair := reference_and_measured(case, column))]
        for level, cases in groups
    }
    totals = {level: sum(column in case.references for case in cases) for level, cases in groups}
    band = _tolerance(report, column)
    unit = next(
        (m.unit for case in report.cases for m in case.measured if m.column == column and m.unit), "1"
    )
    with canvas(9.2, max(3.9, 1.6 + 0.45 * len(pairs))) as drawing:
        left, right = drawing.subplots(1, 2, width_ratios=(1, 1.05))
        _scatter(left, pairs, band, f"{column} [{unit}]")
        _differences(right, pairs, totals, band)
        if len(pairs) > 1:
            left.legend(loc="upper left", fontsize=8)
        drawing.tight_layout(w_pad=2.0)
        return svg(drawing)


def metric_by_case(report: Report, metric_id: str) -> str:
    """Draw a metric's value of every case it applies to, in stratum order, with its criteria's bounds."""
    metric = report.protocol.metric(metric_id)
    bounds = [one for one in report.protocol.criteria if one.metric == metric_id]
    groups = [
        (level, [case for case in cases if _applies(case, metric_id)]) for level, cases in _by_stratum(report)
    ]
    total = sum(len(cases) for _, cases in groups)
    with canvas(8.4, min(1.5 + (0.27 if total <= 15 else 0.2) * (total + len(groups)), 12.0)) as drawing:
        axes = drawing.subplots()
        place, ticks = 0, []
        for order, (level, cases) in enumerate(groups):
            if level:
                ticks.append((place, level, True))
                place += 1
            for case in cases:
                _dot(axes, case, metric, place, order)
                ticks.append((place, case.row.case, False))
                place += 1
        _mark_bounds(axes, bounds)
        _name_rows(axes, ticks, named=total <= NAMED_CASES_MAX)
        axes.set_xlabel(metric.id if metric.unit == "1" else f"{metric.id} [{metric.unit}]")
        axes.grid(axis="x")
        drawing.tight_layout()
        return svg(drawing)


def _by_stratum(report: Report) -> list[tuple[str, list[CaseSection]]]:
    """Cases by level of the first stratum that a criterion names, else of the first that there is."""
    names = list(report.protocol.strata()) or sorted(
        {name for case in report.cases for name in case.row.strata}
    )
    if not names:
        return [("", list(report.cases))]
    levels = sorted({case.row.strata.get(names[0], "") for case in report.cases})
    return [
        (
            f"{names[0]}: {level or 'not given'}",
            [case for case in report.cases if case.row.strata.get(names[0], "") == level],
        )
        for level in levels
    ]


def reference_and_measured(case: CaseSection, column: str) -> tuple[float, float] | None:
    """Reference and measured value of a case, where it has both."""
    found = [one.value for one in case.measured if one.column == column and isinstance(one.value, float)]
    return (case.references[column], found[0]) if found and column in case.references else None


def _tolerance(report: Report, column: str) -> tuple[Criterion, Metric] | None:
    """The narrowest two-sided criterion on a column that can be drawn as a band around identity."""
    found = [
        (criterion, metric)
        for criterion in report.protocol.criteria
        if (metric := report.protocol.metric(criterion.metric)).column == column
        and criterion.comparator == "abs<="
        and metric.unit == "%"
    ]
    return min(found, key=lambda pair: pair[0].bound, default=None)


Pairs = Mapping[str, Sequence[tuple[CaseSection, float, float]]]


def _scatter(axes: Axes, pairs: Pairs, band: tuple[Criterion, Metric] | None, name: str) -> None:
    every = [value for members in pairs.values() for _, *both in members for value in both]
    low, high = min(every), max(every)
    margin = 0.08 * (high - low) or 1.0
    ends = np.array([low - margin, high + margin])
    if band is not None:
        share = band[0].bound / 100
        axes.fill_between(
            ends,
            ends * (1 - share),
            ends * (1 + share),
            color=GOOD_SHADE,
            label=f"tolerance ±{band[0].bound:g} %",
        )
    axes.plot(ends, ends, color="#666666", linewidth=1, label="identity")
    for order, (level, members) in enumerate(pairs.items()):
        axes.scatter(
            [reference for _, reference, _ in members],
            [measured for _, _, measured in members],
            label=level or "cases",
            **_look(order),
        )
    axes.set(xlim=tuple(ends), ylim=tuple(ends), xlabel=f"reference {name}", ylabel=f"measured {name}")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_aspect("equal")
    axes.grid()


def _differences(
    axes: Axes, pairs: Pairs, totals: Mapping[str, int], band: tuple[Criterion, Metric] | None
) -> None:
    if band is not None:
        axes.axvspan(-band[0].bound, band[0].bound, color=GOOD_SHADE)
    axes.axvline(0, color="#666666", linewidth=1)
    for order, members in enumerate(pairs.values()):
        relative = [(100 * (measured - ref) / ref, case.row.case) for case, ref, measured in members if ref]
        axes.scatter([value for value, _ in relative], [order] * len(relative), **_look(order))
        if relative:
            value, case_id = max(relative, key=lambda one: (abs(one[0]), one[1]))
            axes.annotate(
                case_id,
                (value, order),
                (0, 8),
                textcoords="offset points",
                fontsize=7.5,
                ha="center",
                color="#444444",
            )
    names = [
        f"{level or 'all cases'}\n{len(members)} of {totals[level]} cases" for level, members in pairs.items()
    ]
    axes.set_yticks(range(len(pairs)), names)
    axes.set(ylim=(len(pairs) - 0.4, -0.6), xlabel="(measured − reference) / reference [%]")
    axes.margins(x=0.15)
    axes.grid(axis="x")


def _look(order: int) -> dict[str, Any]:
    return {
        "color": COLOURS[order % len(COLOURS)],
        "marker": MARKERS[order % len(MARKERS)],
        "s": 34,
        "edgecolor": "white",
        "linewidth": 0.6,
        "zorder": 3,
    }


def _applies(case: CaseSection, metric_id: str) -> bool:
    return case.row.values.get(metric_id) is not None or metric_id in case.row.never_met


def _dot(axes: Axes, case: CaseSection, metric: Metric, place: int, order: int) -> None:
    value = case.row.values.get(metric.id)
    if value is not None and metric.id not in case.row.imputed:
        axes.scatter([value], [place], **_look(order))
        return
    why = f"{case.row.outcome}: counts as " + ("not met" if value is None else display(value))
    if value is None:
        across = axes.get_yaxis_transform()
        axes.plot([0.02], [place], marker="x", color=BAD, markeredgewidth=2, transform=across, clip_on=False)
        axes.text(0.045, place, why, color=BAD, va="center", fontsize=8, transform=across, bbox=_PLATE)
    else:
        axes.plot([value], [place], marker="x", color=BAD, markeredgewidth=2)
        axes.annotate(
            why, (value, place), (9, 0), textcoords="offset points", color=BAD, va="center", fontsize=8
        )


def _mark_bounds(axes: Axes, criteria: Sequence[Criterion]) -> None:
    """Draw each criterion's bound; the accepted side is shaded as far as the points go."""
    lines = {
        line
        for one in criteria
        for line in ((one.bound, -one.bound) if one.comparator == "abs<=" else (one.bound,))
    }
    for line in sorted(lines):
        axes.axvline(line, color="#1B7F3B", linewidth=1.2, linestyle="--")
    axes.margins(x=0.08)
    low, high = axes.get_xlim()
    for one in criteria:
        start = {">=": one.bound, "<=": low, "abs<=": -one.bound}[one.comparator]
        stop = high if one.comparator == ">=" else one.bound
        axes.axvspan(start, stop, color=GOOD_SHADE, zorder=0)
        sign = {">=": "≥", "<=": "≤", "abs<=": "±"}[one.comparator]
        axes.annotate(
            f"{sign} {display(one.bound)}",
            (one.bound, 1),
            (0, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color="#1B7F3B",
        )
    axes.set_xlim(low, high)


def _name_rows(axes: Axes, ticks: Sequence[tuple[int, str, bool]], *, named: bool) -> None:
    kept = [(place, text, heading) for place, text, heading in ticks if named or heading]
    axes.set_yticks([place for place, _, _ in kept], [text for _, text, _ in kept])
    for label, (_, _, heading) in zip(axes.get_yticklabels(), kept, strict=True):
        label.set(fontsize=8, weight="bold" if heading else "normal")
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max((place for place, _, _ in ticks), default=0) + 0.7, -0.7)
