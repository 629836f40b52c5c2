"""Discrimination and Brier scores at a time, against scikit-survival and the plain ones without censoring."""

import math

import numpy as np
import pytest
from sksurv.metrics import brier_score, cumulative_dynamic_auc, integrated_brier_score

from host.statistics.probability import brier
from host.statistics.roc import auc
from host.statistics.survival import brier_at, integrated_brier, time_dependent_auc
from tests.support.case_weights import error_by_weighting, standard_error
from tests.support.survival_data import breast_cancer, veterans

HORIZONS = (400.25, 800.25, 1600.25)


def risks(score, horizons=HORIZONS):
    """Some risk that rises with the score and the horizon."""
    odds = np.exp((score - score.mean()) / score.std())[:, None] * np.array(horizons) / 2000
    return odds / (1 + odds)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_area_at_a_time_is_that_of_scikit_survival(horizon):
    table = breast_cancer()
    distinct = table.score + np.linspace(0, 1e-3, len(table.score))
    theirs = cumulative_dynamic_auc(table.outcome, table.outcome, distinct, [horizon])[1]
    found = time_dependent_auc(distinct, table.time, table.event, horizon=horizon)
    assert found.value == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("place", range(3))
def test_the_brier_score_at_a_time_is_that_of_scikit_survival(place):
    table, horizon = breast_cancer(), HORIZONS[place]
    predicted = risks(table.score)[:, place]
    theirs = brier_score(table.outcome, table.outcome, 1 - predicted, horizon)[1][0]
    assert brier_at(predicted, table.time, table.event, horizon=horizon).value == pytest.approx(
        theirs, abs=1e-12
    )


def test_the_integrated_brier_score_is_that_of_scikit_survival():
    table = breast_cancer()
    predicted = risks(table.score)
    theirs = integrated_brier_score(table.outcome, table.outcome, 1 - predicted, HORIZONS)
    found = integrated_brier(predicted, table.time, table.event, horizons=HORIZONS)
    assert found.value == pytest.approx(theirs, abs=1e-12)


def test_without_censoring_both_are_the_plain_ones():
    table = veterans()
    always = np.full(137, True)
    happened, predicted = table.time <= 80.0, risks(table.score, (80.0,))[:, 0]
    found = time_dependent_auc(table.score, table.time, always, horizon=80.0)
    plain = auc(table.score, happened)
    assert found.value == pytest.approx(plain.value)
    assert standard_error(found) == pytest.approx(standard_error(plain), rel=0.02)
    found = brier_at(predicted, table.time, always, horizon=80.0)
    plain = brier(predicted, happened)
    assert found.value == pytest.approx(plain.value)
    assert standard_error(found) == pytest.approx(standard_error(plain), rel=0.02)


def rising(score, horizons):
    """A risk that no other case has a part in."""
    return 1 / (1 + np.exp(-score))[:, None] * np.array(horizons) / 200


@pytest.mark.parametrize(
    "statistic",
    [
        lambda score, time, event: time_dependent_auc(score, time, event, horizon=120.0),
        lambda score, time, event: brier_at(rising(score, [120.0])[:, 0], time, event, horizon=120.0),
        lambda score, time, event: integrated_brier(
            rising(score, [60, 90, 200]), time, event, horizons=[60, 90, 200]
        ),
    ],
)
def test_the_error_is_made_of_the_derivatives_by_each_cases_weight(statistic):
    random, n = np.random.RandomState(8), 25
    time, event = random.randint(1, 300, n), random.rand(n) < 0.6
    time[3], event[3] = 120, False
    columns = np.array([np.round(-time / 100 + random.normal(size=n), 1), time, event])
    expected = error_by_weighting(lambda *drawn: statistic(*drawn).value, columns)
    assert standard_error(statistic(*columns)) == pytest.approx(expected, rel=0.01)


def test_those_censored_at_the_horizon_itself_are_known_to_be_free():
    """Follow-up that ends for all at the horizon."""
    table = veterans()
    time, event = np.minimum(table.time, 90.0), table.event & (table.time <= 90.0)
    for call in (time_dependent_auc, brier_at):
        ended = call(risks(table.score, (90.0,))[:, 0], time, event, horizon=90.0)
        whole = call(risks(table.score, (90.0,))[:, 0], table.time, table.event, horizon=90.0)
        assert ended.value == pytest.approx(whole.value)
        assert standard_error(ended) == pytest.approx(standard_error(whole))


def test_cases_of_one_subject_add_no_evidence():
    table = veterans()
    twice = [np.repeat(one, 2) for one in (risks(table.score, (80.0,))[:, 0], table.time, table.event)]
    subjects = np.repeat(np.arange(137), 2).tolist()
    for call in (time_dependent_auc, brier_at):
        once = call(risks(table.score, (80.0,))[:, 0], table.time, table.event, horizon=80.0)
        found = call(*twice, horizon=80.0, clusters=subjects)
        assert (found.value, found.low, found.high) == pytest.approx((once.value, once.low, once.high))
        assert found.n == 137


def test_equal_scores_count_half():
    found = time_dependent_auc([1, 1, 1, 2], [1, 5, 6, 1], [True, False, False, True], horizon=3.0)
    assert found.value == pytest.approx((0.5 + 0.5 + 1 + 1) / 4)


@pytest.mark.parametrize("call", [time_dependent_auc, brier_at])
def test_a_horizon_that_nobody_reaches_is_said(call):
    found = call([0.1, 0.2], [1, 2], [True, True], horizon=2.0)
    assert math.isnan(found.value)
    assert found.reason == "nobody is known to be free of the event at 2"
    assert call([], [], [], horizon=2.0).reason == "there is no case"
    assert call([0.5], [math.nan], [True], horizon=2.0).reason == "1 times are not lengths of time"


def test_what_the_predictions_lack_is_said():
    assert (
        time_dependent_auc([1, 2], [3, 4], [True, True], horizon=2.0).reason
        == "no event comes by the horizon"
    )
    found = time_dependent_auc([1, math.nan], [1, 4], [True, True], horizon=2.0)
    assert found.reason == "1 cases have no score"
    assert brier_at([0.5, 1.5], [1, 4], [True, True], horizon=2.0).reason == "1 values are not probabilities"
    found = integrated_brier([[0.5, -1], [0.5, 0.6]], [1, 4], [True, True], horizons=[2.0, 3.0])
    assert found.reason == "1 values are not probabilities"


def test_calls_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="two rising horizons"):
        integrated_brier([[0.5, 0.5]], [1], [True], horizons=[3.0, 2.0])
    with pytest.raises(ValueError, match="two rising horizons"):
        integrated_brier([[0.5]], [1], [True], horizons=[3.0])
    with pytest.raises(ValueError, match="probabilities for 1 cases, 2 horizons"):
        integrated_brier([[0.5]], [1], [True], horizons=[2.0, 3.0])
    with pytest.raises(ValueError, match="shapes"):
        brier_at([0.5], [1, 2], [True, True], horizon=1.0)
