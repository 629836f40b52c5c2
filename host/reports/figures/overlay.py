"""Label maps laid over an image: reference, prediction, and where they differ, in three planes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from host.cases.geometry import Triple
from host.errors import FigureError
from host.reports.figures.canvas import COLOURS, canvas, svg
from host.reports.slices import Cut, cuts

PICTURES_WIDTH_IN = 7.4
FRAME_IN = 1.0
DIFFERENT = "#FF2D2D"


def overlay_figure(
    image: NDArray[Any],
    predicted: NDArray[Any],
    reference: NDArray[Any],
    *,
    spacing_mm: Triple,
    labels: Mapping[int, str],
    title: str,
) -> str:
    """Show reference, prediction and where they differ, in three planes.

    Parameters
    ----------
    image, predicted, reference : ndarray, shape (I, J, K)
        On one grid, with axes in RAS+ order (`host.reports.slices.load_canonical`).
    spacing_mm : tuple of float
        Edge lengths of a voxel along (I, J, K).
    labels : mapping of int to str
        Label values to show, and their names; other values count as background. Both maps use them
        (`host.reports.slices.recoded`).
    title : str

    Returns
    -------
    str
        SVG.

    Raises
    ------
    FigureError
        Shapes differ, or nothing is labelled.
    """
    if image.shape != reference.shape:
        raise FigureError(
            f"an image of shape {image.shape} does not fit a label map of shape {reference.shape}"
        )
    shown = np.array(sorted(labels))
    predicted, reference = (np.where(np.isin(one, shown), one, 0) for one in (predicted, reference))
    planes = list(cuts(predicted, reference, spacing_mm))
    grey_range = _grey_range(image)
    colours = {value: COLOURS[place % len(COLOURS)] for place, value in enumerate(sorted(labels))}
    widths, heights = zip(*(_size_mm(cut, image) for cut in planes), strict=True)
    row_in = PICTURES_WIDTH_IN * max(heights) / sum(widths)
    with canvas(PICTURES_WIDTH_IN + 0.4, 3 * row_in + FRAME_IN) as drawing:
        axes = drawing.subplots(3, 3, squeeze=False, width_ratios=widths)
        whole_in = 3 * row_in + FRAME_IN
        drawing.subplots_adjust(
            left=0.05, right=0.995, top=1 - 0.5 / whole_in, bottom=0.5 / whole_in, wspace=0.02, hspace=0.02
        )
        for column, cut in enumerate(planes):
            grey = _grey(cut.of(image), grey_range)
            for row, picture in enumerate(_tinted(grey, cut.of(predicted), cut.of(reference), colours)):
                _show(axes[row][column], picture, cut)
            axes[0][column].set_title(f"{cut.name}, slice {cut.index}", fontsize=8.5)
        for row, name in enumerate(("reference", "predicted", "where they differ")):
            axes[row][0].set_ylabel(name, fontsize=9, labelpad=8)
        _add_legend(drawing, [(labels[value], colour) for value, colour in colours.items()])
        drawing.suptitle(title, fontsize=10, y=1 - 0.12 / whole_in)
        return svg(drawing)


def _add_legend(drawing: Figure, colours: Sequence[tuple[str, str]]) -> None:
    keys = [Patch(color=colour, label=label) for label, colour in colours]
    keys.append(Patch(color=DIFFERENT, label="different label"))
    drawing.legend(handles=keys, loc="lower center", ncols=min(len(keys), 5), fontsize=8, borderaxespad=0.2)


def _grey_range(image: NDArray[Any]) -> tuple[float, float]:
    inside = image[image > image.min()]
    low, high = np.percentile(inside if inside.size else image, (1, 99.5))
    return float(low), float(max(high, low + 1e-6))


def _grey(picture: NDArray[Any], grey_range: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = grey_range
    scaled = (np.clip((picture.astype(np.float64) - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return np.repeat(scaled[..., None], 3, axis=2)


def _tint(grey: NDArray[np.uint8], values: NDArray[Any], colours: Mapping[int, str]) -> NDArray[np.uint8]:
    tinted = grey.astype(np.float64)
    for value, colour in colours.items():
        tone = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
        where = values == value
        tinted[where] = 0.5 * tinted[where] + 0.5 * tone
    return tinted.astype(np.uint8)


def _tinted(
    grey: NDArray[np.uint8], told: NDArray[Any], meant: NDArray[Any], colours: Mapping[int, str]
) -> tuple[NDArray[np.uint8], ...]:
    """The reference, what was predicted, and where the two differ, each over the image."""
    return (
        _tint(grey, meant, colours),
        _tint(grey, told, colours),
        _tint(grey, told != meant, {1: DIFFERENT}),
    )


def _size_mm(cut: Cut, image: NDArray[Any]) -> tuple[float, float]:
    rows, columns = cut.of(image).shape
    return columns * cut.pixel_mm[0], rows * cut.pixel_mm[1]


def _show(axes: Axes, picture: NDArray[np.uint8], cut: Cut) -> None:
    axes.imshow(picture, aspect=cut.pixel_mm[1] / cut.pixel_mm[0], interpolation="none")
    axes.set_facecolor("black")
    axes.set(xticks=[], yticks=[])
    for letter, (x, y) in zip(cut.edges, ((0.04, 0.5), (0.96, 0.5), (0.5, 0.95), (0.5, 0.05)), strict=True):
        axes.text(
            x,
            y,
            letter,
            transform=axes.transAxes,
            color="#FFD84D",
            fontsize=8,
            ha="center",
            va="center",
            weight="bold",
        )
