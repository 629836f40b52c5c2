"""wSD, wCV, RC and RDC, against printed numbers and simulated coverage."""

import math

import numpy as np
import pytest

from host.statistics.published_samples import MINI_1, MINI_2, WRIGHT_1, WRIGHT_2
from host.statistics.repeatability import (
    repeatability_coefficient,
    reproducibility_coefficient,
    wcv,
    within_subject_sd,
)


@pytest.mark.parametrize(
    ("first", "second", "wsd", "rc"),
    [(WRIGHT_1, WRIGHT_2, 15.307, 42.40), (MINI_1, MINI_2, 19.911, 55.15)],
)
def test_peak_flow_gives_the_published_repeatability(
    first: tuple[int, ...], second: tuple[int, ...], wsd: float, rc: float
) -> None:
    groups = list(zip(first, second, strict=True))
    assert within_subject_sd(groups).value == pytest.approx(wsd, abs=5e-4)
    assert repeatability_coefficient(groups).value == pytest.approx(rc, abs=5e-3)


def test_wcv_is_the_root_mean_square_form_with_qibas_one_sided_bound() -> None:
    groups = [(9.0, 11.0), (18.0, 20.0), (33.0, 30.0)]
    squares = [(4 / 2) / 10**2, (4 / 2) / 19**2, (9 / 2) / 31.5**2]
    found = wcv(groups, level=0.90)
    assert found.value == pytest.approx(math.sqrt(np.mean(squares)))
    assert found.high == pytest.approx(found.value * math.sqrt(3 / 0.3518463))  # chi-square(0.05; 3)


def test_wcv_of_test_and_retest_covers_as_often_as_it_says() -> None:
    random = np.random.RandomState(3)
    inside = []
    for _ in range(1000):
        size = random.uniform(20.0, 80.0, size=(35, 1))
        found = wcv(size * (1.0 + 0.05 * random.normal(size=(35, 2))), level=0.90)
        inside.append(found.high >= 0.05)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)


def test_subjects_with_more_replicates_weigh_by_their_degrees_of_freedom() -> None:
    found = within_subject_sd([(1.0, 3.0), (2.0, 4.0, 6.0), (5.0,)])
    assert found.value == pytest.approx(math.sqrt((2.0 + 8.0) / 3))
    assert found.n == 2


def test_what_cannot_be_estimated_says_why() -> None:
    assert "twice" in within_subject_sd([(1.0,), (2.0,)]).reason
    assert math.isnan(within_subject_sd([]).value)
    assert "not finite" in within_subject_sd([(1.0, math.nan)]).reason
    assert "above 0" in wcv([(-1.0, 1.0)]).reason
    assert "twice" in wcv([]).reason
    same = repeatability_coefficient([(1.0, 1.0), (2.0, 2.0)])
    assert same.value == 0.0
    assert not same.has_interval
    assert "identical" in same.reason
    assert not within_subject_sd([(0.1, 0.1, 0.1), (0.7, 0.7, 0.7)]).has_interval
    assert not wcv([(0.1, 0.1, 0.1), (0.7, 0.7, 0.7)]).has_interval


def test_rdc_adds_condition_and_error_of_the_two_way_table() -> None:
    table = np.array([[1.0, 2.0, 4.0], [3.0, 3.0, 6.0], [5.0, 7.0, 8.0], [2.0, 2.0, 6.0]])
    n, k = table.shape
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    error = (rest**2).sum() / ((n - 1) * (k - 1))
    condition = table.mean(axis=0).var(ddof=1) - error / n
    found = reproducibility_coefficient(table)
    assert found.value == pytest.approx(2.77 * math.sqrt(condition + error))
    assert found.low < found.value < found.high


def test_rdc_with_repetitions_adds_all_three_components() -> None:
    random = np.random.RandomState(11)
    cube = (
        random.normal(100, 20, size=(400, 1, 1))
        + random.normal(0, 3, size=(1, 40, 1))
        + random.normal(0, 2, size=(400, 40, 1))
        + random.normal(0, 1, size=(400, 40, 2))
    )
    assert reproducibility_coefficient(cube).value == pytest.approx(2.77 * math.sqrt(9 + 4 + 1), rel=0.15)


def test_few_conditions_give_a_wide_interval_of_the_rdc() -> None:
    random = np.random.RandomState(2)
    inside = []
    for _ in range(1000):
        scanner, noise = random.normal(0, 2, size=(1, 4)), random.normal(0, 1, size=(12, 4))
        found = reproducibility_coefficient(random.normal(50, 10, size=(12, 1)) + scanner + noise)
        inside.append(found.low <= 2.77 * math.sqrt(5.0) <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)


def test_an_incomplete_table_has_no_rdc() -> None:
    assert "equally many" in reproducibility_coefficient([(1.0, 2.0), (1.0,)]).reason
    assert "equally many" in reproducibility_coefficient([((1.0, 2.0), (1.0,)), ((1.0, 2.0), (1.0,))]).reason
    assert "at least two" in reproducibility_coefficient([]).reason
    assert "not finite" in reproducibility_coefficient([(1.0, math.nan), (1.0, 2.0)]).reason
    assert not reproducibility_coefficient([(1.0, 1.0), (2.0, 2.0)]).has_interval
