"""Findings marked on an image: what the reference has, found or missed, and what was detected."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from host.cases.geometry import Triple
from host.reports.figures.drawing import INK, SOFT, Drawing, Look, Point
from host.reports.figures.planes import GAP, LEFT, TOP, WIDTH, grey_range, name_edges, sizes_px
from host.reports.figures.raster import data_address, grey_levels, palette_png
from host.reports.markup import Html
from host.reports.slices import Cut, Volume, cuts_through

PICTURES_HEIGHT_MAX = 300.0
NEAR_MM = 5.0  # a finding is marked on a plane that is no farther away
LEVELS = 128

MarkKind = Literal["found", "missed", "detected"]
# Shapes differ as well as colours: rings and squares are the reference's, crosses are the plugin's.
LOOKS: Final[dict[MarkKind, tuple[str, Look]]] = {
    "found": ("reference finding, found", Look("#56b4e9", "circle", None)),
    "missed": ("reference finding, missed", Look("#ff2d2d", "square", None)),
    "detected": ("detection of the release", Look("#ffd84d", "cross", None)),
}


@dataclass(frozen=True)
class FindingMark:
    """One finding.

    Attributes
    ----------
    kind : str
    place_mm : tuple of float
        Its centre in the patient, RAS+.
    """

    kind: MarkKind
    place_mm: Triple


def marked_figure(volume: Volume, marks: Sequence[FindingMark], *, title: str, figure_id: str) -> Html:
    """Show an image on three planes through the most telling finding, with all findings near them.

    The most telling one is the first that was missed, else the first of the reference, else the first detection.
    Without any, the planes go through the middle.
    """
    index = _telling(volume, marks)
    planes = list(cuts_through(volume.data.shape, index, volume.spacing_mm))
    sizes = sizes_px(planes, volume.data, PICTURES_HEIGHT_MAX)
    row_px = max(height for _, height in sizes)
    drawing = Drawing(WIDTH, TOP + row_px + GAP + 20 + 17 * len(LOOKS))
    low, high = grey_range(volume.data)
    palette = np.linspace(0, 255, LEVELS).astype(np.uint8)[:, None].repeat(3, axis=1)
    left = LEFT
    for cut, (width, height) in zip(planes, sizes, strict=True):
        drawing.text((left + width / 2, TOP - 7), f"{cut.name}, slice {cut.index}", size=10, anchor="middle")
        corner = (left, TOP + (row_px - height) / 2)
        grey = grey_levels(cut.of(volume.data), low, high, LEVELS)
        drawing.picture(corner, width, height, data_address(palette_png(grey, palette)))
        name_edges(drawing, cut, corner, (width, height))
        for mark in marks:
            _draw(drawing, volume, cut, mark, (corner, (width, height)))
        left += width + GAP
    for order, (name, look) in enumerate(LOOKS.values()):
        middle = TOP + row_px + GAP + 14 + 17 * order
        _mark(drawing, (LEFT + 8, middle), look)
        drawing.text((LEFT + 20, middle + 3.5), name, size=10, colour=SOFT)
    counts = ", ".join(f"{sum(one.kind == kind for one in marks)} {kind}" for kind in LOOKS)
    return drawing.svg(figure_id, title, f"Findings on three planes of the image: {counts}.")


def _telling(volume: Volume, marks: Sequence[FindingMark]) -> Triple:
    for kind in ("missed", "found", "detected"):
        for mark in marks:
            if mark.kind == kind:
                return volume.index_of(mark.place_mm)
    i, j, k = (size / 2 for size in volume.data.shape[:3])
    return i, j, k


def _draw(
    drawing: Drawing,
    volume: Volume,
    cut: Cut,
    mark: FindingMark,
    box: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    """Mark a finding where it is near the plane. Rows of a picture run down from the last voxel to the first."""
    index = volume.index_of(mark.place_mm)
    if abs(index[cut.axis] - cut.index) * volume.spacing_mm[cut.axis] > NEAR_MM:
        return
    across, up = (axis for axis in range(3) if axis != cut.axis)
    (x, y), (width, height) = box
    shape = volume.data.shape
    at = (
        x + width * (shape[across] - (index[across] + 0.5)) / shape[across],
        y + height * (shape[up] - (index[up] + 0.5)) / shape[up],
    )
    _, look = LOOKS[mark.kind]
    _mark(drawing, at, look)


def _mark(drawing: Drawing, at: Point, look: Look) -> None:
    """Draw a mark with a dark rim, to be seen on dark and bright tissue."""
    drawing.marker(at, replace(look, colour=INK), size=6, hollow=True, stroke=4.2)
    drawing.marker(at, look, size=6, hollow=True)
