"""Figures beside the criteria: registered statistics of the cases that answered, with intervals over patients only."""

import pytest

from host.reports.analyses import analyse, levels_of
from host.reports.observed import answered, observed_rows
from host.statistics.published_samples import MINI_1, WRIGHT_1
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from tests.support.plans import make_criterion, make_metric, make_plan, make_row, observed
from tests.support.reports import make_case, make_protocol


def numbers(**changes: object) -> Protocol:
    metric = make_metric("numbers", failed_case_counts_as="not met")
    metric.pop("adverse_by")
    criterion = make_criterion("bias", "numbers", judged="interval", comparator="abs<=", bound=9.0, **changes)
    return make_plan([criterion], metrics=[metric])


def peak_flow() -> list[CaseRow]:
    return [
        observed(f"case-{at:02d}", "numbers", predicted=float(wright), reference=float(mini))
        for at, (wright, mini) in enumerate(zip(WRIGHT_1, MINI_1, strict=True))
    ]


def test_bland_and_altmans_own_figures_come_out() -> None:
    (row,) = analyse(numbers(), peak_flow())
    assert (row.kind, row.metric, row.scope) == ("agreement", "numbers", "overall")
    found = row.estimates
    assert found["bias"].value == pytest.approx(-2.118, abs=0.0005)
    assert (found["bias"].low, found["bias"].high) == pytest.approx((-22.05, 17.81), abs=0.005)
    assert (found["loa_low"].value, found["loa_high"].value) == pytest.approx((-78.10, 73.86), abs=0.005)
    assert found["ccc"].value == pytest.approx(0.94274, abs=5e-6)
    assert {one.n for one in found.values()} == {17}


@pytest.mark.parametrize("evidence", ["derived", "phantom"])
def test_over_derived_cases_and_phantoms_there_is_a_value_and_no_interval(evidence: str) -> None:
    rows = [row.model_copy(update={"evidence": evidence}) for row in peak_flow()]
    (row,) = analyse(numbers(), rows)
    assert row.estimates["bias"].value == pytest.approx(-2.118, abs=0.0005)
    for one in row.estimates.values():
        assert (one.low, one.high) == (None, None)
        assert one.reason == "no case is a patient's, and cases of one subject are not independent"


def test_patients_alone_are_looked_at_where_there_are_any() -> None:
    phantom = peak_flow()[0].model_copy(update={"case": "phantom", "evidence": "phantom"})
    (row,) = analyse(numbers(), [*peak_flow(), phantom])
    assert row.estimates["bias"].n == 17


def test_a_case_that_failed_is_left_out() -> None:
    lost = make_row("lost", metric="numbers", outcome="failed", never_met=["numbers"])
    assert analyse(numbers(), [*peak_flow(), lost]) == analyse(numbers(), peak_flow())


def test_strata_that_no_criterion_judges_are_shown_for_information() -> None:
    rows = [
        row.model_copy(update={"strata": {"site": "AB"[at % 2], "vendor": "one"}})
        for at, row in enumerate(peak_flow())
    ]
    *_, strata = analyse(numbers(), rows)
    assert (strata.kind, strata.scope) == ("strata", "c")
    assert {scope: one.n for scope, one in strata.estimates.items()} == {"site=A": 9, "site=B": 8}
    assert "strata" not in {one.kind for one in analyse(numbers(scope="each:site"), rows)}


def test_classes_without_a_score_have_no_roc_and_no_calibration() -> None:
    plan = make_plan([make_criterion("sensitivity", "classes")])
    rows = [
        observed(f"case-{at}", "classes", predicted=float(at % 2), reference=float(at % 3 > 0))
        for at in range(12)
    ]
    assert [set(one.estimates) for one in analyse(plan, rows)] == [
        {"sensitivity", "specificity", "ppv", "npv", "accuracy"}
    ]


def test_nothing_is_said_where_no_case_answered() -> None:
    assert (
        analyse(numbers(), [make_row("lost", metric="numbers", outcome="failed", never_met=["numbers"])])
        == ()
    )


def test_a_row_of_the_first_version_gets_its_observations_from_what_was_measured() -> None:
    protocol = make_protocol()
    cases = (
        make_case(1, reference_ml=600.0, difference_percent=1.0),
        make_case(2, outcome="failed", reason="timeout"),
    )
    first, second = observed_rows(protocol, cases)
    assert first.observations["gm_volume_difference"] == {"predicted": (606.0,), "reference": (600.0,)}
    assert second == cases[1].row


def test_perturbed_copies_are_no_cases_of_a_metric_against_the_reference() -> None:
    noise = {
        "id": "noise", "kind": "noise", "level": 3.0, "unit": "%", "inputs": ["t1w"], "cases": "all", "seed": 1,
        "distribution": "rician", "reference_percentile": 95.0,
    }  # fmt: skip
    rows = [make_row("case-1", 0.9), make_row("case-1--noise", 0.5, strata={"perturbation": "noise"})]
    plan = make_plan([make_criterion("mean", "masks")])
    assert answered(plan, plan.metric("masks"), rows) == rows
    declared = make_plan([make_criterion("mean", "masks")], perturbations=[noise])
    assert answered(declared, declared.metric("masks"), rows) == rows[:1]


def test_strata_with_one_level_or_too_many_divide_nothing() -> None:
    rows = [
        make_row(f"case-{at}", 0.9, strata={"site": "AB"[at % 2], "one": "1", "day": str(at)})
        for at in range(14)
    ]
    assert levels_of(rows) == {"site": ["A", "B"]}
