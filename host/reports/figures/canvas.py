"""The drawing surface: one style for every figure, and SVG that is the same each time.

Invariants
----------
* The same data give the same bytes: ids are salted with a constant, no date is written, text is paths.
* Nothing in a figure is loaded from elsewhere; text from a plugin or a kit is never read as a formula.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Okabe & Ito 2008: told apart with every kind of colour vision; the markers tell them apart in grey print.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
BAD = "#B00020"
GOOD_SHADE = "#E4F2E7"
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "assay.report/1",
    "svg.fonttype": "path",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "legend.frameon": False,
}
_DEFAULTS: dict[Any, Any] = {name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@contextmanager
def canvas(width_in: float, height_in: float) -> Iterator[Figure]:
    """Give a drawing of a size, with the style in force until it is left."""
    # The defaults first: a matplotlibrc of the machine must not change the bytes.
    with mpl.rc_context({**_DEFAULTS, **_STYLE}):
        drawing = Figure(figsize=(width_in, height_in), dpi=100)
        FigureCanvasSVG(drawing)
        yield drawing


def svg(drawing: Figure) -> str:
    """Write a drawing as an ``svg`` element."""
    buffer = io.StringIO()
    drawing.savefig(buffer, format="svg", metadata=_NO_METADATA)
    text = buffer.getvalue()
    # The prolog names a document type by address; a figure names nothing outside.
    return text[text.index("<svg") :]
