"""TOST and its interval, against scipy's t tests."""

import math

import numpy as np
import pytest
from scipy import stats

from host.statistics.equivalence import tost, tost_mean
from host.statistics.estimate import Estimate, without_interval


def test_the_two_tests_are_the_one_sided_t_tests_of_scipy() -> None:
    differences = np.random.RandomState(2).normal(0.4, 2.0, size=30)
    found = tost_mean(differences, low=-1.5, high=1.5)
    above = stats.ttest_1samp(differences, -1.5, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, 1.5, alternative="less").pvalue
    assert (found.p_above_low, found.p_below_high) == pytest.approx((above, below))
    interval = stats.ttest_1samp(differences, 0.0).confidence_interval(0.90)
    assert (found.estimate.low, found.estimate.high) == pytest.approx((interval.low, interval.high))


def test_an_interval_that_touches_the_margin_is_not_inside() -> None:
    assert tost(Estimate(0.0, -1.0, 1.0, 0.90, "", 9), low=-1.0, high=1.0) is False
    assert tost(Estimate(0.0, -0.9, 0.9, 0.90, "", 9), low=-1.0, high=1.0) is True
    assert tost(Estimate(0.0, -0.9, 1.1, 0.90, "", 9), low=-1.0, high=1.0) is False


def test_without_an_interval_there_is_no_answer() -> None:
    assert tost(without_interval(0.0, level=0.9, n=1, reason="one"), low=-1.0, high=1.0) is None
    single = tost_mean([0.0], low=-1.0, high=1.0)
    assert single.equivalent is None
    assert math.isnan(single.p_above_low)
    assert tost_mean([0.1, 0.1], low=-1.0, high=1.0).equivalent is None


def test_an_empty_margin_is_a_programmers_error() -> None:
    with pytest.raises(ValueError, match="from low to high"):
        tost_mean([0.0, 1.0], low=1.0, high=-1.0)
