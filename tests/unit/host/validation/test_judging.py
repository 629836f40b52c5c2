"""Criteria on statistics: three verdicts, failures counted, intervals over patients, and nothing else that matters."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.statistics.agreement import bland_altman
from host.statistics.equivalence import tost_mean
from host.statistics.proportions import wilson
from host.validation.judging import SEVERITY
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.verdict import CriterionVerdict, evaluate
from tests.support.plans import make_criterion, make_metric, make_plan, make_row, observed


def the_only(plan: Protocol, rows: Sequence[CaseRow]) -> CriterionVerdict:
    (one,) = evaluate(plan, rows).criteria
    return one


def values(*numbers: float | None, prefix: str = "s") -> list[CaseRow]:
    return [make_row(f"{prefix}{n:02d}", value) for n, value in enumerate(numbers)]


def lost(case: str, *, value: float | None = 0.0, metric: str = "masks", **columns: Any) -> CaseRow:
    """A case that failed and counts as a value, or as what the columns say."""
    row = observed(case, metric, **columns)
    return row.model_copy(
        update={
            "outcome": "failed",
            "reason_code": "timeout",
            "values": {metric: value},
            "imputed": (metric,),
        }
    )


MEAN = make_plan([make_criterion("mean", "masks")])


def test_the_lower_end_decides() -> None:
    good, bad = values(0.9, 0.92, 0.91, 0.9), values(0.9, 0.7, 0.95, 0.9)
    assert (the_only(MEAN, good).verdict, the_only(MEAN, bad).verdict) == ("met", "not met")
    found = the_only(MEAN, bad)
    assert found.estimate is not None
    assert (found.estimate.method, found.estimate.n) == ("Student's t", 4)
    assert found.estimate.value == pytest.approx(0.8625)
    assert found.reason == "the lower end 0.686085 is not 0.8 or more"
    assert (found.worst_case, found.worst_value) == ("s01", 0.7)


def test_a_one_sided_statement_uses_the_two_sided_interval_at_twice_its_level_less_one() -> None:
    rows = values(0.9, 0.92, 0.91, 0.9)
    one_sided = the_only(make_plan([make_criterion("mean", "masks", sides=1)]), rows).estimate
    two_sided = the_only(make_plan([make_criterion("mean", "masks", level=0.9)]), rows).estimate
    assert one_sided is not None
    assert one_sided == two_sided
    assert one_sided.level == 0.9


def test_the_protocols_level_and_sides_hold_where_a_criterion_says_nothing_else() -> None:
    rows = values(0.9, 0.92, 0.91, 0.9)
    of_protocol = the_only(make_plan([make_criterion("mean", "masks")], level=0.99, sides=1), rows).estimate
    of_criterion = the_only(make_plan([make_criterion("mean", "masks", level=0.98)]), rows).estimate
    assert of_protocol == of_criterion


@pytest.mark.parametrize(
    ("judged", "comparator", "bounds", "word"),
    [
        ("estimate", ">=", {"bound": 0.9}, "met"),
        ("estimate", "<=", {"bound": 0.9}, "not met"),
        ("ci_high", "<=", {"bound": 0.95}, "met"),
        ("ci_high", "<=", {"bound": 0.92}, "not met"),
        ("interval", "within", {"bound": 0.85, "bound_high": 0.95}, "met"),
        ("interval", "within", {"bound": 0.85, "bound_high": 0.92}, "not met"),
        ("interval", "within", {"bound": 0.9, "bound_high": 0.95}, "not met"),
        ("interval", "abs<=", {"bound": 0.95}, "met"),
    ],
)
def test_each_way_of_judging_looks_at_its_own_ends(
    judged: str, comparator: str, bounds: dict[str, float], word: str
) -> None:
    subjects = {} if judged == "estimate" else {"min_subjects": 2}
    criterion = make_criterion("mean", "masks") | {"judged": judged, "comparator": comparator, **bounds}
    criterion.pop("min_subjects")
    plan = make_plan([criterion | subjects], metrics=[make_metric("masks", failed_case_counts_as="not met")])
    assert the_only(plan, values(0.9, 0.92, 0.91, 0.9)).verdict == word


def test_an_interval_over_too_few_subjects_is_insufficient_whichever_way_it_lies() -> None:
    plan = make_plan([make_criterion("mean", "masks", min_subjects=5)])
    for rows in (values(0.9, 0.92, 0.91, 0.9), values(0.1, 0.12, 0.11, 0.1)):
        found = the_only(plan, rows)
        assert found.verdict == "insufficient evidence"
        assert found.reason == "4 independent subjects, and the protocol asks for 5"


def test_cases_of_one_subject_count_once() -> None:
    rows = [
        row.model_copy(update={"subject": f"p{n // 2}"}) for n, row in enumerate(values(*[0.9, 0.91] * 4))
    ]
    found = the_only(make_plan([make_criterion("mean", "masks", min_subjects=5)]), rows)
    assert (found.verdict, found.cases, found.subjects) == ("insufficient evidence", 8, 4)
    assert found.estimate is not None
    assert found.estimate.n == 4


@pytest.mark.parametrize("evidence", ["derived", "phantom"])
def test_an_interval_is_never_judged_over_data_of_no_patient(evidence: str) -> None:
    rows = [row.model_copy(update={"evidence": evidence}) for row in values(*[0.9, 0.92] * 20)]
    found = the_only(MEAN, rows)
    assert (found.verdict, found.evidence, found.subjects) == ("insufficient evidence", evidence, 0)
    assert found.reason == "no case is a patient's, and an interval is judged over patients only"
    assert found.estimate is not None
    assert (found.estimate.low, found.estimate.high) == (None, None)


def test_the_estimate_over_derived_data_may_be_judged_and_says_what_it_rests_on() -> None:
    criterion = make_criterion("median", "masks", judged="estimate")
    del criterion["min_subjects"]
    rows = [row.model_copy(update={"evidence": "derived"}) for row in values(0.9, 0.92, 0.7)]
    found = the_only(make_plan([criterion]), rows)
    assert (found.verdict, found.evidence, found.subjects) == ("met", "derived", 0)


def test_phantoms_are_nobody_where_subjects_are_asked_for_also_without_an_interval() -> None:
    criterion = make_criterion("median", "masks", judged="estimate", min_subjects=3)
    rows = values(0.9, 0.92, 0.9)
    assert the_only(make_plan([criterion]), rows).verdict == "met"
    phantoms = [row.model_copy(update={"evidence": "phantom"}) for row in rows]
    found = the_only(make_plan([criterion]), phantoms)
    assert (found.verdict, found.reason) == (
        "insufficient evidence", "0 independent subjects, and the protocol asks for 3",
    )  # fmt: skip


def test_derived_cases_that_fail_are_not_hidden_by_one_patient_where_no_interval_is_judged() -> None:
    criterion = make_criterion("rate", "outcome", judged="estimate", bound=0.9)
    del criterion["min_subjects"]
    derived = {"evidence": "derived", "outcome": "failed", "reason_code": "timeout"}
    rows = [make_row("p", 1.0, metric="outcome")]
    rows += [make_row(f"d{n}", 0.0, metric="outcome", **derived) for n in range(19)]
    found = the_only(make_plan([criterion]), rows)
    assert (found.verdict, found.cases, found.evidence) == ("not met", 20, "derived")


def test_an_estimate_without_bound_holds_nothing() -> None:
    criterion = make_criterion("mean", "masks", judged="estimate", bound=5.0)
    del criterion["min_subjects"]
    assert the_only(make_plan([criterion]), values(1.0, 1e308)).verdict == "not met"


def test_derived_cases_never_add_to_patients() -> None:
    patients = values(0.9, 0.92, 0.91, 0.9)
    derived = [row.model_copy(update={"evidence": "derived"}) for row in values(*[0.2] * 20, prefix="d")]
    assert evaluate(MEAN, [*patients, *derived]) == evaluate(MEAN, patients)


def test_the_evidence_of_a_criterion_on_every_case_is_that_of_its_weakest_case() -> None:
    plan = make_plan([make_criterion("every_case", "masks")])
    rows = values(0.9, 0.92)
    assert the_only(plan, rows).evidence == "patient"
    rows[1] = rows[1].model_copy(update={"evidence": "derived"})
    assert (the_only(plan, rows).evidence, the_only(plan, rows).subjects) == ("derived", 1)


def test_a_failed_case_stays_in_the_denominator_and_the_complete_case_stands_beside() -> None:
    found = the_only(MEAN, [*values(0.95, 0.96, 0.97, 0.95), lost("z")])
    assert (found.verdict, found.cases, found.subjects, found.failed) == ("not met", 5, 5, 1)
    assert found.estimate is not None
    assert found.complete_case is not None
    assert found.estimate.value == pytest.approx(0.766)
    assert (found.complete_case.value, found.complete_case.n) == (pytest.approx(0.9575), 4)
    assert found.reason == "the estimate 0.766 is not 0.8 or more"


def test_a_failed_case_adds_nothing_to_the_subjects_that_are_asked_for() -> None:
    plan = make_plan([make_criterion("mean", "masks", bound=0.2, min_subjects=5)])
    found = the_only(plan, [*values(0.95, 0.96, 0.97, 0.95), lost("z")])
    assert (found.verdict, found.subjects) == ("insufficient evidence", 5)
    assert found.reason.startswith("without the failed cases, 4 independent subjects")


def test_a_failed_case_that_counts_as_not_met_decides_and_is_named() -> None:
    plan = make_plan(
        [make_criterion("mean", "masks")], metrics=[make_metric("masks", failed_case_counts_as="not met")]
    )
    gone = make_row("z", None, outcome="failed", never_met=["masks"])
    found = the_only(plan, [*values(0.95, 0.96, 0.97, 0.95), gone])
    assert (found.verdict, found.failed, found.cases) == ("not met", 1, 5)
    assert found.reason == "case z did not answer, which counts as not met"


def test_complete_cases_are_judged_where_failures_are_bounded_beside() -> None:
    rate = make_criterion("rate", "outcome", id="failures", bound=0.5)
    metrics = [make_metric("masks", failed_case_counts_as="complete_case"), make_metric("outcome")]
    plan = make_plan([make_criterion("mean", "masks"), rate], metrics=metrics)
    rows = [
        row.model_copy(update={"values": {**row.values, "outcome": 1.0}}) for row in values(0.95, 0.96, 0.97)
    ]
    gone = make_row("z", None, outcome="failed", values={"masks": None, "outcome": 0.0})
    mean, failures = evaluate(plan, [*rows, gone]).criteria
    assert (mean.verdict, mean.cases, mean.failed) == ("met", 4, 1)
    assert mean.estimate == mean.complete_case
    assert failures.estimate is not None
    assert (failures.estimate.value, failures.failed) == (wilson(3, 4).value, 0)
    assert failures.verdict == "not met"  # the lower end is .30


def measured(case: str, predicted: float, reference: float) -> CaseRow:
    return observed(case, "numbers", predicted=predicted, reference=reference, value=predicted - reference)


def adverse(case: str, reference: float, by: float) -> CaseRow:
    return lost(
        case, value=None, metric="numbers", reference=reference, predicted_low=reference - by,
        predicted_high=reference + by, value_low=-by, value_high=by,
    )  # fmt: skip


def test_an_adverse_difference_counts_both_ways_and_the_worse_verdict_stands() -> None:
    criterion = make_criterion("bias", "numbers", judged="ci_high", comparator="<=", bound=5.0)
    good = [measured(f"s{n}", 100.0 + n % 3, 100.0) for n in range(12)]
    assert the_only(make_plan([criterion]), good).verdict == "met"
    found = the_only(make_plan([criterion]), [*good, adverse("z", 100.0, 50.0)])
    assert found.verdict == "not met"
    with_high = bland_altman([*(100.0 + n % 3 for n in range(12)), 150.0], [100.0] * 13).bias
    assert found.estimate is not None
    assert found.estimate.high == pytest.approx(with_high.high)


def test_an_adverse_difference_counts_both_ways_on_every_case_too() -> None:
    for comparator, bound in (("<=", 5.0), (">=", -5.0), ("abs<=", 5.0)):
        plan = make_plan([make_criterion("every_case", "numbers", comparator=comparator, bound=bound)])
        assert the_only(plan, [measured("a", 101.0, 100.0)]).verdict == "met"
        found = the_only(plan, [measured("a", 101.0, 100.0), adverse("z", 100.0, 50.0)])
        assert (found.verdict, found.worst_case) == ("not met", "z")
        assert abs(found.worst_value or 0.0) == 50.0
        assert found.complete_case_worst_value == 1.0


def test_a_failed_case_of_a_prediction_is_ranked_as_wrongly_as_can_be() -> None:
    metric = make_metric("survival", failed_case_counts_as="wrong")
    assert metric["higher_score_means"] == "earlier event"
    from host.statistics.registration import StatisticRegistration
    from host.validation.metric import Metric
    from host.validation.sample import with_failed

    def rows(event: float) -> list[CaseRow]:
        kept = [observed(f"s{n}", "survival", score=n / 10, time=10.0 - n, event=1.0) for n in range(5)]
        return [*kept, lost("z", value=None, metric="survival", time=4.5, event=event)]

    statistic = StatisticRegistration(
        name="score", definition="D", source="S", columns=("score", "event"), compute=lambda *_: None  # type: ignore[arg-type,return-value]  # only its columns are read
    )  # fmt: skip
    for event, higher, direction, rank in (
        (1.0, "earlier event", "wrong", 0),
        (0.0, "earlier event", "wrong", 5),
        (1.0, "later event", "wrong", 0),
        (1.0, "earlier event", "high", 5),
        (0.0, "later event", "low", 0),
    ):
        one = Metric.model_validate_json(__import__("json").dumps({**metric, "higher_score_means": higher}))
        scores = with_failed(one, statistic, rows(event), direction, horizon=None).cases["score"]  # type: ignore[arg-type]  # one of the words
        assert sorted(scores).index(scores[-1]) == rank


def predicted(case: str, time: float, score: float, **columns: Any) -> CaseRow:
    return observed(case, "survival", score=score, time=time, event=1.0, **columns)


RISKS = [{"horizon": at, "column": f"risk_{at:g}"} for at in (12.0, 24.0)]


@pytest.mark.parametrize(
    ("statistic", "options"), [("harrell_c", {}), ("uno_c", {"tau": 40}), ("auc_at", {"horizon": 12.0})]
)
def test_a_failed_late_event_loses_what_any_rank_of_it_could_lose(
    statistic: str, options: dict[str, float]
) -> None:
    """Its last rank would be concordant with every earlier event."""
    criterion = make_criterion(statistic, "survival", judged="estimate", bound=0.9, options=options)
    del criterion["min_subjects"]
    plan = make_plan([criterion])
    times = [6.0, 10.0, 11.0, 20.0, 22.0, 25.0]
    rows = [predicted(f"s{n}", at, 1.0 - n / 10) for n, at in enumerate(times)]
    assert the_only(plan, rows).verdict == "met"
    failed = lost("z", value=None, metric="survival", time=30.0, event=1.0)
    found = the_only(plan, [*rows, failed])
    assert found.verdict == "not met"
    assert found.estimate is not None and found.estimate.value is not None
    for rank in (-9.0, 0.85, 9.0):
        answered = the_only(plan, [*rows, predicted("z", 30.0, rank)]).estimate
        assert answered is not None and answered.value is not None
        assert found.estimate.value <= answered.value


@pytest.mark.parametrize(("probability", "is_met"), [([0.0, 0.0], True), ([1.0, 0.0], False)])
def test_a_brier_score_at_a_horizon_is_met_by_a_late_events_risk_of_0_and_not_by_1(
    probability: list[float], is_met: bool
) -> None:
    """So a failed one has 1 there, as `host.validation.scorers.survival` imputes it."""
    criterion = make_criterion(
        "brier_at", "survival", judged="estimate", comparator="<=", bound=0.05, options={"horizon": 12.0}
    )
    del criterion["min_subjects"]
    plan = make_plan([criterion], metrics=[make_metric("survival", probabilities=RISKS)])
    rows = [
        predicted(f"s{n}", at, 0.5, probability=[float(at <= 12), 1.0])
        for n, at in enumerate((6.0, 10.0, 25.0))
    ]
    failed = lost("z", value=None, metric="survival", time=18.0, event=1.0, probability=probability)
    assert (the_only(plan, [*rows, failed]).verdict == "met") == is_met


def test_every_failed_prediction_at_the_highest_and_at_the_lowest_risk_is_judged_too() -> None:
    """Where too few are expected, a failed case of risk 1 would make up for it."""
    criterion = make_criterion(
        "o_e_at", "survival", judged="estimate", comparator="<=", bound=1.2, options={"horizon": 12.0}
    )
    del criterion["min_subjects"]
    plan = make_plan([criterion], metrics=[make_metric("survival", probabilities=RISKS)])
    rows = [
        predicted(f"s{n}", at, 0.5, probability=[0.7, 0.9]) for n, at in enumerate((6.0, 10.0, 11.0, 25.0))
    ]
    assert the_only(plan, rows).verdict == "met"
    ways = {"probability": [1.0, 1.0], "probability_low": [0.0, 0.0], "probability_high": [1.0, 1.0]}
    gone = [
        lost(f"z{n}", value=None, metric="survival", time=11.5 + 10 * n, event=1.0, **ways) for n in range(2)
    ]
    assert the_only(plan, [*rows, *gone]).verdict == "not met"


def test_a_failed_negative_of_several_classes_is_no_true_negative() -> None:
    classes = ["low", "high", "top"]
    criterion = make_criterion("specificity", "classes", judged="estimate", bound=0.95)
    del criterion["min_subjects"]
    weighted = make_criterion("kappa_linear", "classes", id="kappa", judged="estimate", bound=0.8)
    del weighted["min_subjects"]
    plan = make_plan([criterion, weighted], metrics=[make_metric("classes", classes=classes)])
    rows = [
        observed(f"s{n}", "classes", predicted=n % 3, reference=n % 3, score=float(n % 3 == 1))
        for n in range(9)
    ]
    assert evaluate(plan, rows).verdict == "met"
    imputed = lost("z", metric="classes", predicted=1.0, predicted_far=2.0, reference=0.0, score=1.0)
    specificity, kappa = evaluate(plan, [*rows, imputed]).criteria
    assert specificity.estimate is not None and specificity.estimate.value == pytest.approx(6 / 7)
    farthest = observed("z", "classes", predicted=2.0, reference=0.0, score=1.0)
    assert kappa.estimate == evaluate(plan, [*rows, farthest]).criteria[1].estimate


def test_a_figure_that_cannot_be_evaluated_leaves_a_statistic_to_the_others_and_is_told() -> None:
    found = the_only(MEAN, values(0.9, 0.92, 0.91, None))
    assert found.verdict == "met"
    assert found.reason.endswith("; 1 cases cannot be evaluated")
    assert found.estimate is not None
    assert (found.cases, found.estimate.n) == (4, 3)


def test_no_interval_is_insufficient_evidence_unless_the_estimate_itself_misses() -> None:
    same = the_only(MEAN, values(0.9, 0.9, 0.9))
    assert same.verdict == "insufficient evidence"
    assert same.reason.startswith("there is no interval: ")
    assert the_only(MEAN, values(0.7, 0.7, 0.7)).verdict == "not met"


def test_a_distance_to_an_empty_mask_is_not_lost_in_a_mean() -> None:
    metric = make_metric("masks", function="hd95_mm", unit="mm", failed_case_counts_as="image_diagonal")
    criterion = make_criterion("mean", "masks", judged="ci_high", comparator="<=", bound=10.0)
    found = the_only(make_plan([criterion], metrics=[metric]), values(1.0, 2.0, 1e308))
    assert (found.verdict, found.worst_value) == ("not met", 1e308)
    assert found.estimate is not None
    assert (found.estimate.value, found.estimate.reason) == (None, "1 of 3 values are infinite")


def test_one_level_of_a_stratum_is_a_scope_too() -> None:
    rows = [
        row.model_copy(update={"strata": {"site": "ab"[n % 2]}})
        for n, row in enumerate(values(0.9, 0.1, 0.92, 0.2, 0.91, 0.1))
    ]
    found = the_only(make_plan([make_criterion("mean", "masks", scope="site=a")]), rows)
    assert (found.scope, found.verdict, found.cases) == ("site=a", "met", 3)
    empty = the_only(make_plan([make_criterion("mean", "masks", scope="site=c")]), rows)
    assert (empty.scope, empty.verdict, empty.cases) == ("site=c", "insufficient evidence", 0)


@given(st.lists(st.floats(0, 10), min_size=3, max_size=12), st.floats(0.5, 12))
def test_a_mean_inside_its_margin_by_a_one_sided_interval_is_what_two_one_sided_tests_call_equivalent(
    numbers: list[float], margin: float
) -> None:
    rows = values(*(round(one - 5, 3) for one in numbers))
    criterion = make_criterion("mean", "masks", judged="interval", comparator="abs<=", bound=margin, sides=1)
    metric = make_metric("masks", failed_case_counts_as="not met")
    found = the_only(make_plan([criterion], metrics=[metric]), rows)
    tested = tost_mean([row.values["masks"] or 0.0 for row in rows], low=-margin, high=margin)
    if found.estimate is not None and found.estimate.low is not None:
        assert (found.verdict == "met") == tested.equivalent


# ---- several claims ------------------------------------------------------------------------------------------------


def claims(multiplicity: str) -> Protocol:
    """Three claims on one mean: easy, less easy, hard."""
    criteria = [
        make_criterion("mean", "masks", id=f"c{n}", bound=bound) for n, bound in enumerate((0.5, 0.7, 0.82))
    ]
    return make_plan(criteria, multiplicity=multiplicity)


NOISY = values(0.9, 0.8, 0.98, 0.85, 0.93, 0.82, 0.88, 0.99, 0.79, 0.95)


def p_value(bound: float) -> float:
    """One-sided p of the t test that the mean is above the bound, doubled: of the interval that just excludes it."""
    from scipy.stats import ttest_1samp

    numbers = [row.values["masks"] or 0.0 for row in NOISY]
    return float(ttest_1samp(numbers, bound).pvalue)


@pytest.mark.parametrize(
    "bounds", [(0.5, 0.7, 0.82), (0.5, 0.835, 0.82), (0.835, 0.836, 0.837), (0.9, 0.95, 0.5)]
)
def test_holm_decides_as_holm_does_on_p_values(bounds: tuple[float, ...]) -> None:
    from host.statistics.multiplicity import holm

    criteria = [make_criterion("mean", "masks", id=f"c{n}", bound=bound) for n, bound in enumerate(bounds)]
    found = evaluate(make_plan(criteria, multiplicity="holm"), NOISY).criteria
    mean = sum(row.values["masks"] or 0.0 for row in NOISY) / len(NOISY)
    adjusted = holm([p_value(bound) if mean > bound else 1.0 for bound in bounds])
    assert [one.verdict == "met" for one in found] == [float(p) <= 0.05 for p in adjusted]
    for one in found:
        assert one.adjusted_level is not None
        assert one.estimate is not None
        assert one.estimate.level == one.adjusted_level


def test_without_holm_each_claim_has_the_whole_error() -> None:
    plain, corrected = (evaluate(claims(word), NOISY).criteria for word in ("all_criteria_must_pass", "holm"))
    assert [one.adjusted_level for one in plain] == [None] * 3
    assert all(
        SEVERITY.index(a.verdict) <= SEVERITY.index(b.verdict) for a, b in zip(plain, corrected, strict=True)
    )
    assert [one.adjusted_level for one in corrected][0] == pytest.approx(1 - 0.05 / 3)


def test_holm_leaves_criteria_alone_that_judge_no_interval() -> None:
    criteria = [make_criterion("mean", "masks"), make_criterion("every_case", "masks", id="each", bound=0.7)]
    mean, each = evaluate(make_plan(criteria, multiplicity="holm"), NOISY).criteria
    assert (mean.adjusted_level, each.adjusted_level) == (0.95, None)
    assert each.verdict == "met"


# ---- what never happens --------------------------------------------------------------------------------------------

DICE = st.floats(0, 1).map(lambda value: round(value, 3))
TABLES = st.lists(DICE, min_size=1, max_size=14).map(lambda found: values(*found))
PLANS = st.builds(
    lambda statistic, bound, least, scope: make_plan(
        [make_criterion(statistic, "masks", bound=round(bound, 2), min_subjects=least, scope=scope)]
    ),
    st.sampled_from(["mean", "median", "p5"]),
    st.floats(0.01, 0.99),
    st.integers(1, 6),
    st.sampled_from(["overall", "each:site"]),
)


def word(plan: Protocol, rows: Sequence[CaseRow]) -> int:
    return SEVERITY.index(evaluate(plan, rows).verdict)


@given(PLANS, TABLES)
def test_a_failed_case_never_helps(plan: Protocol, rows: list[CaseRow]) -> None:
    assert word(plan, [*rows, lost("z")]) >= word(plan, rows)


@given(PLANS, TABLES)
def test_turning_an_answer_into_a_failure_never_helps(plan: Protocol, rows: list[CaseRow]) -> None:
    gone = lost(rows[0].case)
    after = evaluate(plan, [gone, *rows[1:]]).verdict
    if evaluate(plan, rows).verdict == "not met" and evaluate(plan, rows[1:]).verdict == "not met":
        assert after == "not met"
    assert after != "met" or evaluate(plan, rows[1:]).verdict == "met"


@given(PLANS, TABLES)
def test_a_case_as_bad_as_can_be_never_turns_not_met_into_met(plan: Protocol, rows: list[CaseRow]) -> None:
    if evaluate(plan, rows).verdict == "not met":
        assert evaluate(plan, [*rows, make_row("z", 0.0)]).verdict == "not met"


@given(st.permutations(values(0.9, 0.92, 0.81, 0.7, 0.95, 0.88, 0.9)), st.sampled_from(["mean", "p5"]))
def test_the_order_of_the_table_changes_no_byte_of_the_verdict(rows: list[CaseRow], statistic: str) -> None:
    plan = make_plan([make_criterion(statistic, "masks", method="bca")], resamples=200)
    twins = [row.model_copy(update={"subject": f"p{int(row.case[1:]) // 2}"}) for row in rows]
    straight = sorted(twins, key=lambda row: row.case)
    assert evaluate(plan, twins).model_dump_json() == evaluate(plan, straight).model_dump_json()


@given(PLANS, TABLES)
def test_evaluating_twice_gives_the_same_bytes(plan: Protocol, rows: list[CaseRow]) -> None:
    first, second = (evaluate(plan, rows).model_dump_json() for _ in range(2))
    assert first == second
    assert "NaN" not in first
    assert "Infinity" not in first


def test_what_is_compared_is_what_is_stored() -> None:
    # The mean of these is 0.8 less 1e-16: stored as 0.8, and so it is 0.8.
    criterion = make_criterion("mean", "masks", judged="estimate")
    del criterion["min_subjects"]
    rows = values(0.7, 0.9, 0.8, 0.8 - 4e-16)
    assert math.fsum(row.values["masks"] or 0.0 for row in rows) / 4 < 0.8
    assert the_only(make_plan([criterion]), rows).verdict == "met"
