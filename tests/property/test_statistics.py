"""What must hold for every sample, however odd."""

import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from host.statistics.agreement import bland_altman, concordance, limit_factors
from host.statistics.equivalence import tost_mean
from host.statistics.multiplicity import holm, holm_by_intervals
from host.statistics.regression import deming, passing_bablok
from host.statistics.reliability import FORMS, icc
from host.statistics.repeatability import wcv, within_subject_sd

NUMBERS = st.integers(-1000, 1000).map(float)
POSITIVE = st.integers(1, 1000).map(float)


def tables(rows: st.SearchStrategy[int], columns: st.SearchStrategy[int], elements=NUMBERS):
    return st.tuples(rows, columns).flatmap(lambda shape: arrays.arrays(float, shape, elements=elements))


PAIRS = tables(st.integers(3, 25), st.just(2))


@given(PAIRS)
def test_concordance_does_not_mind_which_measurement_comes_first(pairs: np.ndarray) -> None:
    there, back = concordance(*pairs.T), concordance(*pairs.T[::-1])
    np.testing.assert_allclose(
        (there.value, there.low, there.high), (back.value, back.low, back.high), rtol=1e-9
    )


@given(PAIRS)
def test_concordance_never_exceeds_the_correlation(pairs: np.ndarray) -> None:
    assume(np.ptp(pairs, axis=0).min() > 0)
    found = concordance(*pairs.T)
    assert abs(found.value) <= abs(stats.pearsonr(*pairs.T).statistic) + 1e-9


@given(PAIRS, st.integers(1, 9), NUMBERS)
def test_bland_altman_follows_a_change_of_unit(pairs: np.ndarray, factor: int, shift: float) -> None:
    before, after = bland_altman(*pairs.T), bland_altman(*(factor * pairs + shift).T)
    for name in ("bias", "loa_low", "loa_high"):
        a, b = getattr(before, name), getattr(after, name)
        np.testing.assert_allclose(
            (factor * a.value, factor * a.low, factor * a.high),
            (b.value, b.low, b.high),
            rtol=1e-9,
            atol=1e-9,
        )


@given(st.integers(2, 400), st.floats(0.5, 0.99))
def test_a_limit_lies_between_the_ends_of_its_exact_interval(n: int, level: float) -> None:
    inner, outer = limit_factors(n, level=level)
    assert inner < 1.959964 < outer or (n < 6 and inner < outer)


@given(tables(st.integers(2, 12), st.integers(2, 5), POSITIVE), st.integers(2, 9))
def test_the_wcv_has_no_unit_and_the_wsd_has_the_measurements(table: np.ndarray, factor: int) -> None:
    np.testing.assert_allclose(wcv(table).value, wcv(factor * table).value, rtol=1e-9)
    np.testing.assert_allclose(
        factor * within_subject_sd(table).value, within_subject_sd(factor * table).value
    )


@given(tables(st.integers(2, 12), st.integers(2, 5)), st.sampled_from(FORMS))
def test_an_icc_is_at_most_1_inside_its_interval_and_does_not_mind_the_order_of_subjects(
    table: np.ndarray, form
) -> None:
    found, turned = icc(table, form=form), icc(table[::-1], form=form)
    np.testing.assert_allclose(found.value, turned.value, rtol=1e-6, atol=1e-9)
    if not math.isnan(found.value):
        assert found.value <= 1.0 + 1e-9
    if found.has_interval:
        assert found.low <= found.value + 1e-9
        assert found.value <= found.high + 1e-9


@given(PAIRS, st.sampled_from([0.25, 1.0, 4.0]))
def test_deming_mirrors_when_the_methods_are_swapped(pairs: np.ndarray, ratio: float) -> None:
    x, y = pairs.T
    there, back = deming(x, y, error_ratio=ratio), deming(y, x, error_ratio=1 / ratio)
    assume(not math.isnan(there.slope.value) and abs(there.slope.value) > 1e-6)
    np.testing.assert_allclose(there.slope.value, 1 / back.slope.value, rtol=1e-6)


@given(PAIRS)
def test_passing_bablok_mirrors_when_the_methods_are_swapped(pairs: np.ndarray) -> None:
    """An odd number of slopes: the median of an even number is a mean, which has no mirror image."""
    x, y = pairs.T
    i, j = np.triu_indices(x.size, k=1)
    counted = (x[i] != x[j]) | (y[i] != y[j])
    counted &= (y[j] - y[i]) != -(x[j] - x[i])
    assume(np.count_nonzero(counted) % 2 == 1)
    there, back = passing_bablok(x, y).slope.value, passing_bablok(y, x).slope.value
    assume(math.isfinite(there) and math.isfinite(back))
    np.testing.assert_allclose(there * back, 1.0, rtol=1e-9)


@given(arrays.arrays(float, st.integers(2, 30), elements=NUMBERS), st.integers(1, 1500), st.integers(1, 1500))
def test_tost_rejects_both_exactly_when_the_90_percent_interval_lies_inside(
    differences: np.ndarray, below: int, above: int
) -> None:
    low, high = -below + 0.123, above - 0.456  # never where an interval could end exactly
    assume(low < high and np.ptp(differences) > 0)
    found = tost_mean(differences, low=low, high=high)
    both = found.p_above_low < 0.05 and found.p_below_high < 0.05
    assert found.equivalent == both == (low < found.estimate.low and found.estimate.high < high)


@given(
    st.lists(st.integers(0, 1000).map(lambda k: k / 1000), max_size=12), st.sampled_from([0.01, 0.05, 0.2])
)
def test_holm_decides_alike_by_p_values_and_by_intervals(p_values: list[float], alpha: float) -> None:
    adjusted = holm(p_values)
    made = holm_by_intervals([lambda each, p=p: p <= each for p in p_values], alpha=alpha)
    near = [abs(p - alpha) < 1e-12 for p in adjusted]
    assert all(
        edge or (p <= alpha) == (level is not None)
        for p, level, edge in zip(adjusted, made, near, strict=True)
    )
    assert all(p <= q for p, q in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    assert all(adjusted[a] <= adjusted[b] for a, b in zip(order, order[1:], strict=False))
