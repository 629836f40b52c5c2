"""Quantiles: published ranks, and ends that the sample does not reach."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from host.statistics.quantiles import quantile, quantile_alone


@pytest.mark.parametrize(
    ("n", "low", "high"), [(6, 1, 6), (10, 2, 9), (20, 6, 15), (50, 18, 33), (100, 40, 61)]
)
def test_the_median_lies_between_the_ranks_that_altman_tabulates(n: int, low: int, high: int) -> None:
    # Altman, Machin, Bryant, Gardner: Statistics with Confidence, table of ranks for 95 % intervals of a median.
    found = quantile(np.arange(1, n + 1), 0.5)
    assert (found.low, found.high) == (low, high)


def test_fifty_nine_subjects_are_needed_for_a_lower_bound_of_the_fifth_percentile() -> None:
    # 0.95**59 = .0485 <= .05 < 0.95**58 (Hahn and Meeker 1991, table A.15).
    assert quantile(np.arange(59.0), 0.05, level=0.90).low == 0.0
    short = quantile(np.arange(58.0), 0.05, level=0.90)
    assert math.isnan(short.low)
    assert short.high == 6.0
    assert short.reason == "58 subjects are too few for the lower end"


@given(st.integers(1, 80), st.floats(0.02, 0.98), st.floats(0.8, 0.99))
def test_neither_end_misses_more_often_than_it_may(n: int, share: float, level: float) -> None:
    found = quantile(np.arange(1.0, n + 1), share, level=level)
    tail = (1 - level) / 2 + 1e-12
    if not math.isnan(
        found.low
    ):  # the k-th value lies above the quantile when fewer than k values lie below it
        assert binom.cdf(int(found.low) - 1, n, share) <= tail
    if not math.isnan(found.high):
        assert binom.cdf(n - int(found.high), n, 1 - share) <= tail


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_the_value_is_numpys_linear_quantile(values: list[float], share: float) -> None:
    assert quantile_alone(values, share).value == pytest.approx(np.quantile(values, share), abs=1e-6)


def test_infinite_values_are_ordered_like_others() -> None:
    assert quantile_alone([1.0, 2.0, math.inf], 0.5).value == 2.0
    assert quantile_alone([1.0, 2.0, math.inf], 0.95).value == math.inf


def test_nothing_has_no_quantile_and_says_so() -> None:
    assert quantile([], 0.5).reason == "there is no value"
    assert quantile([1.0, math.nan], 0.5).reason == "a value is missing"
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile([1.0], 1.0)
