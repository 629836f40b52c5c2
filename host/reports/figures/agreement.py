"""Two measurements of the same thing: against each other, and their difference against their mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from host.reports.figures.axes import Plot, between, legend, spanning
from host.reports.figures.drawing import ACCEPTED, COLOURS, INK, SOFT, Drawing, Look, clipped
from host.reports.markup import Html
from host.validation.estimate_row import EstimateRow

WIDTH, HEIGHT = 700.0, 330.0
TOP, BOTTOM = 22.0, 284.0
BAND = "#dbe9f4"

Pairs = Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class Limit:
    """A line of a Bland-Altman plot: where it is, its interval, and how it is called.

    Attributes
    ----------
    estimate : EstimateRow
    said : Html or str
        Written beside it; may hold a marked ``tspan``.
    """

    estimate: EstimateRow
    said: Html | str


def agreement_figure(
    pairs: Pairs,
    limits: Sequence[Limit],
    *,
    quantity: str,
    tolerance: float | None = None,
    title: str,
    figure_id: str,
) -> Html:
    """Draw measured against reference, and differences against means (Bland & Altman 1986).

    Parameters
    ----------
    pairs : mapping of str to sequence of (float, float)
        Stratum level to reference and measured values of its cases; at least one pair in all.
    limits : sequence of Limit
        Bias and limits of agreement; none of them without an estimate.
    quantity : str
        Name and unit.
    tolerance : float or None, optional
        Accepted relative difference in per cent, drawn as a band around identity.
    title, figure_id : str
    """
    drawing = Drawing(WIDTH, HEIGHT + (15 * len(pairs) if len(pairs) > 1 else 0))
    looks = {level: Look.of(order) for order, level in enumerate(pairs)}
    _identity(drawing, pairs, looks, quantity, tolerance)
    _differences(drawing, pairs, looks, limits, quantity)
    if len(pairs) > 1:
        legend(drawing, [(clipped(level, 60), look) for level, look in looks.items()], (60, BOTTOM + 50))
    count = sum(map(len, pairs.values()))
    return drawing.svg(
        figure_id, title, f"{count} pairs of reference and measured {quantity}, and their differences."
    )


def _identity(
    drawing: Drawing, pairs: Pairs, looks: Mapping[str, Look], quantity: str, tolerance: float | None
) -> None:
    every = [value for members in pairs.values() for pair in members for value in pair]
    plot = Plot(drawing, spanning(every, 56, 318), spanning(every, BOTTOM, TOP))
    low, high = plot.x.low, plot.x.high
    if tolerance is not None:
        share = tolerance / 100
        corners = [
            (low, low * (1 + share)),
            (high, high * (1 + share)),
            (high, high * (1 - share)),
            (low, low * (1 - share)),
        ]
        drawing.area([plot.at(x, y) for x, y in corners], fill=ACCEPTED)
        drawing.text((62, TOP + 10), f"shaded: ±{tolerance:g} %", size=10, colour=SOFT)
    plot.frame(f"reference {quantity}", f"measured {quantity}")
    drawing.line(plot.at(low, low), plot.at(high, high), colour=SOFT, dash="5 3")
    for level, members in pairs.items():
        for reference, measured in members:
            drawing.marker(plot.at(reference, measured), looks[level])


def _differences(
    drawing: Drawing, pairs: Pairs, looks: Mapping[str, Look], limits: Sequence[Limit], quantity: str
) -> None:
    points = {
        level: [((ref + measured) / 2, measured - ref) for ref, measured in members]
        for level, members in pairs.items()
    }
    means = [x for members in points.values() for x, _ in members]
    ends = [
        e
        for one in limits
        for e in (one.estimate.value, one.estimate.low, one.estimate.high)
        if e is not None
    ]
    reach = (
        max(map(abs, [*(y for members in points.values() for _, y in members), *ends]), default=1.0) or 1.0
    )
    plot = Plot(drawing, spanning(means, 396, 596), between(-1.1 * reach, 1.1 * reach, BOTTOM, TOP))
    left, right = plot.x.start, plot.x.stop
    for limit in limits:
        one = limit.estimate
        if one.low is not None and one.high is not None:
            top, bottom = plot.y.at(one.high), plot.y.at(one.low)
            drawing.box((left, top), right - left, bottom - top, fill=BAND)
    plot.frame(f"mean of both {quantity}", "measured − reference")
    drawing.line((left, plot.y.at(0)), (right, plot.y.at(0)), colour=SOFT)
    for level, members in points.items():
        for at in members:
            drawing.marker(plot.at(*at), looks[level])
    for order, limit in enumerate(limits):
        value = limit.estimate.value
        if value is not None:
            y = plot.y.at(value)
            dash = None if order == 0 else "6 3"
            drawing.line((left, y), (right, y), colour=COLOURS[0] if order else INK, width=1.5, dash=dash)
            drawing.text((right + 6, y + 3.5), limit.said, size=10)
