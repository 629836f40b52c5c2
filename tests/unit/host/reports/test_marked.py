"""Findings marked on an image: each where the image has it, told apart by shape, and cut where it tells most."""

import base64
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from host.reports.figures.drawing import INK
from host.reports.figures.marked import FindingMark, MarkKind, marked_figure
from host.reports.slices import Volume
from tests.support.png import pixels

SVG = "{http://www.w3.org/2000/svg}"
AFFINE = np.array([[2.0, 0, 0, -20], [0, 1.0, 0, -15], [0, 0, 3.0, -30], [0, 0, 0, 1]])


def volume(*bright: tuple[int, int, int]) -> Volume:
    data = np.indices((20, 30, 14)).sum(axis=0) % 2.0  # black and white: only what is brighter is white then
    for index in bright:
        data[index] = 1000.0
    return Volume(data, (2.0, 1.0, 3.0), AFFINE)


def mark(kind: MarkKind, index: tuple[int, int, int]) -> FindingMark:
    i, j, k, _ = AFFINE @ (*index, 1)
    return FindingMark(kind, (float(i), float(j), float(k)))


def drawn(*marks: FindingMark, image: Volume) -> ElementTree.Element:
    return ElementTree.fromstring(marked_figure(image, marks, title="case-01", figure_id="case-01"))


def planes(root: ElementTree.Element) -> list[str]:
    said = ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]
    return [one for one in said if "slice" in one]


def test_a_ring_stands_around_the_voxel_that_is_bright_on_all_three_planes() -> None:
    place = (4, 21, 9)
    root = drawn(mark("found", place), image=volume(place))
    # Each ring is drawn twice, first its rim; the last one is the legend's.
    rings = [one for one in root.iter(f"{SVG}circle") if one.attrib["stroke"] != INK][:3]
    pictures = list(root.iter(f"{SVG}image"))
    assert len(pictures) == 3
    for picture, ring in zip(pictures, rings, strict=True):
        grey = pixels(base64.b64decode(picture.attrib["href"].split(",", 1)[1]))[..., 0]
        row, column = np.unravel_index(int(grey.argmax()), grey.shape)
        x, y, width, height = (float(picture.attrib[name]) for name in ("x", "y", "width", "height"))
        assert float(ring.attrib["cx"]) == pytest.approx(x + width * (column + 0.5) / grey.shape[1], abs=0.02)
        assert float(ring.attrib["cy"]) == pytest.approx(y + height * (row + 0.5) / grey.shape[0], abs=0.02)


def test_the_planes_go_through_what_was_missed_first() -> None:
    root = drawn(
        mark("detected", (1, 1, 1)), mark("found", (10, 10, 5)), mark("missed", (4, 21, 9)), image=volume()
    )
    assert planes(root) == ["axial, slice 9", "coronal, slice 21", "sagittal, slice 4"]
    assert planes(drawn(mark("detected", (1, 2, 3)), image=volume()))[0] == "axial, slice 3"
    assert planes(drawn(image=volume())) == ["axial, slice 7", "coronal, slice 15", "sagittal, slice 10"]


def test_a_finding_farther_than_five_millimetres_is_not_marked_on_a_plane() -> None:
    near, far = mark("found", (4, 21, 9)), mark("found", (4, 21, 12))  # 9 mm above
    both, alone = (
        len(list(drawn(*marks, image=volume()).iter(f"{SVG}circle"))) for marks in ([near, far], [near])
    )
    assert both == alone + 2 * 2  # ring and rim, on the coronal and the sagittal plane, not on the axial one


def test_the_description_counts_what_is_shown_and_the_legend_names_each_kind() -> None:
    root = drawn(mark("detected", (1, 1, 1)), mark("missed", (4, 21, 9)), image=volume())
    assert root[1].text == "Findings on three planes of the image: 0 found, 1 missed, 1 detected."
    said = ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]
    for words in ("reference finding, found", "reference finding, missed", "detection of the release"):
        assert words in said


def test_the_same_findings_give_the_same_bytes_and_nothing_is_loaded() -> None:
    first, again = (
        marked_figure(volume((4, 21, 9)), [mark("missed", (4, 21, 9))], title="a", figure_id="a")
        for _ in range(2)
    )
    assert first == again
    assert all(link.startswith("data:image/png;base64,") for link in re.findall(r'href="([^"]*)"', first))
