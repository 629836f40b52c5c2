"""Estimates with their intervals, one row each: a forest plot."""

from collections.abc import Sequence
from dataclasses import dataclass

from host.reports.figures.axes import Plot, Scale, spanning
from host.reports.figures.drawing import (
    ACCEPTED,
    BAD,
    GOOD,
    INK,
    OPEN,
    SOFT,
    Drawing,
    Look,
    clipped,
)
from host.reports.markup import Html
from host.validation.estimate_row import EstimateRow

WIDTH = 700.0
LEFT, RIGHT = 190.0, 480.0
TOP = 26.0
ROW_PX = 21.0
LABEL_CHARACTERS = 30
LOOKS = {
    "met": Look(GOOD, "circle", None),
    "not met": Look(BAD, "square", None),
    "insufficient evidence": Look(OPEN, "diamond", None),
    "": Look(SOFT, "circle", None),
}


@dataclass(frozen=True)
class ForestRow:
    """One line of the plot.

    Attributes
    ----------
    label : str
    estimate : EstimateRow
    said : Html or str
        The figures in words, right of the plot; may hold marked ``tspan`` elements.
    verdict : str
        Empty where nothing was judged.
    """

    label: str
    estimate: EstimateRow
    said: Html | str
    verdict: str = ""


def forest(
    rows: Sequence[ForestRow],
    *,
    allowed: tuple[float, float] | None,
    x_label: str,
    title: str,
    figure_id: str,
) -> Html:
    """Draw estimates with their intervals against what is accepted.

    Parameters
    ----------
    rows : sequence of ForestRow
        From top to bottom.
    allowed : tuple of float or None
        The accepted values, both ends included; an infinite end is open. None where nothing is judged.
    x_label, title, figure_id : str

    Returns
    -------
    Html
        SVG. A row without a value has its label and words only.
    """
    bottom = TOP + ROW_PX * len(rows)
    drawing = Drawing(WIDTH, bottom + 42)
    bounds = [end for end in allowed or () if abs(end) != float("inf")]
    seen = [
        x for one in rows for x in (one.estimate.value, one.estimate.low, one.estimate.high) if x is not None
    ]
    plot = Plot(drawing, spanning([*seen, *bounds], LEFT, RIGHT), Scale(0, 1, bottom, TOP))
    if allowed is not None:
        _shade(plot, allowed)
    plot.frame(x_label, y_ticks=())
    for end in bounds:
        at = plot.x.at(end)
        drawing.line((at, TOP - 4), (at, bottom), colour=GOOD, width=1.4, dash="5 3")
        drawing.text((at, TOP - 8), f"bound {end:g}".replace("-", "−"), size=10, anchor="middle", colour=GOOD)
    for order, row in enumerate(rows):
        _draw(plot, row, TOP + ROW_PX * (order + 0.5))
    said = "; ".join(f"{one.label}: {one.verdict or 'for information'}" for one in rows)
    return drawing.svg(figure_id, title, f"Estimates with their intervals. {said}.")


def _shade(plot: Plot, allowed: tuple[float, float]) -> None:
    left, right = (plot.x.at(end) for end in allowed)
    plot.drawing.box((left, plot.y.stop), right - left, plot.y.start - plot.y.stop, fill=ACCEPTED)


def _draw(plot: Plot, row: ForestRow, y: float) -> None:
    drawing, one, look = plot.drawing, row.estimate, LOOKS[row.verdict]
    drawing.text((LEFT - 10, y + 3.5), clipped(row.label, LABEL_CHARACTERS), size=10, anchor="end")
    if one.low is not None or one.high is not None:
        left = LEFT if one.low is None else plot.x.at(one.low)
        right = RIGHT if one.high is None else plot.x.at(one.high)
        drawing.line((left, y), (right, y), colour=look.colour, width=1.8)
        for at, end in ((left, one.low), (right, one.high)):
            if end is not None:
                drawing.line((at, y - 4), (at, y + 4), colour=look.colour, width=1.8)
    if one.value is not None:
        drawing.marker((plot.x.at(one.value), y), look, size=4.4, hollow=one.low is None and one.high is None)
    drawing.text((RIGHT + 12, y + 3.5), row.said, size=10, colour=INK)
