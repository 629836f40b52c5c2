"""The criteria under other assumptions: each of them the verdict's own function over other rows or another metric."""

import json

import pytest

from host.reports.sections import SensitivityRow
from host.reports.sensitivity import is_variant, sensitivity
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.verdict import evaluate
from tests.support.plans import make_criterion, make_metric, make_plan, make_row


def judged(protocol: Protocol, rows: list[CaseRow]) -> tuple[SensitivityRow, ...]:
    return sensitivity(protocol, rows, evaluate(protocol, rows))


def plan(**changes: object) -> Protocol:
    return make_plan([make_criterion("mean", "masks", **{"bound": 0.5, **changes})])


def at_sites(*values: tuple[str, float]) -> list[CaseRow]:
    return [make_row(f"case-{at}", value, strata={"site": site}) for at, (site, value) in enumerate(values)]


GOOD = [("A", 0.9), ("A", 0.92), ("A", 0.88), ("B", 0.91), ("B", 0.93), ("B", 0.9)]


def test_without_a_failure_complete_cases_are_the_cases() -> None:
    assert [one.analysis for one in judged(plan(), at_sites(*GOOD))] == ["leave one level out"] * 2


def test_complete_cases_leave_out_what_failed_and_say_that_the_verdict_would_be_another() -> None:
    lost = make_row("lost", 0.0, outcome="failed", reason_code="timeout", imputed=["masks"])
    rows = [*[make_row(f"case-{at}", value) for at, (_, value) in enumerate(GOOD)], lost]
    (row,) = judged(plan(bound=0.85), rows)
    assert (row.analysis, row.changed) == ("complete case", "failed cases left out")
    assert (row.verdict, row.as_registered) == ("met", "not met")
    assert row.estimate.n == 6
    assert row.estimate.value == pytest.approx(sum(value for _, value in GOOD) / 6)


def test_a_correct_refusal_is_no_failure_to_leave_out() -> None:
    refused = make_row("refused", None, expected="refused", outcome="refused")
    assert judged(plan(), [*[make_row(f"case-{at}", 0.9 - at / 100) for at in range(4)], refused]) == ()


def test_each_level_of_each_stratum_is_left_out_in_turn_from_overall_criteria() -> None:
    rows = at_sites(*GOOD)
    found = judged(plan(), rows)
    assert [one.changed for one in found] == ["without site=A", "without site=B"]
    assert [one.estimate.value for one in found] == pytest.approx(
        [(0.91 + 0.93 + 0.9) / 3, (0.9 + 0.92 + 0.88) / 3]
    )
    assert judged(plan(scope="each:site"), rows) == ()


def test_a_verdict_that_rests_on_one_site_is_told() -> None:
    rows = at_sites(("A", 0.9), ("A", 0.92), ("A", 0.91), ("B", 0.4), ("B", 0.42), ("B", 0.41))
    without_b = next(one for one in judged(plan(bound=0.8), rows) if one.changed == "without site=B")
    assert (without_b.verdict, without_b.as_registered) == ("met", "not met")


def test_a_stratum_with_one_level_or_one_per_case_is_no_site_to_leave_out() -> None:
    assert (
        judged(plan(), [make_row(f"case-{at}", 0.9 - at / 100, strata={"site": "A"}) for at in range(4)])
        == ()
    )
    rows = [make_row(f"case-{at}", 0.9 - at / 100, strata={"day": str(at)}) for at in range(20)]
    assert judged(plan(), rows) == ()


def surface(name: str, **changes: object) -> dict[str, object]:
    return make_metric(
        "masks", id=name, function=name, unit="mm", failed_case_counts_as="image_diagonal", **changes
    )


def test_the_other_definitions_of_a_distance_are_judged_by_the_same_bound() -> None:
    names = ("hd95_mm", "hd95_pooled_mm", "hd95_surfels_mm")
    criterion = make_criterion("mean", "hd95_mm", judged="estimate", comparator="<=", bound=6.0)
    protocol = make_plan([criterion], metrics=[*map(surface, names), surface("assd_mm")])
    # The three answers that one pair of masks gives (validation.md).
    values = dict(zip((*names, "assd_mm"), (6.79, 2.26, 11.31, 1.0), strict=True))
    rows = [make_row(f"case-{at}", metric="hd95_mm", values=values) for at in range(3)]
    found = judged(protocol, rows)
    assert [(one.analysis, one.changed, one.verdict) for one in found] == [
        ("metric definition", "hd95_mm as hd95_pooled_mm", "met"),
        ("metric definition", "hd95_mm as hd95_surfels_mm", "not met"),
    ]
    assert [one.estimate.value for one in found] == [2.26, 11.31]
    assert {one.as_registered for one in found} == {"not met"}


def metric(**document: object) -> Metric:
    """A surface distance called "a"."""
    return Metric.model_validate_json(json.dumps({**surface("hd95_mm"), "id": "a", **document}))


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"function": "hd95_pooled_mm"}, True),
        ({"function": "assd_mm"}, False),
        ({"function": "hd95_pooled_mm", "label": "other"}, False),
        ({"function": "hd95_pooled_mm", "reference_value": 2}, False),
        (
            {
                "function": "hausdorff_percentile_mm",
                "parameters": {"percentile": 90.0, "directions": "larger"},
            },
            True,
        ),
    ],
)
def test_only_the_same_thing_of_the_same_output_is_another_definition(
    change: dict[str, object], same: bool
) -> None:
    other = metric(**change).model_copy(update={"id": "b"})
    assert is_variant(metric(), other) is same


def test_the_order_of_the_table_does_not_matter() -> None:
    rows = at_sites(*GOOD)
    assert judged(plan(), rows) == judged(plan(), rows[::-1])


def test_copies_of_one_subject_are_no_sites_to_leave_out() -> None:
    rows = [row.model_copy(update={"subject": "one"}) for row in at_sites(*GOOD)]
    assert judged(plan(), rows) == ()
