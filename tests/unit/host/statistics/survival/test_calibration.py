"""Calibration under censoring, against R's survival package and the plain figures without censoring."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from host.statistics.probability import calibration_bins
from host.statistics.survival import (
    calibration_bins_at,
    calibration_slope_at,
    observed_expected_at,
    survival_at,
)
from host.statistics.survival.calibration import cox_slope
from host.statistics.survival.product_limit import FollowUp
from tests.support.case_weights import standard_error
from tests.support.survival_data import breast_cancer, veterans

CALLS = (observed_expected_at, calibration_slope_at)


def risk_of(log_hazard):
    """The risk whose cumulative hazard has this logarithm."""
    return 1 - np.exp(-np.exp(log_hazard))


def test_the_cox_coefficient_and_its_robust_error_are_those_of_r():
    """R 4.2.2, survival 3.5-3: coxph(Surv(time, status) ~ karno, veteran, ties = "breslow", robust = TRUE)."""
    table = veterans()
    coefficient, pulls = cox_slope(-table.score, FollowUp(table.time, table.event))
    assert coefficient == pytest.approx(-0.0332429367789, rel=1e-9)
    assert math.sqrt((pulls**2).sum()) == pytest.approx(0.00504236036025, rel=1e-9)


def test_the_slope_of_the_log_cumulative_hazard_is_that_of_r_over_subjects():
    """R: as above up to 90 days, with cluster(rep(1:69, each = 2)[1:137]); here karno is turned into a risk."""
    table = veterans()
    log_hazard = 0.02 * table.score
    subjects = [number // 2 for number in range(137)]
    found = calibration_slope_at(
        risk_of(log_hazard), table.time, table.event, horizon=90.0, clusters=subjects
    )
    assert found.value == pytest.approx(0.04860762264333 / 0.02, rel=1e-9)
    assert standard_error(found) == pytest.approx(0.00659378767418 / 0.02, rel=1e-9)
    assert found.n == 69


def test_predictions_made_too_extreme_halve_the_slope():
    table = breast_cancer()
    log_hazard = 0.05 * table.score - 1
    once, twice = (
        calibration_slope_at(risk_of(factor * log_hazard), table.time, table.event, horizon=1500.0)
        for factor in (1, 2)
    )
    assert twice.value == pytest.approx(once.value / 2)
    assert (twice.low, twice.high) == pytest.approx((once.low / 2, once.high / 2))


def test_observed_over_expected_sets_the_curve_against_the_mean_prediction():
    table = breast_cancer()
    predicted = risk_of(0.05 * table.score - 1)
    found = observed_expected_at(predicted, table.time, table.event, horizon=1500.0)
    free = survival_at(table.time, table.event, horizon=1500.0)
    expected = [(1 - one) / predicted.mean() for one in (free.high, free.value, free.low)]
    assert [found.low, found.value, found.high] == pytest.approx(expected)


def test_bins_without_censoring_are_the_plain_ones():
    table = veterans()
    predicted = risk_of(0.02 * table.score)
    found = calibration_bins_at(predicted, table.time, np.full(137, True), horizon=80.0, bins=5)
    plain = calibration_bins(predicted, table.time <= 80.0, bins=5)
    assert [one.observed.value for one in found] == pytest.approx([one.observed.value for one in plain])
    assert [(one.predicted, one.low, one.high) for one in found] == [
        (one.predicted, one.low, one.high) for one in plain
    ]


def test_a_bin_that_nobody_survives_in_view_has_no_value():
    found = calibration_bins_at(
        [0.1, 0.1, 0.9, 0.9], [5, 6, 1, 2], [True, False, True, False], horizon=4.0, bins=2
    )
    assert [one.observed.value for one in found] == pytest.approx([0.0, math.nan], nan_ok=True)
    assert found[0].observed.reason == "the log-log interval does not exist at 1"
    assert found[1].observed.reason == "nobody is followed up to 4"


@pytest.mark.parametrize("call", CALLS)
def test_what_nothing_can_be_said_of_is_said(call):
    assert call([], [], [], horizon=2.0).reason == "there is no case"
    assert call([0.1, 1.2], [1, 3], [True, False], horizon=2.0).reason == "1 values are not probabilities"
    found = call([0.1, 0.2], [1, 2], [True, True], horizon=2.0)
    assert math.isnan(found.value)
    assert found.reason == "nobody is known to be free of the event at 2"


def test_what_no_regression_can_tell_is_said():
    follow_up = {"time": [1, 2, 3, 4], "event": [True, True, True, False], "horizon": 3.5}
    certain = calibration_slope_at([0.0, 0.2, 0.3, 1.0], **follow_up)
    assert certain.reason == "2 probabilities are exactly 0 or 1"
    assert calibration_slope_at([0.2] * 4, **follow_up).reason == "all predictions are equal"
    perfect = calibration_slope_at([0.8, 0.6, 0.4, 0.2], **follow_up)
    assert math.isnan(perfect.value)
    assert perfect.reason == "the predictions order the events perfectly"
    early = calibration_slope_at([0.2, 0.3], [3, 4], [True, True], horizon=2.0)
    assert early.reason == "no event comes by the horizon"


def test_no_risk_expected_or_observed_is_said():
    found = observed_expected_at([0.0, 0.0], [1, 3], [True, False], horizon=2.0)
    assert found.reason == "no event is expected"
    found = observed_expected_at([0.5, 0.5], [3, 3], [True, False], horizon=2.0)
    assert found.value == 0.0
    assert found.reason == "the log-log interval does not exist at 1"


def test_predictions_that_hardly_differ_still_have_a_slope():
    table = breast_cancer()
    plain, timid = (
        calibration_slope_at(risk_of(factor * table.score - 1), table.time, table.event, horizon=1500.0)
        for factor in (1e-2, 1e-8)
    )
    assert timid.value == pytest.approx(1e6 * plain.value, rel=1e-4)


def test_a_first_step_far_too_large_is_taken_back():
    """One risk a million times the others', of the first to have the event."""
    random = np.random.RandomState(3)
    covariate = np.append(1e6, random.normal(size=199))
    time = np.append(1.0, random.exponential(10, 199) + 2)
    at_risk = time >= time[:, None]

    def loss(slope):
        return logsumexp(np.where(at_risk, slope * (covariate - covariate[:, None]), -np.inf), axis=1).sum()

    found, _ = cox_slope(covariate, FollowUp(time, np.full(200, True)))
    best = minimize_scalar(loss, bounds=(0.0, 1e-4), method="bounded", options={"xatol": 1e-12})
    assert found == pytest.approx(best.x, rel=1e-4)
