"""Free-response figures against counting by hand, against ROC where both are defined, and by resampling."""

import math

import numpy as np
import pytest

from host.statistics.bootstrap import cluster_bootstrap
from host.statistics.clustered import clustered_proportion
from host.statistics.froc import (
    Findings,
    false_positives_per_case,
    froc_curve,
    lesion_f1,
    lesion_precision,
    lesion_sensitivity,
    sensitivity_at,
)
from host.statistics.roc import roc_curve
from tests.support.case_weights import error_by_jackknife, standard_error

# Four cases: two lesions, one, none, one. The second detection of case 0 hits the lesion that the first found.
SCORES = ([0.9, 0.8, 0.3], [0.7, 0.7], [0.6], [])
MATCHED = ([0, 0, 1], [-1, 0], [-1], [])
LESIONS = [2, 1, 0, 1]


def many(cases=60, seed=5):
    """Cases with up to four lesions, most of them found, and some false positives."""
    random = np.random.RandomState(seed)
    lesions = random.randint(0, 5, cases)
    matched = [
        np.concatenate([np.flatnonzero(random.rand(count) < 0.8), np.full(random.poisson(1.5), -1)])
        for count in lesions
    ]
    scores = [random.normal(np.where(one >= 0, 1.0, 0.0), 1.0) for one in matched]
    return scores, matched, lesions


def by_hand(threshold, scores, matched, lesions):
    """False positives per case and sensitivity by looking at each case."""
    found = false = 0
    for score, hit in zip(scores, matched, strict=True):
        counted = [one for one, height in zip(hit, score, strict=True) if height >= threshold]
        found += len({one for one in counted if one >= 0})
        false += sum(one < 0 for one in counted)
    return false / len(lesions), found / sum(lesions)


def test_the_curve_counts_each_lesion_once_and_moves_equal_scores_together():
    curve = froc_curve(SCORES, MATCHED, LESIONS)
    np.testing.assert_array_equal(curve.thresholds, [math.inf, 0.9, 0.8, 0.7, 0.6, 0.3])
    np.testing.assert_allclose(curve.false_positives_per_case, [0, 0, 0, 0.25, 0.5, 0.5])
    np.testing.assert_allclose(curve.sensitivity, [0, 0.25, 0.25, 0.5, 0.5, 0.75])


def test_every_point_is_what_counting_by_hand_gives():
    cases = many()
    curve = froc_curve(*cases)
    for place, threshold in enumerate(curve.thresholds):
        expected = by_hand(threshold, *cases)
        found = curve.false_positives_per_case[place], curve.sensitivity[place]
        assert found == pytest.approx(expected), threshold


def test_one_detection_per_case_makes_it_the_roc_curve():
    random = np.random.RandomState(6)
    score, positive = random.normal(size=50).round(1), random.rand(50) < 0.5
    curve = froc_curve(score[:, None], np.where(positive, 0, -1)[:, None], positive)
    roc = roc_curve(score, positive)
    np.testing.assert_allclose(curve.sensitivity, roc.sensitivity)
    np.testing.assert_allclose(
        curve.false_positives_per_case, (1 - roc.specificity) * np.count_nonzero(~positive) / 50
    )


def test_sensitivity_is_that_of_the_lowest_threshold_with_few_enough_false_positives():
    findings = Findings.of(SCORES, MATCHED, LESIONS)
    assert [findings.sensitivity_at(rate) for rate in (0.0, 0.24, 0.25, 0.49, 0.5, 9.0)] == [
        0.25, 0.25, 0.5, 0.5, 0.75, 0.75,
    ]  # fmt: skip


def test_a_resample_is_the_sample_of_the_cases_drawn():
    scores, matched, lesions = many()
    drawn = np.random.RandomState(1).randint(0, 60, 60)
    again = froc_curve([scores[one] for one in drawn], [matched[one] for one in drawn], lesions[drawn])
    found = Findings.of(scores, matched, lesions).curve(drawn)
    seen = np.isin(found.thresholds, again.thresholds)
    np.testing.assert_allclose(found.sensitivity[seen], again.sensitivity)
    np.testing.assert_allclose(found.false_positives_per_case[seen], again.false_positives_per_case)


def test_its_interval_resamples_subjects_and_their_thresholds():
    cases, subjects = many(), np.arange(60) // 2
    found = sensitivity_at(*cases, false_positives_per_case=0.5, subjects=subjects, seed=3)
    findings = Findings.of(*cases)
    expected = cluster_bootstrap(lambda drawn: findings.sensitivity_at(0.5, drawn), subjects, seed=3)
    assert found == expected
    assert found.n == 30
    assert found.low < found.value < found.high


def test_no_lesion_has_no_sensitivity_and_no_detection_none():
    nothing = sensitivity_at([[0.5]], [[-1]], [0], false_positives_per_case=1.0, subjects=["a"], seed=1)
    assert math.isnan(nothing.value)
    assert nothing.reason == "there is no lesion"
    curve = froc_curve([[], []], [[], []], [1, 2])
    assert (curve.sensitivity.tolist(), curve.false_positives_per_case.tolist()) == ([0.0], [0.0])
    assert np.isnan(froc_curve([], [], []).sensitivity).all()


def test_sensitivity_and_precision_pool_lesions_and_count_subjects():
    found, lesions = np.array([2, 0, 0, 3]), np.array([2, 1, 0, 4])
    assert lesion_sensitivity(found, lesions) == clustered_proportion(found, lesions)
    assert lesion_precision(found, lesions, subjects="aabb").n == 2
    assert lesion_sensitivity(found, lesions).value == 5 / 7
    assert lesion_sensitivity(found, lesions).n == 3


def test_false_positives_are_counted_over_all_cases():
    found = false_positives_per_case([0, 2, 1, 0, 3])
    assert (found.value, found.n) == (1.2, 5)
    assert found.low < 1.2 < found.high


def test_f1_is_the_dice_of_the_lesions_where_both_sides_match_alike():
    found = lesion_f1([2, 1], [3, 4], [2, 1], [5, 2])
    assert found.value == pytest.approx(2 * 3 / (7 + 7))


def test_the_interval_of_f1_is_that_of_the_jackknife():
    random = np.random.RandomState(2)
    lesions, predicted = random.randint(1, 6, 80), random.randint(1, 6, 80)
    found = random.binomial(lesions, 0.7)
    right = np.minimum(predicted, found)
    columns = np.array([found, lesions, right, predicted])
    expected = error_by_jackknife(lambda *counts: lesion_f1(*counts).value, columns)
    assert standard_error(lesion_f1(*columns)) == pytest.approx(expected, rel=0.03)


def test_f1_at_its_ends_is_said():
    assert math.isnan(lesion_f1([0], [0], [0], [0]).value)
    assert lesion_f1([], [], [], []).reason == "there is no lesion"
    for counts in (([0], [3], [0], [0]), ([0], [0], [0], [2]), ([0], [3], [0], [2])):
        found = lesion_f1(*counts)
        assert (found.value, found.reason) == (0.0, "no lesion is found: the variance is zero")
    perfect = lesion_f1([2, 1], [2, 1], [2, 1], [2, 1])
    assert perfect.value == 1.0
    assert not perfect.has_interval


def test_observations_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="not of the same cases"):
        Findings.of([[0.5]], [[0, 1]], [2])
    with pytest.raises(ValueError, match="not of the same cases"):
        Findings.of([[0.5]], [[0]], [1, 2])
    for score, hit in (([0.5], [1]), ([math.nan], [0]), ([0.5], [-2])):
        with pytest.raises(ValueError, match="a score is NaN, or"):
            Findings.of([score], [hit], [1])
    with pytest.raises(ValueError, match="-1 false positives"):
        sensitivity_at(SCORES, MATCHED, LESIONS, false_positives_per_case=-1, subjects="abcd", seed=1)
    with pytest.raises(ValueError, match="not of the same cases"):
        lesion_f1([1], [1, 2], [1], [1])
    with pytest.raises(ValueError, match="than there are"):
        lesion_f1([2], [1], [1], [1])
