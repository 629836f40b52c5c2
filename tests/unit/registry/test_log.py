import hashlib
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from registry import merkle
from registry.audit import verify_log
from registry.checkpoint import open_checkpoint
from registry.dsse import sign
from registry.errors import (
    CheckpointMismatchError,
    ClockError,
    DuplicateRecordError,
    LogTruncatedError,
    SignatureError,
    UnknownRecordError,
)
from registry.keys import generate
from registry.log import NEWEST_AT_A_TIME
from registry.record import leaf_data
from registry.registry import Registry
from registry.statements import PAYLOAD_TYPE, Refusal, Release
from tests.support.databases import Place, world_on
from tests.support.registry_builders import FixedClock, World, seeded


@pytest.fixture
def world(place: Place, tmp_path: Path) -> World:
    """A sponsor whose log is on each engine."""
    return world_on(place, tmp_path)


def test_a_leaf_covers_sequence_time_payload_and_envelope(world: World) -> None:
    record = world.submit()
    expected = {
        "contract": "assay.entry/1",
        "sequence": record.sequence,
        "logged_at": "2026-11-23T08:00:00+00:00",
        "payload": record.digest,
        "envelope": "sha256:" + hashlib.sha256(record.envelope).hexdigest(),
    }
    data = json.dumps(expected, sort_keys=True, separators=(",", ":")).encode()
    row = [*world.sponsor.log.rows()][record.sequence]
    assert row.leaf_hash == hashlib.sha256(b"\x00" + data).digest()


def test_records_are_found_by_type_subject_and_time(world: World) -> None:
    release = world.submit()
    world.clock.move(hours=1)
    later = world.submit("1.1.0")
    log = world.sponsor.log
    assert [one.digest for one in log.records(Release.predicate_type)] == [release.digest, later.digest]
    image = release.statement.read(Release).image
    assert [one.digest for one in log.records(subject=image)] == [release.digest]
    assert [one.digest for one in log.records(since=world.clock() - timedelta(minutes=1))] == [later.digest]
    assert log.record(release.digest) == release
    with pytest.raises(UnknownRecordError):
        log.record("sha256:" + "0" * 64)


def test_a_payload_is_logged_once(world: World) -> None:
    record = world.submit()
    with pytest.raises(DuplicateRecordError):
        world.sponsor.log.append(record.envelope)


def test_an_envelope_of_a_stranger_is_not_logged(world: World) -> None:
    payload = world.submit().statement.payload
    size = world.sponsor.log.size
    with pytest.raises(SignatureError):
        world.sponsor.log.append(sign(payload, PAYLOAD_TYPE, [generate(seeded("stranger"))]))
    assert world.sponsor.log.size == size


@pytest.mark.requirement("R25")
def test_inclusion_and_consistency_prove_what_checkpoints_say(world: World) -> None:
    log = world.sponsor.log
    early = log.open_own(log.checkpoint())
    record = world.submit()
    world.register_kit()
    late = log.open_own(log.checkpoint())
    proof = log.inclusion(record.digest)
    leaf = merkle.leaf_hash(
        leaf_data(
            record.sequence,
            record.logged_at,
            record.digest,
            "sha256:" + hashlib.sha256(record.envelope).hexdigest(),
        )
    )
    merkle.verify_inclusion(leaf, proof.index, proof.size, proof=proof.hashes, root=late.root)
    merkle.verify_consistency(
        early.size, late.size, root1=early.root, root2=late.root, proof=log.consistency(early.size)
    )


def test_one_size_has_one_checkpoint_signed_by_the_node(world: World) -> None:
    log, node = world.sponsor.log, world.sponsor.node
    note = log.checkpoint()
    assert log.checkpoint() == note
    assert open_checkpoint(note.encode(), origin=log.origin, key=node.public).size == log.size


def test_a_log_that_lost_its_tail_signs_no_further_checkpoint(world: World, place: Place) -> None:
    world.submit()
    world.sponsor.log.checkpoint()
    place.without_guards(
        *(f"DELETE FROM {table} WHERE sequence = 2" for table in ("nodes", "subjects", "entries"))
    )
    with pytest.raises(LogTruncatedError):
        world.sponsor.log.checkpoint()


def test_a_cosigned_note_of_another_history_is_not_kept(world: World, tmp_path: Path) -> None:
    other = Registry.create_site(
        tmp_path / "x", site_id="registry", clock=world.clock, random=seeded("registry")
    )
    with pytest.raises(CheckpointMismatchError):
        world.sponsor.log.open_own(_signed_elsewhere(world, other))


def _signed_elsewhere(world: World, other: Registry) -> str:
    from registry.checkpoint import Checkpoint, sign_checkpoint

    fork = Checkpoint(origin=world.sponsor.log.origin, size=1, root=bytes(32))
    assert other.node.public == world.sponsor.node.public
    return sign_checkpoint(fork, other.node).decode()


@pytest.mark.requirement("R18")
@pytest.mark.attack("clock that went back")
def test_a_clock_that_went_back_stops_the_log(world: World) -> None:
    world.clock.move(minutes=-2)
    with pytest.raises(ClockError):
        world.submit()


def test_a_small_step_back_keeps_the_order_of_times(world: World) -> None:
    world.clock.move(seconds=-5)
    assert world.submit().logged_at == "2026-11-23T08:00:00+00:00"


KILLED = """
import os, sys
from pathlib import Path
from registry.registry import Registry
from tests.support.databases import Place, world_on
from tests.support.registry_builders import FixedClock
from plugin_spec.errors import InputError
registry = Registry.open(Path(sys.argv[1]), FixedClock())
print("ready", flush=True)
while True:
    registry.refuse(InputError("nothing"), attempted="run-started", subject="x")
    print("logged", flush=True)
"""


@pytest.mark.requirement("R3")
def test_kill_in_the_middle_of_appending_leaves_a_sound_log(world: World) -> None:
    before = world.sponsor.log.size
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(world.sponsor.home)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert child.stdout is not None
    for _ in range(6):
        child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    confirmed = 5 + child.stdout.read().count(b"logged")
    child.stdout.close()
    child.wait()
    registry = Registry.open(world.sponsor.home, FixedClock())
    assert before + confirmed <= registry.log.size <= before + confirmed + 1
    assert verify_log(registry) == ()


def test_the_newest_come_first_however_many_there_are(world: World) -> None:
    registry = world.sponsor
    for number in range(2 * NEWEST_AT_A_TIME + 1):
        registry.refuse(UnknownRecordError("none"), attempted="x", subject=str(number))
    found = [one.sequence for one in registry.log.newest_first([Refusal.predicate_type])]
    assert found == sorted(found, reverse=True)
    assert len(found) == 2 * NEWEST_AT_A_TIME + 1
    assert list(registry.log.newest_first(["another type"])) == []
