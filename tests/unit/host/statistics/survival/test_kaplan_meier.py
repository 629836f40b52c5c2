"""The survival curve against R's survival package and scikit-survival."""

import math

import numpy as np
import pytest
from sksurv.nonparametric import kaplan_meier_estimator

from host.statistics.survival import kaplan_meier, survival_at
from tests.support.survival_data import breast_cancer, veterans

PAIRED_SUBJECTS = [number // 2 for number in range(137)]

# R 4.2.2, survival 3.5-3: survfit(Surv(time, status) ~ 1, veteran, conf.type = "log-log"), also with
# cluster = rep(1:69, each = 2)[1:137].
R_ALONE = (
    (30.0, 0.700435007004, 0.616083777393, 0.769719664862),
    (90.0, 0.464037963449, 0.378485275115, 0.545122552120),
    (200.0, 0.205302843415, 0.139865984234, 0.279611992488),
)
R_PAIRED = (
    (30.0, 0.700435007004, 0.613479500320, 0.771468235113),
    (90.0, 0.464037963449, 0.371631869659, 0.551262772969),
    (200.0, 0.205302843415, 0.134951756651, 0.286048310324),
)


@pytest.mark.parametrize(("clusters", "rows"), [(None, R_ALONE), (PAIRED_SUBJECTS, R_PAIRED)])
def test_the_curve_and_its_intervals_are_those_of_r(clusters, rows):
    table = veterans()
    for horizon, value, low, high in rows:
        found = survival_at(table.time, table.event, horizon=horizon, clusters=clusters)
        assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=1e-11)


def test_every_step_is_that_of_scikit_survival():
    table = breast_cancer()
    times, survival, (low, high) = kaplan_meier_estimator(table.event, table.time, conf_type="log-log")
    fell = np.isin(times, table.time[table.event])
    found = kaplan_meier(table.time, table.event)
    np.testing.assert_array_equal(found.times, times[fell])
    np.testing.assert_allclose([one.value for one in found.survival], survival[fell])
    np.testing.assert_allclose([one.low for one in found.survival], low[fell])
    np.testing.assert_allclose([one.high for one in found.survival], high[fell])
    assert found.events.sum() == np.count_nonzero(table.event)
    assert found.at_risk[0] == np.count_nonzero(table.time >= found.times[0])


def test_a_curve_of_nothing_has_no_steps():
    assert kaplan_meier([], []).survival == ()
    assert kaplan_meier([1, 2], [False, False]).survival == ()


def test_the_ends_of_the_curve_have_no_interval():
    found = survival_at([1, 2, 3], [True, True, True], horizon=3.0)
    assert (found.value, found.reason) == (0.0, "the log-log interval does not exist at 0")
    assert survival_at([1, 2, 3], [True, True, True], horizon=9.0).value == 0.0
    assert survival_at([1, 2, 3], [True, True, True], horizon=0.5).value == 1.0


def test_what_was_not_observed_is_not_estimable():
    found = survival_at([1, 2, 3], [True, True, False], horizon=3.5)
    assert math.isnan(found.value)
    assert found.reason == "nobody is followed up to 3.5"
    assert survival_at([], [], horizon=1.0).reason == "there is no case"
    assert survival_at([1, -2], [True, True], horizon=1.0).reason == "1 times are not lengths of time"
    found = survival_at([1, 2, 3], [True, True, False], horizon=1.5, clusters=["a"] * 3)
    assert (found.n, found.reason) == (1, "there is a single subject")


def test_a_curve_of_times_that_are_none_is_refused():
    with pytest.raises(ValueError, match="1 times are not lengths of time"):
        kaplan_meier([1, -2], [True, True])
    with pytest.raises(ValueError, match="shapes"):
        kaplan_meier([1, 2], [True])
