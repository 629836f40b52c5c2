"""Bootstrap intervals against scipy's BCa, and what they refuse to answer."""

import math

import numpy as np
import pytest
from scipy import stats

from host.statistics.bootstrap import cluster_bootstrap
from host.statistics.roc import auc
from tests.support import asah

NDKA = np.array(asah.NDKA)
POOR = np.array(asah.POOR, bool)


def mean_of(values):
    return lambda indices: float(values[indices].mean())


def spread_of_resampling(interval):
    """How far one end may move by chance alone between two sets of 20 000 resamples: 5 % of the width."""
    return 0.05 * (interval.high - interval.low)


def test_bca_of_independent_cases_agrees_with_scipy():
    skewed = np.log(NDKA) ** 2
    ours = cluster_bootstrap(mean_of(skewed), range(113), seed=1, resamples=20_000)
    theirs = stats.bootstrap((skewed,), np.mean, n_resamples=20_000, method="BCa", rng=2).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=spread_of_resampling(ours))
    assert ours.value == skewed.mean()


def test_percentile_of_independent_cases_agrees_with_scipy():
    ours = cluster_bootstrap(mean_of(NDKA), range(113), seed=1, resamples=20_000, method="percentile")
    theirs = stats.bootstrap(
        (NDKA,), np.mean, n_resamples=20_000, method="percentile", rng=2
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=spread_of_resampling(ours))


def test_bca_within_strata_agrees_with_scipy_on_two_samples():
    def ratio(indices):
        chosen = POOR[indices]
        return float(NDKA[indices][chosen].mean() / NDKA[indices][~chosen].mean())

    ours = cluster_bootstrap(ratio, range(113), strata=asah.POOR, seed=1, resamples=20_000)
    theirs = stats.bootstrap(
        (NDKA[POOR], NDKA[~POOR]),
        lambda poor, good, axis: poor.mean(axis) / good.mean(axis),
        n_resamples=20_000,
        method="BCa",
        rng=2,
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=spread_of_resampling(ours))
    assert ours.method == "BCa bootstrap of subjects, 20000 resamples, 2 strata"


def test_bca_of_subjects_is_that_of_their_totals():
    """A mean over cases is a ratio of the subjects' sums and counts, which scipy can resample in pairs."""
    subjects = np.arange(113) // 3
    sums, counts = np.bincount(subjects, NDKA), np.bincount(subjects)
    ours = cluster_bootstrap(mean_of(NDKA), subjects, seed=1, resamples=20_000)
    theirs = stats.bootstrap(
        (sums, counts),
        lambda total, number, axis: total.sum(axis) / number.sum(axis),
        n_resamples=20_000,
        method="BCa",
        paired=True,
        rng=2,
    ).confidence_interval
    assert ours.n == 38
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=spread_of_resampling(ours))


def test_repeating_every_case_of_a_subject_adds_no_evidence():
    once = cluster_bootstrap(mean_of(NDKA), range(113), seed=5)
    thrice = cluster_bootstrap(mean_of(np.repeat(NDKA, 3)), np.repeat(np.arange(113), 3), seed=5)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), rel=1e-9)
    assert once.n == thrice.n == 113


def test_one_seed_always_gives_the_same_interval_and_another_gives_another():
    first, again, other = (cluster_bootstrap(mean_of(NDKA), range(113), seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first.low != other.low


def test_the_stream_of_random_numbers_is_the_frozen_one():
    """The draws of numpy's RandomState(0): if this moves, reports written before can no longer be reproduced."""
    drawn = []
    cluster_bootstrap(
        lambda indices: float(drawn.append(indices) or indices[0]), "abcdef", seed=0, resamples=2
    )
    np.testing.assert_array_equal(drawn[0], range(6))
    np.testing.assert_array_equal(drawn[1], np.random.RandomState(0).randint(0, 6, 6))
    np.testing.assert_array_equal(drawn[1], [4, 5, 0, 3, 3, 3])


def test_every_resample_holds_as_many_subjects_of_each_stratum_with_all_their_cases():
    subjects = ["a", "a", "b", "c", "c", "c", "d", "e"]
    strata = ["x", "x", "x", "y", "y", "y", "y", "x"]
    seen = []
    cluster_bootstrap(
        lambda indices: float(seen.append(indices) or 0.0), subjects, strata=strata, seed=1, resamples=50
    )
    for indices in seen[:51]:
        counts = np.bincount(indices, minlength=8)
        assert counts[0] == counts[1]
        assert counts[3] == counts[4] == counts[5]
        assert counts[[0, 2, 7]].sum() == 3
        assert counts[[3, 6]].sum() == 2


def test_a_subject_in_several_strata_makes_a_stratum_with_its_likes():
    subjects, strata = [0, 0, 1, 1, 2, 2, 3, 3], ["x", "y", "y", "x", "x", "x", "x", "x"]
    values = np.arange(8.0) ** 2
    assert cluster_bootstrap(mean_of(values), subjects, strata=strata, seed=1).method.endswith("2 strata")


def test_a_resample_without_the_statistic_is_counted_and_named():
    positive = np.arange(40) < 4
    scores = np.where(positive, 2.0, 1.0) + np.arange(40) % 3
    found = cluster_bootstrap(
        lambda indices: auc(scores[indices], positive[indices]).value, range(40), seed=3
    )
    lost = int(found.method.split(", ")[-1].removesuffix(" not computable"))
    assert 0 < lost <= 100
    assert found.has_interval


def test_more_lost_resamples_than_one_in_twenty_give_no_interval():
    positive = np.arange(40) < 2
    scores = np.where(positive, 2.0, 1.0) + np.arange(40) % 3
    found = cluster_bootstrap(
        lambda indices: auc(scores[indices], positive[indices]).value, range(40), seed=3
    )
    assert not found.has_interval
    assert not math.isnan(found.value)
    assert found.reason.startswith("the statistic cannot be computed on ")
    assert found.reason.endswith(" of 2000 resamples")


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_a_statistic_that_never_moves_has_no_interval(method):
    found = cluster_bootstrap(mean_of(np.full(30, 0.1)), range(30), seed=1, method=method)
    assert found.value == pytest.approx(0.1)
    assert not found.has_interval
    assert found.reason == "all resamples give 0.1"


def test_an_estimate_at_the_edge_of_its_resamples_has_no_bca_interval():
    """The largest value: no resample exceeds it, and so the bias correction cannot be told from its ties."""
    found = cluster_bootstrap(lambda indices: float(len(set(indices.tolist()))), range(30), seed=1)
    assert found.value == 30.0
    assert found.reason == "all resamples lie on one side of the estimate"


def test_a_statistic_that_one_subject_holds_up_has_no_bca_interval():
    def needs_the_first(indices):
        return float(indices.mean()) if np.count_nonzero(indices == 0) or len(indices) == 60 else math.nan

    found = cluster_bootstrap(needs_the_first, range(60), seed=1)
    assert found.reason == "the statistic cannot be computed without any one of 1 subjects"
    assert cluster_bootstrap(needs_the_first, range(60), seed=1, method="percentile").has_interval


def test_bca_that_its_corrections_forbid_is_said():
    """A skewness that no quantile so far out can be corrected for, and a jackknife that sees no difference."""
    outlier = np.array([1000.0] + [0.0] * 29)
    found = cluster_bootstrap(mean_of(outlier), range(30), seed=1, level=1 - 1e-10)
    assert found.reason == "BCa's acceleration is too large"
    found = cluster_bootstrap(lambda indices: float(len(set(indices.tolist())) % 2), range(30), seed=1)
    assert found.reason == "leaving any one subject out gives the same value"


def test_a_single_subject_has_no_interval_however_many_cases():
    found = cluster_bootstrap(mean_of(NDKA), ["s"] * 113, seed=1)
    assert (found.n, found.reason) == (1, "there is a single subject")


def test_a_stratum_of_one_subject_has_no_spread_and_so_no_interval():
    found = cluster_bootstrap(mean_of(NDKA), range(113), strata=["x"] + ["y"] * 112, seed=1)
    assert found.reason == "1 strata have a single subject"


def test_no_case_and_no_value_are_said():
    assert cluster_bootstrap(lambda indices: 0.0, [], seed=1).reason == "there is no case"
    found = cluster_bootstrap(lambda indices: math.nan, range(5), seed=1)
    assert found.reason == "the statistic cannot be computed on the sample"


def test_an_end_beyond_the_resamples_is_no_end():
    found = cluster_bootstrap(mean_of(NDKA), range(113), seed=1, resamples=30, method="percentile")
    assert found.reason == "an end lies beyond 30 resamples"


def test_rounding_in_another_order_makes_no_difference():
    """A fraction with few possible values: ties with the estimate must be seen through 1e-17 of noise."""
    found_or_not = np.array([1.0, 0.0] * 15)
    noise = np.random.RandomState(0).rand(100_000) * 1e-15
    calls = iter(noise)
    noisy = cluster_bootstrap(
        lambda indices: float(found_or_not[indices].mean()) + next(calls), range(30), seed=1
    )
    exact = cluster_bootstrap(mean_of(found_or_not), range(30), seed=1)
    assert (noisy.low, noisy.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_calls_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="3 subjects but 2 strata"):
        cluster_bootstrap(lambda indices: 0.0, [1, 2, 3], strata=["a", "b"], seed=1)
    with pytest.raises(ValueError, match="0 resamples"):
        cluster_bootstrap(lambda indices: 0.0, [1, 2, 3], seed=1, resamples=0)
