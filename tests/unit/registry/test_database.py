import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from registry import database as module
from registry.database import Database, Session
from registry.errors import (
    AppendOnlyError,
    DatabaseLockedError,
    DatabaseMalformedError,
    RegistryStateError,
    StorageFullError,
)
from registry.tables import ENTRY_COLUMNS, checkpoint_row, entry_row


def add_entry(session: Session, envelope: bytes = b"{}") -> None:
    """The entry of number 0."""
    session.run(
        f"INSERT INTO entries ({ENTRY_COLUMNS}) VALUES (0, :at, 'p', 't', :envelope, :leaf)",
        at="2026-11-23T08:00:00+00:00",
        envelope=envelope,
        leaf=bytes(32),
    )


def entries(session: Session) -> int:
    """How many there are."""
    return len(session.rows("SELECT 1 FROM entries"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Database.create(tmp_path / "registry.db")
    return tmp_path / "registry.db"


def test_the_file_is_durable_and_guarded(path: Path) -> None:
    with Database.open(path).reading() as session:
        found = {
            name: session.rows(f"PRAGMA {name}")[0][0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}
    assert Database.open(path).missing_triggers() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET logged_at = 'x'",
        "DELETE FROM entries",
        "INSERT OR REPLACE INTO entries "
        "SELECT sequence, 'x', payload_digest, predicate_type, envelope, leaf_hash FROM entries",
        "REPLACE INTO entries "
        "SELECT 7, 'x', payload_digest, predicate_type, envelope, leaf_hash FROM entries",
        "UPDATE schema_version SET version = 2",
    ],
)
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
def test_no_statement_changes_what_is_logged(path: Path, statement: str, recursive: str) -> None:
    with Database.open(path).transaction() as session:
        add_entry(session)
    outside = sqlite3.connect(path)
    outside.execute(f"PRAGMA recursive_triggers={recursive}")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        outside.execute(statement)
    outside.close()


def test_a_refused_change_is_an_append_only_error(path: Path) -> None:
    database = Database.open(path)
    with database.transaction() as session:
        add_entry(session)
    with pytest.raises(AppendOnlyError), database.transaction() as session:
        session.run("DELETE FROM entries")


def test_an_exception_undoes_the_whole_transaction(path: Path) -> None:
    database = Database.open(path)
    with pytest.raises(RuntimeError), database.transaction() as outer:
        with database.transaction() as inner:
            add_entry(inner)
        assert inner is outer
        raise RuntimeError
    with database.reading() as session:
        assert entries(session) == 0


def test_another_thread_does_not_join_an_open_transaction(path: Path) -> None:
    database = Database.open(path)
    seen: list[int] = []

    def look() -> None:
        with database.reading() as session:
            seen.append(entries(session))

    with database.transaction() as session:
        add_entry(session)
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [0]


def test_a_busy_database_is_named_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLockedError), Database.open(path).transaction():
        pass
    other.close()


def test_a_full_disk_is_named_and_nothing_is_written(path: Path) -> None:
    database = Database.open(path)
    with pytest.raises(StorageFullError), database.transaction() as session:
        pages = session.rows("PRAGMA page_count")[0][0]
        session.run(f"PRAGMA max_page_count={pages}")
        add_entry(session, bytes(1_000_000))
    with database.reading() as session:
        assert entries(session) == 0


def test_a_file_that_is_no_database_is_named_malformed(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database " * 100)
    with pytest.raises(DatabaseMalformedError):
        Database.open(tmp_path / "registry.db")


def test_another_schema_version_is_refused(path: Path) -> None:
    outside = sqlite3.connect(path)
    outside.execute("DROP TRIGGER schema_version_no_update")
    outside.execute("UPDATE schema_version SET version = 99")
    outside.commit()
    outside.close()
    with pytest.raises(RegistryStateError, match="99"):
        Database.open(path)


def test_an_existing_file_is_never_made_anew(path: Path) -> None:
    with pytest.raises(RegistryStateError):
        Database.create(path)


# What hosts wrote before the statements stood in `registry.tables`, to the letter.
FIRST_HOSTS = (
    "CREATE TABLE schema_version (\n\tversion INTEGER NOT NULL, \n\tPRIMARY KEY (version)\n)",
    "CREATE TABLE entries (\n\tsequence INTEGER NOT NULL, \n\tlogged_at VARCHAR NOT NULL, \n\tpayload_digest VARCHAR "
    "NOT NULL, \n\tpredicate_type VARCHAR NOT NULL, \n\tenvelope BLOB NOT NULL, \n\tleaf_hash BLOB NOT NULL, "
    "\n\tPRIMARY KEY (sequence), \n\tUNIQUE (payload_digest)\n)",
    "CREATE INDEX ix_entries_predicate_type ON entries (predicate_type)",
    "CREATE TABLE checkpoints (\n\tnumber INTEGER NOT NULL, \n\torigin VARCHAR NOT NULL, \n\tsize INTEGER NOT NULL, "
    "\n\troot BLOB NOT NULL, \n\tnote VARCHAR NOT NULL, \n\tstored_at VARCHAR NOT NULL, \n\tPRIMARY KEY (number)\n)",
    "CREATE INDEX ix_checkpoints_origin ON checkpoints (origin)",
    "CREATE TABLE subjects (\n\tsequence INTEGER NOT NULL, \n\tdigest VARCHAR NOT NULL, \n\tPRIMARY KEY (sequence, "
    "digest), \n\tFOREIGN KEY(sequence) REFERENCES entries (sequence)\n)",
    "CREATE INDEX ix_subjects_digest ON subjects (digest)",
)


def schema(path: Path) -> dict[str, str]:
    """Every table, index and trigger, with its statement; white space does not count."""
    with closing(sqlite3.connect(path)) as outside:
        rows = outside.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: "".join(sql.split()) for name, sql in rows}


def test_the_schema_is_the_one_that_the_first_hosts_wrote(path: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as outside:
        for statement in (*FIRST_HOSTS, *module._triggers().values()):
            outside.execute(statement)
        outside.execute("INSERT INTO schema_version VALUES (1)")
        outside.commit()
    assert schema(path) == schema(old)
    assert Database.open(old).missing_triggers() == []


@pytest.mark.parametrize(
    ("kinds", "row", "fault"),
    [
        (entry_row, (0, "at", "p", "t", "text", bytes(32)), "entries: a str stands where only bytes may"),
        (entry_row, ("0", "at", "p", "t", b"{}", bytes(32)), "entries: a str stands where only int may"),
        (
            checkpoint_row,
            ("o", 1, bytes(32), None, "at"),
            "checkpoints: a NoneType stands where only str may",
        ),
    ],
)
def test_a_value_of_another_type_than_its_column_is_named(
    kinds: Callable[[tuple[object, ...]], object], row: tuple[object, ...], fault: str
) -> None:
    with pytest.raises(DatabaseMalformedError, match=fault):
        kinds(row)
