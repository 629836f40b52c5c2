"""Which cases a criterion counts, where cases were perturbed, ran again, or stand beside a locked release."""

import json

import pytest
from pydantic import ValidationError

from host.validation.denominator import concerned, was_compared
from host.validation.protocol import Criterion, Protocol
from host.validation.rows import CaseRow
from host.validation.verdict import evaluate
from plugin_spec.model import first_fault
from tests.support.perturbations import make_perturbation
from tests.support.reports import make_protocol


def protocol(**changes: object) -> Protocol:
    """The small protocol in its second version, with a robustness, a sameness and a version criterion."""
    first = make_protocol()
    volume = first.metric("gm_volume_difference").model_dump(exclude_none=True)
    added = [
        {**volume, "id": "shift", "against": "unperturbed"},
        {**volume, "id": "delta", "against": "locked_release"},
        {
            "id": "again", "kind": "sameness", "sameness": "twice", "unit": "1", "definition": "The same bytes again.",
            "failed_case_counts_as": "not met",
        },
    ]  # fmt: skip
    of = {
        "shift": ("shift", "overall"),
        "robust": ("gm_dice", "each:perturbation"),
        "delta": ("delta", "overall"),
    }
    of |= {"again": ("again", "overall")}
    criterion = {
        "requirement": "R", "statistic": "every_case", "comparator": "abs<=", "bound": 2.0, "min_cases": 1,
        "rationale": "Why",
    }  # fmt: skip
    criteria = [
        {**criterion, "id": name, "metric": metric, "scope": scope}
        | ({"comparator": ">=", "bound": 0.5} if metric in {"gm_dice", "again"} else {})
        for name, (metric, scope) in of.items()
    ]
    fields = first.model_dump(exclude_none=True) | {
        "contract": "assay.protocol/2",
        "metrics": [*(m.model_dump(exclude_none=True) for m in first.metrics), *added],
        "criteria": [*(c.model_dump(exclude_none=True) for c in first.criteria), *criteria],
        "perturbations": [make_perturbation("noise", id="noise_5").model_dump(exclude_none=True)],
        "sameness": [{"id": "twice", "kind": "repeat", "cases": ("a", "never")}],
    }
    return Protocol.model_validate_json(json.dumps(fields | changes))  # as a file is read


def row(case: str, *, expected: str = "ok", perturbation: str = "", **values: float | None) -> CaseRow:
    strata = {"field_strength": "3 T"} | ({"perturbation": perturbation} if perturbation else {})
    return CaseRow.model_validate(
        {
            "case": case, "subject": case[0], "expected": expected, "outcome": expected, "reason_code": "",
            "strata": strata, "values": values,
        }
    )  # fmt: skip


ROWS = (
    row("a", gm_dice=0.9, again=1.0),
    row("b", gm_dice=0.8),
    row("never", expected="refused", again=1.0),
    row("a--noise_5", perturbation="noise_5", gm_dice=0.7, shift=1.5),
    row("b--noise_5", perturbation="noise_5", gm_dice=0.6, shift=-1.0),
)


@pytest.mark.parametrize(
    ("criterion", "counted"),
    [
        ("gm_overlap", ["a", "b"]),
        ("gm_volume", ["a", "b"]),
        ("outcomes", ["a", "b", "never"]),
        ("shift", ["a--noise_5", "b--noise_5"]),
        ("robust", ["a--noise_5", "b--noise_5"]),
        ("again", ["a", "never"]),
        ("delta", ["a", "b"]),
    ],
)
def test_only_criteria_about_perturbations_count_perturbed_copies(criterion: str, counted: list[str]) -> None:
    plan = protocol()
    one = next(c for c in plan.criteria if c.id == criterion)
    assert [found.case for found in concerned(plan, one, ROWS)] == counted


def test_a_kit_with_a_stratum_of_that_name_and_no_declared_perturbation_is_counted_as_it_was() -> None:
    plan = make_protocol()
    rows = [row("a", perturbation="noise"), row("b", perturbation="none")]
    assert concerned(plan, plan.criteria[0], rows) == rows


def test_a_criterion_against_the_locked_release_is_left_open_where_none_was_named() -> None:
    plan = protocol()
    delta: Criterion = next(c for c in plan.criteria if c.id == "delta")
    assert not was_compared(plan, delta, ROWS)
    found = next(one for one in evaluate(plan, ROWS).criteria if one.criterion == "delta")
    assert found.verdict == "insufficient evidence"
    assert found.reason == "no locked release was compared: validate with --against"
    compared = [one.model_copy(update={"values": {**one.values, "delta": None}}) for one in ROWS]
    assert was_compared(plan, delta, compared)
    found = next(one for one in evaluate(plan, compared).criteria if one.criterion == "delta")
    assert found.verdict == "insufficient evidence"
    assert "--against" not in found.reason


def test_each_perturbation_is_judged_by_itself() -> None:
    found = [one for one in evaluate(protocol(), ROWS).criteria if one.criterion == "robust"]
    assert [(one.scope, one.verdict, one.worst_value, one.cases) for one in found] == [
        ("perturbation=noise_5", "met", 0.6, 2)
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"perturbations": ()}, "metric shift: against 'unperturbed', and no perturbation is declared"),
        ({"sameness": ()}, "metric again: no [[sameness]] is called 'twice'"),
        ({"sameness": [{"id": "twice", "kind": "repeat"}] * 2}, "sameness: each id may stand once"),
        (
            {"sameness": [{"id": "twice", "kind": "repeat", "engine": "runc"}]},
            "engine: stands with kind 'engine'",
        ),
        ({"sameness": [{"id": "twice", "kind": "engine"}]}, "engine: stands with kind 'engine'"),
        ({"sameness": [{"id": "twice", "kind": "order", "cases": ["a", "a"]}]}, "cases: each may stand once"),
        ({"contract": "assay.protocol/1"}, "needs contract = 'assay.protocol/2'"),
    ],
)
def test_a_comparison_that_is_not_declared_is_refused_in_one_line(
    changes: dict[str, object], told: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        protocol(**changes)
    assert told in first_fault(refused.value)


def test_a_plan_without_robustness_is_written_without_it() -> None:
    assert not {"perturbations", "sameness"} & make_protocol().model_dump().keys()
