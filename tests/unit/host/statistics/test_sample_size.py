"""Sample sizes: the answer does what was asked, one subject fewer does not, and published numbers come out."""

import math

import numpy as np
import pytest
from scipy import stats

from host.statistics.agreement import bland_altman
from host.statistics.equivalence import tost_mean
from host.statistics.proportions import wilson
from host.statistics.sample_size import (
    for_auc_goal,
    for_equivalence,
    for_limits_width,
    for_limits_within,
    for_mean_width,
    for_proportion_goal,
    for_proportion_width,
    for_wcv,
)


def test_a_wcv_of_four_fifths_of_the_claim_needs_the_35_subjects_of_qiba() -> None:
    found = for_wcv(0.08, 0.10)
    assert found.subjects == 35
    assert found.reached == pytest.approx(0.08 * math.sqrt(35 / stats.chi2.ppf(0.05, 35)))


def test_with_power_more_subjects_keep_the_wcvs_bound_under_the_claim() -> None:
    found = for_wcv(0.08, 0.10, power=0.8)
    assert found.subjects is not None
    random = np.random.RandomState(6)
    n, factor = found.subjects, math.sqrt(found.subjects / stats.chi2.ppf(0.05, found.subjects))
    bounds = factor * 0.08 * np.sqrt(random.chisquare(n, size=20000) / n)
    assert np.mean(bounds <= 0.10) == pytest.approx(found.reached, abs=0.01)
    assert found.reached >= 0.8


def test_wilsons_interval_is_as_narrow_as_wanted_from_the_answer_on() -> None:
    found = for_proportion_width(0.9, 0.05)
    assert found.subjects is not None

    def half(n: int) -> float:
        z = stats.norm.isf(0.025)
        return float(z * math.sqrt(0.09 / n + z**2 / (4 * n * n)) / (1 + z**2 / n))

    assert half(found.subjects) <= 0.05 < half(found.subjects - 1)
    interval = wilson(180, 200)
    assert (interval.high - interval.low) / 2 == pytest.approx(half(200))


def test_the_power_to_beat_a_goal_counts_the_samples_whose_wilson_bound_beats_it() -> None:
    found = for_proportion_goal(0.9, 0.8)
    n = found.subjects
    assert n is not None
    beating = [k for k in range(n + 1) if wilson(k, n).low > 0.8]
    assert found.reached == pytest.approx(stats.binom.pmf(beating, n, 0.9).sum())
    assert found.reached >= 0.8


def test_the_power_never_falls_short_again_from_the_answer_on() -> None:
    start = for_proportion_goal(0.95, 0.85).subjects
    assert start is not None

    def power(n: int) -> float:
        return float(sum(stats.binom.pmf(k, n, 0.95) for k in range(n + 1) if wilson(k, n).low > 0.85))

    assert power(start - 1) < 0.8
    assert all(power(n) >= 0.8 for n in range(start, start + 60))


def test_a_means_interval_is_as_narrow_as_wanted() -> None:
    found = for_mean_width(10.0, 2.0)
    assert found.subjects == 99
    assert found.reached <= 2.0 < stats.t.isf(0.025, 97) * 10 / math.sqrt(98)


@pytest.mark.parametrize("difference", [0.0, 2.0])
def test_the_power_of_equivalence_is_that_of_simulated_trials(difference: float) -> None:
    found = for_equivalence(10.0, 6.0, difference=difference)
    n = found.subjects
    assert n is not None
    assert found.reached >= 0.8
    random = np.random.RandomState(8)
    trials = random.normal(difference, 10.0, size=(20000, n))
    error = trials.std(axis=1, ddof=1) / math.sqrt(n)
    half = stats.t.isf(0.05, n - 1) * error
    inside = np.abs(trials.mean(axis=1)) + half < 6.0
    assert np.mean(inside) == pytest.approx(found.reached, abs=0.01)
    assert tost_mean(trials[0], low=-6.0, high=6.0).equivalent == inside[0]


def test_the_outer_bound_of_a_limit_of_agreement_reaches_no_further_than_wanted() -> None:
    found = for_limits_width(0.34)
    assert found.subjects is not None
    spread = np.random.RandomState(1).normal(size=found.subjects)
    spread = (spread - spread.mean()) / spread.std(ddof=1)
    limit = bland_altman(spread, np.zeros(found.subjects)).loa_high
    assert limit.high - limit.value == pytest.approx(found.reached)
    assert found.reached <= 0.34


def test_the_power_to_keep_both_limits_inside_a_margin_is_that_of_simulated_studies() -> None:
    found = for_limits_within(1.0, 3.0, bias=0.4)
    n = found.subjects
    assert n is not None
    random = np.random.RandomState(12)
    studies = random.normal(0.4, 1.0, size=(1500, n))
    kept = []
    for study in studies:
        answer = bland_altman(study, np.zeros(n))
        kept.append(answer.loa_low.low > -3.0 and answer.loa_high.high < 3.0)
    assert np.mean(kept) == pytest.approx(found.reached, abs=0.03)


def _areas(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Empirical AUC of each row of scores."""
    return np.array([np.mean(p[:, None] > n) for p, n in zip(positive, negative, strict=True)])


@pytest.mark.parametrize(
    ("variance", "least", "most"),
    [("hanley_mcneil", 0.96, 1.04), ("obuchowski", 0.75, 1.0)],
    ids=["exponential", "binormal"],
)
def test_the_standard_error_behind_an_auc_is_that_of_simulated_scores(
    variance, least: float, most: float
) -> None:
    """Hanley and McNeil's is exact for exponential scores, Obuchowski's too large for continuous normal ones."""
    found = for_auc_goal(0.85, 0.75, negatives_per_positive=2.0, variance=variance)
    assert found.subjects is not None
    assert found.negatives == 2 * found.subjects
    error = 0.10 / (stats.norm.ppf(found.reached) + stats.norm.isf(0.025))
    random, shape = np.random.RandomState(3), (3000, found.subjects)
    if variance == "hanley_mcneil":
        positive = random.exponential(0.85 / 0.15, size=shape)
        areas = _areas(positive, random.exponential(1.0, size=(3000, found.negatives)))
    else:
        positive = random.normal(math.sqrt(2) * stats.norm.ppf(0.85), 1.0, size=shape)
        areas = _areas(positive, random.normal(0.0, 1.0, size=(3000, found.negatives)))
    assert areas.mean() == pytest.approx(0.85, abs=0.005)
    assert least <= areas.std() / error <= most


def test_binormal_ratings_need_more_subjects_than_exponential_scores() -> None:
    exponential, binormal = for_auc_goal(0.9, 0.8), for_auc_goal(0.9, 0.8, variance="obuchowski")
    assert exponential.subjects is not None
    assert binormal.subjects is not None
    assert exponential.subjects < binormal.subjects
    assert exponential.reached >= 0.8


def test_what_no_study_can_do_has_no_number() -> None:
    assert for_proportion_goal(0.9, 0.8999).subjects is None
    assert for_wcv(0.1, 0.1000001).subjects is None
    assert for_mean_width(1e6, 1.0).subjects is None
    assert for_auc_goal(0.9, 0.89999).subjects is None


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: for_proportion_width(1.2, 0.1), "expected"),
        (lambda: for_proportion_width(0.5, 0.0), "half_width"),
        (lambda: for_proportion_goal(0.8, 0.9), "goal"),
        (lambda: for_equivalence(1.0, 1.0, difference=1.0), "difference"),
        (lambda: for_limits_within(1.0, 1.9), "margin"),
        (lambda: for_wcv(0.2, 0.1), "expected"),
        (lambda: for_auc_goal(0.9, 0.4), "goal"),
        (lambda: for_mean_width(0.0, 1.0), "sd"),
    ],
)
def test_a_design_that_cannot_be_is_named(call, named) -> None:
    with pytest.raises(ValueError, match=named):
        call()
