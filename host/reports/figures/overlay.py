"""Label maps laid over an image: reference, prediction, and where they differ, in three planes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from host.cases.geometry import Triple
from host.errors import FigureError
from host.reports.figures.drawing import COLOURS, SOFT, Drawing, clipped, text_width
from host.reports.figures.planes import GAP, LEFT, TOP, WIDTH, grey_range, name_edges, sizes_px
from host.reports.figures.raster import data_address, grey_levels, palette_png
from host.reports.markup import Html
from host.reports.slices import cuts, cuts_through

DIFFERENT = "#ff2d2d"
PICTURES_HEIGHT_MAX = 600.0  # three rows, title, caption and legend fit on one A4 page
LABELS_MAX = 12  # beyond that a palette has too few greys left, and nobody tells the tints apart


@dataclass(frozen=True)
class Tints:
    """A palette that holds the greys once plain, and once per tint."""

    colours: tuple[str, ...]

    @property
    def levels(self) -> int:
        """How many greys each tint has."""
        return min(256 // (len(self.colours) + 1), 96)

    def palette(self) -> NDArray[np.uint8]:
        """Red, green, blue of every entry, shape (levels times (tints + 1), 3)."""
        grey = np.linspace(0, 255, self.levels)[:, None].repeat(3, axis=1)
        tinted = [0.5 * grey + 0.5 * np.array(_tone(colour)) for colour in self.colours]
        return np.concatenate([grey, *tinted]).astype(np.uint8)


def overlay_figure(
    image: NDArray[Any],
    predicted: NDArray[Any],
    reference: NDArray[Any],
    *,
    spacing_mm: Triple,
    labels: Mapping[int, str],
    title: str,
    figure_id: str = "overlay",
) -> Html:
    """Show reference, prediction and where they differ, in three planes.

    Parameters
    ----------
    image, predicted, reference : ndarray, shape (I, J, K)
        On one grid, with axes in RAS+ order (`host.reports.slices.load_canonical`).
    spacing_mm : tuple of float
        Edge lengths of a voxel along (I, J, K).
    labels : mapping of int to str
        Label values to show, at most twelve, and their names; other values count as background. Both maps use them
        (`host.reports.slices.recoded`).
    title : str
    figure_id : str, optional

    Returns
    -------
    Html
        SVG; the pictures inside are raster.

    Raises
    ------
    FigureError
        Shapes differ, or there are too many labels.
    """
    if image.shape != reference.shape:
        raise FigureError(
            f"an image of shape {image.shape} does not fit a label map of shape {reference.shape}"
        )
    if len(labels) > LABELS_MAX:
        raise FigureError(
            f"{len(labels)} labels cannot be told apart in one picture; at most {LABELS_MAX} can"
        )
    shown = np.array(sorted(labels))
    predicted, reference = (np.where(np.isin(one, shown), one, 0) for one in (predicted, reference))
    i, j, k = (size / 2 for size in image.shape)
    labelled = bool(predicted.any() or reference.any())
    planes = list(
        cuts(predicted, reference, spacing_mm)
        if labelled
        else cuts_through(image.shape, (i, j, k), spacing_mm)
    )
    tints = Tints((*(COLOURS[at % len(COLOURS)] for at in range(len(labels))), DIFFERENT))
    sizes = sizes_px(planes, image, PICTURES_HEIGHT_MAX / 3)
    row_px = max(height for _, height in sizes)
    drawing = Drawing(WIDTH, TOP + 3 * (row_px + GAP) + 26)
    low, high = grey_range(image)
    left = LEFT
    for cut, (width, height) in zip(planes, sizes, strict=True):
        drawing.text((left + width / 2, TOP - 7), f"{cut.name}, slice {cut.index}", size=10, anchor="middle")
        grey = grey_levels(cut.of(image), low, high, tints.levels)
        for row, tint in enumerate(_tinted(cut.of(predicted), cut.of(reference), shown)):
            entries = (grey + tint.astype(np.uint16) * tints.levels).astype(np.uint8)
            corner = (left, TOP + row * (row_px + GAP) + (row_px - height) / 2)
            drawing.picture(corner, width, height, data_address(palette_png(entries, tints.palette())))
            name_edges(drawing, cut, corner, (width, height))
        left += width + GAP
    for row, name in enumerate(("reference", "predicted", "where they differ")):
        middle = TOP + row * (row_px + GAP) + row_px / 2
        drawing.text((LEFT - 8, middle), name, size=10, anchor="middle", upright=True)
    _legend(drawing, [*(labels[int(value)] for value in shown), "different label"], tints)
    said = "; ".join(f"{cut.name} slice {cut.index}" for cut in planes)
    return drawing.svg(
        figure_id, title, f"Reference, prediction and where they differ over the image: {said}."
    )


def _tinted(told: NDArray[Any], meant: NDArray[Any], shown: NDArray[Any]) -> Iterator[NDArray[np.uint8]]:
    """Which tint each pixel takes, 0 for none: in the reference, in the prediction, and where the two differ."""
    for values in (meant, told):
        yield np.where(values == 0, 0, np.searchsorted(shown, values) + 1).astype(np.uint8)
    yield np.where(told != meant, len(shown) + 1, 0).astype(np.uint8)


def _legend(drawing: Drawing, names: list[str], tints: Tints) -> None:
    x, y = LEFT, drawing.height - 8
    for name, colour in zip(names, tints.colours, strict=True):
        drawing.box((x, y - 9), 11, 10, fill=colour)
        drawing.text((x + 15, y), clipped(name, 24), size=10, colour=SOFT)
        x += 28 + text_width(clipped(name, 24), 10)


def _tone(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
