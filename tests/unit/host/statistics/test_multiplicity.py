"""Holm's procedure by p-values and by intervals."""

import math

import pytest

from host.statistics.multiplicity import holm, holm_by_intervals


def test_the_adjusted_p_values_are_those_worked_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()
    assert holm([0.9, 0.8]) == (1.0, 1.0)


def test_a_test_that_could_not_be_made_stays_in_the_family() -> None:
    found = holm([0.02, math.nan])
    assert found[0] == pytest.approx(0.04)
    assert math.isnan(found[1])


def test_p_values_outside_0_to_1_are_programmers_errors() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([1.2])


def test_by_intervals_each_claim_says_at_which_error_probability_it_was_made() -> None:
    p_values = (0.015, 0.04, 0.03, 0.005)
    made = holm_by_intervals([lambda alpha, p=p: p <= alpha for p in p_values], alpha=0.05)
    assert made == (0.05 / 3, None, None, 0.05 / 4)
    assert holm_by_intervals([], alpha=0.05) == ()
