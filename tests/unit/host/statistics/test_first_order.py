"""First-order statistics, against scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from host.statistics.first_order import first_order


def test_the_moments_are_those_of_scipy_with_divisor_n() -> None:
    values = np.random.RandomState(0).gamma(2.0, size=(4, 5, 6))
    found = first_order(values)
    flat = values.ravel()
    assert found.variance == pytest.approx(flat.var())
    assert found.skewness == pytest.approx(stats.skew(flat))
    assert found.kurtosis == pytest.approx(stats.kurtosis(flat))
    assert found.energy == pytest.approx((flat**2).sum())


def test_an_empty_region_has_no_figures_and_a_constant_one_no_shape() -> None:
    assert math.isnan(first_order([]).mean)
    constant = first_order([3.0, 3.0])
    assert (constant.mean, constant.variance, constant.skewness, constant.kurtosis) == (3.0, 0.0, 0.0, 0.0)
