"""Clustered counts against Rao and Scott (1992), and what they are when clusters say nothing."""

import math

import numpy as np
import pytest
from scipy import stats

from host.statistics.clustered import clustered_proportion, clustered_rate
from host.statistics.proportions import wilson

# Weil (1970) in Rao and Scott (1992), table 1: pups that lived of those born, by litter.
CONTROL = (
    (13, 12, 9, 9, 8, 8, 12, 11, 9, 9, 8, 11, 4, 5, 7, 7),
    (13, 12, 9, 9, 8, 8, 13, 12, 10, 10, 9, 13, 5, 7, 10, 10),
)
TREATED = (
    (12, 11, 10, 9, 10, 9, 9, 8, 8, 4, 7, 4, 5, 3, 3, 0),
    (12, 11, 10, 9, 11, 10, 10, 9, 9, 5, 9, 7, 10, 6, 10, 7),
)


@pytest.mark.parametrize(
    ("litters", "effect", "said"), [(CONTROL, 1.232495, "1.23"), (TREATED, 3.952861, "3.95")]
)
def test_the_design_effects_of_weils_litters_are_those_published(litters, effect, said):
    """The figures that the R package PF prints for this table."""
    alive, born = (np.array(one) for one in litters)
    found = clustered_proportion(alive, born)
    smaller = wilson(10**9 * int(alive.sum()), 10**9 * int(born.sum()))
    assert found.value == smaller.value == alive.sum() / born.sum()
    assert found.method == f"Wilson of the effective sample, design effect {said}"
    assert found.n == 16
    # Wilson's ends solve (p - end)^2 = z^2 end (1 - end) / n for the effective n.
    for end in (found.low, found.high):
        effective = 1.959963984540054**2 * end * (1 - end) / (found.value - end) ** 2
        assert born.sum() / effective == pytest.approx(effect, abs=1e-6)


def test_independent_trials_have_the_interval_of_wilson_or_nearly():
    flags = np.arange(400) % 5 > 0
    found, plain = clustered_proportion(flags, np.ones(400)), wilson(320, 400)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), rel=2e-3)


def test_cases_of_a_subject_are_added_before_they_count():
    alive, born = (np.array(one) for one in TREATED)
    split = clustered_proportion(
        np.concatenate([alive // 2, alive - alive // 2]),
        np.concatenate([born // 2, born - born // 2]),
        clusters=[*range(16), *range(16)],
    )
    assert split == clustered_proportion(alive, born)


@pytest.mark.parametrize("share", [0, 1])
def test_all_or_nothing_takes_every_cluster_for_one_trial(share):
    found = clustered_proportion(np.full(20, 3 * share), np.full(20, 3))
    plain = wilson(20 * share, 20)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))
    assert found.method.endswith("design effect at most 3")


def test_clusters_alike_by_chance_never_count_for_more_than_independent_trials():
    found, plain = clustered_proportion(np.full(20, 5), np.full(20, 10)), wilson(100, 200)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))


def test_the_effective_interval_covers_where_the_plain_one_does_not():
    random, missed, plain = np.random.RandomState(4), 0, 0
    for _ in range(2000):
        found = random.binomial(6, random.beta(4.0, 1.0, 30))
        interval = clustered_proportion(found, np.full(30, 6))
        missed += not interval.low <= 0.8 <= interval.high
        independent = wilson(int(found.sum()), 180)
        plain += not independent.low <= 0.8 <= independent.high
    assert missed / 2000 < 0.075
    assert plain / 2000 > 0.15


def test_a_rate_without_overdispersion_has_poissons_exact_interval():
    counts = np.array([2] * 30)
    found = clustered_rate(counts, np.ones(30))
    low, high = stats.chi2.ppf(0.025, 120) / 2, stats.chi2.ppf(0.975, 122) / 2
    assert (found.low * 30, found.value, found.high * 30) == pytest.approx((low, 2.0, high))
    assert found.method == "Poisson of the effective sample, design effect 1"


def test_an_overdispersed_rate_is_that_of_fewer_events():
    counts = np.array([0, 0, 0, 6, 0, 0, 12, 0, 0, 2], float)
    found = clustered_rate(counts, np.ones(10))
    effect = counts.var(ddof=1) / counts.mean()
    high = stats.chi2.ppf(0.975, 2 * counts.sum() / effect + 2) / 2
    assert found.high == pytest.approx(high * effect / 10)


def test_no_event_leaves_the_upper_bound_of_a_poisson_count():
    found = clustered_rate(np.zeros(40), np.ones(40))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(-math.log(0.025) / 40)
    paired = clustered_rate(np.zeros(40), np.ones(40), clusters=[number // 2 for number in range(40)])
    assert paired.high == pytest.approx(-math.log(0.025) / 20)
    assert paired.n == 20


def test_what_cannot_be_said_is_not():
    assert clustered_proportion([], []).reason == "there is no trial"
    assert clustered_proportion([0, 0], [0, 0]).reason == "there is no trial"
    assert clustered_rate([], []).reason == "there is no case"
    one = clustered_proportion([2, 0], [3, 0])
    assert (one.value, one.n, one.reason) == (2 / 3, 1, "there is a single subject")
    assert clustered_rate([2, 1], [1, 1], clusters=["a", "a"]).reason == "there is a single subject"


def test_counts_that_are_none_are_refused():
    with pytest.raises(ValueError, match="more successes than trials"):
        clustered_proportion([4], [3])
    with pytest.raises(ValueError, match="negative or missing"):
        clustered_rate([-1], [3])
    with pytest.raises(ValueError, match="negative or missing"):
        clustered_rate([math.nan], [3])
    with pytest.raises(ValueError, match="shapes"):
        clustered_proportion([1, 2], [3])
