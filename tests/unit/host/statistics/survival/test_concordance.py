"""Concordance against R's survival package and scikit-survival, on patients."""

import itertools
import math

import numpy as np
import pytest
from sksurv.metrics import concordance_index_censored, concordance_index_ipcw

from host.statistics.survival import concordance, delta_c, harrell_c, uno_c
from tests.support.case_weights import error_by_weighting, standard_error
from tests.support.survival_data import breast_cancer, veterans

PAIRED_SUBJECTS = [number // 2 for number in range(137)]


# R 4.2.2, survival 3.5-3: concordance(Surv(time, status) ~ karno, veteran), also with
# cluster = rep(1:69, each = 2)[1:137].
@pytest.mark.parametrize(("clusters", "error"), [(None, 0.0225587171917), (PAIRED_SUBJECTS, 0.0225099054109)])
def test_harrells_c_and_its_error_are_those_of_r(clusters, error):
    table = veterans()
    found = harrell_c(table.score, table.time, table.event, clusters=clusters)
    assert found.value == pytest.approx(0.7092798727851, abs=1e-12)
    assert standard_error(found) == pytest.approx(error, abs=1e-12)
    assert found.n == (69 if clusters else 137)


def test_the_paired_difference_and_its_error_are_those_of_r():
    """R: the difference for karno and age, and the root of the summed squared differences of their dfbeta."""
    table = veterans()
    found = delta_c(table.score, table.baseline, table.time, table.event)
    assert found.value == pytest.approx(0.2243866424353, abs=1e-12)
    assert standard_error(found) == pytest.approx(0.0364963693949, abs=1e-12)


def test_unos_c_is_that_of_r():
    """R: timewt = "n/G2". Its error takes the weights as known; ours is checked against the definition below."""
    table = veterans()
    found = uno_c(table.score, table.time, table.event)
    assert found.value == pytest.approx(0.6993361393785, abs=1e-12)
    assert standard_error(found) == pytest.approx(0.0228947193001, rel=0.05)


def test_both_are_those_of_scikit_survival():
    table = breast_cancer()
    theirs = concordance_index_censored(table.event, table.time, table.score)[0]
    assert harrell_c(table.score, table.time, table.event).value == pytest.approx(theirs, abs=1e-12)
    for tau in (800.0, 1800.0):
        theirs = concordance_index_ipcw(table.outcome, table.outcome, table.score, tau=tau)[0]
        assert uno_c(table.score, table.time, table.event, tau=tau).value == pytest.approx(theirs, abs=1e-12)


def test_a_censoring_on_the_day_of_an_event_counts_as_later():
    table = veterans()
    later = table.time + np.where(table.event, 0.0, 0.5)
    assert uno_c(table.score, table.time, table.event) == uno_c(table.score, later, table.event)


@pytest.mark.parametrize(
    "statistic",
    [
        lambda score, baseline, time, event: harrell_c(score, time, event),
        lambda score, baseline, time, event: uno_c(score, time, event),
        lambda score, baseline, time, event: uno_c(score, time, event, tau=150.0),
        lambda score, baseline, time, event: delta_c(score, baseline, time, event, kind="uno"),
    ],
)
def test_the_error_is_made_of_the_derivatives_by_each_cases_weight(statistic):
    random, n = np.random.RandomState(8), 25
    time, event = random.randint(1, 300, n), random.rand(n) < 0.6
    columns = np.array([np.round(-time / 100 + random.normal(size=n), 1), random.normal(size=n), time, event])
    expected = error_by_weighting(lambda *drawn: statistic(*drawn).value, columns)
    assert standard_error(statistic(*columns)) == pytest.approx(expected, rel=0.01)


def test_pairs_in_blocks_are_the_pairs_at_once(monkeypatch):
    table = veterans()
    whole = uno_c(table.score, table.time, table.event)
    monkeypatch.setattr(concordance, "_PAIRS_AT_ONCE", 500)
    blocks = uno_c(table.score, table.time, table.event)
    assert (blocks.value, blocks.low, blocks.high) == pytest.approx((whole.value, whole.low, whole.high))


def test_every_rule_for_a_pair_is_the_written_one():
    """All follow-ups of two: comparable if the shorter ended with the event, or at a tie one and not the other."""
    nothing = math.nan
    expected = {
        (1, True, 2, True): 1.0, (1, True, 2, False): 1.0, (1, False, 2, True): nothing, (1, False, 2, False): nothing,
        (1, True, 1, True): nothing, (1, True, 1, False): 1.0, (1, False, 1, True): 0.0, (1, False, 1, False): nothing,
    }  # fmt: skip
    for (first, had, second, other), value in expected.items():
        found = harrell_c([2.0, 1.0], [first, second], [had, other]).value
        assert found == pytest.approx(value, nan_ok=True), (first, had, second, other)


def test_equal_scores_count_half():
    assert harrell_c([1.0, 1.0], [1, 2], [True, True]).value == 0.5
    orders = [
        harrell_c(scores, [1, 2, 3], [True] * 3).value for scores in itertools.permutations([1.0, 2.0, 2.0])
    ]
    assert orders[0] == pytest.approx(0.5 / 3)


def test_a_perfect_order_has_no_interval():
    found = harrell_c([4, 3, 2, 1], [1, 2, 3, 4], [True] * 4)
    assert found.value == 1.0
    assert not found.has_interval


@pytest.mark.parametrize("concordant", [harrell_c, uno_c])
def test_what_cannot_be_compared_is_said(concordant):
    assert concordant([], [], []).reason == "there is no case"
    assert concordant([1, 2], [5, 6], [False, False]).reason == "there is no pair to compare"
    assert concordant([1, math.nan], [5, 6], [True, False]).reason == "1 cases have no score"
    assert concordant([1, 2], [5, -6], [True, False]).reason == "1 times are not lengths of time"
    found = concordant([1, 2, 3], [5, 6, math.inf], [True] * 3, clusters=["a", "a", "b"])
    assert (found.n, math.isnan(found.value)) == (2, True)


def test_no_event_before_tau_leaves_no_pair():
    assert uno_c([1, 2], [5, 6], [True, True], tau=5.0).reason == "there is no pair to compare"


def test_a_difference_gives_the_reason_of_either():
    found = delta_c([1, 2], [1, math.nan], [5, 6], [True, True])
    assert math.isnan(found.value)
    assert found.reason == "1 cases have no score"


def test_calls_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="takes no tau"):
        delta_c([1, 2], [2, 1], [1, 2], [True, True], tau=3.0)
    with pytest.raises(ValueError, match="shapes"):
        harrell_c([1, 2], [1, 2, 3], [True] * 3)
    with pytest.raises(ValueError, match="shapes"):
        harrell_c([1, 2], [1, 2], [True])
    with pytest.raises(ValueError, match="2 cases but 1 clusters"):
        harrell_c([1, 2], [1, 2], [True, True], clusters=["a"])
