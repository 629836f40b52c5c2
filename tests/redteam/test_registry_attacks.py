"""What an attacker with the database, a bundle or a role of their own may try, and how it shows."""

import base64
import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugin_spec.errors import TrustError
from registry import merkle
from registry.audit import verify_log
from registry.authority import check_record
from registry.bundle import import_trial, verify_bundle
from registry.canonical import digest
from registry.dsse import sign
from registry.errors import (
    BundleEvidenceError,
    IndependenceError,
    LockForkError,
    LockMismatchError,
    RootThresholdError,
    SignatureError,
    SplitViewError,
    TamperedRecordError,
    WrongActorError,
)
from registry.record import leaf_data
from registry.registry import Registry
from registry.statements import (
    PAYLOAD_TYPE,
    ESignature,
    Refusal,
    TrialLock,
    make_statement,
)
from registry.trust_root import Person, Role
from tests.support.bundle_forgery import Members, forge, forge_index
from tests.support.registry_builders import World, digest_of

Rows = list[tuple[Any, ...]]


def as_owner(
    registry: Registry, *statements: tuple[str, tuple[Any, ...]], keep_triggers: bool = False
) -> None:
    """Work on the database file behind the registry's back, as its owner can."""
    connection = sqlite3.connect(registry.home / "registry.db")
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement, values in statements:
        connection.execute(statement, values)
    if keep_triggers:
        for _, sql in triggers:
            connection.execute(sql)
    connection.commit()
    connection.close()


def rows_of(registry: Registry, query: str, *values: Any) -> Rows:
    connection = sqlite3.connect(registry.home / "registry.db")
    found = connection.execute(query, values).fetchall()
    connection.close()
    return found


def codes(registry: Registry, pinned: tuple[str, ...] = ()) -> set[str]:
    return {fault.code for fault in verify_log(registry, pinned)}


def edited_envelope(envelope: bytes) -> bytes:
    """The same signatures around a payload in which dora's reason reads otherwise."""
    body = json.loads(envelope)
    payload = base64.b64decode(body["payload"]).replace(b"as planned", b"as ordered")
    body["payload"] = base64.b64encode(payload).decode()
    return json.dumps(body).encode()


# ---- the database ---------------------------------------------------------------------------------


@pytest.mark.requirement("R5")
@pytest.mark.attack("trigger dropped")
def test_a_dropped_trigger_shows_even_before_anything_is_edited(imported: World) -> None:
    as_owner(imported.sponsor)
    assert codes(imported.sponsor) == {"guard-missing"}


@pytest.mark.requirement("R5")
@pytest.mark.attack("row edited")
def test_an_edited_time_shows_at_its_sequence(imported: World) -> None:
    as_owner(
        imported.sponsor,
        ("UPDATE entries SET logged_at = '2026-11-23T07:00:00+00:00' WHERE sequence = 4", ()),
        keep_triggers=True,
    )
    assert 4 in {fault.sequence for fault in verify_log(imported.sponsor)}
    assert "record-tampered" in codes(imported.sponsor)


@pytest.mark.requirement("R5")
@pytest.mark.attack("body edited with the root untouched")
def test_a_body_edited_with_its_leaf_untouched_is_found_and_not_read(imported: World) -> None:
    name = imported.logged["release"].digest
    envelope = edited_envelope(imported.logged["release"].envelope)
    as_owner(
        imported.sponsor,
        ("UPDATE entries SET envelope = ? WHERE payload_digest = ?", (envelope, name)),
        keep_triggers=True,
    )
    with pytest.raises(TamperedRecordError):
        imported.sponsor.log.record(name)
    assert {fault.sequence for fault in verify_log(imported.sponsor)} >= {2}


@pytest.mark.requirement("R5")
@pytest.mark.attack("payload flip")
def test_a_body_edited_with_leaf_and_name_to_match_fails_its_signature(imported: World) -> None:
    envelope = edited_envelope(imported.logged["release"].envelope)
    name = digest(base64.b64decode(json.loads(envelope)["payload"]))
    sequence, logged_at = imported.logged["release"].sequence, imported.logged["release"].logged_at
    leaf = merkle.leaf_hash(leaf_data(sequence, logged_at, name, digest(envelope)))
    as_owner(
        imported.sponsor,
        (
            "UPDATE entries SET envelope = ?, payload_digest = ?, leaf_hash = ? WHERE sequence = ?",
            (envelope, name, leaf, sequence),
        ),
        keep_triggers=True,
    )
    assert {"bad-signature", "checkpoint-mismatch"} <= codes(imported.sponsor)


@pytest.mark.requirement("R5")
@pytest.mark.attack("row deleted")
def test_a_deleted_row_leaves_a_gap(imported: World) -> None:
    as_owner(
        imported.sponsor,
        ("DELETE FROM subjects WHERE sequence = 5", ()),
        ("DELETE FROM entries WHERE sequence = 5", ()),
        keep_triggers=True,
    )
    faults = verify_log(imported.sponsor)
    assert ("entry-missing", 5) in {(fault.code, fault.sequence) for fault in faults}


@pytest.mark.requirement("R5")
@pytest.mark.attack("tail truncated")
def test_a_truncated_tail_contradicts_the_last_checkpoint(imported: World) -> None:
    last = imported.sponsor.log.size - 1
    as_owner(
        imported.sponsor,
        ("DELETE FROM subjects WHERE sequence = ?", (last,)),
        ("DELETE FROM nodes WHERE sequence = ?", (last,)),
        ("DELETE FROM entries WHERE sequence = ?", (last,)),
        keep_triggers=True,
    )
    assert codes(imported.sponsor) == {"log-truncated"}


@pytest.mark.requirement("R30")
@pytest.mark.attack("whole database restored")
def test_a_whole_database_put_back_shows_against_a_pinned_checkpoint(world: World) -> None:
    world.submit()
    shutil.copy(world.sponsor.home / "registry.db", world.folder / "backup.db")
    world.register_kit()
    pinned = world.cosign()
    for leftover in world.sponsor.home.glob("registry.db-*"):
        leftover.unlink()
    shutil.copy(world.folder / "backup.db", world.sponsor.home / "registry.db")
    restored = Registry.open(world.sponsor.home, world.clock)
    assert codes(restored) == set(), "a consistent old state looks sound by itself"
    assert codes(restored, (pinned,)) == {"log-truncated"}


@pytest.mark.requirement("R5")
@pytest.mark.attack("index row hidden")
def test_a_hidden_index_row_shows(imported: World) -> None:
    as_owner(imported.sponsor, ("DELETE FROM subjects WHERE sequence = 6", ()), keep_triggers=True)
    assert codes(imported.sponsor) == {"index-tampered"}


@pytest.mark.requirement("R5")
@pytest.mark.attack("checkpoint note exchanged")
def test_a_checkpoint_note_exchanged_in_the_database_shows(imported: World) -> None:
    as_owner(
        imported.sponsor,
        (
            "UPDATE checkpoints "
            "SET note = replace(note, char(10) || '4' || char(10), char(10) || '5' || char(10))",
            (),
        ),
        keep_triggers=True,
    )
    assert "unsigned-checkpoint" in codes(imported.sponsor)


@pytest.mark.requirement("R9")
@pytest.mark.attack("record in the name of somebody else")
def test_a_record_smuggled_in_with_a_key_of_another_role_is_not_believed(imported: World) -> None:
    """A developer who can write to the log still cannot write as QA."""
    forged = ESignature(
        **imported.stamp("quinn"),
        target=imported.logged["lock"].digest,
        printed_name="Quinn Quality",
        meaning="responsibility",
        rendering=None,
        authentication="key file and passphrase",
    )
    envelope = sign(make_statement(forged), PAYLOAD_TYPE, [imported.keys["dora"]])
    imported.sponsor.log.append(envelope)
    with pytest.raises(WrongActorError):
        imported.sponsor.trial("trial-1")
    assert codes(imported.sponsor) == {"wrong-actor"}


@pytest.mark.attack("root rotation without the old threshold")
def test_a_trust_root_smuggled_in_by_one_without_the_root_role_is_not_adopted(imported: World) -> None:
    root = imported.sponsor.root.model_copy(
        update={"version": 3, "previous": imported.sponsor.root_digest, "actor": "dora"}
    )
    imported.sponsor.log.append(sign(make_statement(root), PAYLOAD_TYPE, [imported.keys["dora"]]))
    with pytest.raises(RootThresholdError):
        Registry.open(imported.sponsor.home, imported.clock)


# ---- persons --------------------------------------------------------------------------------------


@pytest.mark.requirement("R17")
@pytest.mark.attack("self-approval")
def test_the_author_of_a_release_does_not_approve_it_even_as_qa(world: World) -> None:
    both = Person(
        id="dora",
        name="Dora Developer",
        roles=(Role.DEVELOPER, Role.QA),
        keys=(world.keys["dora"].public,),
    )
    world.sponsor.enrol([both], [world.keys["rosa"]], reason="a small company")
    world.submit()
    world.register_kit()
    world.cosign()
    world.start_validation(by="quinn")
    world.report(by="quinn")
    world.sign("quentin", "report")
    from registry.statements import CatalogueDecision

    decision = CatalogueDecision(
        **world.stamp("dora", "qa"),
        release=world.logged["release"].digest,
        decision="approve",
        scope="endpoint",
        context_of_use="everything",
        report=world.logged["report"].digest,
    )
    with pytest.raises(IndependenceError) as caught:
        world.sponsor.act(decision, world.keys["dora"])
    assert caught.value.code == "self-approval"
    logged = [one.statement.read(Refusal) for one in world.sponsor.records(Refusal.predicate_type)]
    assert [(one.error, one.attempted_by) for one in logged] == [("self-approval", "dora")]


@pytest.mark.requirement("R13")
@pytest.mark.attack("signature transplanted")
def test_a_signature_moved_to_another_record_does_not_verify(imported: World) -> None:
    signature = next(imported.sponsor.records(ESignature.predicate_type, imported.logged["lock"].digest))
    other = sign(
        make_statement(
            signature.statement.read(ESignature).model_copy(
                update={"target": imported.logged["report"].digest}
            )
        ),
        PAYLOAD_TYPE,
        [imported.keys["dora"]],
    )
    body = json.loads(other)
    body["signatures"] = json.loads(signature.envelope)["signatures"]
    with pytest.raises(SignatureError):
        imported.sponsor.log.append(json.dumps(body).encode())


@pytest.mark.requirement("R13")
def test_a_signature_on_one_lock_does_not_count_for_the_next(imported: World) -> None:
    imported.lock()
    status = imported.sponsor.trial("trial-1")
    assert status.locks[1].signatures == ()
    assert status.effective is not None
    assert status.effective.lock.sequence == 1


@pytest.mark.attack("sibling lock (fork)")
def test_a_lock_is_not_logged_again(imported: World) -> None:
    lock = imported.logged["lock"].statement.read(TrialLock)
    with pytest.raises(LockForkError):
        imported.sponsor.act(lock, imported.keys["simone"])


@pytest.mark.requirement("R19")
@pytest.mark.attack("two sponsors locking at once")
def test_of_two_sponsors_who_lock_at_once_exactly_one_wins(approved: World) -> None:
    approved.open_trial()
    second = Registry.open(approved.sponsor.home, approved.clock)
    draft = approved.draft_lock()
    rival = draft.model_copy(update={"reason": "written at the same time"})
    approved.sponsor.act(draft, approved.keys["simone"])
    with pytest.raises(LockForkError):
        second.act(rival, approved.keys["simone"])
    assert len(approved.sponsor.trial("trial-1").locks) == 1


# ---- bundles --------------------------------------------------------------------------------------


def flip(name: str) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        data = bytearray(members[name])
        data[len(data) // 2] ^= 1
        members[name] = bytes(data)

    return change


def test_a_flipped_byte_in_any_member_is_refused(imported: World) -> None:
    path = imported.exported()
    from tests.support.bundle_forgery import members_of

    for name, data in members_of(path).items():
        if data:
            with pytest.raises(TrustError):
                verify_bundle(forge(path, flip(name)), pin=imported.pin)


def consistent(index: dict[str, Any], members: Members) -> None:
    """Let the listing match the members, as a careful forger would."""
    for one in index["files"]:
        data = members[one["name"]]
        one["digest"], one["bytes"] = digest(data), len(data)
    members["bundle.json"] = json.dumps(index).encode()


def test_an_envelope_edited_with_the_index_to_match_is_refused(imported: World) -> None:
    name = f"envelopes/{imported.logged['release'].digest.removeprefix('sha256:')}.json"

    def change(members: Members) -> None:
        index = json.loads(members["bundle.json"])
        members[name] = edited_envelope(members[name])
        for entry in index["entries"]:
            if entry["payload"] == imported.logged["release"].digest:
                entry["envelope"] = digest(members[name])
        consistent(index, members)

    with pytest.raises(TrustError) as caught:
        verify_bundle(forge(imported.exported(), change), pin=imported.pin)
    assert caught.value.code in {"bad-inclusion-proof", "bad-signature"}


@pytest.mark.attack("another report under the name of the signed one")
def test_another_report_under_the_name_of_the_signed_one_is_refused(imported: World) -> None:
    from registry.statements import ValidationReport

    html = (
        imported.logged["report"].statement.read(ValidationReport).report_html.digest.removeprefix("sha256:")
    )
    forged = b"<p>excellent</p>"

    def change(members: Members) -> None:
        index = json.loads(members["bundle.json"])
        del members[f"blobs/{html}"]
        members[f"blobs/{digest(forged).removeprefix('sha256:')}"] = forged
        for one in index["files"]:
            if one["name"] == f"blobs/{html}":
                one["name"] = f"blobs/{digest(forged).removeprefix('sha256:')}"
        consistent(index, members)

    with pytest.raises(TrustError) as caught:
        verify_bundle(forge(imported.exported(), change), pin=imported.pin)
    assert caught.value.code == "bundle-content"


def without(kind: str) -> Callable[[Members], None]:
    """Leave out every record of a kind, consistently."""

    def change(members: Members) -> None:
        index = json.loads(members["bundle.json"])
        kept = []
        for entry in index["entries"]:
            name = f"envelopes/{entry['payload'].removeprefix('sha256:')}.json"
            if kind in base64.b64decode(json.loads(members[name])["payload"]).decode():
                del members[name]
            else:
                kept.append(entry)
        index["entries"] = kept
        index["files"] = [one for one in index["files"] if one["name"] in members]
        members["bundle.json"] = json.dumps(index).encode()

    return change


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("attestation/esignature/", "lock-not-signed"),
        ("attestation/catalogue-decision/", "bundle-evidence"),
        ("attestation/validation-started/", "bundle-evidence"),
        ("attestation/trust-root/", "root-pin-mismatch"),
        ("attestation/trial-created/", "bundle-evidence"),
    ],
)
def test_a_bundle_without_a_needed_record_is_refused(imported: World, kind: str, code: str) -> None:
    with pytest.raises(TrustError) as caught:
        verify_bundle(forge(imported.exported(), without(kind)), pin=imported.pin)
    assert caught.value.code == code


@pytest.mark.attack("lock of another trial")
def test_a_lock_of_another_trial_does_not_pass_for_this_ones(imported: World) -> None:
    def rename(index: dict[str, Any]) -> None:
        index["trial"] = "trial-2"

    with pytest.raises(BundleEvidenceError, match="unknown-record"):
        verify_bundle(forge_index(imported.exported(), rename), pin=imported.pin)


@pytest.mark.attack("index that names another lock")
def test_an_index_that_names_another_lock_is_refused(imported: World) -> None:
    def other(index: dict[str, Any]) -> None:
        index["lock"] = digest_of("another lock")

    with pytest.raises(LockMismatchError):
        verify_bundle(forge_index(imported.exported(), other), pin=imported.pin)


@pytest.mark.requirement("R25")
@pytest.mark.attack("log fork")
def test_a_fork_of_the_sponsors_log_is_refused_by_a_site_that_saw_the_other(imported: World) -> None:
    """The log key signs two histories; the site remembers the one it saw."""
    saved = imported.folder / "fork"
    shutil.copytree(imported.sponsor.home, saved)
    imported.lock()
    imported.sign("simone", "lock")
    imported.sign("quinn", "lock")
    import_trial(imported.site, imported.exported("seen.zip"), pin=imported.pin)
    fork = World(
        imported.folder,
        imported.clock,
        imported.keys,
        Registry.open(saved, imported.clock),
        imported.site,
        imported.logged,
    )
    for version in range(20):
        fork.submit(f"3.{version}.0")
    with pytest.raises(SplitViewError):
        import_trial(imported.site, fork.exported("fork.zip"), pin=imported.pin)


def test_a_bundle_of_another_sponsor_is_not_imported_by_a_site_that_has_one(
    imported: World, tmp_path: Path
) -> None:
    from tests.support.registry_builders import build_world

    (tmp_path / "rival").mkdir()
    rival = build_world(tmp_path / "rival", "Rival Pharma").locked()
    rival_pin = rival.sponsor.roots.versions[-1].digest
    with pytest.raises(TrustError):
        import_trial(imported.site, rival.exported(), pin=rival_pin)
    assert imported.site.root_digest == imported.sponsor.root_digest


# ---- the checks themselves ----------------------------------------------------------------------


def test_every_record_of_a_sound_log_passes_the_check_the_forgeries_fail(imported: World) -> None:
    checked = [check_record(record, imported.sponsor.roots) for record in imported.sponsor.log.records()]
    assert len(checked) == imported.sponsor.log.size


def test_a_flipped_bit_anywhere_in_the_file_is_refused_or_touches_nothing_verified(imported: World) -> None:
    """Bits of the zip's own times and attributes may change, what was verified may not; nothing crashes."""
    path = imported.exported()
    data, expected = path.read_bytes(), verify_bundle(path, pin=imported.pin)
    choice = random.Random(20261123)
    refused = 0
    for _ in range(60):
        flipped = bytearray(data)
        flipped[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
        path.write_bytes(flipped)
        try:
            assert verify_bundle(path, pin=imported.pin) == expected
        except TrustError:
            refused += 1
    assert refused > 40
