"""A protocol and its numbered deviations: one chain, approved by somebody independent, the newest in force."""

from pathlib import Path

import pytest

from registry.bundle import verify_bundle
from registry.errors import (
    DuplicateRecordError,
    IndependenceError,
    NotPreregisteredError,
    RoleError,
    StatementError,
    WrongActorError,
    WrongStateError,
)
from registry.plans import deviations_before, find_plan, number_of, plans_of
from registry.registry import Registry
from registry.standing import State
from registry.trace import trace
from tests.support.registry_builders import World, digest_of


@pytest.fixture
def planned(world: World) -> World:
    world.submit()
    world.register_kit(by="quinn")
    world.cosign()
    return world


def evaluated(world: World) -> State:
    return world.sponsor.catalogue()[world.logged["release"].digest].state


@pytest.mark.requirement("R4", "R6")
def test_deviations_are_numbered_from_the_registered_protocol_on(planned: World) -> None:
    registered = planned.logged["protocol"].digest
    first, second = planned.deviate(), planned.deviate()
    plans = plans_of(planned.sponsor, "brain-kit", "1.0.0")
    assert [one.digest for one in plans] == [registered, first.digest, second.digest]
    assert [number_of(find_plan(planned.sponsor, one.digest)[1]) for one in plans] == [0, 1, 2]
    behind = deviations_before(second.digest, {one.digest: one for one in plans})
    assert [one.number for one in behind] == [1, 2]


def test_a_validation_by_a_deviated_protocol_counts_and_is_traced(planned: World) -> None:
    planned.deviate()
    planned.cosign()
    planned.start_validation()
    planned.finish(
        planned.sponsor, planned.sponsor.act(planned.validation_run_started(), planned.sponsor.node)
    )
    planned.report()
    planned.sign("quinn", "report")
    assert evaluated(planned) is State.EVALUATED
    found = trace(planned.sponsor, "e" * 16, port="volumes", column="brain_ml").validation
    assert found is not None and number_of(found.protocol) == 1


def test_a_bundle_carries_the_plans_that_a_deviated_protocol_rests_on(planned: World) -> None:
    planned.deviate()
    planned.deviate()
    planned.cosign()
    planned.start_validation()
    planned.report()
    planned.sign("quinn", "report")
    planned.approve(by="quentin", scope="demonstration")
    planned.open_trial(scope="demonstration")
    planned.lock()
    planned.sign("simone", "lock")
    planned.sign("quinn", "lock")
    assert verify_bundle(planned.exported(), pin=planned.pin).trial == "trial-1"


def test_only_the_newest_plan_is_validated_by(planned: World) -> None:
    registered = planned.logged["protocol"]
    planned.deviate()
    planned.cosign()
    planned.logged["protocol"] = registered
    with pytest.raises(WrongStateError, match="deviation 1 of brain-kit 1.0.0 is in force"):
        planned.start_validation()


def test_a_deviation_lies_under_a_cosigned_checkpoint_before_it_is_validated_by(planned: World) -> None:
    before = planned.cosign()
    planned.deviate()
    with pytest.raises(NotPreregisteredError, match="does not cover"):
        planned.start_validation(checkpoint=before)


def test_a_developer_does_not_deviate(planned: World) -> None:
    with pytest.raises(RoleError):
        planned.deviate("dora")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"number": 2}, WrongStateError),
        ({"previous": digest_of("another plan")}, WrongStateError),
        ({"version": "2.0.0"}, WrongStateError),
        ({"evidence": "phantom"}, WrongStateError),
        ({"protocol_digest": digest_of("protocol")}, DuplicateRecordError),
    ],
)
def test_a_deviation_that_does_not_follow_the_plan_in_force_is_refused(
    planned: World, changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        planned.deviate(**changes)


def test_a_deviation_from_a_plan_that_another_deviation_replaced_is_refused(planned: World) -> None:
    late = planned.deviation()
    planned.deviate()
    with pytest.raises(WrongStateError, match="deviation 2 of brain-kit 1.0.0 is due"):
        planned.sponsor.act(late.model_copy(update={"reason": "at the same time"}), planned.keys["quentin"])


@pytest.mark.requirement("R17")
def test_who_ran_a_validation_does_not_approve_a_deviation(planned: World) -> None:
    planned.start_validation(by="quentin")
    with pytest.raises(IndependenceError, match="ran a validation against brain-kit"):
        planned.deviate("quentin")
    assert planned.deviate("quinn")


def test_who_approved_a_deviation_does_not_run_the_validation(planned: World) -> None:
    planned.deviate("quentin")
    planned.cosign()
    with pytest.raises(IndependenceError, match="approved deviation 1"):
        planned.start_validation(by="quentin")


def test_a_forged_chain_whose_approver_ran_the_validation_does_not_count(planned: World) -> None:
    """Somebody with keys writes past the rules; the catalogue reads what is there."""
    planned.logged["protocol"] = planned.sponsor.log_act(
        planned.deviation("quentin"), [planned.keys["quentin"]], []
    )
    planned.cosign()
    from registry.statements import ValidationStarted
    from tests.support.registry_builders import CASES, VALIDATION

    digest = planned.logged["protocol"].digest
    started = ValidationStarted(
        **planned.stamp("quentin"),
        validation=VALIDATION,
        release=planned.logged["release"].digest,
        protocol=digest,
        attempt=1,
        subset="whole kit",
        cases=CASES,
        checkpoint=planned.sponsor.checkpoint_covering(digest, cosigned_by_other_than="quentin"),
    )
    planned.logged["started"] = planned.sponsor.log_act(started, [planned.keys["quentin"]], [])
    planned.report(by="quentin")
    planned.sign("quinn", "report")
    assert evaluated(planned) is State.SUBMITTED


def test_a_deviation_in_the_name_of_somebody_else_is_refused(planned: World) -> None:
    with pytest.raises(WrongActorError):
        planned.sponsor.act(planned.deviation("quentin"), planned.keys["dora"])


def test_a_record_that_is_no_plan_is_named(planned: World) -> None:
    with pytest.raises(StatementError, match="release/v1, not a protocol"):
        find_plan(planned.sponsor, planned.logged["release"].digest)


def test_a_deviation_survives_reopening(planned: World, tmp_path: Path) -> None:
    record = planned.deviate()
    again = Registry.open(planned.folder / "sponsor", planned.clock)
    assert find_plan(again, record.digest)[1] == find_plan(planned.sponsor, record.digest)[1]
