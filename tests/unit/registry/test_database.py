import sqlite3
from pathlib import Path

import pytest

from registry import sqlite as module
from registry.database import Database
from registry.errors import (
    DatabaseLockedError,
    DatabaseMalformedError,
    StorageFullError,
)
from registry.tables import EntryRow


def entry(sequence: int, payload: str = "p") -> EntryRow:
    return EntryRow(
        sequence=sequence,
        logged_at="2026-11-23T08:00:00+00:00",
        payload_digest=payload,
        predicate_type="t",
        envelope=b"{}",
        leaf_hash=bytes(32),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Database.create(tmp_path / "registry.db")
    return tmp_path / "registry.db"


def test_the_file_is_durable_and_guarded(path: Path) -> None:
    with Database.open(path).reading() as session:
        found = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}
    assert Database.open(path).missing_guards() == []


@pytest.mark.requirement("R5", "R25")
@pytest.mark.attack("REPLACE hole")
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
        session.add(entry(0))
    outside = sqlite3.connect(path)
    outside.execute(f"PRAGMA recursive_triggers={recursive}")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        outside.execute(statement)
    outside.close()


def test_a_busy_database_is_named_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLockedError), Database.open(path).transaction():
        pass
    other.close()


@pytest.mark.attack("disk full while logging")
def test_a_full_disk_is_named_and_nothing_is_written(path: Path) -> None:
    database = Database.open(path)
    with pytest.raises(StorageFullError), database.transaction() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}")
        large = entry(0)
        large.envelope = bytes(1_000_000)
        session.add(large)
        session.flush()
    with database.reading() as session:
        assert session.get(EntryRow, 0) is None


def test_a_file_that_is_no_database_is_named_malformed(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database " * 100)
    with pytest.raises(DatabaseMalformedError):
        Database.open(tmp_path / "registry.db")


def test_a_file_kept_open_is_written_and_read_as_ever_and_whole_afterwards(path: Path) -> None:
    database = Database.open(path)
    with database.kept_open():
        with database.transaction() as session:
            session.add(entry(0))
        with database.reading() as session:
            assert session.get(EntryRow, 0) is not None
        # Nothing is read or written through the idle connection: others may clear the journal.
        outside = sqlite3.connect(path)
        assert outside.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        outside.close()
    assert [one.name for one in path.parent.iterdir()] == [path.name]
