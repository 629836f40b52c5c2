"""Each case's value of one metric: named one by one where they are few, stacked by stratum where they are many."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from host.reports.figures.axes import Plot, Scale, spanning
from host.reports.figures.drawing import ACCEPTED, BAD, GOOD, SOFT, Drawing, Look, clipped
from host.reports.markup import Html

WIDTH = 700.0
LEFT, RIGHT = 190.0, 520.0
TOP = 26.0
NAMED_CASES_MAX = 24
ROW_PX = 15.0
DOT_PX = 5.0
STACK_PX_MAX = 90.0
NO_ANSWER = Look(BAD, "cross", None)


@dataclass(frozen=True)
class Dot:
    """One case.

    Attributes
    ----------
    case : str
    value : float
        Not used of a case without an answer, which has no place on the scale: one huge value that it counts as would
        press all others together.
    note : str
        What a case without an answer counts as; empty for one with an answer.
    """

    case: str
    value: float
    note: str = ""


def by_case_figure(
    groups: Sequence[tuple[str, Sequence[Dot]]],
    *,
    allowed: tuple[float, float] | None,
    x_label: str,
    title: str,
    figure_id: str,
) -> Html:
    """Draw the values of every case that a metric applies to.

    Parameters
    ----------
    groups : sequence of (str, sequence of Dot)
        Stratum level, "" where there is none, and its cases.
    allowed : tuple of float or None
        Accepted of every single case; None where no criterion looks at them one by one.
    x_label, title, figure_id : str
    """
    total = sum(len(dots) for _, dots in groups)
    bounds = [end for end in allowed or () if abs(end) != float("inf")]
    values = [dot.value for _, dots in groups for dot in dots if not dot.note]
    scale = spanning([*values, *bounds], LEFT, RIGHT)
    named = total <= NAMED_CASES_MAX
    heading = ROW_PX if named else 0.0  # of stacked dots the stratum's name stands beside them
    heights = [_height(dots, scale, named=named) + (heading if level else 0) for level, dots in groups]
    bottom = TOP + sum(heights) + 4
    drawing = Drawing(WIDTH, bottom + 42)
    plot = Plot(drawing, scale, Scale(0, 1, bottom, TOP))
    if allowed is not None:
        left, right = (scale.at(end) for end in allowed)
        drawing.box((left, TOP), right - left, bottom - TOP, fill=ACCEPTED)
    plot.frame(x_label, y_ticks=())
    for end in bounds:
        drawing.line((scale.at(end), TOP - 4), (scale.at(end), bottom), colour=GOOD, width=1.4, dash="5 3")
        words = f"bound {end:g}".replace("-", "−")
        drawing.text((scale.at(end), TOP - 8), words, size=10, anchor="middle", colour=GOOD)
    top = TOP
    for order, ((level, dots), height) in enumerate(zip(groups, heights, strict=True)):
        if level:
            words = f"{level} ({len(dots)})"
            baseline = top + 12 if named else top + height / 2 + 4
            drawing.text((LEFT - 10, baseline), clipped(words, 30), size=10, anchor="end", bold=True)
        start = top + (heading if level else 0)
        (_name_each if named else _stack)(plot, dots, Look.of(order), start)
        top += height
    return drawing.svg(figure_id, title, f"{total} cases. Crosses are cases without an answer.")


def _height(dots: Sequence[Dot], scale: Scale, *, named: bool) -> float:
    if named:
        return ROW_PX * len(dots)
    columns = _columns(dots, scale)
    notes = ROW_PX * len({dot.note for dot in dots if dot.note})
    return max(_pitch(columns) * max(map(len, columns.values()), default=0), ROW_PX, notes) + 10


def _name_each(plot: Plot, dots: Sequence[Dot], look: Look, top: float) -> None:
    drawing = plot.drawing
    for row, dot in enumerate(dots):
        y = top + ROW_PX * (row + 0.5)
        drawing.text((LEFT - 10, y + 3.5), clipped(dot.case, 30), size=10, anchor="end", colour=SOFT)
        if dot.note:
            _without_answer(drawing, y, dot.note)
        else:
            drawing.marker((plot.x.at(dot.value), y), look)


def _stack(plot: Plot, dots: Sequence[Dot], look: Look, top: float) -> None:
    """Dots of about the same value stand on top of each other, in the order of their case's name."""
    columns = _columns(dots, plot.x)
    pitch = _pitch(columns)
    bottom = top + pitch * max(map(len, columns.values()), default=0) + 4
    for place, members in sorted(columns.items()):
        for level in range(len(members)):
            at = (LEFT + DOT_PX * (place + 0.5), bottom - pitch * (level + 0.5))
            plot.drawing.marker(at, look, size=2.3)
    notes = Counter(dot.note for dot in dots if dot.note)
    for order, (note, count) in enumerate(sorted(notes.items())):
        _without_answer(plot.drawing, top + 8 + ROW_PX * order, note if count == 1 else f"{count} {note}")


def _without_answer(drawing: Drawing, y: float, note: str) -> None:
    drawing.marker((RIGHT + 14, y), NO_ANSWER)
    drawing.text((RIGHT + 23, y + 3.5), clipped(note, 26), size=10, colour=BAD)


def _columns(dots: Sequence[Dot], scale: Scale) -> dict[int, list[Dot]]:
    columns: dict[int, list[Dot]] = {}
    for dot in sorted(dots, key=lambda one: one.case):
        if not dot.note:
            columns.setdefault(int((scale.at(dot.value) - LEFT) // DOT_PX), []).append(dot)
    return columns


def _pitch(columns: Mapping[int, Sequence[Dot]]) -> float:
    """How far one dot stands above the next: closer where a stack would get too high."""
    return min(DOT_PX, STACK_PX_MAX / max(map(len, columns.values()), default=1))
