import pytest

from registry.catalogue import missing_evidence
from registry.errors import (
    IndependenceError,
    NotEvaluatedError,
    NotPreregisteredError,
    RoleError,
    ScopeError,
    UnknownRecordError,
)
from registry.standing import State
from registry.statements import Protocol, Subset, ValidationReport
from tests.support.registry_builders import World


def state(world: World) -> State:
    return world.sponsor.catalogue()[world.logged["release"].digest].state


@pytest.mark.requirement("R10")
def test_a_release_goes_from_submitted_to_evaluated_to_approved(world: World) -> None:
    world.submit()
    assert state(world) is State.SUBMITTED
    world.register_kit()
    world.cosign()
    world.start_validation()
    world.report()
    assert state(world) is State.SUBMITTED, "an unsigned report does not count"
    world.sign("quinn", "report", "review")
    assert state(world) is State.EVALUATED
    world.approve()
    assert state(world) is State.APPROVED
    entry = world.sponsor.catalogue()[world.logged["release"].digest]
    assert entry.approvals[0].context_of_use == "whole-brain volume in adults, T1-weighted MRI"
    assert [one.printed_name for one in entry.evaluations[0].signatures] == ["Quinn Quality"]


def test_an_authorship_signature_does_not_make_a_report_count(world: World) -> None:
    world.submit()
    world.register_kit()
    world.cosign()
    world.start_validation()
    world.report()
    world.sign("dora", "report", "authorship")
    assert state(world) is State.SUBMITTED


@pytest.mark.requirement("R10")
def test_a_release_without_a_counting_report_is_not_approved(world: World) -> None:
    world.submit()
    world.register_kit()
    world.cosign()
    world.start_validation()
    world.report()
    with pytest.raises(NotEvaluatedError):
        world.approve()


def test_the_sponsor_does_not_approve(approved: World) -> None:
    with pytest.raises(RoleError):
        approved.approve(by="simone")


@pytest.mark.requirement("R17")
def test_who_ran_the_validation_neither_signs_nor_approves_it(world: World) -> None:
    world.submit()
    world.register_kit(by="quinn")
    world.cosign()
    world.start_validation(by="quentin")
    world.report(by="quentin")
    with pytest.raises(IndependenceError, match="ran the validation"):
        world.sign("quentin", "report")
    world.sign("quinn", "report")
    with pytest.raises(IndependenceError, match="ran the validation"):
        world.approve(by="quentin")


@pytest.mark.requirement("R10", "R18")
@pytest.mark.attack("validation without pre-registration")
def test_a_protocol_without_a_cosigned_checkpoint_is_not_preregistered(world: World) -> None:
    world.submit()
    world.register_kit()
    bare = world.sponsor.log.checkpoint()
    with pytest.raises(NotPreregisteredError, match="cosigned"):
        world.start_validation(checkpoint=bare)
    with pytest.raises(UnknownRecordError):
        world.start_validation()


def test_a_checkpoint_from_before_the_protocol_does_not_cover_it(world: World) -> None:
    world.submit()
    early = world.cosign()
    world.register_kit()
    with pytest.raises(NotPreregisteredError, match="does not cover"):
        world.start_validation(checkpoint=early)


@pytest.mark.parametrize(
    ("verdict", "evidence", "scope", "allowed"),
    [
        ("met", "patient", "endpoint", True),
        ("met", "derived", "endpoint", False),
        ("met", "phantom", "endpoint", False),
        ("met", "phantom", "exploratory", True),
        ("insufficient evidence", "patient", "exploratory", False),
        ("insufficient evidence", "derived", "demonstration", True),
        ("not met", "patient", "demonstration", True),
        ("not met", "patient", "exploratory", False),
    ],
)
def test_the_scope_follows_from_verdict_and_evidence(
    approved: World, verdict: str, evidence: str, scope: str, allowed: bool
) -> None:
    report = approved.logged["report"].statement.read(ValidationReport)
    report = report.model_copy(update={"verdict": verdict, "evidence": evidence})
    protocol = approved.logged["protocol"].statement.read(Protocol)
    assert (missing_evidence(report, protocol, scope) == "") is allowed


@pytest.mark.parametrize("scope", ["exploratory", "endpoint"])
def test_fewer_cases_than_registered_support_no_claim(approved: World, scope: str) -> None:
    report = approved.logged["report"].statement.read(ValidationReport)
    protocol = approved.logged["protocol"].statement.read(Protocol)
    fewer = report.model_copy(update={"cases": protocol.cases - 1})
    assert missing_evidence(fewer, protocol, scope) == "only 2 of the 3 registered cases ran"
    assert missing_evidence(fewer, protocol, "demonstration") == ""
    assert missing_evidence(report, protocol, scope) == ""


def test_phantom_evidence_is_not_approved_for_an_endpoint(world: World) -> None:
    world.submit()
    world.register_kit(evidence="phantom")
    world.cosign()
    world.start_validation()
    world.report(evidence="phantom")
    world.sign("quinn", "report")
    with pytest.raises(ScopeError, match="phantom"):
        world.approve(scope="endpoint")
    world.approve(scope="exploratory")
    assert state(world) is State.APPROVED


@pytest.mark.attack("smoke subset claimed as evidence")
def test_a_subset_of_a_kit_supports_no_claim(world: World) -> None:
    world.submit()
    world.register_kit()
    world.cosign()
    world.start_validation(subset="smoke", cases=2)
    world.report(subset="smoke", cases=2)
    world.sign("quinn", "report")
    with pytest.raises(ScopeError, match="smoke"):
        world.approve(scope="exploratory")
    world.approve(scope="demonstration")
    assert state(world) is State.APPROVED


@pytest.mark.parametrize(("subset", "cases"), [("smoke", 3), ("whole kit", 2)])
def test_a_report_is_of_the_cases_that_were_started(world: World, subset: Subset, cases: int) -> None:
    world.submit()
    world.register_kit()
    world.cosign()
    world.start_validation()
    with pytest.raises(NotEvaluatedError):
        world.report(subset=subset, cases=cases)


def test_a_whole_kit_has_all_its_cases(world: World) -> None:
    world.submit()
    world.register_kit()
    world.cosign()
    world.start_validation(cases=2)
    with pytest.raises(NotEvaluatedError, match="2 cases, the registered kit 3"):
        world.report(cases=2)


def test_a_report_cannot_claim_better_evidence_than_its_protocol(world: World) -> None:
    world.submit()
    world.register_kit(evidence="phantom")
    world.cosign()
    world.start_validation()
    with pytest.raises(NotEvaluatedError, match="evidence"):
        world.report(evidence="patient")
