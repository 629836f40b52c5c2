"""Statistics of a release against another, and of the changes that both see between visits, by plain arithmetic."""

import math

import numpy as np
import pytest

from host.statistics.agreement import bland_altman, bland_altman_repeated
from host.statistics.cases import Cases
from host.statistics.estimation import Plan, estimate
from host.statistics.registrations import statistics
from host.statistics.repeatability import COEFFICIENT

# Two visits of three subjects, out of order; volumes in mL by the new and by the old release.
SUBJECTS = ("a", "b", "a", "c", "b", "c")
VISITS = ("2", "1", "1", "1", "2", "2")
NEW = (13.0, 20.5, 10.0, 31.0, 22.0, 36.5)
OLD = (12.5, 20.0, 10.5, 30.0, 22.5, 35.0)


def cases(subjects=SUBJECTS, visits=VISITS, new=NEW, old=OLD) -> Cases:
    columns = {"predicted": [(one,) for one in new], "reference": [(one,) for one in old]}
    return Cases.of(subjects, columns, [{"visit": one} for one in visits])


def found(name: str, sample: Cases, **options: object):
    return estimate(statistics()[name], sample, Plan(options={"visit": "visit", **options}, level=0.9))


@pytest.mark.parametrize(
    ("name", "part"),
    [("change_bias", "bias"), ("change_loa_low", "loa_low"), ("change_loa_high", "loa_high")],
)
def test_changes_between_two_visits_are_compared_as_numbers_of_one_subject_each(name: str, part: str) -> None:
    new, old = np.array([3.0, 1.5, 5.5]), np.array([2.0, 2.5, 5.0])  # of a, b and c
    expected = getattr(bland_altman(new, old, level=0.9), part)
    got = found(name, cases())
    assert (got.value, got.low, got.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert got.n == 3


def test_the_mean_difference_of_changes_is_plain_arithmetic() -> None:
    assert found("change_bias", cases()).value == pytest.approx(((3 - 2) + (1.5 - 2.5) + (5.5 - 5)) / 3)


def test_changes_of_more_than_two_visits_are_components_of_their_subjects() -> None:
    longer = cases((*SUBJECTS, "a"), (*VISITS, "3"), (*NEW, 15.0), (*OLD, 15.5))
    expected = bland_altman_repeated([[1.0, 2.0 - 3.0], [-1.0], [0.5]], level=0.9)
    assert found("change_bias", longer).value == pytest.approx(expected.bias.value)
    assert found("change_loa_high", longer).high == pytest.approx(expected.loa_high.high)
    coefficient = found("change_rc_between", longer)
    assert not coefficient.has_interval and "4 changes come from 3 subjects" in coefficient.reason


def test_a_repeatability_coefficient_between_releases_is_the_root_of_half_the_mean_square() -> None:
    one_each = cases(("a", "b", "c"), ("1",) * 3, (10.0, 20.0, 30.0), (11.0, 20.0, 28.0))
    expected = COEFFICIENT * math.sqrt((1 + 0 + 4) / (2 * 3))
    got = estimate(statistics()["rc_between"], one_each, Plan())
    assert got.value == pytest.approx(expected)
    assert got.has_interval and got.n == 3


def test_a_repeatability_coefficient_of_changes_takes_both_changes_as_two_measurements() -> None:
    expected = COEFFICIENT * math.sqrt((1 + 1 + 0.25) / (2 * 3))
    assert found("change_rc_between", cases()).value == pytest.approx(expected)


@pytest.mark.parametrize("name", ["change_bias", "change_loa_low", "change_rc_between"])
def test_subjects_seen_once_have_no_change(name: str) -> None:
    alone = cases(("a", "b"), ("1", "1"), (1.0, 2.0), (1.0, 2.0))
    got = found(name, alone)
    assert math.isnan(got.value) and got.reason
