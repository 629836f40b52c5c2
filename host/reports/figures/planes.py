"""Three planes of an image side by side, at one scale, with the letters of the patient's sides."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from host.reports.figures.drawing import Drawing, Point
from host.reports.slices import Cut

WIDTH = 700.0
LEFT = 22.0
TOP = 22.0
GAP = 3.0
LETTER = "#ffd84d"


def sizes_px(planes: Sequence[Cut], image: NDArray[Any], row_px_max: float) -> list[tuple[float, float]]:
    """Width and height of each plane in pixels: one scale for all, in the drawing's width and a row's height."""
    room = WIDTH - LEFT - GAP * len(planes)
    scale = room / sum(width_mm(cut, image) for cut in planes)
    scale = min(scale, row_px_max / max(height_mm(cut, image) for cut in planes))
    return [(scale * width_mm(cut, image), scale * height_mm(cut, image)) for cut in planes]


def name_edges(drawing: Drawing, cut: Cut, corner: Point, size: tuple[float, float]) -> None:
    """Write the letters of the patient's sides at the edges of a picture."""
    (x, y), (width, height) = corner, size
    places = ((8, height / 2), (width - 8, height / 2), (width / 2, 10), (width / 2, height - 4))
    for letter, (dx, dy) in zip(cut.edges, places, strict=True):
        drawing.text((x + dx, y + dy), letter, size=10, anchor="middle", colour=LETTER, bold=True)


def grey_range(image: NDArray[Any]) -> tuple[float, float]:
    """Which values are black and white.

    The 1st and 99.5th percentile of what is above the least value; the ends where these are one, as in a phantom of two
    values.
    """
    least = float(image.min())
    inside = image[image > least]
    low, high = np.percentile(inside if inside.size else image, (1, 99.5))
    if low == high:
        low, high = least, image.max()
    return float(low), float(max(high, low + 1e-6))


def width_mm(cut: Cut, image: NDArray[Any]) -> float:
    """How wide a plane is."""
    return float(cut.of(image).shape[1] * cut.pixel_mm[0])


def height_mm(cut: Cut, image: NDArray[Any]) -> float:
    """How high a plane is."""
    return float(cut.of(image).shape[0] * cut.pixel_mm[1])
