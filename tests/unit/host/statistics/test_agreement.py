"""Bland-Altman and Lin's concordance, against printed numbers and against what defines an exact interval."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from host.statistics.agreement import (
    bias_correction,
    bland_altman,
    bland_altman_repeated,
    concordance,
    limit_factors,
    mean_difference,
)
from host.statistics.published_samples import MINI_1, WRIGHT_1


def test_peak_flow_gives_the_bias_and_limits_of_bland_and_altman() -> None:
    found = bland_altman(WRIGHT_1, MINI_1)
    assert found.bias.value == pytest.approx(-2.118, abs=5e-4)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.05, 17.81), abs=5e-3)
    assert found.sd == pytest.approx(38.765, abs=5e-4)
    assert (found.loa_low.value, found.loa_high.value) == pytest.approx((-78.10, 73.86), abs=5e-3)
    assert found.bias.n == found.loa_low.n == 17


def test_the_approximate_interval_of_a_limit_is_the_formula_with_students_t() -> None:
    found = bland_altman(WRIGHT_1, MINI_1, limits="approximate")
    error = found.sd * math.sqrt(1 / 17 + 1.959964**2 / (2 * 16))
    assert found.loa_high.high - found.loa_high.value == pytest.approx(2.119905 * error, rel=1e-6)
    assert "1999" in found.loa_high.method


@pytest.mark.parametrize("n", [2, 5, 17, 200])
def test_the_exact_interval_of_a_limit_misses_it_as_often_as_it_says(n: int) -> None:
    """Chance that mean + c s exceeds the true limit, by integrating over the distribution of s."""
    z = 1.959963984540054

    def above(factor: float) -> float:
        def given(s: float) -> float:
            density = 2 * s * (n - 1) * stats.chi2.pdf((n - 1) * s * s, n - 1)
            return float(density * stats.norm.sf((z - factor * s) * math.sqrt(n)))

        return float(integrate.quad(given, 0, 8, limit=200)[0])

    inner, outer = limit_factors(n)
    assert above(inner) == pytest.approx(0.025, abs=1e-6)
    assert above(outer) == pytest.approx(0.975, abs=1e-6)


def test_swapping_the_methods_mirrors_every_figure() -> None:
    there, back = bland_altman(WRIGHT_1, MINI_1), bland_altman(MINI_1, WRIGHT_1)
    assert back.bias.value == pytest.approx(-there.bias.value)
    assert (back.loa_low.low, back.loa_low.high) == pytest.approx((-there.loa_high.high, -there.loa_high.low))
    assert back.proportional_bias.value == pytest.approx(-there.proportional_bias.value)


def test_a_difference_that_grows_with_size_shows_as_proportional_bias() -> None:
    size = np.linspace(10, 100, 20)
    noise = np.tile((0.5, -0.5), 10)
    found = bland_altman(size * 1.1 + noise, size * 0.9).proportional_bias
    assert found.low < 0.2 < found.high
    assert found.low > 0.15


def test_small_and_constant_samples_say_why_there_is_no_figure() -> None:
    assert math.isnan(bland_altman([], []).bias.value)
    assert bland_altman([1.0], [2.0]).bias.reason == "1 subjects, and this needs at least 2"
    constant = bland_altman([2.0, 3.0, 5.0], [1.0, 2.0, 4.0])
    assert constant.bias.value == constant.loa_high.value == 1.0
    assert not constant.bias.has_interval
    assert not constant.loa_high.has_interval
    assert "equal" in constant.loa_high.reason
    assert not constant.proportional_bias.has_interval
    on_a_line = bland_altman([1.1, 2.2, 4.4], [1.0, 2.0, 4.0]).proportional_bias
    assert on_a_line.value == pytest.approx(0.1 / 1.05)
    assert not on_a_line.has_interval
    assert mean_difference([3.0]).value == 3.0
    assert not mean_difference([3.0]).has_interval
    assert math.isnan(bland_altman([1.0, 2.0], [0.0, 0.5]).proportional_bias.value)


def test_rounding_is_no_spread() -> None:
    b = np.arange(1.0, 20.0)
    found = bland_altman(b + 0.1, b)
    assert not found.bias.has_interval
    assert not found.loa_low.has_interval


def test_a_value_that_is_not_finite_is_never_passed_over() -> None:
    found = bland_altman([1.0, math.nan, 3.0], [1.0, 2.0, 4.0])
    assert math.isnan(found.bias.value)
    assert found.bias.reason == "1 of 3 values are not finite"


def test_unequal_lengths_and_levels_outside_0_to_1_are_programmers_errors() -> None:
    with pytest.raises(ValueError, match="equally many"):
        bland_altman([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="one axis"):
        mean_difference([[1.0]])
    with pytest.raises(ValueError, match="between 0 and 1"):
        bland_altman(WRIGHT_1, MINI_1, level=95)


def test_peak_flow_gives_the_concordance_of_lin() -> None:
    found = concordance(WRIGHT_1, MINI_1)
    assert found.value == pytest.approx(0.94274, abs=5e-6)
    assert bias_correction(WRIGHT_1, MINI_1) == pytest.approx(0.99943, abs=5e-6)
    assert found.low < found.value < found.high < 1.0


def test_the_interval_of_the_concordance_covers_as_often_as_it_says() -> None:
    random = np.random.RandomState(20)
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    true = 2 * 0.8 / (2 + 0.3**2)
    runs = [random.multivariate_normal((0.0, 0.3), covariance, size=60) for _ in range(1500)]
    inside = [(found := concordance(*run.T)).low <= true <= found.high for run in runs]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


def test_concordance_without_spread_or_correlation_says_why() -> None:
    assert math.isnan(concordance([1.0, 1.0, 1.0], [1.0, 1.0, 1.0]).value)
    assert concordance([1.0, 1.0, 1.0], [2.0, 2.0, 2.0]).value == 0.0
    perfect = concordance([1.0, 2.0, 4.0], [1.0, 2.0, 4.0])
    assert perfect.value == pytest.approx(1.0)
    assert not perfect.has_interval
    assert not concordance([1.0, 2.0, 4.0], [2.0, 4.0, 8.0]).has_interval
    assert math.isnan(concordance([1.0, 2.0], [1.0, 3.0]).value)
    assert math.isnan(bias_correction([1.0, 1.0], [1.0, 2.0]))
    assert math.isnan(bias_correction([], []))


def test_several_differences_per_subject_add_both_components_of_variance() -> None:
    groups = [(1.0, 3.0), (4.0, 6.0), (2.0, 2.0), (7.0, 3.0)]
    means, within = np.array([2.0, 5.0, 2.0, 5.0]), (2.0 + 2.0 + 0.0 + 8.0) / 4
    variance = means.var(ddof=1) + within / 2  # between + within, where Var(mean) = between + within / 2
    found = bland_altman_repeated(groups)
    assert found.sd == pytest.approx(math.sqrt(variance))
    assert found.bias.value == pytest.approx(3.5)
    assert found.bias.n == 4
    assert found.loa_high.low < found.loa_high.value < found.loa_high.high


def test_the_limits_for_repeated_differences_cover_as_often_as_they_say() -> None:
    random = np.random.RandomState(7)
    true, inside = 1.959964 * math.sqrt(1.0 + 4.0), []
    for _ in range(1000):
        subject = random.normal(0.0, 1.0, size=25)
        groups = [one + random.normal(0.0, 2.0, size=3) for one in subject]
        limit = bland_altman_repeated(groups).loa_high
        inside.append(limit.low <= true <= limit.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)


def test_repeated_differences_that_cannot_give_limits_say_why() -> None:
    assert "at least 1" in bland_altman_repeated([]).bias.reason
    assert "at least 2" in bland_altman_repeated([(1.0, 2.0)]).bias.reason
    assert "one pair per subject" in bland_altman_repeated([(1.0,), (2.0,)]).bias.reason
    assert "not finite" in bland_altman_repeated([(1.0, math.inf), (2.0, 3.0)]).bias.reason
    equal = bland_altman_repeated([(1.0, 3.0), (3.0, 1.0)])
    assert not equal.loa_low.has_interval
