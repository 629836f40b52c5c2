"""Wrong pass phrases are counted in the log and lock a person; a pass phrase ages by what the log says."""

from datetime import timedelta

import pytest

from plugin_spec.errors import ExitCode
from registry.access import (
    SIGNING,
    PassphraseChanged,
    changed_at,
    check_age,
    check_open,
    failures,
)
from registry.ceremony import Change
from registry.errors import (
    ActionDeniedError,
    PassphraseExpiredError,
    SigningLockedError,
    UnknownKeyError,
    WrongActorError,
    WrongPassphraseError,
)
from registry.statements import Refusal
from registry.trust_root import SigningPolicy
from tests.support.registry_builders import START, World
from tests.support.trust import signer


def fail(world: World, person: str = "quinn", times: int = 1) -> None:
    """What happens where a pass phrase is wrong."""
    for _ in range(times):
        world.clock.move(seconds=1)
        with pytest.raises(WrongPassphraseError), world.sponsor.refusals_logged(SIGNING, person):
            raise WrongPassphraseError(f"the pass phrase of {person} is wrong", subject=person)


def with_policy(world: World, **rules: int) -> World:
    change = Change(signing=SigningPolicy(**rules))
    world.sponsor.change_root(change, [world.keys["rosa"]], reason="the policy")
    return world


def keyid(world: World, person: str = "quinn") -> str:
    return world.keys[person].public.keyid


def change(world: World, person: str = "quinn", **fields: str) -> None:
    act = PassphraseChanged(**{**world.stamp(person), "keyid": keyid(world, person), **fields})
    world.sponsor.act(act, world.keys[person])


def test_a_wrong_pass_phrase_is_in_the_log_with_the_persons_id(world: World) -> None:
    fail(world)
    *_, last = world.sponsor.records(Refusal.predicate_type)
    said = last.statement.read(Refusal)
    assert (said.attempted, said.attempted_by, said.error) == ("signing", "quinn", "wrong-passphrase")
    assert failures(world.sponsor, "quinn", since=START) == [START + timedelta(seconds=1)]
    assert failures(world.sponsor, "quentin", since=START) == []


@pytest.mark.requirement("R16")
def test_attempts_lock_the_person_and_nobody_else_until_the_span_has_passed(world: World) -> None:
    assert check_open(world.sponsor, "quinn") == []
    fail(world, times=4)
    assert len(check_open(world.sponsor, "quinn")) == 4
    fail(world)
    with pytest.raises(SigningLockedError) as caught:
        check_open(world.sponsor, "quinn")
    assert (caught.value.code, caught.value.exit_code) == ("signing-locked", ExitCode.NOT_PERMITTED)
    assert "2026-11-23T08:15:05" in caught.value.message
    assert check_open(world.sponsor, "quentin") == []
    world.clock.move(minutes=14, seconds=50)
    with pytest.raises(SigningLockedError):
        check_open(world.sponsor, "quinn")
    world.clock.move(seconds=11)
    assert check_open(world.sponsor, "quinn") == []


def test_an_attempt_while_it_is_locked_prolongs_nothing(world: World) -> None:
    fail(world, times=5)
    for _ in range(20):
        world.clock.move(seconds=30)
        with pytest.raises(SigningLockedError), world.sponsor.refusals_logged(SIGNING, "quinn"):
            check_open(world.sponsor, "quinn")
    world.clock.move(minutes=6)
    assert check_open(world.sponsor, "quinn") == []


def test_the_policy_of_the_trust_root_says_how_many_and_how_long(world: World) -> None:
    with_policy(world, attempts=2, lock_minutes=60)
    fail(world, times=2)
    world.clock.move(minutes=59)
    with pytest.raises(SigningLockedError):
        check_open(world.sponsor, "quinn")
    assert world.sponsor.root.signing_policy.series_minutes == 15


def test_a_pass_phrase_is_as_old_as_its_key_or_its_last_recorded_change(world: World) -> None:
    assert changed_at(world.sponsor, keyid(world)) == START
    world.clock.move(days=10)
    change(world)
    assert changed_at(world.sponsor, keyid(world)) == START + timedelta(days=10)
    assert changed_at(world.sponsor, keyid(world, "dora")) == START
    with pytest.raises(UnknownKeyError):
        changed_at(world.sponsor, signer("eve").public.keyid)


@pytest.mark.requirement("R16")
def test_an_old_pass_phrase_is_warned_of_and_then_refused_until_it_is_changed(world: World) -> None:
    world.clock.move(days=400)
    assert check_age(world.sponsor, "quinn", keyid(world)) == ""
    world.clock.now = START
    with_policy(world, warn_days=80, max_days=90)
    world.clock.move(days=79)
    assert check_age(world.sponsor, "quinn", keyid(world)) == ""
    world.clock.move(days=1)
    assert "80 days old; it no longer signs after 90" in check_age(world.sponsor, "quinn", keyid(world))
    world.clock.move(days=10)
    with pytest.raises(PassphraseExpiredError) as caught:
        check_age(world.sponsor, "quinn", keyid(world))
    assert (caught.value.code, caught.value.exit_code) == ("passphrase-expired", ExitCode.NOT_PERMITTED)
    change(world)
    assert check_age(world.sponsor, "quinn", keyid(world)) == ""


def test_nobody_records_a_change_for_another(world: World) -> None:
    with pytest.raises(UnknownKeyError):
        change(world, "quinn", keyid=keyid(world, "dora"))
    with pytest.raises(WrongActorError):
        act = PassphraseChanged(**world.stamp("quinn"), keyid=keyid(world))
        world.sponsor.act(act, world.keys["dora"])
    with pytest.raises(ActionDeniedError):
        act = PassphraseChanged(**world.stamp("site-1"), keyid=keyid(world))
        world.site.act(act, world.site.node)
    errors = [one.statement.read(Refusal).error for one in world.sponsor.records(Refusal.predicate_type)]
    assert errors == ["unknown-key", "wrong-actor"]


def test_a_root_without_a_policy_has_the_usual_one(world: World) -> None:
    assert world.sponsor.root.signing is None
    assert world.sponsor.root.signing_policy == SigningPolicy(
        attempts=5, lock_minutes=15, series_minutes=15, warn_days=None, max_days=None
    )
