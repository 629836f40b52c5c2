"""Areas under ROC curves against SAS and pROC (oracle 4), and against counting pairs."""

import math

import numpy as np
import pytest
from scipy.integrate import trapezoid
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from host.statistics import ovarian
from host.statistics.roc import auc, compare_jointly, compare_paired, compare_unpaired, midranks, roc_curve
from tests.support import asah
from tests.support.case_weights import NORMAL, standard_error

KG = tuple(10 - score for score in ovarian.KG_SCORE)
BENEFIT = np.array(ovarian.BENEFIT, bool)
POOR = np.array(asah.POOR, bool)


@pytest.mark.parametrize(
    ("marker", "area", "error"),
    [
        (ovarian.ALBUMIN, 0.73656, 0.09269),
        (ovarian.TOTAL_PROTEIN, 0.64785, 0.10005),
        (KG, 0.72581, 0.10282),
    ],
)
def test_the_ovarian_areas_and_errors_are_those_printed_by_sas(marker, area, error):
    found = auc(marker, BENEFIT)
    assert found.value == pytest.approx(area, abs=5e-6)
    assert standard_error(found) == pytest.approx(error, abs=5e-6)
    assert (found.n, found.method) == (43, "DeLong")


def test_the_joint_test_of_the_ovarian_markers_is_that_printed_by_sas():
    found = compare_jointly([ovarian.ALBUMIN, ovarian.TOTAL_PROTEIN, KG], BENEFIT)
    assert found.chi_square == pytest.approx(2.53398, abs=5e-6)
    assert found.degrees_of_freedom == 2
    assert found.p_value == pytest.approx(math.exp(-found.chi_square / 2))


def test_the_joint_test_does_not_depend_on_the_order_of_the_markers():
    markers = [ovarian.ALBUMIN, ovarian.TOTAL_PROTEIN, KG]
    first, second = compare_jointly(markers, BENEFIT), compare_jointly(markers[::-1], BENEFIT)
    assert first.chi_square == pytest.approx(second.chi_square)


# The tests of pROC: tests/testthat/test-ci.auc.R, r_ci.auc.R and test-roc.test.R.
@pytest.mark.parametrize(
    ("marker", "low", "area", "high"),
    [
        (asah.NDKA, 0.501244999271703, 0.611957994579946, 0.722670989888189),
        (asah.WFNS, 0.748534887819453, 0.823678861788618, 0.898822835757783),
    ],
)
def test_the_areas_of_asah_are_those_of_proc(marker, low, area, high):
    found = auc(marker, POOR)
    assert (found.low, found.value, found.high) == pytest.approx((low, area, high), abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "z", "p", "low", "high"),
    [
        (asah.WFNS, asah.S100B, 2.20898359144091, 0.0271757822291882, 0.0104061769564846, 0.174214419249478),
        (asah.WFNS, asah.NDKA, 2.79777591868904, 0.00514557970691098, 0.0634011709339876, 0.3600405634833566),
        (
            asah.NDKA,
            asah.S100B,
            -1.39077002573558,
            0.164295175223054,
            -0.2876917446341914,
            0.0488706064228094,
        ),
    ],
)
def test_paired_comparisons_of_asah_are_those_of_proc(first, second, z, p, low, high):
    found = compare_paired(first, second, POOR)
    assert (found.statistic, found.p_value) == pytest.approx((z, p), rel=1e-10)
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high), rel=1e-10)


@pytest.mark.parametrize(
    ("first", "second", "t", "p"),
    [
        (asah.WFNS, asah.S100B, 1.43490640926908, 0.152825378808796),
        (asah.WFNS, asah.NDKA, 3.10125096778969, 0.00220950791756457),
        (asah.NDKA, asah.S100B, -1.55995743389685, 0.120192832430845),
    ],
)
def test_unpaired_comparisons_of_asah_are_those_of_proc(first, second, t, p):
    found = compare_unpaired((first, POOR), (second, POOR))
    assert (found.statistic, found.p_value) == pytest.approx((t, p), rel=1e-10)
    assert found.difference.n == 226


def test_areas_and_curves_are_those_of_scikit_learn():
    for marker in (asah.NDKA, asah.S100B, asah.WFNS):
        assert auc(marker, POOR).value == pytest.approx(roc_auc_score(POOR, marker), abs=1e-14)
        found = roc_curve(marker, POOR)
        alarms, sensitivity, thresholds = sklearn_roc_curve(POOR, marker, drop_intermediate=False)
        np.testing.assert_allclose(found.sensitivity, sensitivity)
        np.testing.assert_allclose(found.specificity, 1 - alarms)
        np.testing.assert_array_equal(found.thresholds, thresholds)


def test_the_mid_rank_form_agrees_with_counting_every_pair():
    random = np.random.RandomState(3)
    scores, positive = random.randint(0, 6, 60).astype(float), random.rand(60) < 0.4
    pairs = (scores[positive][:, None] > scores[~positive]) + 0.5 * (
        scores[positive][:, None] == scores[~positive]
    )
    variance = (
        pairs.mean(axis=1).var(ddof=1) / pairs.shape[0] + pairs.mean(axis=0).var(ddof=1) / pairs.shape[1]
    )
    found = auc(scores, positive)
    assert found.value == pytest.approx(pairs.mean())
    assert standard_error(found) == pytest.approx(math.sqrt(variance))


def test_the_trapezia_under_the_curve_make_the_area():
    curve = roc_curve(asah.WFNS, POOR)
    area = trapezoid(curve.sensitivity, 1 - curve.specificity)
    assert area == pytest.approx(auc(asah.WFNS, POOR).value)


def test_tied_values_share_the_mean_of_their_ranks():
    np.testing.assert_array_equal(midranks(np.array([3.0, 1.0, 3.0, 2.0, 3.0])), [4, 1, 4, 2, 4])


def test_the_logit_interval_stays_inside_and_the_plain_one_is_cut_off():
    scores = [1, 2, 3, 4, 5, 6, 7, 8, 10, 9, 11, 12]
    positive = np.arange(12) >= 8
    positive[7] = True
    positive[8] = False
    plain, logit = auc(scores, positive), auc(scores, positive, scale="logit")
    assert plain.high == 1.0
    assert logit.value == plain.value
    assert plain.low < logit.high < 1.0
    error = (plain.value - plain.low) / NORMAL
    odds = math.log(logit.high / (1 - logit.high)) - math.log(logit.value / (1 - logit.value))
    assert odds == pytest.approx(NORMAL * error / (logit.value * (1 - logit.value)))


def test_complete_separation_has_an_area_but_no_interval():
    for scale in ("identity", "logit"):
        found = auc([1, 2, 3, 4], [False, False, True, True], scale=scale)
        assert found.value == 1.0
        assert not found.has_interval
        assert "separate the classes completely" in found.reason


def test_scores_that_are_all_equal_have_no_interval_either():
    found = auc([2.0] * 6, [True, False] * 3)
    assert found.value == 0.5
    assert found.reason == "the scores do not vary as DeLong's variance needs: it is zero"
    flat = ([2.0] * 6, [True, False] * 3)
    assert compare_unpaired(flat, flat).difference.reason == found.reason


def test_a_class_without_cases_is_not_estimable():
    found = auc([1, 2], [True, True])
    assert math.isnan(found.value)
    assert found.reason == "there is no negative case"
    assert auc([], []).reason == "there is no positive case"


def test_a_single_case_of_a_class_has_no_interval():
    found = auc([1, 3, 2], [False, True, False])
    assert found.value == 1.0
    assert found.reason == "there are 1 positive and 2 negative cases"


def test_a_case_without_a_score_is_never_ranked():
    found = auc([1, math.nan, 2, 4], [False, True, False, True])
    assert math.isnan(found.value)
    assert found.reason == "1 cases have no score"
    with pytest.raises(ValueError, match="NaN"):
        roc_curve([1, math.nan], [True, False])


def test_a_marker_compared_with_itself_has_no_test():
    found = compare_paired(asah.NDKA, asah.NDKA, POOR)
    assert found.difference.value == 0.0
    assert not found.difference.has_interval
    assert math.isnan(found.p_value)
    joint = compare_jointly([asah.NDKA, asah.S100B, asah.NDKA], POOR)
    assert math.isnan(joint.chi_square)
    assert "no invertible covariance" in joint.reason


def test_comparisons_say_why_they_cannot_be_made():
    nobody = np.zeros(113, bool)
    assert compare_paired(asah.NDKA, asah.WFNS, nobody).difference.reason == "there is no positive case"
    assert (
        compare_unpaired((asah.NDKA, POOR), (asah.WFNS, nobody)).difference.reason
        == "there is no positive case"
    )
    assert compare_jointly([asah.NDKA, asah.WFNS], nobody).reason == "there is no positive case"


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="shapes"):
        auc([1, 2, 3], [True, False])
    with pytest.raises(ValueError, match="needs two scores"):
        compare_jointly([[1, 2]], [True, False])
