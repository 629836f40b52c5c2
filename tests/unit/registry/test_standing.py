"""Suspend, reinstate, recall and retire: who may, from which state, and what it stops."""

from collections.abc import Callable

import pytest

from plugin_spec.errors import AssayError
from registry.bundle import import_trial
from registry.catalogue import earned_by
from registry.errors import (
    ContextMissingError,
    ImpactChangedError,
    IndependenceError,
    RecalledError,
    RetiredError,
    RoleError,
    SuspendedError,
    WrongStateError,
)
from registry.impact import affected
from registry.keys import generate
from registry.record import Record
from registry.registry import Registry
from registry.standing import (
    ALLOWED_FROM,
    Change,
    ReleaseRecalled,
    ReleaseReinstated,
    ReleaseRetired,
    ReleaseSuspended,
    State,
    changes_of,
)
from registry.statements import CatalogueDecision, Protocol, Refusal, ValidationReport
from registry.trust_root import Person, Role
from tests.support.registry_builders import World, digest_of, seeded


def state(world: World) -> State:
    return world.sponsor.catalogue()[world.logged["release"].digest].state


def refused(world: World) -> list[tuple[str, str | None]]:
    logged = [one.statement.read(Refusal) for one in world.sponsor.records(Refusal.predicate_type)]
    return [(one.error, one.attempted_by) for one in logged]


# Written out by hand: from the state in the row, the decision in the column leads there, or is refused with that code.
TABLE: dict[State, dict[str, State | str]] = {
    State.SUBMITTED: {
        "approve": "not-evaluated",
        "suspend": "wrong-state",
        "reinstate": "wrong-state",
        "recall": State.RECALLED,
        "retire": State.RETIRED,
    },
    State.EVALUATED: {
        "approve": State.APPROVED,
        "suspend": "wrong-state",
        "reinstate": "wrong-state",
        "recall": State.RECALLED,
        "retire": State.RETIRED,
    },
    State.APPROVED: {
        "approve": State.APPROVED,
        "suspend": State.SUSPENDED,
        "reinstate": "wrong-state",
        "recall": State.RECALLED,
        "retire": State.RETIRED,
    },
    State.SUSPENDED: {
        "approve": "release-suspended",
        "suspend": "release-suspended",
        "reinstate": State.APPROVED,
        "recall": State.RECALLED,
        "retire": State.RETIRED,
    },
    State.RECALLED: {
        "approve": "release-recalled",
        "suspend": "release-recalled",
        "reinstate": "release-recalled",
        "recall": "release-recalled",
        "retire": State.RETIRED,
    },
    State.RETIRED: {
        "approve": "release-retired",
        "suspend": "release-retired",
        "reinstate": "release-retired",
        "recall": State.RECALLED,
        "retire": "release-retired",
    },
}


def reach(world: World, wanted: State) -> None:
    world.submit()
    world.register_kit()
    world.cosign()
    world.start_validation()
    world.report()
    steps: dict[State, list[Callable[[], Record]]] = {
        State.SUBMITTED: [],
        State.EVALUATED: [lambda: world.sign("quinn", "report")],
    }
    steps[State.APPROVED] = [*steps[State.EVALUATED], world.approve]
    for ended, kind in (
        (State.SUSPENDED, ReleaseSuspended),
        (State.RECALLED, ReleaseRecalled),
        (State.RETIRED, ReleaseRetired),
    ):
        steps[ended] = [*steps[State.APPROVED], lambda kind=kind: world.change(kind, "quinn")]  # type: ignore[misc]
    for step in steps[wanted]:
        step()


def decide(world: World, verb: str, by: str = "quentin", role: str | None = None) -> Record:
    kinds: dict[str, type[Change]] = {
        one.verb: one for one in (ReleaseSuspended, ReleaseReinstated, ReleaseRecalled, ReleaseRetired)
    }
    world.clock.move(seconds=1)
    if verb == "approve":
        return world.approve(by, role=role)
    return world.change(kinds[verb], by, role)


@pytest.mark.requirement("R10")
@pytest.mark.parametrize("before", list(TABLE))
def test_each_decision_leads_where_the_table_says_or_is_refused_and_logged(
    world: World, before: State
) -> None:
    reach(world, before)
    assert state(world) is before
    for verb, meant in TABLE[before].items():
        one = world.copied(world.folder / verb)
        if isinstance(meant, State):
            decide(one, verb)
            assert state(one) is meant
            assert (
                Registry.open(one.sponsor.home, one.clock).catalogue()[one.logged["release"].digest].state
                is meant
            )
            continue
        with pytest.raises(AssayError) as caught:
            decide(one, verb)
        assert caught.value.code == meant
        assert refused(one) == [(meant, "quentin")]
        assert state(one) is before
    assert set(TABLE[before]) == set(ALLOWED_FROM)


def test_the_table_names_every_state_but_a_draft_that_the_log_knows_nothing_of() -> None:
    assert set(TABLE) == set(State) - {State.DRAFT}


@pytest.mark.parametrize("verb", list(ALLOWED_FROM))
def test_a_draft_is_not_in_the_log_and_nothing_is_decided_about_it(world: World, verb: str) -> None:
    class Draft:
        digest = digest_of("a plugin that nobody submitted")

    world.logged["release"] = world.logged["report"] = Draft()  # type: ignore[assignment]
    with pytest.raises(WrongStateError, match="never submitted"):
        decide(world, verb)
    assert refused(world) == [("wrong-state", "quentin")]


# R9: who holds which role may do which; everything else is refused with wrong-role.
MAY = {
    "approve": {Role.QA},
    "suspend": {Role.QA, Role.SPONSOR},
    "reinstate": {Role.QA},
    "recall": {Role.QA, Role.SPONSOR},
    "retire": {Role.QA},
}


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("role", list(Role))
def test_every_role_does_to_a_release_what_the_matrix_says_and_nothing_else(world: World, role: Role) -> None:
    reach(world, State.EVALUATED)
    world.keys["nina"] = generate(seeded("nina"))
    newcomer = Person(id="nina", name="Nina New", roles=(role,), keys=(world.keys["nina"].public,))
    world.sponsor.enrol([newcomer], [world.keys["rosa"]], reason="one of each role")
    for verb, allowed in MAY.items():
        one = world.copied(world.folder / f"{role}-{verb}")
        if verb != "approve":
            one.approve()
        if verb == "reinstate":
            one.change(ReleaseSuspended, "quinn")
        if role in allowed:
            decide(one, verb, "nina", role.value)
            continue
        with pytest.raises(RoleError):
            decide(one, verb, "nina", role.value)
        assert refused(one) == [("wrong-role", "nina")]


def test_a_recalled_release_is_never_approved_again_whatever_is_decided_after_it(approved: World) -> None:
    approved.change(ReleaseRecalled)
    for kind in (ReleaseReinstated, ReleaseSuspended, ReleaseRecalled):
        with pytest.raises(RecalledError, match="was recalled"):
            approved.change(kind, "quentin")
    with pytest.raises(RecalledError):
        approved.approve()
    approved.change(ReleaseRetired)
    with pytest.raises(RecalledError):
        approved.approve()
    assert state(approved) is State.RETIRED


# ---- independence (R17) ---------------------------------------------------------------------------


@pytest.mark.requirement("R17")
def test_who_suspended_a_release_does_not_reinstate_it(approved: World) -> None:
    approved.change(ReleaseSuspended, "quinn")
    with pytest.raises(IndependenceError, match="suspended the release"):
        approved.change(ReleaseReinstated, "quinn")
    approved.change(ReleaseReinstated, "quentin")
    assert state(approved) is State.APPROVED


@pytest.mark.requirement("R17")
def test_who_ran_the_validation_or_wrote_the_release_does_not_reinstate_it(world: World) -> None:
    both = Person(
        id="dora",
        name="Dora Developer",
        roles=(Role.DEVELOPER, Role.QA),
        keys=(world.keys["dora"].public,),
    )
    world.sponsor.enrol([both], [world.keys["rosa"]], reason="a small company")
    world.submit()
    world.register_kit(by="quinn")
    world.cosign()
    world.start_validation(by="quentin")
    world.report(by="quentin")
    world.sign("quinn", "report")
    world.approve(by="quinn")
    world.change(ReleaseSuspended, "simone")
    with pytest.raises(IndependenceError, match="ran the validation"):
        world.change(ReleaseReinstated, "quentin")
    with pytest.raises(IndependenceError, match="submitted the release"):
        world.change(ReleaseReinstated, "dora", "qa")
    world.change(ReleaseReinstated, "quinn")
    assert state(world) is State.APPROVED


def test_whoever_sees_harm_stops_it_even_the_author(world: World) -> None:
    both = Person(
        id="dora",
        name="Dora Developer",
        roles=(Role.DEVELOPER, Role.QA),
        keys=(world.keys["dora"].public,),
    )
    world.sponsor.enrol([both], [world.keys["rosa"]], reason="a small company")
    world.submit()
    world.change(ReleaseRecalled, "dora", "qa")
    assert state(world) is State.RECALLED


# ---- what it stops --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (ReleaseSuspended, SuspendedError),
        (ReleaseRecalled, RecalledError),
        (ReleaseRetired, RetiredError),
    ],
)
def test_a_release_out_of_use_gets_no_new_lock_and_no_lock_is_signed_into_force(
    approved: World, kind: type[Change], error: type[AssayError]
) -> None:
    approved.open_trial()
    draft = approved.draft_lock()
    unsigned = approved.copied(approved.folder / "unsigned")
    approved.change(kind)
    with pytest.raises(error):
        approved.draft_lock()
    with pytest.raises(error):
        approved.sponsor.act(draft, approved.keys["simone"])
    assert refused(approved)[-1] == (error.code, "simone")
    unsigned.lock()
    unsigned.sign("simone", "lock")
    unsigned.change(kind)
    with pytest.raises(error):
        unsigned.sign("quinn", "lock")
    assert unsigned.sponsor.trial("trial-1").effective is None


def test_a_reinstated_release_is_locked_again(approved: World) -> None:
    approved.open_trial()
    approved.change(ReleaseSuspended, "simone")
    approved.change(ReleaseReinstated, "quinn")
    approved.lock()
    assert len(approved.sponsor.trial("trial-1").locks) == 1


def test_a_site_that_imported_a_recall_runs_no_more_and_logs_why(imported: World) -> None:
    imported.run("b" * 16)
    imported.change(ReleaseRecalled)
    imported.run("c" * 16)  # the site has not heard yet
    import_trial(imported.site, imported.exported("recalled.zip"), pin=imported.pin)
    with pytest.raises(RecalledError, match="was recalled by quinn") as caught:
        imported.run("d" * 16)
    assert caught.value.code == "release-recalled"
    logged = [one.statement.read(Refusal) for one in imported.site.records(Refusal.predicate_type)]
    assert [(one.attempted, one.error) for one in logged] == [("run-started/v1", "release-recalled")]
    # What was run before the site knew comes back all the same: the list of what is affected grows.
    imported.take_in(imported.returned())
    found = affected(imported.sponsor, imported.logged["release"].digest)
    assert [one.run for one in found.runs] == ["b" * 16, "c" * 16]


@pytest.mark.parametrize("kind", [ReleaseSuspended, ReleaseRetired])
def test_a_site_goes_on_with_a_suspended_or_retired_release_and_knows_it(
    imported: World, kind: type[Change]
) -> None:
    imported.change(kind)
    import_trial(imported.site, imported.exported("told.zip"), pin=imported.pin)
    imported.run()
    told = changes_of(imported.site, imported.logged["release"].digest)
    assert [type(one) for one in told] == [kind]


def test_a_retired_release_that_was_recalled_is_not_run_either(imported: World) -> None:
    imported.change(ReleaseRecalled)
    imported.change(ReleaseRetired)
    import_trial(imported.site, imported.exported("retired.zip"), pin=imported.pin)
    with pytest.raises(RecalledError):
        imported.run()


def test_a_bundle_carries_every_approval_that_a_later_decision_rests_on(world: World) -> None:
    """Approved on one report, suspended, reinstated, and locked on another: the site judges all of it."""
    world.approved()
    first = world.logged["report"]
    world.change(ReleaseSuspended, "simone")
    world.change(ReleaseReinstated, "quinn")
    world.start_validation(validation="9" * 16, attempt=2)
    world.report(validation="9" * 16)
    world.sign("quinn", "report")
    world.approve()
    assert world.logged["report"].digest != first.digest
    world.open_trial()
    world.lock()
    world.sign("simone", "lock")
    world.sign("quinn", "lock")
    world.imported()
    assert [type(one) for one in changes_of(world.site, world.logged["release"].digest)] == [
        ReleaseSuspended,
        ReleaseReinstated,
    ]


# ---- what a recall is signed for ------------------------------------------------------------------


@pytest.mark.requirement("R22")
def test_a_recall_is_signed_for_the_list_as_it_is(imported: World) -> None:
    release = imported.logged["release"].digest
    seen = affected(imported.sponsor, release)
    imported.run()
    imported.take_in(imported.returned())
    late = ReleaseRecalled(**imported.stamp("quinn"), release=release, impact=seen.digest)
    with pytest.raises(ImpactChangedError):
        imported.sponsor.act(late, imported.keys["quinn"])
    assert refused(imported) == [("impact-changed", "quinn")]
    logged = imported.change(ReleaseRecalled)
    imported.run("f" * 16)
    imported.take_in(imported.returned("later.zip"))
    again = affected(imported.sponsor, release, before=logged.sequence)
    assert again.digest == logged.statement.read(ReleaseRecalled).impact
    assert len(affected(imported.sponsor, release).runs) == len(again.runs) + 1


# ---- what one may say of it -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "earned"),
    [
        ({}, "validated"),
        ({"evidence": "phantom"}, "technically verified"),
        ({"evidence": "derived"}, "technically verified"),
        ({"cases": 1}, "technically verified"),
        ({"verdict": "not met"}, "nothing"),
        ({"verdict": "insufficient evidence"}, "nothing"),
        ({"subset": "smoke"}, "nothing"),
    ],
)
def test_only_patients_earn_the_word_validated(
    approved: World, changes: dict[str, object], earned: str
) -> None:
    report = approved.logged["report"].statement.read(ValidationReport).model_copy(update=changes)
    protocol = approved.logged["protocol"].statement.read(Protocol)
    protocol = protocol.model_copy(update={"cases": report.cases})
    assert earned_by(report, protocol) == earned


def test_an_endpoint_is_approved_in_a_stated_context_only(approved: World) -> None:
    decision = approved.logged["decision"].statement.read(CatalogueDecision)
    assert decision.context is not None
    bare = decision.model_copy(update={"context": None, "reason": "the text is enough"})
    with pytest.raises(ContextMissingError):
        approved.sponsor.act(bare, approved.keys["quentin"])
    assert refused(approved) == [("context-missing", "quentin")]
