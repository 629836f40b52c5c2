"""What an edit of a protocol changes, field by field, and which criteria it bears on."""

import pytest

from host.validation.criterion import Criterion
from host.validation.deviation import bears_on, changes
from host.validation.protocol import Protocol
from registry.plans import FieldChange
from tests.support.reports import make_protocol

PLAN = make_protocol()


def edited(criterion: str, **fields: object) -> Protocol:
    criteria = [one.model_copy(update=fields) if one.id == criterion else one for one in PLAN.criteria]
    return PLAN.model_copy(update={"criteria": tuple(criteria)})


def test_equal_protocols_differ_in_nothing() -> None:
    assert changes(PLAN, make_protocol()) == ()


def test_a_changed_bound_is_named_with_both_values() -> None:
    assert changes(PLAN, edited("gm_overlap", bound=0.8)) == (
        FieldChange(field="criteria.gm_overlap.bound", before="0.85", after="0.8"),
    )


def test_a_reordered_protocol_says_the_same() -> None:
    turned = PLAN.model_copy(update={"criteria": PLAN.criteria[::-1], "metrics": PLAN.metrics[::-1]})
    assert changes(PLAN, turned) == ()


def test_a_criterion_that_is_taken_out_is_told_field_by_field() -> None:
    fewer = PLAN.model_copy(update={"criteria": PLAN.criteria[1:]})
    told = {one.field: (one.before, one.after) for one in changes(PLAN, fewer)}
    assert told["criteria.gm_overlap.bound"] == ("0.85", None)
    assert {name.split(".")[1] for name in told} == {"gm_overlap"}
    assert {one.field for one in changes(fewer, PLAN)} == set(told)


def test_a_field_of_the_second_contract_is_new_where_it_was_left_out() -> None:
    (change,) = changes(PLAN, PLAN.model_copy(update={"seed": 7}))
    assert change == FieldChange(field="seed", before=None, after="7")


@pytest.mark.parametrize(
    ("field", "moved"),
    [
        ("criteria.gm_overlap.bound", ("gm_overlap",)),
        ("metrics.gm_volume_difference.definition", ("gm_volume",)),
        ("level", ("gm_overlap", "gm_volume", "outcomes")),
        ("multiplicity", ("gm_overlap", "gm_volume", "outcomes")),
        ("title", ()),
        ("criteria.of_an_earlier_plan.bound", ()),
    ],
)
def test_a_change_bears_on_the_criteria_that_it_may_move(field: str, moved: tuple[str, ...]) -> None:
    assert bears_on([FieldChange(field=field, before="1", after="2")], PLAN) == moved


def test_every_field_of_a_criterion_can_be_told() -> None:
    first, other = PLAN.criteria[0], PLAN.criteria[1].model_copy(update={"id": PLAN.criteria[0].id})
    told = {
        one.field.split(".")[-1]
        for one in changes(
            PLAN.model_copy(update={"criteria": (first,)}), PLAN.model_copy(update={"criteria": (other,)})
        )
    }
    same = {name for name in Criterion.model_fields if getattr(first, name) == getattr(other, name)}
    assert told == set(Criterion.model_fields) - same
