"""One report per capability: its own figures are there, they agree with the report, and the page stays small."""

import re
from functools import cache
from xml.etree import ElementTree

import pytest

from host.reports.figures.charts import standard_figures
from host.reports.figures.risks import risk_figures
from host.reports.html import render
from host.reports.marks import check_agreement
from host.reports.model import Report
from host.reports.write import read_report, report_bytes
from host.validation.metric import Metric
from tests.support.capability_reports import CAPABILITIES
from tests.support.plans import make_metric, make_row

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {
    "classification": ["flow", "forest-discrimination", "forest-sensitivity", "forest-specificity", "roc-grade"],
    "quantification": ["flow", "forest-bias", "forest-slope", "agreement-volume", "cases-volume"],
    "segmentation": [
        "flow", "forest-overlap", "forest-overlap-by-site", "cases-overlap", "forest-distance", "cases-hd95-mm",
        "cases-hd95-pooled-mm", "cases-hd95-surfels-mm",
    ],
    "detection": ["flow", "forest-lesions-found", "forest-false-alarms", "froc-found", "cases-found"],
    "prediction": [
        "flow", "forest-gain", "forest-calibration", "survival-risk", "calibration-risk-1", "calibration-risk-2",
    ],
}  # fmt: skip


@cache
def report_of(capability: str) -> Report:
    return CAPABILITIES[capability]()


def texts(report: Report, figure_id: str) -> list[str]:
    (svg,) = [one.svg for one in standard_figures(report) if one.id == figure_id]
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_every_capability_has_its_own_figures(capability: str) -> None:
    assert [one.id for one in standard_figures(report_of(capability))] == FIGURES[capability]


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_the_page_agrees_with_the_report_figure_by_figure_and_stays_below_half_a_megabyte(
    capability: str,
) -> None:
    report = read_report(report_bytes(report_of(capability)))
    page = render(report, standard_figures(report))
    check_agreement(report, page)
    assert len(page) < 500_000
    ids = re.findall(r' id="([^"]+)"', page.decode())
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_nothing_of_a_figure_lies_outside_it(capability: str) -> None:
    for figure in standard_figures(report_of(capability)):
        root = ElementTree.fromstring(figure.svg)
        for one in root.iter():
            for name, side in (
                ("x", "width"),
                ("x1", "width"),
                ("x2", "width"),
                ("y", "height"),
                ("cy", "height"),
            ):
                assert -1 <= float(one.attrib.get(name, 0)) <= float(root.attrib[side]) + 1


def test_the_area_beside_the_roc_curve_is_the_one_of_the_report() -> None:
    report = report_of("classification")
    (row,) = [one for one in report.analyses if one.kind == "roc"]
    said = " ".join(texts(report, "roc-grade"))
    assert f"area {row.estimates['auc'].value:.5g}" in said
    assert "as it was called" in said


def test_calls_are_counted_against_the_reference_and_failed_cases_left_out() -> None:
    page = render(report_of("classification"), ()).decode()
    counts = {
        name: int(found)
        for name, found in re.findall(r'data-field="(cross/grade/\d/\d)" data-value="(\d+)"', page)
    }
    assert sum(counts.values()) == 198
    assert set(counts) == {f"cross/grade/{right}/{called}" for right in "01" for called in "01"}


def test_limits_of_agreement_are_named_with_the_figures_of_the_report() -> None:
    report = report_of("quantification")
    (row,) = [one for one in report.analyses if one.kind == "agreement"]
    said = texts(report, "agreement-volume")
    for words, name in (("bias", "bias"), ("lower", "loa_low"), ("upper", "loa_high")):
        assert f"{words} {row.estimates[name].value:.5g}" in said


def test_the_free_response_curve_names_the_bounds_of_the_protocol() -> None:
    said = texts(report_of("detection"), "froc-found")
    assert {"at most 1.5", "at least 0.7", "all that is reported"} <= set(said)


def test_survival_is_drawn_by_risk_group_with_the_numbers_at_risk() -> None:
    said = texts(report_of("prediction"), "survival-risk")
    for group in ("low risk (40)", "middle risk (39)", "high risk (40)"):
        assert group in said
    assert said.count("40") >= 2  # all of the first and the last group at time 0


def test_strata_that_no_criterion_judges_stand_grey_in_the_forest_plot() -> None:
    said = texts(report_of("segmentation"), "forest-overlap")
    assert "field strength: 3 T (n 19)" in said
    assert not [one for one in said if one.startswith("site")]


def test_the_three_definitions_of_a_distance_stand_among_the_sensitivity_analyses() -> None:
    changed = {
        one.changed for one in report_of("segmentation").sensitivity if one.analysis == "metric definition"
    }
    assert changed == {"hd95_mm as hd95_pooled_mm", "hd95_mm as hd95_surfels_mm"}


def test_a_risk_beyond_the_longest_follow_up_has_no_calibration_plot() -> None:
    metric = make_metric(
        "survival",
        id="risk",
        probabilities=({"horizon": 5.0, "column": "risk_5"}, {"horizon": 50.0, "column": "risk_50"}),
    )
    rows = [
        make_row(
            f"case-{at}",
            observations={
                "risk": {
                    "score": [float(at)], "time": [float(at + 1)], "event": [float((at + 1) % 2)],
                    "probability": [at / 20, at / 20],
                }
            },
        )
        for at in range(20)
    ]  # fmt: skip
    assert [one.id for one in risk_figures(Metric.model_validate(metric), rows)] == [
        "survival-risk",
        "calibration-risk-1",
    ]
