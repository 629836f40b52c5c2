"""A plan for each capability, judged over simulated patients: the statistics fit the rows, and failures never help."""

import itertools
import math

import pytest

from host.validation.judging import SEVERITY
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.verdict import CriterionVerdict, evaluate
from tests.support.capability_plans import PLANS, failed_row, simulated_rows, turned_into_a_failure

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


def judged_figures(plan: Protocol, one: CriterionVerdict) -> list[float]:
    """What a one-sided criterion looks at, less being worse and NaN none: the estimate and the judged end."""
    asked = next(c for c in plan.criteria if c.id == one.criterion)
    assert one.estimate is not None
    end = {"ci_low": one.estimate.low, "ci_high": one.estimate.high}[asked.judged]
    sign = 1 if asked.comparator == ">=" else -1
    return [math.nan if found is None else sign * found for found in (one.estimate.value, end)]


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_failing_instead_of_answering_pays_for_no_statistic(capability: str) -> None:
    plan = PLANS[capability]()
    within = {one.id for one in plan.criteria if one.comparator == "within"}
    # Dropped where they fail, as the plan declares; a criterion on the outcome bounds how many may.
    dropped = {c.id for c in plan.criteria if plan.metric(c.metric).failed_case_counts_as == "complete_case"}
    rows = simulated_rows(capability, subjects=24)
    answered = evaluate(plan, rows).criteria
    for place in range(0, len(rows), len(rows) // 4):
        gone = turned_into_a_failure(capability, rows[place])
        for before, after in zip(
            answered, evaluate(plan, [*rows[:place], gone, *rows[place + 1 :]]).criteria, strict=True
        ):
            assert SEVERITY.index(before.verdict) <= SEVERITY.index(after.verdict), (before, after)
            if before.criterion in within | dropped:
                continue
            for was, now in zip(judged_figures(plan, before), judged_figures(plan, after), strict=True):
                # Where there was no interval the evidence was insufficient, and stays so by the complete case.
                assert math.isnan(was) or math.isnan(now) or now <= was + 1e-9, (before, after)


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
