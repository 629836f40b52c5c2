"""PNG pictures: read back by an independent decoder's rules, and refused where they could not be."""

import struct

import numpy as np
import pytest

from host.reports.figures.raster import grey_levels, palette_png
from tests.support.png import chunks, pixels

PALETTE = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)


def test_a_picture_reads_back() -> None:
    picture = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    parts = chunks(palette_png(picture, PALETTE))
    assert [kind for kind, _ in parts] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", parts[0][1]) == (3, 2, 8, 3, 0, 0, 0)
    assert parts[1][1] == PALETTE.tobytes()
    assert (pixels(palette_png(picture, PALETTE)) == PALETTE[picture]).all()


@pytest.mark.parametrize("picture", [np.array([[3]], np.uint8), np.zeros((0, 3), np.uint8)])
def test_a_colour_that_the_palette_has_not_and_an_empty_picture_are_refused(picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="empty, or names a colour"):
        palette_png(picture, PALETTE)


def test_a_palette_of_too_many_colours_is_refused() -> None:
    with pytest.raises(ValueError, match="is none"):
        palette_png(np.zeros((1, 1), np.uint8), np.zeros((257, 3), np.uint8))


def test_greys_beyond_the_range_take_the_last_level() -> None:
    levels = grey_levels(np.array([[-5.0, 0.0, 50.0, 100.0, 400.0]]), 0.0, 100.0, 11)
    assert levels.tolist() == [[0, 0, 5, 10, 10]]
