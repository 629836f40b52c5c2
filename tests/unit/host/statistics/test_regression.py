"""Deming, Passing-Bablok and linearity, against printed numbers and independent computations."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from host.statistics.published_samples import DEMING_X, DEMING_Y
from host.statistics.regression import deming, linearity, passing_bablok

# NCSS Statistical Software, chapter 313 "Passing-Bablok Regression for Method Comparison": thirty subjects.
PASSING_X = (
    69.3, 27.1, 61.3, 50.8, 34.4, 92.3, 57.5, 45.5, 33.3, 60.9, 56.3, 49.9, 89.7, 28.9, 96.3, 76.6, 83.2, 79.4, 51.7,
    32.5, 14.2, 99.1, 76.8, 95.4, 84.1, 48.8, 80.4, 84.5, 61.4, 26.9,
)  # fmt: skip
PASSING_Y = (
    69.1, 26.7, 61.4, 51.2, 34.7, 88.5, 57.9, 45.1, 33.4, 60.8, 66.5, 48.2, 88.3, 29.3, 96.4, 77.1, 82.7, 78.9, 51.6,
    28.8, 12.7, 98.6, 77.3, 94.9, 83.3, 47.0, 80.9, 84.7, 61.3, 26.7,
)  # fmt: skip


def test_deming_and_its_jackknife_are_those_printed_by_ncss() -> None:
    found = deming(DEMING_X, DEMING_Y, error_ratio=4.0)
    assert found.slope.value == pytest.approx(1.00119, abs=5e-6)
    assert found.intercept.value == pytest.approx(-0.08974, abs=5e-6)
    assert (found.slope_error, found.intercept_error) == pytest.approx((0.18718, 1.72199), abs=5e-6)
    assert (found.slope.low, found.slope.high) == pytest.approx((0.56956, 1.43283), abs=5e-6)
    assert (found.intercept.low, found.intercept.high) == pytest.approx((-4.06065, 3.88117), abs=1e-5)


def test_deming_minimises_the_weighted_orthogonal_distance() -> None:
    x, y = np.array(DEMING_X), np.array(DEMING_Y)

    def distance(line: np.ndarray) -> float:
        return float(((y - line[0] - line[1] * x) ** 2).sum() / (1.0 + 4.0 * line[1] ** 2))

    best = optimize.minimize(
        distance, x0=(0.0, 1.0), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
    )
    found = deming(x, y, error_ratio=4.0)
    assert (found.intercept.value, found.slope.value) == pytest.approx(tuple(best.x), rel=1e-5)


def test_the_analytic_errors_follow_from_the_correlation() -> None:
    found = deming(DEMING_X, DEMING_Y, errors="analytic")
    r = stats.pearsonr(DEMING_X, DEMING_Y).statistic
    assert found.slope_error == pytest.approx(found.slope.value * math.sqrt((1 / r**2 - 1) / 8))
    assert found.intercept_error == pytest.approx(found.slope_error * math.sqrt(np.mean(np.square(DEMING_X))))
    assert "Strike" in found.slope.method


def test_a_large_error_ratio_is_regression_of_x_on_y_and_a_small_one_of_y_on_x() -> None:
    forward, backward = stats.linregress(DEMING_X, DEMING_Y), stats.linregress(DEMING_Y, DEMING_X)
    assert deming(DEMING_X, DEMING_Y, error_ratio=1e-9).slope.value == pytest.approx(forward.slope)
    assert deming(DEMING_X, DEMING_Y, error_ratio=1e9).slope.value == pytest.approx(1 / backward.slope)


def test_the_jackknife_interval_covers_as_often_as_it_says() -> None:
    random = np.random.RandomState(9)
    inside = []
    for _ in range(600):
        true = random.uniform(10, 50, size=40)
        x, y = true + random.normal(0, 2, 40), 1.0 + 0.9 * true + random.normal(0, 2, 40)
        found = deming(x, y).slope
        inside.append(found.low <= 0.9 <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)


def test_points_without_a_line_say_so() -> None:
    assert "at least 3" in deming([1.0, 2.0], [1.0, 2.0]).slope.reason
    assert "determine" in deming([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]).slope.reason
    exact = deming([1.0, 2.0, 3.0, 4.0], [3.0, 5.0, 7.0, 9.0])
    assert (exact.slope.value, exact.intercept.value) == pytest.approx((2.0, 1.0))
    for errors in ("jackknife", "analytic"):
        inexact = deming([0.1, 0.2, 0.4, 0.7], [0.3, 0.6, 1.2, 2.1], errors=errors)
        assert inexact.slope.reason == "the points lie on the line: no interval"
    assert "not finite" in deming([1.0, 2.0, math.nan], [1.0, 2.0, 3.0]).intercept.reason
    with pytest.raises(ValueError, match="error ratio is positive"):
        deming(DEMING_X, DEMING_Y, error_ratio=0.0)


def test_passing_bablok_gives_the_line_of_two_other_packages_on_the_sample_of_ncss() -> None:
    """SimplyAgree's tests print it as agreed by the R packages MethComp and deming."""
    found = passing_bablok(PASSING_X, PASSING_Y)
    assert found.slope.value == pytest.approx(1.0, abs=1e-12)
    assert found.intercept.value == pytest.approx(-0.15, abs=1e-12)
    assert found.slope.low < 1.0 < found.slope.high
    assert found.intercept.low < -0.15 < found.intercept.high


def test_passing_bablok_is_the_shifted_median_by_the_letter() -> None:
    """A sample with negative slopes, a slope of -1, a vertical pair and a pair of equal points, worked by hand."""
    x, y = [1.0, 2.0, 2.0, 4.0, 4.0], [2.0, 1.0, 4.0, 4.0, 4.0]
    slopes = sorted([2.0, 2 / 3, 2 / 3, math.inf, 1.5, 1.5, 0.0, 0.0])  # without the -1 of the first pair
    found = passing_bablok(x, y)
    assert found.slope.value == pytest.approx((slopes[3] + slopes[4]) / 2)
    assert found.intercept.value == pytest.approx(np.median(np.array(y) - found.slope.value * np.array(x)))


def test_the_passing_bablok_interval_covers_as_often_as_it_says() -> None:
    random = np.random.RandomState(4)
    inside = []
    for _ in range(600):
        true = random.uniform(10, 50, size=40)
        x, y = true + random.normal(0, 2, 40), 1.1 * (true + random.normal(0, 2, 40))
        found = passing_bablok(x, y).slope
        inside.append(found.low <= 1.1 <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)


def test_passing_bablok_says_why_there_is_no_line_or_no_interval() -> None:
    assert "at least 3" in passing_bablok([1.0], [1.0]).slope.reason
    assert "positively" in passing_bablok([1.0, 2.0, 3.0], [9.0, 4.0, 0.0]).slope.reason
    assert "determine" in passing_bablok([1.0, 1.0, 1.0], [1.0, 1.0, 1.0]).slope.reason
    assert "determine" in passing_bablok([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]).slope.reason
    few = passing_bablok([1.0, 2.0, 3.0], [1.0, 2.5, 3.0])
    assert few.slope.value == 1.0
    assert "too few" in few.slope.reason
    assert not few.intercept.has_interval


def test_linearity_agrees_with_polynomial_fits_of_numpy_and_scipy() -> None:
    x = np.linspace(5.0, 60.0, 24)
    y = 2.0 + 0.9 * x + 0.004 * x**2 + np.random.RandomState(1).normal(0, 0.5, 24)
    found = linearity(x, y)
    line = stats.linregress(x, y)
    assert found.slope.value == pytest.approx(line.slope)
    t = stats.t.isf(0.025, 22)
    assert found.slope.high - found.slope.value == pytest.approx(t * line.stderr)
    assert found.intercept.high - found.intercept.value == pytest.approx(t * line.intercept_stderr)
    curve, covariance = np.polyfit(x, y, 2, cov=True)
    assert found.quadratic.value == pytest.approx(curve[0])
    assert found.quadratic.high - curve[0] == pytest.approx(
        stats.t.isf(0.025, 21) * math.sqrt(covariance[0, 0])
    )
    assert found.quadratic_p == pytest.approx(2 * stats.t.sf(curve[0] / math.sqrt(covariance[0, 0]), 21))
    grid = np.linspace(5.0, 60.0, 10001)
    gap = np.polyval(curve, grid) - (line.intercept + line.slope * grid)
    assert found.departure == pytest.approx(np.abs(gap).max(), rel=1e-6)


def test_a_curve_shows_and_a_line_does_not() -> None:
    x = np.arange(1.0, 21.0)
    noise = np.tile((0.1, -0.1), 10)
    assert linearity(x, x + 0.02 * x**2 + noise).quadratic.low > 0.0
    straight = linearity(x, x + noise)
    assert straight.quadratic.low < 0.0 < straight.quadratic.high


def test_linearity_says_what_too_few_values_cannot_tell() -> None:
    assert "at least 3" in linearity([1.0], [1.0]).slope.reason
    assert "determine" in linearity([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]).slope.reason
    two_values = linearity([1.0, 1.0, 2.0, 2.0], [1.0, 1.1, 2.0, 2.2])
    assert two_values.slope.has_interval
    assert "three values" in two_values.quadratic.reason
    assert math.isnan(two_values.departure)
    exact = linearity([1.0, 2.0, 4.0, 5.0], [1.0, 2.0, 4.0, 5.0])
    assert exact.slope.value == pytest.approx(1.0)
    assert not exact.slope.has_interval
    assert not exact.quadratic.has_interval
