"""Figures: the same bytes each time, nothing from outside, and what each of them must show."""

import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from host.errors import FigureError
from host.reports.figures import (
    flow_figure,
    measured_against_reference,
    metric_by_case,
    overlay_figure,
    standard_figures,
)
from host.reports.html import render
from host.reports.write import check_agreement
from tests.support.reports import make_case, make_report, make_signature, make_volumes

LABELS = {1: "grey matter", 2: "white matter"}


def overlay(title: str = "case-01") -> str:
    image, predicted, reference = make_volumes()
    return overlay_figure(image, predicted, reference, spacing_mm=(1.0, 1.0, 1.5), labels=LABELS, title=title)


def texts(svg: str) -> list[str]:
    """What a figure says: text drawn as paths keeps its words in a comment."""
    return [words.strip() for words in re.findall(r"<!--(.*?)-->", svg, re.DOTALL)]


def test_every_figure_is_the_same_twice_and_under_another_style() -> None:
    first = [one.svg for one in standard_figures(make_report())] + [overlay()]
    with mpl.rc_context(
        {"font.size": 20.0, "svg.hashsalt": "other", "axes.grid": True, "svg.fonttype": "none"}
    ):
        assert [one.svg for one in standard_figures(make_report())] + [overlay()] == first


def test_figures_load_nothing_and_carry_no_date() -> None:
    for svg in [one.svg for one in standard_figures(make_report())] + [overlay()]:
        ElementTree.fromstring(svg)
        links = re.findall(r'href="([^"]*)"', svg)
        assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
        assert "<script" not in svg
        assert "<metadata" not in svg
        assert "DOCTYPE" not in svg


def test_the_standard_figures_are_the_flow_the_columns_and_the_metrics() -> None:
    assert [one.id for one in standard_figures(make_report())] == [
        "flow",
        "measured-gm_ml",
        "metric-gm_dice",
        "metric-gm_volume_difference",
    ]


def test_the_flow_counts_every_end() -> None:
    said = " ".join(texts(flow_figure(make_report())))
    for words in (
        "6 cases of 2 subjects",
        "5 expected to be answered",
        "1 expected to be refused",
        "timeout: 1",
    ):
        assert words in said


def test_a_failed_case_is_marked_with_what_it_counts_as() -> None:
    assert "failed: counts as 0" in texts(metric_by_case(make_report(), "gm_dice"))
    assert "failed: counts as not met" in texts(metric_by_case(make_report(), "gm_volume_difference"))


def test_a_correct_refusal_has_no_place_in_a_metric() -> None:
    assert "case-06" not in texts(metric_by_case(make_report(), "gm_dice"))


def test_the_bound_of_a_criterion_is_drawn() -> None:
    assert "≥ 0.85" in texts(metric_by_case(make_report(), "gm_dice"))
    assert "tolerance ±5 %" in texts(measured_against_reference(make_report(), "gm_ml"))


def test_measured_values_are_counted_against_the_cases_that_have_a_reference() -> None:
    said = " ".join(texts(measured_against_reference(make_report(), "gm_ml")))
    assert "2 of 3 cases" in said
    assert "2 of 2 cases" in said


def test_dollar_signs_in_a_title_are_not_a_formula() -> None:
    assert r"$\frac{1}{0}$" in texts(overlay(title=r"$\frac{1}{0}$"))


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


def test_a_kit_of_one_case_without_strata_is_drawn() -> None:
    case = make_case(1)
    bare = case.model_copy(update={"row": case.row.model_copy(update={"strata": {}})})
    assert len(standard_figures(make_report(cases=(bare,)))) == 4


def test_a_kit_where_every_case_failed_is_drawn() -> None:
    cases = tuple(make_case(number, outcome="failed", reason="out-of-memory") for number in (1, 2))
    assert [one.id for one in standard_figures(make_report(cases=cases))] == [
        "flow",
        "metric-gm_dice",
        "metric-gm_volume_difference",
    ]


def test_two_hundred_cases_give_a_page_below_three_megabytes() -> None:
    case = make_case(1)
    many = tuple(
        case.model_copy(update={"row": case.row.model_copy(update={"case": f"case-{number:03d}"})})
        for number in range(200)
    )
    report = make_report(cases=many)
    page = render(report, standard_figures(report), (make_signature(),))
    check_agreement(report, page)
    assert len(page) < 3_000_000
