"""Each kind of metric: what an answered case leaves for statistics, and what a failed one counts as."""

from pathlib import Path
from typing import Any

import pytest

from host.errors import KitFitError
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.scorers.table import SCORERS
from host.validation.scoring import follows_from_records
from plugin_spec.manifest import Manifest
from tests.support.output_ports import output_port
from tests.support.plans import make_criterion, make_metric, make_plan
from tests.support.scored_cases import (
    make_case,
    make_manifest,
    score_one,
    write_map,
    write_points,
)

LESION_RULE = {"connectivity": 26, "matching": "any_overlap", "assignment": "many_to_many"}
FINDING_RULE = {"nearness": "distance", "limit_mm": 1.5}


def plan(kind: str, **changes: Any) -> Protocol:
    """A plan with one metric of a kind, called as its kind."""
    metric = {name: value for name, value in make_metric(kind, **changes).items() if value is not None}
    if kind in {"lesions", "findings"}:
        metric.setdefault("parameters", LESION_RULE if kind == "lesions" else FINDING_RULE)
    statistic = {"survival": "harrell_c"}.get(kind, "mean")
    criterion = make_criterion(
        statistic, kind, judged="estimate", comparator="within", bound=-1e9, bound_high=-1e8
    )
    del criterion["min_subjects"]
    if statistic != "mean":
        criterion |= {"bound": 0.5, "bound_high": 0.9}
    outcome = make_criterion("every_case", "outcome", id="outcome", bound=1.0)
    return make_plan([criterion, outcome], metrics=[metric, make_metric("outcome")])


def observed(row: CaseRow, metric: str) -> dict[str, tuple[float, ...]]:
    return row.observations[metric]


# ---- masks ---------------------------------------------------------------------------------------------------------


def maps(tmp_path: Path, predicted: str, reference: str, *, spacing_mm: float = 1.0) -> dict[str, Any]:
    return {
        "outputs": {"mask": write_map(tmp_path / "answer.nii", predicted, spacing_mm=spacing_mm)},
        "references": {"mask": write_map(tmp_path / "reference.nii", reference, spacing_mm=spacing_mm)},
    }


def test_a_row_of_the_second_version_says_what_kind_of_data_it_is(tmp_path: Path) -> None:
    given = maps(tmp_path, "##..", "##..")
    row = score_one(plan("masks"), case=make_case(evidence="phantom"), **given)
    assert (row.evidence, row.values["masks"], row.observations) == ("phantom", 1.0, {})


HD = {"function": "hd95_mm", "unit": "mm", "failed_case_counts_as": "image_diagonal"}


def test_a_failed_case_is_as_far_off_as_its_image_is_long(tmp_path: Path) -> None:
    given = maps(tmp_path, "....", "##..", spacing_mm=3.0)
    row = score_one(plan("masks", **HD), case=make_case(), outcome="failed", references=given["references"])
    assert row.values["masks"] == pytest.approx((12.0**2 + 1 + 1) ** 0.5)
    assert row.imputed == ("masks",)


def test_a_distance_to_an_empty_mask_is_the_diagonal_too_where_a_failed_case_is(tmp_path: Path) -> None:
    row = score_one(plan("masks", **HD), case=make_case(), **maps(tmp_path, "....", "##..", spacing_mm=3.0))
    assert row.values["masks"] == pytest.approx((12.0**2 + 1 + 1) ** 0.5)
    assert row.imputed == ()


def test_a_failed_difference_counts_both_ways(tmp_path: Path) -> None:
    changes = {
        "function": "volume_difference_ml", "unit": "mL", "failed_case_counts_as": "adverse", "adverse_by": 2.0,
    }  # fmt: skip
    row = score_one(plan("masks", **changes), case=make_case(), outcome="refused")
    assert observed(row, "masks") == {"value_low": (-2.0,), "value_high": (2.0,)}
    assert (row.values["masks"], row.imputed) == (None, ("masks",))


# ---- lesions and findings ------------------------------------------------------------------------------------------


def test_the_lesions_of_an_answer_are_counted(tmp_path: Path) -> None:
    row = score_one(plan("lesions"), case=make_case(), **maps(tmp_path, "##.#.#..", "#..#...#"))
    counts = {name: observed(row, "lesions")[name] for name in ("reference", "predicted", "reference_found")}
    assert counts == {"reference": (3.0,), "predicted": (3.0,), "reference_found": (2.0,)}
    assert observed(row, "lesions")["predicted_matched"] == (2.0,)
    assert row.values["lesions"] == pytest.approx(2 / 3)


def test_a_failed_case_missed_every_lesion_and_said_as_many_false_ones_as_declared(tmp_path: Path) -> None:
    references = {"mask": write_map(tmp_path / "reference.nii", "#..#...#")}
    row = score_one(plan("lesions"), case=make_case(), outcome="failed", references=references)
    found = {
        name: each
        for name, each in observed(row, "lesions").items()
        if name not in {"reference_mm3", "found"}
    }
    assert found == {
        "reference": (3.0,), "predicted": (20.0,), "reference_found": (0.0,), "predicted_matched": (0.0,),
    }  # fmt: skip
    assert (row.values["lesions"], row.imputed) == (0.0, ("lesions",))


@pytest.mark.parametrize(
    ("function", "reference", "false", "value"),
    [
        ("lesion_f1", "....", None, None),
        ("lesion_f1", "....", 20, 0.0),
        ("lesion_f1", "#...", None, 0.0),
        ("lesion_false_positives", "#...", 20, 20.0),
        ("lesion_false_positives", "....", None, 0.0),
    ],
)
def test_the_value_of_a_failed_case_is_the_worst_where_there_is_any(
    function: str, reference: str, false: int | None, value: float | None, tmp_path: Path
) -> None:
    given = plan("lesions", function=function, failed_false_positives=false)
    references = {"mask": write_map(tmp_path / "reference.nii", reference)}
    row = score_one(given, case=make_case(), outcome="failed", references=references)
    assert row.values["lesions"] == value


def test_findings_leave_their_scores_and_matches(tmp_path: Path) -> None:
    row = score_one(
        plan("findings", parameters={**FINDING_RULE, "threshold": 0.5}),
        case=make_case(),
        outputs={"found": write_points(tmp_path / "answer.json", (0.0, 0.9), (10.0, 0.4), (20.0, 0.6))},
        references={"found": write_points(tmp_path / "reference.json", (1.0, 1.0), (10.5, 1.0), (40.0, 1.0))},
    )
    assert observed(row, "findings") == {
        "scores": (0.9, 0.6, 0.4), "matched": (0.0, -1.0, 1.0), "reference": (3.0,),
        "predicted": (2.0,), "predicted_matched": (1.0,), "reference_found": (1.0,),
    }  # fmt: skip
    assert row.values["findings"] == pytest.approx(2 / 5)


def test_findings_may_be_held_against_the_lesions_of_a_label_map(tmp_path: Path) -> None:
    row = score_one(
        plan("findings", label="lesion", reference_value=1, reference_connectivity=26),
        case=make_case(),
        outputs={"found": write_points(tmp_path / "answer.json", (0.0, 0.9), (4.0, 0.8))},
        references={"found": write_map(tmp_path / "reference.nii", "##......")},
    )
    assert observed(row, "findings")["matched"] == (0.0, -1.0)
    assert observed(row, "findings")["reference"] == (1.0,)


def test_a_failed_case_found_nothing_and_was_sure_of_what_is_not_there(tmp_path: Path) -> None:
    row = score_one(
        plan("findings", failed_false_positives=2),
        case=make_case(),
        outcome="failed",
        references={"found": write_points(tmp_path / "reference.json", (1.0, 1.0))},
    )
    assert observed(row, "findings") == {
        "scores": (1.0, 1.0), "matched": (-1.0, -1.0), "reference": (1.0,), "predicted": (2.0,),
        "predicted_matched": (0.0,), "reference_found": (0.0,),
    }  # fmt: skip
    assert row.values["findings"] == 0.0


# ---- numbers -------------------------------------------------------------------------------------------------------

ML = (("volumes", "ml", 12.5),)


def test_a_number_stands_beside_its_reference() -> None:
    row = score_one(plan("numbers"), case=make_case(values={"ml": 10.0}), measured=ML)
    assert observed(row, "numbers") == {"predicted": (12.5,), "reference": (10.0,)}
    assert row.values["numbers"] == 2.5


def test_a_number_without_a_function_is_the_measurement_itself() -> None:
    given = plan("numbers", function=None, failed_case_counts_as="complete_case", adverse_by=None)
    row = score_one(given, case=make_case(), measured=ML)
    assert (row.values["numbers"], observed(row, "numbers")) == (12.5, {"predicted": (12.5,)})


@pytest.mark.parametrize(
    ("function", "unit", "low", "high", "values"),
    [
        ("difference", "mL", -40.0, 60.0, (-50.0, 50.0)),
        ("absolute_difference", "mL", -40.0, 60.0, (50.0, 50.0)),
        ("relative_difference_percent", "%", 5.0, 15.0, (-50.0, 50.0)),
    ],
)
def test_a_failed_measurement_was_too_little_and_too_much(
    function: str, unit: str, low: float, high: float, values: tuple[float, float]
) -> None:
    row = score_one(
        plan("numbers", function=function, unit=unit), case=make_case(values={"ml": 10.0}), outcome="failed"
    )
    assert observed(row, "numbers") == {
        "predicted_low": (low,), "predicted_high": (high,), "reference": (10.0,), "value_low": (values[0],),
        "value_high": (values[1],),
    }  # fmt: skip


def test_a_failed_measurement_that_has_no_reference_still_counts_both_ways() -> None:
    row = score_one(plan("numbers"), case=make_case(), outcome="failed")
    assert observed(row, "numbers") == {"value_low": (-50.0,), "value_high": (50.0,)}


# ---- classes and survival ------------------------------------------------------------------------------------------

CALL = (("grade", "label", "high"), ("grade", "probability.high", 0.7), ("grade", "probability.low", 0.3))


def test_a_call_is_its_place_among_the_classes_and_the_probability_of_the_positive_one() -> None:
    row = score_one(plan("classes"), case=make_case(classes={"grade": "low"}), measured=CALL)
    assert observed(row, "classes") == {"predicted": (1.0,), "reference": (0.0,), "score": (0.7,)}
    assert row.values["classes"] == 0.0


@pytest.mark.parametrize(
    ("classes", "reference", "predicted"),
    [
        (["low", "high"], "low", 1.0),
        (["low", "high"], "high", 0.0),
        (["low", "middle", "high"], "middle", 2.0),
        (["low", "middle", "high", "top"], "high", 0.0),
        (["high", "low", "middle"], "low", 0.0),
        (["low", "high", "top"], "low", 1.0),
    ],
)
def test_a_failed_call_is_a_false_negative_or_a_false_positive_with_certainty(
    classes: list[str], reference: str, predicted: float
) -> None:
    given = plan("classes", classes=classes, positive="high")
    row = score_one(given, case=make_case(classes={"grade": reference}), outcome="failed")
    assert observed(row, "classes")["predicted"] == (predicted,)
    assert observed(row, "classes")["score"] == (0.0 if reference == "high" else 1.0,)
    assert row.values["classes"] == 0.0


RISKS = [
    {"horizon": 12, "column": "risk_12", "port": "risks"},
    {"horizon": 24, "column": "risk_24", "port": "risks"},
]
PREDICTED = (("risk", "value", 0.4), ("risks", "risk_12", 0.2), ("risks", "risk_24", 0.5))
FOLLOWED = {"times": {"risk": 18.0}, "events": {"risk": True}, "baselines": {"risk": 0.1}}


def test_a_prediction_stands_beside_what_came_and_beside_its_comparator() -> None:
    row = score_one(plan("survival", probabilities=RISKS), case=make_case(**FOLLOWED), measured=PREDICTED)
    assert observed(row, "survival") == {
        "score": (0.4,), "time": (18.0,), "event": (1.0,), "baseline": (0.1,), "probability": (0.2, 0.5),
    }  # fmt: skip
    assert row.values["survival"] is None


def test_the_class_farthest_from_the_right_one_stands_beside_where_it_is_not_the_positive_one() -> None:
    for classes, reference, far in (
        (["low", "high", "top"], "low", (2.0,)),
        (["low", "high", "top"], "high", None),
        (["low", "middle", "high"], "low", None),
    ):
        given = plan("classes", classes=classes, positive="high")
        row = score_one(given, case=make_case(classes={"grade": reference}), outcome="failed")
        assert observed(row, "classes").get("predicted_far") == far


@pytest.mark.parametrize(
    ("event", "time", "certain"),
    [
        (True, 12.0, (0.0, 0.0)),
        (True, 18.0, (1.0, 0.0)),
        (True, 30.0, (1.0, 1.0)),
        (False, 30.0, (1.0, 1.0)),
        (False, 18.0, (1.0, 1.0)),
    ],
)
def test_a_failed_prediction_was_certain_of_the_opposite_at_each_horizon(
    event: bool, time: float, certain: tuple[float, float]
) -> None:
    case = make_case(**{**FOLLOWED, "events": {"risk": event}, "times": {"risk": time}})
    row = score_one(plan("survival", probabilities=RISKS), case=case, outcome="failed")
    found = observed(row, "survival")
    assert found["probability"] == certain
    assert (found["probability_low"], found["probability_high"]) == ((0.0, 0.0), (1.0, 1.0))
    assert "score" not in observed(row, "survival")
    assert row.imputed == ("survival",)


# ---- what no failed case has ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["masks", "lesions", "findings", "numbers", "classes", "survival"])
def test_not_met_and_complete_case_leave_no_figure(kind: str) -> None:
    nothing = {"adverse_by": None, "failed_false_positives": None}
    changes = {name: None for name in nothing if name in make_metric(kind)}
    for word, never in (("not met", (kind,)), ("complete_case", ())):
        row = score_one(plan(kind, failed_case_counts_as=word, **changes), case=make_case(), outcome="failed")
        assert (row.values[kind], row.imputed, row.never_met, row.observations) == (None, (), never, {})


@pytest.mark.parametrize("kind", ["masks", "lesions", "findings", "numbers", "classes", "survival"])
def test_a_case_that_is_to_be_refused_has_its_outcome_alone(kind: str) -> None:
    row = score_one(plan(kind), case=make_case(expected="refused"), outcome="refused")
    assert row.values == {kind: None, "outcome": 1.0}
    assert row.observations == {}


@pytest.mark.parametrize(
    ("kind", "changes", "answered", "failed"),
    [
        ("masks", {}, False, True),
        ("masks", HD, False, False),
        ("lesions", {}, False, False),
        ("findings", {}, False, False),
        ("numbers", {}, True, True),
        ("classes", {}, True, True),
        ("survival", {}, True, True),
    ],
)
def test_what_follows_from_the_records_alone_needs_no_file(
    kind: str, changes: dict[str, Any], answered: bool, failed: bool
) -> None:
    metric = plan(kind, **changes).metric(kind)
    assert (follows_from_records(metric, "ok"), follows_from_records(metric, "failed")) == (answered, failed)
    case = make_case(values={"ml": 1.0}, classes={"grade": "low"}, **FOLLOWED)
    if answered:
        assert score_one(plan(kind, **changes), case=case, measured=(*ML, *CALL, *PREDICTED)).case == "case-1"
    if failed:
        assert score_one(plan(kind, **changes), case=case, outcome="failed").case == "case-1"


# ---- plugins that do not fit ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "changes", "ports", "told"),
    [
        ("lesions", {"label": "tumour"}, {}, "has no label mask.tumour"),
        ("lesions", {"function": "dice"}, {}, "dice compares masks, not lesions"),
        ("findings", {"label": "cyst"}, {}, "finds no found.cyst"),
        ("findings", {"port": "mask"}, {}, "has no detections output mask"),
        ("numbers", {"column": "litres"}, {}, "has no column volumes.litres"),
        ("numbers", {"unit": "g"}, {}, "volumes.ml is in mL, not g"),
        ("classes", {"port": "mask"}, {}, "has no classification output mask"),
        (
            "classes",
            {"classes": ["low", "middle", "high"]},
            {},
            "tells high, low apart, not high, low, middle",
        ),
        ("classes", {}, {"grade": "quiet"}, "gives no probability of high"),
        ("survival", {"column": "lower"}, {}, "has no column risk.lower"),
        ("survival", {"probabilities": [{"horizon": 1, "column": "r"}]}, {}, "has no column risk.r"),
    ],
)
def test_a_plugin_that_does_not_put_out_what_is_judged_is_refused(
    kind: str, changes: dict[str, Any], ports: dict[str, str], told: str
) -> None:
    changed = {}
    if ports:
        classes = [{"name": name, "summary": "A class."} for name in ("high", "low")]
        changed["grade"] = output_port("classification", name="grade", classes=classes, probabilities=False)
    manifest: Manifest = make_manifest(**changed)
    metric = plan(kind, **changes).metric(kind)
    with pytest.raises(KitFitError, match=told):
        SCORERS[metric.kind].check(metric, manifest, ())


@pytest.mark.parametrize("kind", ["masks", "lesions", "findings", "numbers", "classes", "survival"])
def test_a_plugin_that_puts_out_what_is_judged_fits(kind: str) -> None:
    metric = plan(kind).metric(kind)
    SCORERS[metric.kind].check(metric, make_manifest(), (make_case(classes={"grade": "low"}),))


def test_a_reference_class_that_the_plugin_does_not_tell_is_refused() -> None:
    metric = plan("classes").metric("classes")
    with pytest.raises(KitFitError, match=r"case case-1: class.grade is 'middle', which is no class of it"):
        SCORERS["classes"].check(metric, make_manifest(), (make_case(classes={"grade": "middle"}),))
