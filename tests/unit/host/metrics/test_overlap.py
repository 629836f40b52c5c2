"""Overlap from the counts of a pair."""

import math

import numpy as np

from host.metrics.overlap import dice, jaccard, label_dice, voxel_precision, voxel_sensitivity
from tests.support.masks import voxels


def test_overlap_is_what_the_counts_say() -> None:
    masks = voxels(30, 40)  # the first 30 voxels are in both
    assert dice(masks) == 60 / 70
    assert jaccard(masks) == 30 / 40
    assert voxel_sensitivity(masks) == 30 / 40
    assert voxel_precision(masks) == 1.0


def test_two_empty_masks_have_no_overlap_to_speak_of() -> None:
    for metric in (dice, jaccard, voxel_sensitivity, voxel_precision):
        assert math.isnan(metric(voxels(0, 0)))


def test_an_empty_answer_to_something_is_as_bad_as_can_be() -> None:
    for metric in (dice, jaccard, voxel_sensitivity, voxel_precision):
        assert metric(voxels(0, 5)) == 0.0


def test_where_there_is_nothing_to_find_sensitivity_is_not_evaluable_and_all_else_is_wrong() -> None:
    assert math.isnan(voxel_sensitivity(voxels(5, 0)))
    for metric in (dice, jaccard, voxel_precision):
        assert metric(voxels(5, 0)) == 0.0


def test_labels_are_compared_value_by_value() -> None:
    one = np.array([[[0, 1, 1, 2]]])
    other = np.array([[[0, 1, 2, 2]]])
    assert (label_dice(one, other, 1), label_dice(one, other, 2)) == (2 / 3, 2 / 3)
    assert math.isnan(label_dice(one, other, 3))
