"""The stored tree: every proof from it is the one that the leaves give, and every hash in it is checked."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlmodel import select

from registry import dsse, entries, merkle
from registry.audit import verify_log
from registry.canonical import digest
from registry.checkpoint import Checkpoint
from registry.database import Database
from registry.errors import AppendOnlyError, CheckpointMismatchError, DuplicateRecordError, LogTruncatedError
from registry.log import Log
from registry.record import Record, leaf_data
from registry.statements import PAYLOAD_TYPE, Refusal, make_statement, parse_statement
from registry.tables import EntryRow
from registry.tree import StoredTree
from registry.tree_check import Fault, check_tree
from registry.trust_root import Role
from tests.support.registry_builders import World

SIZE, PAGE = 37, 8
TIME = "2026-11-23T08:00:00+00:00"


def record(sequence: int) -> Record:
    """A record as it is once its signatures were verified; the tree asks for nothing else of it."""
    refusal = Refusal(
        actor="node",
        role=Role.LOG,
        at=TIME,
        reason="the rules forbid it",
        attempted="x",
        attempted_by=None,
        subject_id=f"{sequence}",
        error="none",
        message="none",
    )
    body = make_statement(refusal, [(f"refusal-{sequence}", digest(b"%d" % sequence))])
    return Record(sequence, TIME, b"envelope of %d" % sequence, parse_statement(body), frozenset())


LEAVES = [
    merkle.leaf_hash(leaf_data(one.sequence, TIME, one.digest, digest(one.envelope)))
    for one in map(record, range(SIZE))
]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A log of some entries, written in batches of every size."""
    found = Database.create(tmp_path / "registry.db")
    first = 0
    for count in (1, 2, 3, 5, 8, 18):
        with found.transaction() as session:
            frontier = StoredTree(session).frontier(first)
            entries.store(session, [record(number) for number in range(first, first + count)], frontier)
        first += count
    assert first == SIZE
    return found


def checkpoint(size: int, root: bytes | None = None) -> Checkpoint:
    return Checkpoint(origin="o", size=size, root=merkle.root(LEAVES[:size]) if root is None else root)


def faults(
    database: Database, checkpoints: Sequence[Checkpoint] = (), since: Checkpoint | None = None
) -> list[Fault]:
    return list(check_tree(database, checkpoints, since=since, page=PAGE))


def codes(found: Sequence[Fault]) -> list[tuple[str, int | None]]:
    return [(one.code, one.sequence) for one in found]


def edit(tmp_path: Path, *statements: str) -> None:
    """Work on the file as its owner can."""
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for one in statements:
            connection.execute(one)
    connection.close()


def test_roots_and_proofs_of_every_size_are_those_of_the_leaves(database: Database) -> None:
    memory = merkle.Leaves(LEAVES)
    with database.reading() as session:
        for size in range(SIZE + 1):
            assert StoredTree(session).root(size) == merkle.root(LEAVES[:size])
            for other in range(size):
                tree = StoredTree(session)
                expected = merkle.inclusion_proof(memory, other, size)
                assert merkle.inclusion_proof(tree, other, size) == expected
                expected = merkle.consistency_proof(memory, other + 1, size)
                assert merkle.consistency_proof(tree, other + 1, size) == expected


def test_a_sound_tree_has_no_faults_under_any_checkpoint(database: Database) -> None:
    every = [checkpoint(size) for size in range(SIZE + 1)]
    assert faults(database, every) == []
    for start in every:
        assert faults(database, every, since=start) == []


@pytest.mark.parametrize("sequence", [1, 7, 15, 31, 33])
def test_a_changed_node_is_named(database: Database, tmp_path: Path, sequence: int) -> None:
    edit(tmp_path, f"UPDATE nodes SET hashes = zeroblob(length(hashes)) WHERE sequence = {sequence}")
    assert codes(faults(database)) == [("node-tampered", sequence)]


@pytest.mark.parametrize(
    ("statement", "sequence"),
    [
        ("DELETE FROM nodes WHERE sequence = 15", 15),
        ("INSERT INTO nodes VALUES (16, zeroblob(32))", 16),
        (f"INSERT INTO nodes VALUES ({SIZE}, zeroblob(32))", SIZE),
        ("UPDATE nodes SET hashes = CAST(hashes || zeroblob(32) AS BLOB) WHERE sequence = 33", 33),
    ],
)
def test_a_node_too_few_or_too_many_is_named(
    database: Database, tmp_path: Path, statement: str, sequence: int
) -> None:
    edit(tmp_path, statement)
    assert codes(faults(database)) == [("node-tampered", sequence)]


def test_an_edited_body_is_named_and_every_later_checkpoint(database: Database, tmp_path: Path) -> None:
    edit(tmp_path, "UPDATE entries SET envelope = 'x' WHERE sequence = 20")
    found = codes(faults(database, [checkpoint(20), checkpoint(21), checkpoint(30)]))
    assert found[0] == ("record-tampered", 20)
    assert found.count(("checkpoint-mismatch", None)) == 2


def test_a_leaf_edited_with_its_body_contradicts_the_nodes(database: Database, tmp_path: Path) -> None:
    forged = merkle.leaf_hash(leaf_data(20, TIME, record(20).digest, digest(b"x")))
    edit(
        tmp_path,
        f"UPDATE entries SET envelope = CAST('x' AS BLOB), leaf_hash = x'{forged.hex()}' WHERE sequence = 20",
    )
    found = codes(faults(database, [checkpoint(SIZE)]))
    assert ("node-tampered", 21) in found
    assert ("checkpoint-mismatch", None) in found


def test_a_gap_is_named_and_no_checkpoint_over_it_holds(database: Database, tmp_path: Path) -> None:
    edit(
        tmp_path,
        *(f"DELETE FROM {table} WHERE sequence IN (4, 5)" for table in ("subjects", "nodes", "entries")),
    )
    found = codes(faults(database, [checkpoint(4), checkpoint(9)]))
    assert found == [("entry-missing", 4), ("checkpoint-mismatch", None)]


def test_a_tail_cut_off_is_named(database: Database, tmp_path: Path) -> None:
    edit(
        tmp_path,
        *(f"DELETE FROM {table} WHERE sequence >= 30" for table in ("subjects", "nodes", "entries")),
    )
    assert codes(faults(database, [checkpoint(30), checkpoint(SIZE)])) == [("log-truncated", 30)]
    with pytest.raises(CheckpointMismatchError):
        faults(database, since=checkpoint(SIZE))


def test_what_is_checked_since_a_checkpoint_is_only_what_is_new(database: Database, tmp_path: Path) -> None:
    edit(tmp_path, "UPDATE entries SET envelope = 'x' WHERE sequence IN (10, 30)")
    found = codes(faults(database, since=checkpoint(20)))
    assert ("record-tampered", 30) in found
    assert all(sequence is None or sequence >= 20 for _, sequence in found)


def test_a_check_since_another_history_is_refused(database: Database) -> None:
    with pytest.raises(CheckpointMismatchError):
        faults(database, since=checkpoint(20, bytes(32)))


def test_a_lost_node_stops_proofs_by_name(database: Database, tmp_path: Path) -> None:
    edit(tmp_path, "DELETE FROM nodes WHERE sequence = 31")
    with database.reading() as session, pytest.raises(LogTruncatedError, match="31"):
        StoredTree(session).root(SIZE)


def test_nodes_only_grow(database: Database) -> None:
    for statement in (
        "UPDATE nodes SET hashes = x''",
        "DELETE FROM nodes",
        "REPLACE INTO nodes VALUES (1, x'')",
    ):
        with pytest.raises(AppendOnlyError), database.transaction() as session:
            session.connection().exec_driver_sql(statement)


@pytest.mark.parametrize("time", ['2026"', "2026\\", "2026\n", "Zeit\u00e9"])
def test_a_leaf_over_what_json_escapes_is_still_canonical(time: str) -> None:
    fields = {"contract": "assay.entry/1", "envelope": "e", "logged_at": time, "payload": "p", "sequence": 3}
    expected = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert leaf_data(3, time, "p", "e") == expected


def test_many_are_logged_in_one_transaction_or_none_is(world: World) -> None:
    other = world.submit().envelope
    log: Log = world.sponsor.log
    size, fresh = log.size, world.submit("1.1.0")
    assert fresh.sequence == size
    before = log.size
    with pytest.raises(DuplicateRecordError):
        log.append_many([fresh.envelope, other])
    assert log.size == before
    assert log.append_many([]) == []


def test_the_tree_goes_on_from_what_is_on_disk_not_from_what_was_undone(world: World) -> None:
    """The same entry at the same place, after another one than before: its leaf alone does not tell the two apart."""
    log, first, second = world.sponsor.log, _refusal(world, "first"), _refusal(world, "second")
    log.append(_refusal(world, "before"))
    with pytest.raises(RuntimeError), log.database.transaction():
        log.append_many([first, second])
        raise RuntimeError
    log.append(_refusal(world, "other"))
    log.append(second)
    log.append(first)
    assert verify_log(world.sponsor) == ()


def _refusal(world: World, subject: str) -> bytes:
    predicate = Refusal(
        actor=world.sponsor.node_id,
        role=Role.LOG,
        at=TIME,
        reason="the rules forbid it",
        attempted="x",
        attempted_by=None,
        subject_id=subject,
        error="none",
        message="none",
    )
    statement = make_statement(predicate, [(subject, digest(subject.encode()))])
    return dsse.sign(statement, PAYLOAD_TYPE, [world.sponsor.node])


def test_pages_are_read_whatever_their_size(database: Database) -> None:
    for page in (1, 5, SIZE, SIZE + 1):
        rows = [row for some in entries.pages(database, select(EntryRow), page=page) for row in some]
        assert [row.sequence for row in rows] == list(range(SIZE))
