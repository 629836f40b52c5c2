"""Brier scores and calibration against scikit-learn, R and their own definitions."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from host.statistics.probability import (
    brier,
    brier_skill,
    calibration_bins,
    calibration_intercept,
    calibration_slope,
    logistic_fit,
    observed_expected,
)
from host.statistics.proportions import clopper_pearson, wilson
from tests.support.case_weights import error_by_jackknife, standard_error

EVERY = (brier, brier_skill, calibration_slope, calibration_intercept, observed_expected)

# Motor Trend 1974 in Henderson and Velleman (1981), R's `mtcars`: weight, and whether the transmission is manual.
WEIGHT = np.array(
    [
        2.620,
        2.875,
        2.320,
        3.215,
        3.440,
        3.460,
        3.570,
        3.190,
        3.150,
        3.440,
        3.440,
        4.070,
        3.730,
        3.780,
        5.250,
        5.424,
    ]
    + [
        5.345,
        2.200,
        1.615,
        1.835,
        2.465,
        3.520,
        3.435,
        3.840,
        3.845,
        1.935,
        2.140,
        1.513,
        3.170,
        2.770,
        3.570,
        2.780,
    ]
)
MANUAL = np.array([1, 1, 1] + [0] * 14 + [1, 1, 1] + [0] * 5 + [1] * 7)


def sample(size=400, slope=1.0, shift=0.0):
    """Predictions and events whose log odds are `slope` times the predicted ones plus `shift`."""
    random = np.random.RandomState(11)
    log_odds = random.normal(-0.5, 1.2, size)
    chance = 1 / (1 + np.exp(-(slope * log_odds + shift)))
    return 1 / (1 + np.exp(-log_odds)), random.rand(size) < chance


def test_the_logistic_fit_is_that_of_r_on_mtcars():
    """R: summary(glm(am ~ wt, binomial, mtcars)); its errors are those of the step before the last."""
    design = np.column_stack([np.ones(32), WEIGHT])
    coefficients, covariance = logistic_fit(design, MANUAL.astype(float), 0.0)
    assert coefficients == pytest.approx([12.040, -4.024], abs=5e-4)
    assert np.sqrt(np.diag(covariance)) == pytest.approx([4.510, 1.436], abs=1e-3)


def test_the_calibration_slope_is_the_coefficient_that_scikit_learn_fits():
    predicted, happened = sample(slope=0.6, shift=0.3)
    log_odds = np.log(predicted / (1 - predicted))[:, None]
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(log_odds, happened)
    found = calibration_slope(predicted, happened)
    assert found.value == pytest.approx(theirs.coef_[0, 0], rel=1e-5)
    assert found.low < 0.6 < found.high


def test_the_calibration_intercept_makes_the_expected_events_those_observed():
    predicted, happened = sample(shift=0.5)
    found = calibration_intercept(predicted, happened)
    shifted = 1 / (1 + np.exp(-(np.log(predicted / (1 - predicted)) + found.value)))
    assert shifted.sum() == pytest.approx(happened.sum())
    assert standard_error(found) == pytest.approx((shifted * (1 - shifted)).sum() ** -0.5)
    assert found.low < 0.5 < found.high


def test_an_intercept_far_from_the_start_is_found():
    happened = np.arange(40) % 4 == 0
    found = calibration_intercept(np.full(40, 1 - 1e-9), happened)
    assert found.value == pytest.approx(math.log(1 / 3) - math.log((1 - 1e-9) / 1e-9), rel=1e-6)


def test_predictions_made_too_extreme_halve_the_slope():
    predicted, happened = sample()
    odds = predicted / (1 - predicted)
    extreme = odds**2 / (1 + odds**2)
    assert calibration_slope(extreme, happened).value == pytest.approx(
        calibration_slope(predicted, happened).value / 2
    )


def test_brier_is_that_of_scikit_learn_with_the_interval_of_a_mean():
    predicted, happened = sample(60)
    found = brier(predicted, happened, level=0.9)
    assert found.value == pytest.approx(brier_score_loss(happened, predicted))
    theirs = stats.ttest_1samp((predicted - happened) ** 2, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_skill_compares_with_the_share_of_events_or_with_a_declared_baseline():
    predicted, happened = sample(200)
    score, share = brier(predicted, happened).value, happened.mean()
    assert brier_skill(predicted, happened).value == pytest.approx(1 - score / (share * (1 - share)))
    baseline = np.full(200, 0.2)
    found = brier_skill(predicted, happened, baseline=baseline)
    assert found.value == pytest.approx(1 - score / brier(baseline, happened).value)
    assert brier_skill(baseline, happened, baseline=baseline).value == 0.0


@pytest.mark.parametrize("baseline", [None, "declared"])
def test_the_interval_of_skill_is_that_of_the_jackknife(baseline):
    predicted, happened = sample(200)

    def skill(*columns):
        declared = columns[2] if baseline is not None else None
        return brier_skill(columns[0], columns[1], baseline=declared)

    columns = np.array([predicted, happened, np.full(200, 0.2)])
    found = skill(*columns)
    expected = error_by_jackknife(lambda *left: skill(*left).value, columns)
    assert (found.high - found.low) / 2 / stats.t.ppf(0.975, 199) == pytest.approx(expected, rel=0.02)


def test_observed_over_expected_has_the_exact_interval_of_what_was_observed():
    predicted, happened = sample(100)
    found, exact = observed_expected(predicted, happened), clopper_pearson(int(happened.sum()), 100)
    assert found.value == pytest.approx(happened.sum() / predicted.sum())
    assert found.low == pytest.approx(exact.low / predicted.mean())
    assert found.high == pytest.approx(exact.high / predicted.mean())
    nothing = observed_expected(predicted, np.zeros(100, bool))
    assert (nothing.value, nothing.low) == (0.0, 0.0)
    assert nothing.high > 0.05


def test_bins_hold_the_points_of_scikit_learns_calibration_curve():
    predicted, happened = sample(400)
    found = calibration_bins(predicted, happened, bins=8)
    observed, mean = calibration_curve(happened, predicted, n_bins=8, strategy="quantile")
    assert [one.predicted for one in found] == pytest.approx(mean)
    assert [one.observed.value for one in found] == pytest.approx(observed)
    assert found[0].observed == wilson(int(happened[predicted <= found[0].high].sum()), 50)


def test_equal_probabilities_are_never_torn_apart():
    predicted = np.repeat([0.1, 0.2, 0.9], [50, 3, 7])
    found = calibration_bins(predicted, np.zeros(60, bool), bins=10)
    assert [(one.low, one.high, one.observed.n) for one in found] == [(0.1, 0.1, 50), (0.2, 0.9, 10)]
    assert calibration_bins([], [], bins=10) == ()


def test_certain_predictions_have_no_log_odds():
    for call in (calibration_slope, calibration_intercept):
        found = call([0.0, 1.0, 0.4], [False, True, True])
        assert math.isnan(found.value)
        assert found.reason == "2 probabilities are exactly 0 or 1"


def test_what_no_regression_can_tell_is_said():
    assert calibration_slope([0.2, 0.3], [True, True]).reason == "all cases have the event"
    assert calibration_intercept([0.2, 0.3], [False, False]).reason == "no case has the event"
    assert calibration_slope([0.3, 0.3, 0.3], [True, False, True]).reason == "all predictions are equal"
    separated = calibration_slope([0.1, 0.2, 0.6, 0.8], [False, False, True, True])
    assert math.isnan(separated.value)
    assert separated.reason == "the predictions separate the events from the rest completely"


def test_what_has_no_spread_or_no_baseline_is_said():
    assert brier([0.5, 0.5], [True, False]).reason == "there is no spread between cases"
    assert brier([0.5], [True]).reason == "there is no spread between cases"
    assert brier_skill([0.5, 0.5], [True, True]).reason == "the baseline errs on no case"
    assert observed_expected([0.0, 0.0], [False, True]).reason == "no event is expected"


@pytest.mark.parametrize("call", EVERY)
def test_no_case_and_no_probability_are_not_estimable(call):
    assert call([], []).reason == "there is no case"
    found = call([0.5, 1.2, math.nan], [True, False, True])
    assert math.isnan(found.value)
    assert found.reason == "2 values are not probabilities"


@pytest.mark.parametrize("call", [*EVERY, calibration_bins])
def test_lengths_that_differ_are_refused(call):
    with pytest.raises(ValueError, match="shapes"):
        call([0.5, 0.5], [True])


def test_bins_of_nothing_sensible_are_refused():
    with pytest.raises(ValueError, match="0 bins"):
        calibration_bins([0.5], [True], bins=0)
    with pytest.raises(ValueError, match="1 values are not probabilities"):
        calibration_bins([1.5], [True])


def test_predictions_that_hardly_differ_still_have_a_slope():
    predicted, happened = sample()
    timid = 1 / (1 + ((1 - predicted) / predicted) ** 1e-6)
    assert calibration_slope(timid, happened).value == pytest.approx(
        1e6 * calibration_slope(predicted, happened).value, rel=1e-5
    )
