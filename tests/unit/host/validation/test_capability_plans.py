"""A plan for each capability, judged over simulated patients: the statistics fit the rows, and failures never help."""

import itertools

import pytest

from host.validation.judging import SEVERITY
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.verdict import evaluate
from tests.support.capability_plans import PLANS, failed_row, simulated_rows

CAPABILITIES = sorted(PLANS)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_every_criterion_is_computed_with_its_interval_on_forty_subjects(capability: str) -> None:
    found = evaluate(PLANS[capability](), simulated_rows(capability))
    for one in found.criteria:
        assert one.estimate is not None
        assert None not in {one.estimate.value, one.estimate.low, one.estimate.high}, one
        assert one.estimate == one.complete_case
        assert one.evidence == "patient"
        assert one.verdict != "insufficient evidence"


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_good_answers_meet_most_and_none_is_met_by_noise(capability: str) -> None:
    good = evaluate(PLANS[capability](), simulated_rows(capability))
    assert sum(one.verdict == "met" for one in good.criteria) >= 0.75 * len(good.criteria)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_three_patients_are_a_case_series_wherever_an_interval_is_asked_for(capability: str) -> None:
    found = evaluate(PLANS[capability](), simulated_rows(capability, subjects=3))
    assert {one.verdict for one in found.criteria} == {"insufficient evidence"}
    for one in found.criteria:
        assert "independent subjects, and the protocol asks for" in one.reason


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_phantom_is_never_called_a_patient(capability: str) -> None:
    rows = [row.model_copy(update={"evidence": "phantom"}) for row in simulated_rows(capability)]
    for one in evaluate(PLANS[capability](), rows).criteria:
        assert (one.verdict, one.evidence, one.subjects) == ("insufficient evidence", "phantom", 0)
        assert one.estimate is not None
        assert (one.estimate.low, one.estimate.high) == (None, None)


def worse_or_same(plan: Protocol, before: list[CaseRow], after: list[CaseRow]) -> None:
    first, second = (evaluate(plan, rows).criteria for rows in (before, after))
    for one, other in zip(first, second, strict=True):
        assert SEVERITY.index(one.verdict) <= SEVERITY.index(other.verdict), (one, other)


@pytest.mark.parametrize(("capability", "seed"), list(itertools.product(CAPABILITIES, range(2))))
def test_a_failed_case_never_helps_any_criterion(capability: str, seed: int) -> None:
    plan = PLANS[capability]()
    for subjects in (12, 24):
        rows = simulated_rows(capability, seed=seed, subjects=subjects)
        worse_or_same(plan, rows, [*rows, failed_row(capability)])


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_failed_case_is_counted_and_changes_the_estimate(capability: str) -> None:
    plan, rows = PLANS[capability](), simulated_rows(capability)
    for one in evaluate(plan, [*rows, failed_row(capability)]).criteria:
        metric = plan.metric(next(c.metric for c in plan.criteria if c.id == one.criterion))
        if one.criterion == "specificity":  # the case that failed is a positive one, which says nothing on it
            continue
        if metric.kind == "outcome" or one.scope == "vendor=b":
            assert one.failed == 0
            continue
        assert one.failed == 1
        counted = metric.failed_case_counts_as != "complete_case"
        assert (one.estimate != one.complete_case) == counted, one


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_the_order_of_the_table_changes_no_byte(capability: str) -> None:
    plan, rows = PLANS[capability](), simulated_rows(capability, subjects=20)
    rows = [*rows, failed_row(capability)]
    assert evaluate(plan, rows).model_dump_json() == evaluate(plan, rows[::-1]).model_dump_json()
