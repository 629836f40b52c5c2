"""Registered statistics: what protocols name is the formula it says, over the cases that concern it."""

import math

import numpy as np
import pytest

from host.statistics.agreement import bland_altman, bland_altman_repeated, concordance
from host.statistics.cases import Cases
from host.statistics.classes import sensitivity, weighted_kappa
from host.statistics.estimation import Plan, estimate, point
from host.statistics.froc import sensitivity_at
from host.statistics.proportions import wilson
from host.statistics.registration import BOOTSTRAPS, Asked
from host.statistics.registrations import statistics
from host.statistics.regression import deming, linearity, passing_bablok
from host.statistics.reliability import icc
from host.statistics.repeatability import reproducibility_coefficient, wcv
from host.statistics.roc import auc

RANDOM = np.random.RandomState(7)
REFERENCE = RANDOM.uniform(10, 90, 24)
PREDICTED = REFERENCE * 1.03 + RANDOM.normal(0, 2, 24)


def one_each(**columns: object) -> Cases:
    """Cases of subjects that have one each."""
    lists = {name: [(float(one),) for one in numbers] for name, numbers in columns.items()}  # type: ignore[attr-defined]
    return Cases.of([f"s{number:02d}" for number in range(len(next(iter(lists.values()))))], lists)


NUMBERS = one_each(predicted=PREDICTED, reference=REFERENCE, value=PREDICTED - REFERENCE)
CALLS = one_each(
    predicted=[1, 1, 0, 1, 0, 0, 0, 1, 1, 0],
    reference=[1, 1, 1, 1, 0, 0, 0, 0, 1, 0],
    score=[0.9, 0.8, 0.4, 0.7, 0.2, 0.3, 0.1, 0.6, 0.95, 0.35],
    positive=[1] * 10,
    classes=[2] * 10,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bias", bland_altman(PREDICTED, REFERENCE).bias),
        ("loa_low", bland_altman(PREDICTED, REFERENCE).loa_low),
        ("loa_high", bland_altman(PREDICTED, REFERENCE).loa_high),
        ("proportional_bias", bland_altman(PREDICTED, REFERENCE).proportional_bias),
        ("ccc", concordance(PREDICTED, REFERENCE)),
        ("icc_2_1", icc(np.column_stack((PREDICTED, REFERENCE)), form="2,1")),
        ("icc_3_k", icc(np.column_stack((PREDICTED, REFERENCE)), form="3,k")),
        ("deming_slope", deming(REFERENCE, PREDICTED).slope),
        ("deming_intercept", deming(REFERENCE, PREDICTED).intercept),
        ("passing_bablok_slope", passing_bablok(REFERENCE, PREDICTED).slope),
        ("passing_bablok_intercept", passing_bablok(REFERENCE, PREDICTED).intercept),
        ("linearity_slope", linearity(REFERENCE, PREDICTED).slope),
        ("linearity_intercept", linearity(REFERENCE, PREDICTED).intercept),
        ("linearity_quadratic", linearity(REFERENCE, PREDICTED).quadratic),
    ],
)
def test_a_statistic_of_numbers_is_the_formula_it_names(name: str, expected: object) -> None:
    assert estimate(statistics()[name], NUMBERS, Plan()) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sensitivity", wilson(4, 5)),
        ("specificity", wilson(4, 5)),
        ("ppv", wilson(4, 5)),
        ("npv", wilson(4, 5)),
        ("accuracy", wilson(8, 10)),
        ("auc", auc(CALLS["score"], CALLS["reference"] == 1)),
        ("kappa", weighted_kappa(CALLS["predicted"], CALLS["reference"], classes=2)),
        (
            "kappa_quadratic",
            weighted_kappa(CALLS["predicted"], CALLS["reference"], classes=2, weights="quadratic"),
        ),
    ],
)
def test_a_statistic_of_classes_is_the_formula_it_names(name: str, expected: object) -> None:
    assert estimate(statistics()[name], CALLS, Plan()) == expected


def test_the_positive_class_may_be_any() -> None:
    flipped = one_each(
        predicted=1 - CALLS["predicted"], reference=1 - CALLS["reference"], positive=np.zeros(10)
    )
    assert estimate(statistics()["sensitivity"], flipped, Plan()) == sensitivity(
        CALLS["predicted"] == 1, CALLS["reference"] == 1
    )


def test_a_sensitivity_rests_on_the_positive_cases_alone() -> None:
    found = estimate(statistics()["sensitivity"], CALLS, Plan(method="bca"))
    assert (found.value, found.n) == (0.8, 5)


def test_a_mean_with_an_infinite_value_is_infinite_and_has_no_interval() -> None:
    found = estimate(statistics()["mean"], one_each(value=[1.0, math.inf]), Plan())
    assert found.value == math.inf
    assert (found.has_interval, found.reason) == (False, "1 of 2 values are infinite")


def test_a_rate_counts_the_ones() -> None:
    assert estimate(statistics()["rate"], one_each(value=[1, 1, 0, 1]), Plan()) == wilson(3, 4)


TWICE = Cases.of(
    [f"s{number // 2}" for number in range(24)],
    {
        "predicted": [(one,) for one in PREDICTED],
        "reference": [(one,) for one in REFERENCE],
        "value": [(one,) for one in PREDICTED - REFERENCE],
    },
    [{"scanner": "ab"[number % 2]} for number in range(24)],
)


def test_cases_that_share_subjects_get_a_bootstrap_of_subjects() -> None:
    found = estimate(statistics()["mean"], TWICE, Plan())
    assert (found.n, found.method) == (12, "BCa bootstrap of subjects, 2000 resamples")
    assert found.low < found.value < found.high


def test_a_method_for_one_case_per_subject_gives_no_interval_over_several() -> None:
    found = estimate(statistics()["mean"], TWICE, Plan(method="t"))
    assert (found.has_interval, found.n) == (False, 12)
    assert found.reason == "t takes one case per subject, and 24 cases come from 12 subjects"


def test_a_statistic_made_for_several_cases_per_subject_takes_them() -> None:
    groups = TWICE.groups(TWICE["predicted"] - TWICE["reference"])
    assert estimate(statistics()["loa_high"], TWICE, Plan()) == bland_altman_repeated(groups).loa_high
    assert estimate(statistics()["wcv"], TWICE, Plan()) == wcv(TWICE.groups(TWICE["predicted"]))


def test_reproducibility_is_across_the_levels_of_the_stratum_that_is_named() -> None:
    table = [list(pair) for pair in PREDICTED.reshape(12, 2)]
    found = estimate(statistics()["rdc"], TWICE, Plan(options={"condition": "scanner"}))
    assert found == reproducibility_coefficient(table)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    mean = statistics()["mean"]
    first, again, other = (estimate(mean, TWICE, Plan(method="bca", seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first.low != other.low


def test_subjects_are_drawn_within_the_levels_of_a_stratum() -> None:
    cases = Cases.of(
        [f"s{number}" for number in range(20)],
        {"value": [(float(number >= 10),) for number in range(20)]},
        [{"site": "b" if number >= 10 else "a"} for number in range(20)],
    )
    stratified = estimate(statistics()["mean"], cases, Plan(method="bca", within="site"))
    assert not stratified.has_interval  # within each site nothing varies
    assert estimate(statistics()["mean"], cases, Plan(method="bca")).has_interval


def test_a_point_has_no_interval() -> None:
    found = point(statistics()["loa_low"], NUMBERS, {})
    assert found.value == pytest.approx(bland_altman(PREDICTED, REFERENCE).loa_low.value)
    assert not found.has_interval


@pytest.mark.parametrize("name", sorted(statistics()))
def test_a_statistic_of_no_case_is_not_estimable_and_says_why(name: str) -> None:
    statistic = statistics()[name]
    nothing = Cases.of([], dict.fromkeys(statistic.columns, ()))
    options = {one.name: "site" if one.is_stratum else one.default or 1.0 for one in statistic.options}
    for method in (None, *statistic.offered):
        found = estimate(statistic, nothing, Plan(method=method, options=options))
        assert math.isnan(found.value)
        assert (found.n, found.has_interval) == (0, False)
        assert found.reason


@pytest.mark.parametrize("name", sorted(statistics()))
def test_every_statistic_says_what_it_is_and_how_its_interval_is_made(name: str) -> None:
    statistic = statistics()[name]
    assert len(statistic.definition.split()) > 2
    assert statistic.source
    assert statistic.offered
    assert not set(BOOTSTRAPS) & {*statistic.methods, *statistic.clustered_methods}


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("mean", {"tau": 1}, "options: mean has no 'tau'; it has: none"),
        ("rdc", {}, "options: rdc needs condition"),
        ("rdc", {"condition": 3}, "the stratum whose levels are the scanners; not 3"),
        ("deming_slope", {"error_ratio": 0}, "error_ratio lies between 0 and inf, not at 0"),
        ("deming_slope", {"error_ratio": "one"}, "not 'one'"),
        ("loa_low", {"coverage": 1.0}, "coverage lies between 0 and 1, not at 1"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(
    name: str, options: dict[str, float | str], told: str
) -> None:
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        statistics()[name].complete(options)


def test_a_method_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="wcv has no method 'bca'; it has: chi_square"):
        estimate(statistics()["wcv"], TWICE, Plan(method="bca"))


def test_columns_have_one_entry_per_case() -> None:
    with pytest.raises(ValueError, match="column value has 1 cases of 2"):
        Cases.of(["a", "b"], {"value": [(1.0,)]})


FOUND = Cases.of(
    [f"s{number}" for number in range(8)],
    {
        "scores": [[0.9, 0.2], [], [0.8], [0.7, 0.6, 0.5], [0.4], [0.95], [0.3], [0.85, 0.1]],
        "matched": [[0, -1], [], [-1], [0, 1, -1], [0], [0], [-1], [0, 1]],
        "reference": [[1], [1], [0], [3], [1], [1], [0], [2]],
    },
)


def test_the_sensitivity_at_a_false_positive_rate_is_that_of_the_curve_and_of_its_own_bootstrap() -> None:
    statistic, options = statistics()["sensitivity_at_fp"], {"false_positives_per_case": 0.25}
    found = estimate(statistic, FOUND, Plan(seed=3, resamples=400, options=options))
    columns = FOUND.each("scores"), FOUND.each("matched"), FOUND["reference"]
    own = sensitivity_at(
        *columns, false_positives_per_case=0.25, subjects=FOUND.subjects.tolist(), seed=3, resamples=400
    )
    assert found == own


@pytest.mark.parametrize("name", [one.name for one in statistics().values() if one.resampled is not None])
def test_a_faster_way_to_a_resample_gives_what_the_statistic_gives(name: str) -> None:
    statistic = statistics()[name]
    assert statistic.resampled is not None
    asked = Asked(level=0.95, method="", options={"false_positives_per_case": 0.25})
    for seed in range(20):
        indices = np.random.RandomState(seed).randint(0, 8, 8)
        slow = statistic.compute(FOUND.take(indices), asked).value
        assert statistic.resampled(FOUND, asked)(indices) == pytest.approx(slow, nan_ok=True)
