"""Lesions are counted by the rule that was declared, and by no other."""

import math
from typing import Any

import numpy as np
import pytest

from host.metrics.components import Components, Connectivity
from host.metrics.lattice import Lattice
from host.metrics.lesions import LesionMatch, LesionRule, lesion_detection, match_lesions
from tests.support.masks import pair, voxels

ANY = LesionRule(connectivity=26, matching="any_overlap", assignment="many_to_many")


def row(*lesions: tuple[int, int], length: int = 40) -> np.ndarray:
    """A mask of one row, with lesions from and to a voxel."""
    mask = np.zeros((length, 1, 1), bool)
    for first, end in lesions:
        mask[first:end] = True
    return mask


def matched(
    predicted: list[tuple[int, int]], reference: list[tuple[int, int]], **changes: Any
) -> LesionMatch:
    rule = LesionRule(**{**vars(ANY), **changes})
    return match_lesions(pair(row(*predicted), row(*reference)), rule)


def counts(found: LesionMatch) -> tuple[int, int, int, int]:
    """Reference lesions, those found, predicted lesions, those right."""
    return found.found.size, int(found.found.sum()), found.right.size, int(found.right.sum())


def components(mask: np.ndarray, connectivity: Connectivity) -> int:
    lattice = Lattice.around(mask.shape)
    return Components.of(lattice, lattice.row(mask), connectivity).count


def test_connectivity_decides_what_is_one_lesion() -> None:
    mask = np.zeros((3, 3, 3), bool)
    mask[0, 0, 0] = mask[0, 0, 1] = True  # a face apart from the first, an edge and a corner from the next
    mask[1, 1, 1] = mask[2, 2, 2] = True
    assert [components(mask, one) for one in (6, 18, 26)] == [3, 2, 1]
    assert [components(mask[0], one) for one in (6, 18, 26)] == [1, 1, 1]
    assert [components(np.eye(3, dtype=bool), one) for one in (6, 18, 26)] == [3, 1, 1]


def test_one_shared_voxel_is_an_overlap_and_a_neighbour_is_none() -> None:
    assert counts(matched([(4, 8)], [(7, 10)])) == (1, 1, 1, 1)
    assert counts(matched([(4, 7)], [(7, 10)])) == (1, 0, 1, 0)


def test_a_predicted_lesion_over_two_finds_both_or_one_as_the_assignment_says() -> None:
    # Carass et al. 2017 count both as found; paired one to one, the other is missed.
    predicted, reference = [(2, 12)], [(2, 5), (7, 12)]
    assert counts(matched(predicted, reference)) == (2, 2, 1, 1)
    assert counts(matched(predicted, reference, assignment="one_to_one")) == (2, 1, 1, 1)
    assert counts(matched(reference, predicted)) == (1, 1, 2, 2)
    assert counts(matched(reference, predicted, assignment="one_to_one")) == (1, 1, 2, 1)


def test_one_to_one_takes_the_larger_share_and_as_many_pairs_as_possible() -> None:
    one = matched([(2, 12)], [(2, 5), (7, 12)], assignment="one_to_one")
    assert one.found.tolist() == [False, True]
    # The first predicted lesion shares most with the second reference one, but then the second finds nothing.
    most = matched([(0, 10), (12, 14)], [(0, 2), (3, 14)], assignment="one_to_one")
    assert counts(most) == (2, 2, 2, 2)


def test_a_covered_fraction_is_of_the_lesion_and_of_all_that_covers_it() -> None:
    predicted, reference = [(0, 3), (5, 8)], [(0, 10)]
    assert counts(matched(predicted, reference, matching="overlap_fraction", threshold=0.6)) == (1, 1, 2, 2)
    assert counts(matched(predicted, reference, matching="overlap_fraction", threshold=0.61)) == (1, 0, 2, 2)
    # One to one, each alone covers three tenths.
    one = {"matching": "overlap_fraction", "assignment": "one_to_one"}
    assert counts(matched(predicted, reference, threshold=0.3, **one)) == (1, 1, 2, 1)
    assert counts(matched(predicted, reference, threshold=0.31, **one)) == (1, 0, 2, 0)


@pytest.mark.parametrize("assignment", ["many_to_many", "one_to_one"])
@pytest.mark.parametrize(("threshold", "found"), [(0.5, 1), (0.51, 0)])
def test_intersection_over_union_reaches_its_threshold_when_equal(
    assignment: str, threshold: float, found: int
) -> None:
    # 4 voxels common, 8 in all.
    got = matched([(0, 6)], [(2, 8)], matching="iou", threshold=threshold, assignment=assignment)
    assert counts(got) == (1, found, 1, found)


def test_small_lesions_are_dropped_from_both_sides_before_matching() -> None:
    predicted, reference = [(0, 1), (10, 14)], [(0, 6), (20, 22), (30, 33)]
    assert counts(matched(predicted, reference)) == (3, 1, 2, 1)
    assert counts(matched(predicted, reference, minimum_voxels=3.0)) == (2, 0, 1, 0)
    assert counts(matched(predicted, reference, minimum_mm3=3.0)) == (2, 0, 1, 0)


def test_a_volume_equal_to_the_minimum_counts_though_spacing_is_single_precision() -> None:
    step_mm = float(np.float32(1.1))
    masks = pair(row((0, 3)), row((0, 3)), (step_mm, 1.0, 1.0))
    rule = LesionRule(**{**vars(ANY), "minimum_mm3": 3.3})
    assert counts(match_lesions(masks, rule)) == (1, 1, 1, 1)


def test_sizes_and_fates_of_the_reference_are_listed_lesion_by_lesion() -> None:
    masks = pair(row((0, 2), (10, 11)), row((0, 4), (20, 23)), (1.0, 2.0, 0.5))
    answer = lesion_detection(masks, figure="f1", **vars(ANY))
    assert answer.value == 0.5
    assert answer.observations == {
        "reference": (2.0,),
        "predicted": (2.0,),
        "reference_found": (1.0,),
        "predicted_matched": (1.0,),
        "reference_mm3": (4.0, 3.0),
        "found": (1.0, 0.0),
    }


def test_lesions_come_in_one_order_however_the_masks_lie_in_memory() -> None:
    reference = np.zeros((5, 5, 5), bool)
    reference[0, 4, 4] = reference[2, 2, 2:4] = reference[4, 0, 0:3] = True
    for order in ("C", "F"):
        masks = pair(np.zeros((5, 5, 5), bool, order=order), np.asarray(reference, order=order))
        assert match_lesions(masks, ANY).reference_mm3.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("sizes", "sensitivity", "precision", "f1", "false_positives"),
    [
        ((0, 0), math.nan, math.nan, math.nan, 0.0),
        ((0, 5), 0.0, 0.0, 0.0, 0.0),
        ((5, 0), math.nan, 0.0, 0.0, 1.0),
        ((5, 5), 1.0, 1.0, 1.0, 0.0),
    ],
)
@pytest.mark.parametrize("assignment", ["many_to_many", "one_to_one"])
def test_masks_without_lesions_are_not_evaluable_or_as_bad_as_can_be(
    sizes: tuple[int, int],
    sensitivity: float,
    precision: float,
    f1: float,
    false_positives: float,
    assignment: str,
) -> None:
    for matching in ("any_overlap", "overlap_fraction", "iou"):
        rule = {**vars(ANY), "matching": matching, "assignment": assignment}
        got = match_lesions(voxels(*sizes), LesionRule(**rule))
        expected = (sensitivity, precision, f1, false_positives)
        assert (got.sensitivity, got.precision, got.f1, got.false_positives) == pytest.approx(
            expected, nan_ok=True
        )


def test_where_nothing_fits_f1_is_zero() -> None:
    assert matched([(0, 3)], [(5, 8)]).f1 == 0.0


def test_metrics_of_one_rule_share_one_matching() -> None:
    masks = voxels(5, 5)
    assert match_lesions(masks, ANY) is match_lesions(masks, LesionRule(**vars(ANY)))
    assert match_lesions(masks, ANY) is not match_lesions(
        masks, LesionRule(**{**vars(ANY), "threshold": 0.5})
    )
