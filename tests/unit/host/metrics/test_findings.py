"""Findings are matched by score, one to one, as near or as alike as was declared."""

import math
from typing import Any

import numpy as np
import pytest

from host.metrics.findings import (
    FindingMatch,
    FindingRule,
    Findings,
    FindingsPair,
    finding_detection,
    match_findings,
)
from plugin_spec.documents import Detection, DetectionsDocument

WITHIN_5_MM = {"nearness": "distance", "limit_mm": 5.0}
Place = tuple[float, float, float]


def findings(*detections: Detection) -> Findings:
    return Findings.of_document(
        DetectionsDocument(contract="assay.detections/1", frame="LPS", detections=detections)
    )


def point(x: float, score: float | None = None, label: str = "lesion") -> Detection:
    return Detection(label=label, point=(x, 0.0, 0.0), score=score)


def box(lower: Place, upper: Place, score: float | None = None) -> Detection:
    return Detection(label="lesion", box=(lower, upper), score=score)


def matched(predicted: Findings, reference: Findings, **rule: Any) -> FindingMatch:
    return match_findings(FindingsPair(predicted, reference), FindingRule(**rule))


def test_the_highest_score_chooses_first_and_the_nearest() -> None:
    predicted = findings(point(4.0, 0.2), point(1.0, 0.9), point(90.0, 0.5))
    got = matched(predicted, findings(point(0.0), point(6.0)), **WITHIN_5_MM)
    assert got.scores.tolist() == [0.9, 0.5, 0.2]
    assert got.matched.tolist() == [0, -1, 1]
    assert got.reference == 2


def test_what_a_threshold_leaves_is_matched_as_before() -> None:
    draw = np.random.RandomState(5)
    predicted = [point(float(x), float(score)) for x, score in draw.random_sample((40, 2)) * (60, 1)]
    reference = findings(*(point(float(x)) for x in draw.random_sample(12) * 60))
    every = matched(findings(*predicted), reference, **WITHIN_5_MM)
    for threshold in (0.2, 0.5, 0.8):
        some = findings(*(one for one in predicted if (one.score or 0) >= threshold))
        got = matched(some, reference, **WITHIN_5_MM)
        assert got.matched.tolist() == every.matched[every.scores >= threshold].tolist()


@pytest.mark.parametrize(("repeats", "expected"), [("false", [0, -1, -1]), ("ignored", [0, -1])])
def test_a_second_finding_on_the_same_lesion_counts_as_declared(repeats: str, expected: list[int]) -> None:
    predicted = findings(point(0.0, 0.9), point(1.0, 0.8), point(50.0, 0.7))
    got = matched(predicted, findings(point(0.0)), repeats=repeats, **WITHIN_5_MM)
    assert got.matched.tolist() == expected


@pytest.mark.parametrize(("x", "expected"), [(5.0, 0), (5.01, -1)])
def test_a_distance_equal_to_the_limit_is_within(x: float, expected: int) -> None:
    got = matched(findings(point(x, 0.9)), findings(point(0.0)), **WITHIN_5_MM)
    assert got.matched.tolist() == [expected]


def test_a_centre_inside_the_references_box_is_at_no_distance() -> None:
    reference = findings(box((0, 0, 0), (10, 10, 10)))
    inside = findings(box((4, 4, 4), (14, 14, 14), 0.5))  # its centre is (9, 9, 9)
    outside = findings(box((8, 8, 8), (14, 14, 14), 0.5))  # its centre is (11, 11, 11)
    assert matched(inside, reference, nearness="distance").matched.tolist() == [0]
    assert matched(outside, reference, nearness="distance", limit_mm=1.7).matched.tolist() == [-1]
    assert matched(outside, reference, nearness="distance", limit_mm=1.74).matched.tolist() == [0]


@pytest.mark.parametrize(("minimum", "expected"), [(0.0, 0), (1 / 3, 0), (0.34, -1)])
def test_boxes_are_as_alike_as_their_intersection_over_union(minimum: float, expected: int) -> None:
    predicted = findings(box((0, 0, 0), (2, 1, 1), 0.5))
    reference = findings(box((1, 0, 0), (3, 1, 1)))
    assert matched(predicted, reference, nearness="iou", minimum_iou=minimum).matched.tolist() == [expected]


def test_boxes_that_touch_or_have_no_extent_are_not_alike() -> None:
    flat = findings(box((0, 0, 0), (1, 1, 1), 0.5), point(0.5, 0.4))
    reference = findings(box((1, 0, 0), (3, 1, 1)), point(0.5))
    assert matched(flat, reference, nearness="iou").matched.tolist() == [-1, -1]


def test_a_finding_of_another_label_is_no_match() -> None:
    predicted = findings(point(0.0, 0.9, "cyst"), point(1.0, 0.8))
    reference = findings(point(0.0), point(0.0, label="cyst"))
    assert matched(predicted, reference, **WITHIN_5_MM).matched.tolist() == [1, 0]
    only = matched(predicted.only("lesion"), reference.only("lesion"), **WITHIN_5_MM)
    assert (only.matched.tolist(), only.scores.tolist(), only.reference) == ([0], [0.8], 1)


AFFINE_RAS = np.diag([2.0, 3.0, 4.0, 1.0])
AFFINE_RAS[:3, 3] = (10.0, 20.0, 30.0)


def lesions() -> Findings:
    mask = np.zeros((8, 6, 5), bool)
    mask[0:2, 0, 0] = mask[5, 4, 3] = True
    return Findings.of_mask(mask, affine_ras=AFFINE_RAS.tolist(), connectivity=26, label="lesion")


def test_lesions_of_a_mask_are_findings_in_patient_coordinates() -> None:
    got = lesions()
    # Voxel centres (10, 20, 30), (12, 20, 30) and (20, 32, 42) in RAS; LPS changes the first two signs.
    assert got.lower_mm.tolist() == [[-13.0, -21.5, 28.0], [-21.0, -33.5, 40.0]]
    assert got.upper_mm.tolist() == [[-9.0, -18.5, 32.0], [-19.0, -30.5, 44.0]]
    near = findings(Detection(label="lesion", point=(-12.0, -20.0, 33.0), score=0.5))
    assert matched(near, got, nearness="distance", limit_mm=3.0).matched.tolist() == [0]
    assert matched(near, got, nearness="distance", limit_mm=2.9).matched.tolist() == [-1]
    boxed = findings(box((-21, -33.5, 40), (-19, -30.5, 44), 0.5))
    assert matched(boxed, got, nearness="iou", minimum_iou=1.0).matched.tolist() == [1]


def test_lesions_of_one_label_keep_their_voxels() -> None:
    both = lesions()
    mixed = Findings(both.lower_mm, both.upper_mm, ("other", "lesion"), both.scores, both.voxels)
    near = findings(Detection(label="lesion", point=(-20.0, -32.0, 42.0), score=0.5))
    assert matched(near, mixed.only("lesion"), nearness="distance").matched.tolist() == [0]


def test_an_oblique_voxels_box_holds_all_its_corners() -> None:
    turn = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    affine = np.eye(4)
    affine[:3, :3] = turn * (1.0, 2.0, 3.0)
    got = Findings.of_mask(
        np.ones((1, 1, 1), bool), affine_ras=affine.tolist(), connectivity=6, label="lesion"
    )
    corners = np.array(
        [turn @ ((i, 2 * j, 3 * k)) for i in (-0.5, 0.5) for j in (-0.5, 0.5) for k in (-0.5, 0.5)]
    )
    corners *= (-1, -1, 1)
    assert got.lower_mm[0] == pytest.approx(corners.min(axis=0))
    assert got.upper_mm[0] == pytest.approx(corners.max(axis=0))


def figure(name: str, predicted: Findings, reference: Findings, **more: Any) -> float:
    pair = FindingsPair(predicted, reference)
    return finding_detection(pair, figure=name, **{**WITHIN_5_MM, **more}).value


def test_a_cases_own_figures_are_those_at_its_threshold() -> None:
    predicted = findings(point(0.0, 0.9), point(40.0, 0.6), point(20.0, 0.3))
    reference = findings(point(0.0), point(20.0), point(80.0))
    assert figure("sensitivity", predicted, reference) == 2 / 3
    assert figure("false_positives", predicted, reference) == 1.0
    assert figure("f1", predicted, reference) == 4 / 6
    assert figure("sensitivity", predicted, reference, threshold=0.5) == 1 / 3
    assert figure("false_positives", predicted, reference, threshold=0.6) == 1.0
    assert figure("false_positives", predicted, reference, threshold=0.61) == 0.0
    assert figure("f1", predicted, reference, threshold=0.5) == 2 / 5


def test_scores_and_matches_of_every_finding_are_kept_for_froc() -> None:
    pair = FindingsPair(findings(point(0.0, 0.1), point(40.0, 0.6)), findings(point(0.0)))
    answer = finding_detection(pair, figure="f1", threshold=0.5, **WITHIN_5_MM)
    assert answer.observations == {"scores": (0.6, 0.1), "matched": (-1.0, 0.0), "reference": (1.0,)}


def test_cases_without_findings() -> None:
    nothing, something = findings(), findings(point(0.0, 0.5))
    assert math.isnan(figure("sensitivity", nothing, nothing))
    assert math.isnan(figure("f1", nothing, nothing))
    assert figure("false_positives", nothing, nothing) == 0.0
    assert math.isnan(figure("sensitivity", something, nothing))
    assert (figure("f1", something, nothing), figure("false_positives", something, nothing)) == (0.0, 1.0)
    assert (figure("f1", nothing, something), figure("sensitivity", nothing, something)) == (0.0, 0.0)
    empty = Findings.of_mask(
        np.zeros((2, 2, 2), bool), affine_ras=np.eye(4).tolist(), connectivity=6, label="lesion"
    )
    assert figure("false_positives", something, empty) == 1.0


def test_a_finding_without_score_is_certain() -> None:
    got = matched(findings(point(0.0)), findings(point(1.0)), **WITHIN_5_MM)
    assert (got.scores.tolist(), got.matched.tolist()) == ([1.0], [0])
