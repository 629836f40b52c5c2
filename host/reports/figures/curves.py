"""Curves: ROC, free-response ROC, calibration, survival by risk group."""

from collections.abc import Sequence
from dataclasses import dataclass

from host.reports.figures.axes import Plot, Scale, between, legend
from host.reports.figures.drawing import COLOURS, GOOD, LINE, SOFT, Drawing, Look, Point, clipped
from host.reports.markup import Html

TOP = 22.0


@dataclass(frozen=True)
class Bin:
    """Cases with a like prediction: the mean of it, what was observed with its interval, and how many they are."""

    predicted: float
    observed: float
    low: float | None
    high: float | None
    cases: int


@dataclass(frozen=True)
class RiskGroup:
    """One curve of a Kaplan-Meier plot.

    Attributes
    ----------
    name : str
    times, survival : sequence of float
        Each step: from this time on, this share is free of the event.
    low, high : sequence of float
        Interval at each step.
    censored : sequence of float
        Times at which somebody left without an event.
    at_risk : sequence of int
        Those under observation just before each of the plot's ticks.
    """

    name: str
    times: Sequence[float]
    survival: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    censored: Sequence[float]
    at_risk: Sequence[int]


def roc_figure(
    alarms: Sequence[float],
    sensitivity: Sequence[float],
    *,
    operating: Point | None,
    said: Html | str,
    bins: Sequence[Bin],
    title: str,
    figure_id: str,
) -> Html:
    """Draw an empirical ROC curve, and beside it the calibration of the scores where they are probabilities.

    Parameters
    ----------
    alarms, sensitivity : sequence of float
        1 - specificity and sensitivity, from nothing called positive to everything.
    operating : (float, float) or None
        1 - specificity and sensitivity of the classes as the release called them.
    said : Html or str
        The area in words; may hold marked ``tspan`` elements.
    bins : sequence of Bin
        Empty leaves the calibration out.
    title, figure_id : str
    """
    drawing = Drawing(700, 340)
    plot = Plot(drawing, between(0, 1, 56, 318), between(0, 1, 284, TOP))
    plot.frame("1 − specificity", "sensitivity")
    drawing.line(plot.at(0, 0), plot.at(1, 1), colour=SOFT, dash="5 3")
    drawing.path(plot.points(alarms, sensitivity), colour=COLOURS[0], width=2)
    drawing.text((312, 262), said, size=10, anchor="end")
    if operating is not None:
        look = Look(COLOURS[1], "diamond", None)
        drawing.marker(plot.at(*operating), look, size=5)
        drawing.marker((215, 242), look, size=5)
        drawing.text((224, 246), "as it was called", size=10, colour=SOFT)
    if bins:
        _calibration(
            Plot(drawing, between(0, 1, 408, 670), between(0, 1, 284, TOP)), bins, "predicted probability"
        )
    return drawing.svg(figure_id, title, "ROC curve: sensitivity against 1 − specificity.")


def froc_figure(
    false_positives: Sequence[float],
    sensitivity: Sequence[float],
    *,
    operating: Point | None,
    bounds: tuple[float | None, float | None],
    said: Html | str,
    title: str,
    figure_id: str,
) -> Html:
    """Draw a free-response ROC curve.

    Parameters
    ----------
    false_positives, sensitivity : sequence of float
        False positives per case, and share of the reference findings that are marked, at each threshold.
    operating : (float, float) or None
        The two for all findings that the release reports.
    bounds : tuple of float or None
        Most false positives per case and least sensitivity that the protocol accepts.
    said : Html or str
    title, figure_id : str
    """
    drawing = Drawing(700, 340)
    most, least = bounds
    reach = max([*false_positives, most or 0, 1.0]) * 1.06
    plot = Plot(drawing, between(0, reach, 56, 520), between(0, 1, 284, TOP))
    plot.frame("false positives per case", "sensitivity (reference findings)")
    if most is not None:
        drawing.line(plot.at(most, 0), plot.at(most, 1), colour=GOOD, dash="5 3", width=1.4)
        drawing.text((plot.x.at(most), TOP - 6), f"at most {most:g}", size=10, anchor="middle", colour=GOOD)
    if least is not None:
        drawing.line(plot.at(0, least), plot.at(reach, least), colour=GOOD, dash="5 3", width=1.4)
        drawing.text((526, plot.y.at(least) + 3.5), f"at least {least:g}", size=10, colour=GOOD)
    drawing.path(_steps(plot, false_positives, sensitivity), colour=COLOURS[0], width=2)
    if operating is not None:
        look = Look(COLOURS[1], "diamond", None)
        drawing.marker(plot.at(*operating), look, size=5)
        legend(drawing, [("all that is reported", look)], (534, 270))
    drawing.text((512, 272), said, size=10, anchor="end")
    return drawing.svg(
        figure_id, title, "Free-response ROC curve: sensitivity against false positives per case."
    )


def calibration_figure(bins: Sequence[Bin], *, x_label: str, title: str, figure_id: str) -> Html:
    """Draw observed against predicted frequencies."""
    drawing = Drawing(700, 340)
    _calibration(Plot(drawing, between(0, 1, 56, 318), between(0, 1, 284, TOP)), bins, x_label)
    return drawing.svg(
        figure_id, title, "Observed against predicted frequency; on the diagonal they are the same."
    )


def survival_figure(
    groups: Sequence[RiskGroup], ticks: Sequence[float], *, unit: str, title: str, figure_id: str
) -> Html:
    """Draw Kaplan-Meier curves by risk group with their pointwise intervals and the numbers at risk."""
    drawing = Drawing(700, 330 + 16 * len(groups) + 26)
    end = max([*ticks, *(time for group in groups for time in (*group.times, *group.censored))])
    plot = Plot(drawing, Scale(0, end, 130, 668), between(0, 1, 262, TOP))
    plot.frame(f"time, {unit}", "free of the event")
    looks = [Look.of(order) for order in range(len(groups))]
    for group, look in zip(groups, looks, strict=True):
        times = [*group.times, end]
        band = [*_stairs(plot, times, group.high), *reversed(_stairs(plot, times, group.low))]
        if band:
            drawing.area(band, fill=look.colour, opacity=0.12)
    for group, look in zip(groups, looks, strict=True):
        drawing.path(
            _stairs(plot, [*group.times, end], group.survival), colour=look.colour, width=2, dash=look.dash
        )
        for time in group.censored:
            x, y = plot.at(time, _at(group, time))
            drawing.line((x, y - 3.5), (x, y + 3.5), colour=look.colour, width=1)
    legend(
        drawing,
        [(clipped(g.name, 40), look) for g, look in zip(groups, looks, strict=True)],
        (150, 218),
        lines=True,
    )
    drawing.text((16, 318), "at risk", size=10, bold=True)
    for order, (group, look) in enumerate(zip(groups, looks, strict=True)):
        y = 336 + 16 * order
        drawing.text((16, y), clipped(group.name, 16), size=10, colour=look.colour)
        for tick, count in zip(ticks, group.at_risk, strict=True):
            drawing.text((plot.x.at(tick), y), str(count), size=10, anchor="middle")
    named = ", ".join(group.name for group in groups)
    return drawing.svg(figure_id, title, f"Share free of the event over time, by risk group: {named}.")


def _calibration(plot: Plot, bins: Sequence[Bin], x_label: str) -> None:
    drawing, look = plot.drawing, Look.of(0)
    plot.frame(x_label, "observed frequency")
    drawing.line(plot.at(0, 0), plot.at(1, 1), colour=SOFT, dash="5 3")
    most = max((one.cases for one in bins), default=1)
    for one in bins:
        x, y = plot.at(one.predicted, one.observed)
        height = 30 * one.cases / most
        drawing.box((x - 3, plot.y.start - height), 6, height, fill=LINE)
        if one.low is not None and one.high is not None:
            drawing.line((x, plot.y.at(one.low)), (x, plot.y.at(one.high)), colour=look.colour, width=1.6)
        drawing.marker((x, y), look, size=4)
    drawing.path(
        [plot.at(one.predicted, one.observed) for one in bins], colour=look.colour, width=1, dash="2 2"
    )


def _stairs(plot: Plot, times: Sequence[float], levels: Sequence[float]) -> list[Point]:
    """A step function that starts at one; ``times`` has one more than ``levels``: where the last step ends."""
    points, level = [plot.at(0, 1)], 1.0
    for order, value in enumerate(levels):
        points += [plot.at(times[order], level), plot.at(times[order], value)]
        level = value
    return [*points, plot.at(times[-1], level)]


def _steps(plot: Plot, xs: Sequence[float], ys: Sequence[float]) -> list[Point]:
    points: list[Point] = []
    for x, y in zip(xs, ys, strict=True):
        if points:
            points.append((plot.x.at(x), points[-1][1]))
        points.append(plot.at(x, y))
    return points


def _at(group: RiskGroup, time: float) -> float:
    return next(
        (s for t, s in zip(reversed(group.times), reversed(group.survival), strict=True) if t <= time), 1.0
    )
