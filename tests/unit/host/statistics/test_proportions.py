"""Intervals of a proportion against Newcombe (1998), table I, and against their definition."""

import math

import pytest
from scipy.stats import binom

from host.statistics.proportions import INTERVALS, clopper_pearson, wilson

# Validation.md, oracle 6, and the same table's exact intervals (method 5), printed to four places.
WILSON = (
    (81, 263, 0.25529, 0.36621),
    (15, 148, 0.06239, 0.16049),
    (0, 20, 0.0, 0.16113),
    (1, 29, 0.00611, 0.17176),
)
EXACT = (
    (81, 263, 0.2527, 0.3676),
    (15, 148, 0.0578, 0.1617),
    (0, 20, 0.0, 0.1684),
    (1, 29, 0.0009, 0.1776),
)


@pytest.mark.parametrize(("successes", "n", "low", "high"), WILSON)
def test_wilson_gives_the_intervals_of_newcombe_1998(successes, n, low, high):
    found = wilson(successes, n)
    assert found.value == successes / n
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-6)
    assert (found.n, found.method, found.level, found.reason) == (n, "Wilson", 0.95, "")


@pytest.mark.parametrize(("successes", "n", "low", "high"), EXACT)
def test_clopper_pearson_gives_the_intervals_of_newcombe_1998(successes, n, low, high):
    found = clopper_pearson(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("interval", INTERVALS.values())
def test_the_interval_of_the_complement_is_mirrored(interval):
    found, mirrored = interval(3, 40), interval(37, 40)
    assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low))


@pytest.mark.parametrize("interval", INTERVALS.values())
def test_nothing_and_everything_found_reach_the_end_exactly(interval):
    assert interval(0, 20).low == 0.0
    assert interval(20, 20).high == 1.0
    assert interval(20, 20).low > 0.8


@pytest.mark.parametrize("level", [0.8, 0.9, 0.99])
def test_the_ends_of_clopper_pearson_leave_half_the_rest_in_either_tail(level):
    found = clopper_pearson(7, 25, level=level)
    assert binom.sf(6, 25, found.low) == pytest.approx((1 - level) / 2)
    assert binom.cdf(7, 25, found.high) == pytest.approx((1 - level) / 2)


@pytest.mark.parametrize("interval", INTERVALS.values())
def test_no_trials_are_not_estimable(interval):
    found = interval(0, 0)
    assert math.isnan(found.value)
    assert not found.has_interval
    assert found.reason == "there is no trial"


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 5), (0, -1)])
@pytest.mark.parametrize("interval", INTERVALS.values())
def test_counts_that_are_not_of_trials_are_refused(interval, successes, n):
    with pytest.raises(ValueError, match=f"{successes} successes of {n} trials"):
        interval(successes, n)
