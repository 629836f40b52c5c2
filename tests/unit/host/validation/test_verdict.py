"""The verdict: failures stay in the denominator, strata are judged one by one, and nothing else matters."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.validation.protocol import Criterion, Metric, Protocol
from host.validation.verdict import CaseRow, evaluate

Outcome = Literal["ok", "refused", "failed"]


def protocol(
    *,
    comparator: Literal[">=", "<=", "abs<="] = ">=",
    bound: float = 0.8,
    scope: str = "overall",
    min_cases: int = 1,
    failed: float | Literal["not met"] = 0.0,
) -> Protocol:
    metric = Metric(
        id="dice",
        kind="masks",
        function="dice",
        port="mask",
        label="lesion",
        reference_value=1,
        unit="1",
        definition="overlap",
        failed_case_counts_as=failed,
    )
    outcome = Metric(
        id="ended", kind="outcome", unit="1", definition="as expected", failed_case_counts_as=0.0
    )
    criterion = Criterion(
        id="overlap",
        requirement="it overlaps",
        metric="dice",
        statistic="every_case",
        comparator=comparator,
        bound=bound,
        scope=scope,
        min_cases=min_cases,
        rationale="for this test",
    )
    return Protocol(
        contract="assay.protocol/1",
        kit="kit",
        version="1.0.0",
        title="t",
        question="q",
        context_of_use="c",
        risk="r",
        sample_size_basis="s",
        multiplicity="all_criteria_must_pass",
        metrics=(metric, outcome),
        criteria=(criterion,),
    )


def row(
    case: str,
    value: float | None,
    *,
    expected: Literal["ok", "refused"] = "ok",
    outcome: Outcome = "ok",
    site: str = "a",
    imputed: bool = False,
    never_met: bool = False,
) -> CaseRow:
    return CaseRow(
        case=case,
        subject="one",
        expected=expected,
        outcome=outcome,
        reason_code="",
        strata={"site": site},
        values={"dice": value, "ended": 1.0},
        imputed=("dice",) if imputed else (),
        never_met=("dice",) if never_met else (),
    )


def test_every_case_on_the_right_side_is_met() -> None:
    assert evaluate(protocol(), [row("a", 0.9), row("b", 0.8)]).verdict == "met"


def test_the_worst_case_decides_and_is_named() -> None:
    (one,) = evaluate(protocol(), [row("a", 0.9), row("b", 0.7), row("c", 0.75)]).criteria
    assert (one.verdict, one.worst_case, one.worst_value, one.cases) == ("not met", "b", 0.7, 3)


def test_a_failed_case_counts_as_its_metric_declares() -> None:
    rows = [row("a", 0.9), row("b", 0.0, outcome="failed", imputed=True)]
    (one,) = evaluate(protocol(), rows).criteria
    assert (one.verdict, one.worst_case, one.cases, one.complete_case_worst_value) == ("not met", "b", 2, 0.9)


def test_a_failed_case_of_an_unbounded_metric_is_not_met_without_a_value() -> None:
    rows = [row("a", 0.9), row("b", None, outcome="failed", never_met=True)]
    (one,) = evaluate(protocol(failed="not met"), rows).criteria
    assert (one.verdict, one.worst_case, one.worst_value) == ("not met", "b", None)


def test_a_value_nobody_can_evaluate_leaves_the_verdict_open() -> None:
    assert evaluate(protocol(), [row("a", 0.9), row("b", None)]).verdict == "insufficient evidence"


def test_a_value_nobody_can_evaluate_does_not_hide_a_bad_one() -> None:
    assert evaluate(protocol(), [row("a", 0.1), row("b", None)]).verdict == "not met"


def test_too_few_cases_are_insufficient_evidence() -> None:
    assert evaluate(protocol(min_cases=3), [row("a", 0.9), row("b", 0.9)]).verdict == "insufficient evidence"


def test_a_case_that_had_to_be_refused_is_not_measured() -> None:
    rows = [row("a", 0.9), row("b", None, expected="refused", outcome="refused", site="b")]
    verdict = evaluate(protocol(scope="each:site"), rows)
    assert [(one.scope, one.verdict) for one in verdict.criteria] == [("site=a", "met")]


def test_each_stratum_is_judged_by_itself() -> None:
    rows = [row("a", 0.9, site="a"), row("b", 0.5, site="b")]
    verdict = evaluate(protocol(scope="each:site"), rows)
    assert [(one.scope, one.verdict) for one in verdict.criteria] == [
        ("site=a", "met"),
        ("site=b", "not met"),
    ]
    assert verdict.verdict == "not met"


@pytest.mark.parametrize(
    ("comparator", "values", "worst"),
    [(">=", (0.9, 0.2), 0.2), ("<=", (0.9, 0.2), 0.9), ("abs<=", (-3.0, 2.0), -3.0)],
)
def test_worst_is_the_far_side_of_the_comparator(
    comparator: Literal[">=", "<=", "abs<="], values: tuple[float, float], worst: float
) -> None:
    rows = [row(str(number), value) for number, value in enumerate(values)]
    (one,) = evaluate(protocol(comparator=comparator, failed="not met"), rows).criteria
    assert one.worst_value == worst


def test_subjects_are_counted_once_whatever_the_number_of_cases() -> None:
    (one,) = evaluate(protocol(), [row("a", 0.9), row("b", 0.9)]).criteria
    assert (one.cases, one.subjects) == (2, 1)


ROWS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=12).map(
    lambda given: [
        row(f"c{n}", v, imputed=i, outcome="failed" if i else "ok") for n, (v, i) in enumerate(given)
    ]
)


@given(ROWS)
def test_a_further_failed_case_never_helps(rows: list[CaseRow]) -> None:
    before = evaluate(protocol(), rows).verdict
    after = evaluate(protocol(), [*rows, row("z", 0.0, outcome="failed", imputed=True)]).verdict
    assert after == "not met"
    assert before in {"met", "not met"}


@given(ROWS)
def test_the_same_table_gives_the_same_bytes_in_any_order(rows: list[CaseRow]) -> None:
    forward, backward = evaluate(protocol(), rows), evaluate(protocol(), rows[::-1])
    assert forward.model_dump_json() == backward.model_dump_json()


@pytest.mark.parametrize("comparator", [">=", "<=", "abs<="])
def test_of_two_equally_bad_cases_the_first_by_name_is_shown(
    comparator: Literal[">=", "<=", "abs<="],
) -> None:
    rows = [row("b", 0.5), row("a", 0.5)]
    (one,) = evaluate(protocol(comparator=comparator, failed="not met"), rows).criteria
    assert one.worst_case == "a"


def test_a_criterion_that_no_case_speaks_to_is_insufficient_evidence() -> None:
    refused = [row("a", None, expected="refused", outcome="refused")]
    for scope in ("overall", "each:site"):
        verdict = evaluate(protocol(scope=scope), refused)
        assert [(one.cases, one.verdict) for one in verdict.criteria] == [(0, "insufficient evidence")]
        assert verdict.verdict == "insufficient evidence"


def test_a_case_without_the_stratum_keeps_its_place_in_the_denominator() -> None:
    stray = row("b", 0.1).model_copy(update={"strata": {}})
    verdict = evaluate(protocol(scope="each:site"), [row("a", 0.9), stray])
    assert sum(one.cases for one in verdict.criteria) == 2
    assert verdict.verdict == "not met"


def test_a_protocol_under_which_a_failed_case_would_satisfy_a_criterion_is_refused() -> None:
    with pytest.raises(ValueError, match="criterion overlap: a failed case would satisfy it, as 0.9 does"):
        protocol(failed=0.9)


def test_an_unexpected_answer_or_failure_is_not_met_by_the_outcome_criterion() -> None:
    given = protocol()
    ended = given.criteria[0].model_copy(update={"metric": "ended", "bound": 1.0})
    judged = given.model_copy(update={"criteria": (ended,)})
    wrong = row("b", None, expected="refused").model_copy(update={"values": {"dice": None, "ended": 0.0}})
    (one,) = evaluate(judged, [row("a", 0.9), wrong]).criteria
    assert (one.verdict, one.worst_case, one.cases) == ("not met", "b", 2)


CASES = st.lists(
    st.tuples(st.one_of(st.none(), st.floats(0, 1)), st.sampled_from("ab"), st.booleans()), max_size=12
).map(
    lambda given: [
        row(
            f"c{n}",
            None if failed else value,
            site=site,
            never_met=failed,
            outcome="failed" if failed else "ok",
        )
        for n, (value, site, failed) in enumerate(given)
    ]
)


@given(CASES, st.sampled_from(["overall", "each:site"]), st.integers(1, 4), st.booleans())
def test_a_failed_case_never_turns_not_met_into_anything_else(
    rows: list[CaseRow], scope: str, min_cases: int, imputed: bool
) -> None:
    judged = protocol(scope=scope, min_cases=min_cases, failed=0.0 if imputed else "not met")
    failed = row("z", 0.0 if imputed else None, outcome="failed", imputed=imputed, never_met=not imputed)
    assert evaluate(judged, [*rows, failed]).verdict == "not met"
    if rows:
        assert evaluate(judged, rows).verdict in {"met", "not met", "insufficient evidence"}


@given(CASES)
def test_evaluating_twice_gives_the_same_bytes_and_changes_no_row(rows: list[CaseRow]) -> None:
    before = [one.model_dump_json() for one in rows]
    first, second = (evaluate(protocol(scope="each:site"), rows) for _ in range(2))
    assert first.model_dump_json() == second.model_dump_json()
    assert [one.model_dump_json() for one in rows] == before
