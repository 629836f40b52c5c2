"""What may be tried on the trust root: each attack with its error, audit record, exit status and honest twin."""

import base64
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from plugin_spec.errors import AssayError, ExitCode
from registry import dsse
from registry.audit import verify_log
from registry.canonical import canonical_json
from registry.ceremony import (
    Change,
    Proposal,
    Standing,
    countersign,
    differences,
    examine,
    next_root,
    read_proposal,
    without_key,
    write_proposal,
)
from registry.errors import (
    AnotherProposalError,
    DuplicateRecordError,
    MalformedProposalError,
    OwnLogLockedError,
    RoleError,
    RootThresholdError,
    RootVersionError,
    SignatureError,
    TrustRootError,
    UnknownKeyError,
    ValueRefusedError,
    WrongActorError,
)
from registry.keys import Signer
from registry.statements import PAYLOAD_TYPE, Refusal, make_statement
from registry.trust_root import Person, Role, TrustRoot
from tests.support.registry_builders import World
from tests.support.trust import p256_signer, signer

QUINN_NEW = signer("quinn-new")
ROLF = p256_signer("rolf")
RITA = signer("rita-two")


def new_key(world: World, person: str, key: Signer) -> Person:
    """The person with another key."""
    return world.sponsor.root.person(person).model_copy(update={"keys": (key.public,)})


def two_holders(world: World) -> World:
    """Rosa and Rolf hold the root; both must sign."""
    rolf = Person(id="rolf", name="Rolf Root", roles=(Role.ROOT,), keys=(ROLF.public,))
    world.sponsor.enrol(
        [rolf], [world.keys["rosa"], ROLF], reason="a second holder", thresholds={Role.ROOT: 2}
    )
    return world


def proposed(world: World, change: Change, by: Sequence[Signer] = ()) -> Proposal:
    return world.sponsor.propose(change, by or [world.keys["rosa"]], reason="a change")


def standing(world: World, proposal: Proposal) -> Standing:
    return examine(proposal, world.pin)


def signed_by_rolf(world: World, proposal: Proposal) -> Proposal:
    name = standing(world, proposal).proposed.digest
    return countersign(proposal, "rolf", ROLF, named=name, pin=world.pin)


def refusal_after(world: World, error: type[AssayError], envelope: bytes) -> tuple[str, str, ExitCode]:
    """Bring a root that must be refused; what the log says of it, and the exit status."""
    version, size = world.sponsor.root.version, world.sponsor.log.size
    with pytest.raises(error) as caught:
        world.sponsor.log_root(envelope, by="eve")
    assert world.sponsor.root.version == version
    assert world.sponsor.log.size == size + 1
    *_, last = world.sponsor.records(Refusal.predicate_type)
    said = last.statement.read(Refusal)
    assert (said.attempted, said.attempted_by, said.error) == ("trust-root/v1", "eve", caught.value.code)
    assert list(verify_log(world.sponsor)) == []
    return said.attempted, said.error, caught.value.exit_code


# ---- the honest way


def test_a_proposal_signed_by_one_holder_after_another_is_logged(world: World, tmp_path: Path) -> None:
    two_holders(world)
    proposal = proposed(world, Change(people=(new_key(world, "quinn", QUINN_NEW),)))
    assert not standing(world, proposal).complete
    write_proposal(tmp_path / "p.json", proposal)
    done = signed_by_rolf(world, read_proposal(tmp_path / "p.json"))
    assert standing(world, done).complete
    world.sponsor.log_root(done.envelope, by="rosa")
    assert world.sponsor.root.person("quinn").keys == (QUINN_NEW.public,)
    assert list(verify_log(world.sponsor)) == []


def test_what_a_proposal_changes_is_said_line_by_line(world: World) -> None:
    two_holders(world)
    change = Change(
        people=(new_key(world, "quinn", QUINN_NEW),),
        leaving=frozenset({"dora"}),
        thresholds={Role.ROOT: 1, Role.QA: 2},
    )
    found = standing(world, proposed(world, change))
    lines = differences(found.before.root, found.proposed.root)
    old, dora = world.keys["quinn"].public.keyid[:16], world.keys["dora"].public.keyid[:16]
    assert lines == (
        f"removes dora (Dora Developer; developer; ed25519 {dora})",
        f"changes quinn (Quinn Quality; qa; ed25519 {old}) to "
        f"quinn (Quinn Quality; qa; ed25519 {QUINN_NEW.public.keyid[:16]})",
        f"withdraws key {dora} of dora: a change",
        f"withdraws key {old} of quinn: a change",
        "threshold of qa: none to 2",
        "threshold of root: 2 to 1",
    )


@pytest.mark.requirement("R26")
def test_a_lost_key_is_recovered_by_the_root_threshold_and_the_past_keeps_its_weight(approved: World) -> None:
    before = approved.sponsor.catalogue()
    approved.sponsor.change_root(
        Change(people=(new_key(approved, "quinn", QUINN_NEW),)), [approved.keys["rosa"]], reason="lost"
    )
    (gone,) = approved.sponsor.root.withdrawn
    assert (gone.person, gone.keyid, gone.reason) == ("quinn", approved.keys["quinn"].public.keyid, "lost")
    assert approved.sponsor.catalogue() == before
    approved.keys["quinn"] = QUINN_NEW
    approved.open_trial()
    approved.lock()
    assert approved.sign("quinn", "lock").signers == {QUINN_NEW.public.keyid}
    assert list(verify_log(approved.sponsor)) == []


@pytest.mark.requirement("R26")
def test_one_of_two_keys_of_a_person_is_revoked(world: World) -> None:
    quinn = world.sponsor.root.person("quinn")
    both = quinn.model_copy(update={"keys": (*quinn.keys, QUINN_NEW.public)})
    world.sponsor.change_root(Change(people=(both,)), [world.keys["rosa"]], reason="a token too")
    left = without_key(both, world.keys["quinn"].public.keyid[:8])
    world.sponsor.change_root(Change(people=(left,)), [world.keys["rosa"]], reason="stolen")
    assert world.sponsor.root.person("quinn").keys == (QUINN_NEW.public,)
    with pytest.raises(WrongActorError) as caught:
        world.register_kit(by="quinn")
    assert (caught.value.code, caught.value.exit_code) == ("wrong-actor", ExitCode.NOT_TRUSTED)
    with pytest.raises(ValueRefusedError, match="the only key"):
        without_key(left, QUINN_NEW.public.keyid)
    with pytest.raises(UnknownKeyError):
        without_key(both, "")


# ---- attacks


def test_a_proposal_without_the_whole_threshold_is_refused(world: World) -> None:
    two_holders(world)
    half = proposed(world, Change(leaving=frozenset({"dora"})))
    said = refusal_after(world, RootThresholdError, half.envelope)
    assert said[1:] == ("root-threshold", ExitCode.NOT_TRUSTED)
    world.sponsor.log_root(signed_by_rolf(world, half).envelope, by="rosa")


def test_the_new_threshold_alone_does_not_take_the_root_over(world: World) -> None:
    two_holders(world)
    mallory = signer("mallory")
    usurper = Person(id="mallory", name="Mallory", roles=(Role.ROOT,), keys=(mallory.public,))
    change = Change(people=(usurper,), leaving=frozenset({"rolf"}), thresholds={Role.ROOT: 1})
    root = next_root(
        world.sponsor.roots.latest, change, actor="mallory", at=world.clock(), reason="takes over"
    )
    forged = dsse.sign(make_statement(root), PAYLOAD_TYPE, [mallory])
    said = refusal_after(world, RootThresholdError, forged)
    assert said[1:] == ("root-threshold", ExitCode.NOT_TRUSTED)


@pytest.mark.attack("one root holder signs with two keys")
def test_one_holder_with_two_keys_signs_once(world: World) -> None:
    two_holders(world)
    rosa = world.sponsor.root.person("rosa")
    both = rosa.model_copy(update={"keys": (*rosa.keys, RITA.public)})
    second = proposed(world, Change(people=(both,)))
    world.sponsor.log_root(signed_by_rolf(world, second).envelope, by="rosa")
    alone = proposed(world, Change(leaving=frozenset({"dora"})), [world.keys["rosa"], RITA])
    assert [one.signed for one in standing(world, alone).tallies] == [{"rosa"}, {"rosa"}]
    assert refusal_after(world, RootThresholdError, alone.envelope)[1] == "root-threshold"


@pytest.mark.attack("older proposed root replayed")
def test_an_older_proposal_is_refused_once_another_is_in_force(world: World) -> None:
    early = proposed(world, Change(leaving=frozenset({"dora"})))
    later = proposed(world, Change(leaving=frozenset({"quentin"})))
    world.sponsor.log_root(later.envelope, by="rosa")
    said = refusal_after(world, RootVersionError, early.envelope)
    assert said[1:] == ("root-version-skip", ExitCode.NOT_TRUSTED)
    assert world.sponsor.root.person("dora")


def test_a_proposal_edited_after_it_was_signed_is_refused(world: World) -> None:
    two_holders(world)
    done = signed_by_rolf(world, proposed(world, Change(leaving=frozenset({"dora"}))))
    body = json.loads(done.envelope)
    payload = base64.b64decode(body["payload"]).replace(b"a change", b"a chance")
    body["payload"] = base64.b64encode(payload).decode()
    forged = canonical_json(body)
    assert refusal_after(world, SignatureError, forged)[1:] == ("bad-signature", ExitCode.NOT_TRUSTED)
    with pytest.raises(SignatureError):
        examine(done.model_copy(update={"proposed": dsse.read_envelope(forged)}), world.pin)
    world.sponsor.log_root(done.envelope, by="rosa")


@pytest.mark.attack("proposed root swapped under its holder")
def test_a_proposal_put_in_anothers_place_is_not_signed(world: World) -> None:
    two_holders(world)
    read = proposed(world, Change(leaving=frozenset({"dora"})))
    swapped = proposed(world, Change(thresholds={Role.ROOT: 1}))
    name = standing(world, read).proposed.digest
    with pytest.raises(AnotherProposalError) as caught:
        countersign(swapped, "rolf", ROLF, named=name, pin=world.pin)
    assert (caught.value.code, caught.value.exit_code) == ("another-proposal", ExitCode.NOT_TRUSTED)
    assert countersign(read, "rolf", ROLF, named=name, pin=world.pin)


def test_who_holds_no_root_key_does_not_sign_and_nobody_signs_twice(world: World) -> None:
    two_holders(world)
    proposal = proposed(world, Change(leaving=frozenset({"dora"})))
    name = standing(world, proposal).proposed.digest
    for person, key, error in (
        ("quinn", world.keys["quinn"], RoleError),
        ("eve", signer("eve"), RoleError),
        ("rolf", signer("eve"), UnknownKeyError),
        ("rosa", world.keys["rosa"], DuplicateRecordError),
    ):
        with pytest.raises(error):
            countersign(proposal, person, key, named=name, pin=world.pin)


def test_a_proposal_of_another_organisations_chain_is_refused(world: World, tmp_path: Path) -> None:
    from tests.support.registry_builders import build_world

    other = build_world(tmp_path / "other", "Other Pharma")
    foreign = proposed(other, Change(leaving=frozenset({"dora"})))
    assert refusal_after(world, RootVersionError, foreign.envelope)[2] == ExitCode.NOT_TRUSTED
    with pytest.raises(AssayError) as caught:
        examine(foreign, world.pin)
    assert caught.value.code == "root-pin-mismatch"


@pytest.mark.requirement("R26")
def test_a_revoked_person_signs_nothing_new_and_what_they_signed_keeps_its_weight(approved: World) -> None:
    before = approved.sponsor.catalogue()
    approved.sponsor.change_root(
        Change(leaving=frozenset({"quinn"})), [approved.keys["rosa"]], reason="left the company"
    )
    assert approved.sponsor.catalogue() == before
    with pytest.raises(RoleError) as caught:
        approved.sponsor.act(approved.deviation(by="quinn"), approved.keys["quinn"])
    assert (caught.value.code, caught.value.exit_code) == ("wrong-role", ExitCode.NOT_PERMITTED)
    *_, last = approved.sponsor.records(Refusal.predicate_type)
    assert last.statement.read(Refusal).attempted_by == "quinn"
    assert list(verify_log(approved.sponsor)) == []


@pytest.mark.requirement("R26")
@pytest.mark.attack("withdrawn key left off the list")
def test_a_withdrawn_key_never_comes_back(world: World) -> None:
    quinn = world.sponsor.root.person("quinn")
    world.sponsor.change_root(
        Change(people=(new_key(world, "quinn", QUINN_NEW),)), [world.keys["rosa"]], reason="stolen"
    )
    with pytest.raises(ValueRefusedError, match="was withdrawn and cannot come back"):
        world.sponsor.change_root(Change(people=(quinn,)), [world.keys["rosa"]], reason="never mind")
    honest = next_root(world.sponsor.roots.latest, Change(), actor="rosa", at=world.clock(), reason="nothing")
    statement = json.loads(make_statement(honest))
    statement["predicate"]["withdrawn"] = []
    forgetful = dsse.sign(json.dumps(statement).encode(), PAYLOAD_TYPE, [world.keys["rosa"]])
    said = refusal_after(world, TrustRootError, forgetful)
    assert said[1:] == ("malformed-root", ExitCode.NOT_TRUSTED)


@pytest.mark.attack("root that locks the registry's own log")
@pytest.mark.parametrize(
    "change",
    [
        lambda node: Change(leaving=frozenset({node.id})),
        lambda node: Change(people=(node.model_copy(update={"keys": (QUINN_NEW.public,)}),)),
        lambda node: Change(people=(node.model_copy(update={"roles": (Role.QA,)}),)),
    ],
    ids=["removed", "another key", "another role"],
)
def test_a_root_that_would_lock_the_registrys_own_log_is_refused(world: World, change: object) -> None:
    node = world.sponsor.root.person("registry")
    root = next_root(
        world.sponsor.roots.latest,
        change(node),  # type: ignore[operator] # a function of the node
        actor="rosa",
        at=world.clock(),
        reason="by mistake",
    )
    envelope = dsse.sign(make_statement(root), PAYLOAD_TYPE, [world.keys["rosa"]])
    said = refusal_after(world, OwnLogLockedError, envelope)
    assert said[1:] == ("own-log-locked", ExitCode.NOT_PERMITTED)
    renamed = node.model_copy(update={"name": "Registry of Acme"})
    world.sponsor.enrol([renamed], [world.keys["rosa"]], reason="a better name")
    assert world.sponsor.log.checkpoint()


def test_a_root_of_the_future_is_refused(world: World) -> None:
    latest = world.sponsor.roots.latest
    later = world.clock() + timedelta(hours=1)

    def at(moment: object) -> bytes:
        root: TrustRoot = next_root(latest, Change(), actor="rosa", at=moment, reason="x")  # type: ignore[arg-type]
        return dsse.sign(make_statement(root), PAYLOAD_TYPE, [world.keys["rosa"]])

    said = refusal_after(world, TrustRootError, at(later))
    assert said[1:] == ("malformed-root", ExitCode.NOT_TRUSTED)
    world.sponsor.log_root(at(world.clock()), by="rosa")


def test_a_site_changes_no_trust_root(imported: World) -> None:
    root = next_root(
        imported.sponsor.roots.latest, Change(), actor="rosa", at=imported.clock(), reason="behind the back"
    )
    envelope = dsse.sign(make_statement(root), PAYLOAD_TYPE, [imported.keys["rosa"]])
    with pytest.raises(AssayError) as caught:
        imported.site.log_root(envelope, by="eve")
    assert (caught.value.code, caught.value.exit_code) == ("action-denied", ExitCode.NOT_PERMITTED)
    *_, last = imported.site.records(Refusal.predicate_type)
    assert last.statement.read(Refusal).error == "action-denied"


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"contract":"assay.trust-proposal/1","chain":[],"proposed":{}}']
)
def test_what_is_no_proposal_is_refused_with_its_path(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(data)
    with pytest.raises(AssayError) as caught:
        read_proposal(path)
    assert caught.value.exit_code == ExitCode.NOT_TRUSTED
    assert str(path) in caught.value.message
    with pytest.raises(MalformedProposalError, match="No such file"):
        read_proposal(tmp_path / "none.json")


def test_without_their_key_nobody_gets_in(world: World) -> None:
    # The only root holder lost their key: no enrolment, rotation or amendment is possible, whoever asks.
    for key in (world.keys["dora"], world.keys["quinn"], world.sponsor.node):
        with pytest.raises(RootThresholdError):
            world.sponsor.change_root(
                Change(people=(new_key(world, "rosa", signer("rosa-new")),)), [key], reason="lost"
            )
