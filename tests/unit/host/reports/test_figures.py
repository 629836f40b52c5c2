"""Figures: the same bytes each time, nothing from outside, a name for those who do not see, and what each must show."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from host.errors import FigureError
from host.reports.figures.agreement import Limit, agreement_figure
from host.reports.figures.charts import standard_figures
from host.reports.figures.curves import (
    Bin,
    RiskGroup,
    calibration_figure,
    froc_figure,
    roc_figure,
    survival_figure,
)
from host.reports.figures.flow import flow_figure
from host.reports.figures.forest import ForestRow, forest
from host.reports.figures.overlay import LABELS_MAX, overlay_figure
from host.reports.html import render
from host.reports.marks import check_agreement
from host.reports.model import Report
from host.validation.estimate_row import EstimateRow
from tests.support.reports import make_case, make_report, make_signature, make_volumes

LABELS = {1: "grey matter", 2: "white matter"}
SVG = "{http://www.w3.org/2000/svg}"
# What Chromium and WeasyPrint draw alike.
PLAIN = {"svg", "title", "desc", "line", "path", "rect", "circle", "text", "tspan", "image"}


def overlay(title: str = "case-01") -> str:
    image, predicted, reference = make_volumes()
    return overlay_figure(image, predicted, reference, spacing_mm=(1.0, 1.0, 1.5), labels=LABELS, title=title)


def estimate(value: float | None, low: float | None = None, high: float | None = None) -> EstimateRow:
    return EstimateRow(value=value, low=low, high=high, level=0.95, method="Wilson", n=40)


def curves() -> list[str]:
    steps = {"times": (3.0, 7.0), "survival": (0.8, 0.5), "low": (0.6, 0.3), "high": (0.95, 0.7)}
    groups = [RiskGroup(name, censored=(5.0,), at_risk=(9, 4), **steps) for name in ("low risk", "high risk")]
    bins = [Bin(0.2, 0.25, 0.1, 0.4, 20), Bin(0.7, 0.6, None, None, 10)]
    pairs = {"site: A": [(600.0, 610.0), (700.0, 690.0)], "site: B": [(650.0, 655.0)]}
    limits = [Limit(estimate(1.0, -3, 5), "bias 1"), Limit(estimate(-9.0, -12, -7), "lower −9")]
    row = ForestRow("overall (n 40)", estimate(0.9, 0.85, 0.95), "0.9; 0.85 to 0.95", "met")
    bare = ForestRow("site: B (n 2)", estimate(None), "no value", "insufficient evidence")
    named = {"title": "a title", "figure_id": "a"}
    return [
        forest([row, bare], allowed=(0.8, float("inf")), x_label="dice", **named),
        agreement_figure(pairs, limits, quantity="gm_ml [mL]", tolerance=5.0, **named),
        roc_figure((0, 0.1, 1), (0, 0.8, 1), operating=(0.1, 0.8), said="area 0.85", bins=bins, **named),
        froc_figure((0, 0.5, 2), (0, 0.6, 0.9), operating=(2, 0.9), bounds=(1.0, 0.7), said="", **named),
        calibration_figure(bins, x_label="predicted risk", **named),
        survival_figure(groups, (0.0, 5.0), unit="mo", **named),
    ]


def every_figure() -> list[str]:
    return [one.svg for one in standard_figures(make_report())] + [overlay()] + curves()


def texts(svg: str) -> list[str]:
    """What a figure says."""
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def figure(report: Report, figure_id: str) -> str:
    return next(one.svg for one in standard_figures(report) if one.id == figure_id)


def test_every_figure_is_the_same_twice() -> None:
    assert every_figure() == every_figure()


def test_figures_hold_plain_shapes_only_and_load_nothing() -> None:
    for svg in every_figure():
        root = ElementTree.fromstring(svg)
        assert {one.tag.removeprefix(SVG) for one in root.iter()} <= PLAIN
        for one in root.iter():
            assert not {"style", "class", "onload"} & one.attrib.keys()
            assert one.attrib.get("href", "data:image/png;base64,").startswith("data:image/png;base64,")


def test_every_figure_has_a_name_and_a_description_of_its_own() -> None:
    for svg in every_figure():
        root = ElementTree.fromstring(svg)
        title, desc = root[0], root[1]
        assert (title.tag, desc.tag) == (f"{SVG}title", f"{SVG}desc")
        assert title.text
        assert desc.text
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {desc.attrib['id']}"
    report = make_report()
    page = render(report, standard_figures(report)).decode()
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_nothing_is_drawn_outside_the_picture() -> None:
    for svg in every_figure():
        root = ElementTree.fromstring(svg)
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        for one in root.iter():
            for name, most in (
                ("x", width),
                ("x1", width),
                ("cx", width),
                ("y", height),
                ("cy", height),
                ("y2", height),
            ):
                assert -1 <= float(one.attrib.get(name, 0)) <= most + 1


def test_charts_need_neither_a_plotting_library_nor_numpy() -> None:
    program = (
        "import sys, host.reports.figures.charts; "
        "sys.exit(' '.join({'matplotlib', 'numpy', 'PIL'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_standard_figures_are_the_flow_the_agreement_and_the_cases() -> None:
    assert [(one.id, one.place) for one in standard_figures(make_report())] == [
        ("flow", "flow"),
        ("cases-gm-dice", "metric gm_dice"),
        ("agreement-gm-volume-difference", "metric gm_volume_difference"),
        ("cases-gm-volume-difference", "metric gm_volume_difference"),
    ]


def test_the_flow_counts_every_end() -> None:
    said = texts(flow_figure(make_report()))
    for words in (
        "6 cases of 2 subjects",
        "5 expected to be answered",
        "1 expected to be refused",
        "timeout: 1",
        "judged: all 6 cases, those that failed included",
    ):
        assert words in said


def test_the_flow_says_how_many_reasons_it_leaves_to_the_table() -> None:
    cases = tuple(make_case(n, outcome="failed", reason=f"reason-{n}") for n in range(1, 8))
    said = texts(flow_figure(make_report(cases=cases)))
    assert "and 3 more" in said


def test_a_failed_case_is_marked_with_what_it_counts_as() -> None:
    assert "failed: counts as 0" in texts(figure(make_report(), "cases-gm-dice"))
    assert "failed: counts as not met" in texts(figure(make_report(), "cases-gm-volume-difference"))


def test_a_correct_refusal_has_no_place_in_a_metric() -> None:
    assert "case-06" not in texts(figure(make_report(), "cases-gm-dice"))


def test_the_bound_of_a_criterion_is_drawn() -> None:
    assert "bound 0.85" in texts(figure(make_report(), "cases-gm-dice"))
    assert "shaded: ±5 %" in texts(figure(make_report(), "agreement-gm-volume-difference"))


def test_a_forest_row_without_a_value_keeps_its_label_and_says_so() -> None:
    said = texts(curves()[0])
    assert "site: B (n 2)" in said
    assert "no value" in said


def test_a_marked_figure_inside_a_picture_is_checked_against_the_report() -> None:
    report = make_report()
    marked = '<svg><text><tspan data-field="verdict" data-value="met">met</tspan></text></svg>'
    page = render(report, ()) + marked.encode()
    with pytest.raises(Exception, match="verdict: shows 'met'"):
        check_agreement(report, page)


def test_dollar_signs_and_markup_in_a_title_stay_text() -> None:
    root = ElementTree.fromstring(overlay(title=r"$\frac{1}{0}$ <b>"))
    assert root[0].text == r"$\frac{1}{0}$ <b>"


def test_an_overlay_names_planes_sides_labels_and_rows() -> None:
    said = texts(overlay())
    for words in (
        "axial, slice 17",
        "reference",
        "predicted",
        "where they differ",
        "grey matter",
        "white matter",
    ):
        assert words in said
    assert {said.count(letter) for letter in "RL"} == {6}
    assert {said.count(letter) for letter in "AP"} == {6}
    assert {said.count(letter) for letter in "SI"} == {6}


def test_an_image_on_another_grid_is_refused() -> None:
    _, predicted, reference = make_volumes()
    with pytest.raises(FigureError, match="does not fit"):
        overlay_figure(
            np.zeros((4, 4, 4)), predicted, reference, spacing_mm=(1.0, 1.0, 1.0), labels=LABELS, title="x"
        )


def test_more_labels_than_can_be_told_apart_are_refused() -> None:
    image, predicted, reference = make_volumes()
    labels = {value: f"label {value}" for value in range(1, LABELS_MAX + 2)}
    with pytest.raises(FigureError, match="cannot be told apart"):
        overlay_figure(image, predicted, reference, spacing_mm=(1.0, 1.0, 1.0), labels=labels, title="x")


def test_a_kit_of_one_case_without_strata_is_drawn() -> None:
    case = make_case(1)
    bare = case.model_copy(update={"row": case.row.model_copy(update={"strata": {}})})
    assert len(standard_figures(make_report(cases=(bare,)))) == 4


def test_a_kit_where_every_case_failed_is_drawn() -> None:
    cases = tuple(make_case(number, outcome="failed", reason="out-of-memory") for number in (1, 2))
    assert [one.id for one in standard_figures(make_report(cases=cases))] == [
        "flow",
        "cases-gm-dice",
        "cases-gm-volume-difference",
    ]


def test_two_hundred_cases_give_a_page_below_one_megabyte() -> None:
    case = make_case(1)
    many = tuple(
        case.model_copy(update={"row": case.row.model_copy(update={"case": f"case-{number:03d}"})})
        for number in range(200)
    )
    report = make_report(cases=many)
    page = render(report, standard_figures(report), (make_signature(),))
    check_agreement(report, page)
    assert len(page) < 1_000_000
