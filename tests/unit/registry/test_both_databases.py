"""What a registry's database holds to, whichever engine keeps it."""

import threading
from pathlib import Path

import pytest

from plugin_spec.errors import StateError
from registry.database import APPEND_ONLY, Database
from registry.errors import (
    AppendOnlyError,
    GuardMissingError,
    RegistryStateError,
    SchemaVersionError,
)
from registry.migrations import migrate
from registry.tables import SCHEMA_VERSION, CheckpointRow, EntryRow, SubjectRow
from tests.support.databases import Place, created
from tests.support.older_schema import NEXT, step


def entry(sequence: int, payload: str | None = None) -> EntryRow:
    return EntryRow(
        sequence=sequence,
        logged_at="2026-11-23T08:00:00+00:00",
        payload_digest=payload or f"payload {sequence}",
        predicate_type="t",
        envelope=b'{"\xff\x00"}',
        leaf_hash=bytes(32),
    )


def note(text: str) -> CheckpointRow:
    return CheckpointRow(origin="o", size=1, root=bytes(32), note=text, stored_at="now")


def test_what_was_committed_is_read_back_as_it_was(place: Place) -> None:
    with created(place).transaction() as session:
        session.add_all([entry(0), note("first"), note("— second\n")])
        session.flush()
        session.add(SubjectRow(sequence=0, digest="d"))
    with Database.open(place.place).reading() as session:
        held = session.get(EntryRow, 0)
        assert held is not None
        assert (held.envelope, held.leaf_hash, held.logged_at) == (
            b'{"\xff\x00"}',
            bytes(32),
            "2026-11-23T08:00:00+00:00",
        )
        notes = [session.get(CheckpointRow, number) for number in (1, 2)]
        assert [one.note for one in notes if one is not None] == ["first", "— second\n"]


def test_a_new_database_has_every_guard(place: Place) -> None:
    assert created(place).missing_guards() == []
    assert [row[0] for row in place.run("SELECT version FROM schema_version")] == [SCHEMA_VERSION]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET logged_at = 'x'",
        "DELETE FROM entries",
        "INSERT INTO entries SELECT * FROM entries WHERE true "
        "ON CONFLICT (sequence) DO UPDATE SET logged_at = 'x'",
        "INSERT INTO entries SELECT 7, logged_at, payload_digest, predicate_type, envelope, leaf_hash "
        "FROM entries WHERE true ON CONFLICT (payload_digest) DO UPDATE SET logged_at = 'x'",
    ],
)
def test_no_statement_changes_what_is_logged(place: Place, statement: str) -> None:
    database = created(place)
    with database.transaction() as session:
        session.add(entry(0))
    before = place.run("SELECT * FROM entries")
    with pytest.raises(AppendOnlyError), database.transaction() as session:
        session.connection().exec_driver_sql(statement)
    with pytest.raises(Exception, match="append-only"):
        place.run(statement)  # nor do the guards let its owner
    assert place.run("SELECT * FROM entries") == before


def test_a_sequence_and_a_payload_are_there_once(place: Place) -> None:
    database = created(place)
    with database.transaction() as session:
        session.add(entry(0))
    for again in (entry(0, "other"), entry(1, "payload 0")):
        with pytest.raises(AppendOnlyError), database.transaction() as session:
            session.add(again)
            session.flush()


def test_a_subject_needs_its_entry(place: Place) -> None:
    with pytest.raises(AppendOnlyError), created(place).transaction() as session:
        session.add(SubjectRow(sequence=9, digest="d"))
        session.flush()


def test_an_exception_undoes_the_whole_transaction(place: Place) -> None:
    database = created(place)
    with pytest.raises(RuntimeError), database.transaction() as outer:
        with database.transaction() as inner:
            inner.add(entry(0))
        assert inner is outer
        raise RuntimeError
    with database.reading() as session:
        assert session.get(EntryRow, 0) is None


def test_another_thread_does_not_join_an_open_transaction(place: Place) -> None:
    database = created(place)
    seen: list[EntryRow | None] = []

    def look() -> None:
        with database.reading() as session:
            seen.append(session.get(EntryRow, 0))

    with database.transaction() as session:
        session.add(entry(0))
        session.flush()
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [None]


def test_writers_queue_and_each_sees_what_the_one_before_it_wrote(place: Place) -> None:
    created(place)
    writers, each = 4, 5

    def append() -> None:
        database = Database.open(place.place)
        for _ in range(each):
            with database.transaction() as session:
                held = session.connection().exec_driver_sql("SELECT count(*) FROM entries").scalar_one()
                session.add(entry(held))

    threads = [threading.Thread(target=append) for _ in range(writers)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [row[0] for row in place.run("SELECT sequence FROM entries ORDER BY sequence")] == [*range(20)]


def test_a_reader_keeps_the_snapshot_it_began_with(place: Place) -> None:
    database, count = created(place), "SELECT count(*) FROM entries"
    with database.reading() as session:
        assert session.connection().exec_driver_sql(count).scalar_one() == 0
        place.run(
            "INSERT INTO entries (sequence, logged_at, payload_digest, predicate_type, envelope, leaf_hash) "
            "VALUES (0, 'x', 'x', 'x', 'x', 'x')"
        )
        assert session.connection().exec_driver_sql(count).scalar_one() == 0


def test_a_database_kept_open_is_written_and_read_as_ever(place: Place) -> None:
    database = created(place)
    with database.kept_open():
        with database.transaction() as session:
            session.add(entry(0))
        with database.reading() as session:
            assert session.get(EntryRow, 0) is not None


def test_an_existing_database_is_never_made_anew(place: Place) -> None:
    created(place)
    with pytest.raises(RegistryStateError, match="exists already"):
        created(place)


def test_a_database_that_is_not_there_is_not_opened(place: Place) -> None:
    with pytest.raises(RegistryStateError, match="no such database"):
        Database.open(place.place)


def test_a_newer_schema_is_refused(place: Place) -> None:
    created(place)
    place.run("INSERT INTO schema_version VALUES (99)")
    with pytest.raises(SchemaVersionError, match="99 is newer than this host knows"):
        Database.open(place.place)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_a_guard_that_is_gone_is_named_and_stops_a_migration(
    place: Place, table: str, tmp_path: Path
) -> None:
    database = created(place)
    lost = place.drop_guard(table)
    assert database.missing_guards() == [lost]
    again, copy = Database.open_any(place.place, place.admin), tmp_path / "copy"
    with pytest.raises(GuardMissingError, match=lost):
        migrate(again, copy, target=NEXT, versions=step(tmp_path / "steps"))
    assert not copy.exists()


def test_a_step_is_taken_whole_with_its_guards_and_after_a_copy(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created(place)
    monkeypatch.setattr("registry.database.APPEND_ONLY", (*APPEND_ONLY, "remarks"))
    database = Database.open_any(place.place, place.admin)
    with pytest.raises(StateError, match="nowhere"):
        failing = step(tmp_path / "failing", more='op.execute("INSERT INTO nowhere VALUES (1)")')
        migrate(database, tmp_path / "unused", target=NEXT, versions=failing)
    assert database.schema() == SCHEMA_VERSION
    done = migrate(database, tmp_path / "copy", target=NEXT, versions=step(tmp_path / "steps"))
    assert done.copy is not None
    assert done.copy.stat().st_size > 1000
    assert database.schema() == NEXT
    assert database.missing_guards() == []
    place.drop_guard("remarks")
    assert len(database.missing_guards()) == 1
    assert place.run("SELECT text FROM remarks") == []
