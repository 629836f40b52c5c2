"""Axes: from values to places on the page, with ticks at round numbers."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from host.reports.figures.drawing import GRID, INK, SOFT, Drawing, Look, Point


@dataclass(frozen=True)
class Scale:
    """A linear map from values to pixels.

    Attributes
    ----------
    low, high : float
        Values at the two ends; never equal.
    start, stop : float
        Pixels at the two ends.
    """

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        """The place of a value; a value beyond an end is put there."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self, about: int = 5) -> tuple[float, ...]:
        """Round numbers between the ends: of the steps 1, 2 and 5 the one that gives closest to so many, or more."""
        power = math.floor(math.log10((self.high - self.low) / about))
        choices = [
            self._multiples(factor * 10.0**exponent)
            for exponent in (power, power + 1)
            for factor in (1, 2, 5)
        ]
        return min(choices, key=lambda found: (abs(len(found) - about), -len(found)))

    def _multiples(self, step: float) -> tuple[float, ...]:
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(float(f"{number * step:.12g}") for number in range(first, last + 1))


def spanning(values: Iterable[float], start: float, stop: float, *, margin: float = 0.06) -> Scale:
    """A scale that shows all finite values, with a margin of its span on both sides; 0 to 1 where there are none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return Scale(0.0, 1.0, start, stop)
    low, high = min(finite), max(finite)
    room = margin * (high - low) or 0.05 * abs(low) or 1.0
    return Scale(low - room, high + room, start, stop)


def between(low: float, high: float, start: float, stop: float) -> Scale:
    """A scale whose ends are known beforehand."""
    return Scale(low, high, start, stop)


@dataclass(frozen=True)
class Plot:
    """A drawing's area between two axes."""

    drawing: Drawing
    x: Scale
    y: Scale

    def at(self, x: float, y: float) -> Point:
        """The place of a pair of values."""
        return self.x.at(x), self.y.at(y)

    def points(self, xs: Iterable[float], ys: Iterable[float]) -> list[Point]:
        """The places of pairs of values."""
        return [self.at(x, y) for x, y in zip(xs, ys, strict=True)]

    def frame(self, x_label: str, y_label: str = "", *, y_ticks: Sequence[float] | None = None) -> None:
        """Draw grid, ticks and the names of the axes. ``y_ticks`` of none leaves the left side to the caller."""
        left, right, bottom, top = self.x.start, self.x.stop, self.y.start, self.y.stop
        for tick in self.x.ticks(max(3, round((right - left) / 70))):
            at = self.x.at(tick)
            self.drawing.line((at, bottom), (at, top), colour=GRID)
            self.drawing.text((at, bottom + 15), tick_text(tick), size=10, anchor="middle", colour=SOFT)
        for tick in self.y.ticks(max(3, round(abs(bottom - top) / 50))) if y_ticks is None else y_ticks:
            at = self.y.at(tick)
            self.drawing.line((left, at), (right, at), colour=GRID)
            self.drawing.text((left - 6, at + 3.5), tick_text(tick), size=10, anchor="end", colour=SOFT)
        self.drawing.line((left, bottom), (right, bottom), colour=INK)
        self.drawing.line((left, bottom), (left, top), colour=INK)
        self.drawing.text(((left + right) / 2, bottom + 33), x_label, anchor="middle")
        if y_label:
            self.drawing.text((left - 42, (top + bottom) / 2), y_label, anchor="middle", upright=True)


def tick_text(value: float) -> str:
    """A tick's number; ticks are round, so a few digits tell all of it."""
    return f"{value:g}".replace("-", "−")


def legend(drawing: Drawing, entries: Sequence[tuple[str, Look]], at: Point, *, lines: bool = False) -> None:
    """Name series one below another: marker, or marker on its line, and the name."""
    x, y = at
    for order, (name, look) in enumerate(entries):
        middle = y + 15 * order
        if lines:
            drawing.line((x - 12, middle), (x + 12, middle), colour=look.colour, width=1.6, dash=look.dash)
        else:
            drawing.marker((x, middle), look)
        drawing.text((x + (17 if lines else 9), middle + 3.5), name, size=10, colour=SOFT)
