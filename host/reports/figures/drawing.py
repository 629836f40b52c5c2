"""The drawing surface: SVG written as text, in one style, the same bytes each time.

Invariants
----------
* Only plain shapes and text with presentation attributes: what Chromium and WeasyPrint draw alike, without a script,
  a style sheet or anything from elsewhere.
* Colour never stands alone: every series has a marker and a dash of its own (`Look`), every bound is named.
* Text stays text: it can be searched, read aloud, and marked as a field of the report (`host.reports.marks`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from host.reports.markup import Content, Html, element

INK = "#1c2330"
SOFT = "#5b6472"
LINE = "#d5dae1"
GRID = "#e6e9ee"
GOOD = "#1b7f3b"
BAD = "#b00020"
OPEN = "#9a6700"
ACCEPTED = "#e4f2e7"
# Okabe & Ito 2008, without the yellow that vanishes on white: told apart with every kind of colour vision.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
SHAPES = ("circle", "square", "triangle", "diamond", "down", "plus", "cross")
DASHES = (None, "7 3", "2 3", "9 3 2 3", "5 2 1 2 1 2", "12 4", "1 2")
FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
CHARACTER_EM = 0.58  # mean width of a character, on the wide side: no font's measures are known here

Point = tuple[float, float]


@dataclass(frozen=True)
class Look:
    """How a series is told from its neighbours: by colour, by shape and by dash."""

    colour: str
    shape: str
    dash: str | None

    @classmethod
    def of(cls, order: int) -> "Look":
        """The look of the series with a place in the order; after seven they repeat."""
        at = order % len(COLOURS)
        return cls(COLOURS[at], SHAPES[at], DASHES[at])


class Drawing:
    """A picture under construction.

    Parameters
    ----------
    width, height : float
        In CSS pixels; 700 fit between the margins of an A4 page.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._parts: list[Html] = []

    def line(
        self, start: Point, stop: Point, *, colour: str = INK, width: float = 1, dash: str | None = None
    ) -> None:
        """Draw a straight line."""
        (x1, y1), (x2, y2) = start, stop
        self._add(
            element(
                "line", x1=_n(x1), y1=_n(y1), x2=_n(x2), y2=_n(y2),
                stroke=colour, stroke_width=_n(width), stroke_dasharray=dash,
            )
        )  # fmt: skip

    def path(
        self, points: Iterable[Point], *, colour: str, width: float = 1.6, dash: str | None = None
    ) -> None:
        """Draw a line through points; none without two."""
        listed = list(points)
        if len(listed) > 1:
            self._add(
                element(
                    "path", d=_walk(listed), fill="none", stroke=colour, stroke_width=_n(width),
                    stroke_linejoin="round", stroke_dasharray=dash,
                )
            )  # fmt: skip

    def area(
        self, points: Sequence[Point], *, fill: str, opacity: float = 1, edge: str | None = None
    ) -> None:
        """Fill a polygon."""
        self._add(
            element(
                "path", d=_walk(points) + "Z", fill=fill, stroke=edge,
                fill_opacity=None if opacity == 1 else _n(opacity),
            )
        )  # fmt: skip

    def box(self, corner: Point, width: float, height: float, *, fill: str, edge: str | None = None) -> None:
        """Draw a rectangle from its upper left corner."""
        x, y = corner
        self._add(
            element(
                "rect", x=_n(x), y=_n(y), width=_n(width), height=_n(height), fill=fill, stroke=edge,
                stroke_width=None if edge is None else "1.4", rx=None if edge is None else "4",
            )
        )  # fmt: skip

    def marker(
        self, at: Point, look: Look, *, size: float = 3.6, hollow: bool = False, stroke: float = 1.8
    ) -> None:
        """Draw the mark of one observation; ``stroke`` is the width of its lines where it has no area."""
        x, y = at
        if look.shape in {"plus", "cross"}:
            s = size
            arms = (
                ((-s, 0, s, 0), (0, -s, 0, s)) if look.shape == "plus" else ((-s, -s, s, s), (-s, s, s, -s))
            )
            for x1, y1, x2, y2 in arms:
                self.line((x + x1, y + y1), (x + x2, y + y2), colour=look.colour, width=stroke)
            return
        paint = (
            {"fill": "none", "stroke": look.colour} if hollow else {"fill": look.colour, "stroke": "#ffffff"}
        )
        edge = _n(stroke) if hollow else "0.8"
        if look.shape == "circle":
            self._add(element("circle", cx=_n(x), cy=_n(y), r=_n(size), stroke_width=edge, **paint))
            return
        corners = {
            "square": ((-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)),
            "triangle": ((0, -1.15), (1.1, 0.85), (-1.1, 0.85)),
            "down": ((0, 1.15), (1.1, -0.85), (-1.1, -0.85)),
            "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
        }[look.shape]
        outline = _walk([(x + size * dx, y + size * dy) for dx, dy in corners]) + "Z"
        self._add(element("path", d=outline, stroke_width=edge, **paint))

    def text(
        self,
        at: Point,
        content: Content,
        *,
        size: float = 11,
        anchor: str = "start",
        colour: str = INK,
        bold: bool = False,
        upright: bool = False,
    ) -> None:
        """Write a line of text on its base line; ``upright`` turns it to be read from the right side.

        An `Html` content is a ``text`` element's inside that was made elsewhere, such as a marked figure.
        """
        x, y = at
        self._add(
            element(
                "text", content, x=_n(x), y=_n(y), font_size=_n(size), fill=colour,
                text_anchor=None if anchor == "start" else anchor,
                font_weight="bold" if bold else None,
                transform=f"rotate(-90 {_n(x)} {_n(y)})" if upright else None,
            )
        )  # fmt: skip

    def picture(self, corner: Point, width: float, height: float, source: str) -> None:
        """Place a raster image, stretched to the box."""
        x, y = corner
        self._add(
            element(
                "image", x=_n(x), y=_n(y), width=_n(width), height=_n(height), href=source,
                preserveAspectRatio="none",
            )
        )  # fmt: skip

    def svg(self, figure_id: str, title: str, description: str) -> Html:
        """Finish: the ``svg`` element, named and described for whoever does not see it."""
        names = {"title": f"{figure_id}-title", "desc": f"{figure_id}-desc"}
        return element(
            "svg",
            element("title", title, id=names["title"]),
            element("desc", description, id=names["desc"]),
            *self._parts,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {_n(self.width)} {_n(self.height)}",
            width=_n(self.width),
            height=_n(self.height),
            role="img",
            aria_labelledby=f"{names['title']} {names['desc']}",
            font_family=FONT,
        )

    def _add(self, part: Html) -> None:
        self._parts.append(part)


def text_width(text: str, size: float = 11) -> float:
    """About how wide a text will be, in pixels: fonts differ, so this is on the wide side."""
    return CHARACTER_EM * size * len(text)


def clipped(text: str, characters: int) -> str:
    """A text that is at most so long, its end replaced by an ellipsis."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _n(value: float) -> str:
    """A coordinate: a hundredth of a pixel is nowhere to be seen, and keeps the file small and the same."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _walk(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
