"""Databases of every released schema come forward, in one step or not at all, and nothing in them changes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from registry import home, tables
from registry.audit import verify_log
from registry.database import APPEND_ONLY, Database
from registry.errors import (
    DatabaseLockedError,
    DuplicateRecordError,
    GuardMissingError,
    LogTruncatedError,
    RegistryStateError,
    SchemaVersionError,
)
from registry.migrations import migrate
from registry.record import run_key
from registry.registry import Registry
from registry.trace import trace
from tests.support.older_schema import NEXT, RELEASED, older_home, rows_of, schema_of, step
from tests.support.registry_builders import FixedClock, World

LOGGED = ("entries", "subjects", "checkpoints")


@pytest.fixture(params=sorted(RELEASED))
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A home of a released schema."""
    return older_home(request.param, tmp_path / "home")


def brought_forward(folder: Path) -> Registry:
    """The home after `migrate`, opened as usual."""
    migrate(home.database_of(folder), folder / "copy.db")
    return Registry.open(folder, FixedClock())


def test_every_released_schema_has_a_database_to_come_forward_from() -> None:
    assert sorted(RELEASED) == list(range(1, max(RELEASED) + 1))
    assert tables.SCHEMA_VERSION - 1 <= max(RELEASED) <= tables.SCHEMA_VERSION


def test_what_came_forward_verifies_and_takes_new_records(older: Path) -> None:
    before = {table: rows_of(older / home.DATABASE, table) for table in LOGGED}
    registry = brought_forward(older)
    assert verify_log(registry) == ()
    assert {table: rows_of(older / home.DATABASE, table) for table in LOGGED} == before
    registry.refuse(SchemaVersionError("no"), attempted="test", subject="test")
    assert registry.log.size == len(before["entries"]) + 1
    assert verify_log(registry, registry.log.notes()) == ()


def test_what_came_forward_is_what_a_new_database_is(older: Path, tmp_path: Path) -> None:
    brought_forward(older)
    Database.create(tmp_path / "new.db")
    assert schema_of(older / home.DATABASE) == schema_of(tmp_path / "new.db")


def test_a_row_edited_before_a_migration_is_found_after_it(older: Path) -> None:
    with closing(sqlite3.connect(older / home.DATABASE)) as database:
        trigger = database.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'entries_no_update'"
        ).fetchone()[0]
        database.execute("DROP TRIGGER entries_no_update")
        database.execute("UPDATE entries SET logged_at = '2026-11-23T07:00:00+00:00' WHERE sequence = 2")
        database.execute(trigger)
        database.commit()
    assert "record-tampered" in {fault.code for fault in verify_log(brought_forward(older))}


@pytest.fixture
def current(tmp_path: Path) -> Path:
    """A database of the schema this host works on."""
    Database.create(tmp_path / "registry.db")
    return tmp_path / "registry.db"


def test_a_step_adds_its_version_and_guards_and_keeps_a_copy(
    current: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.database.APPEND_ONLY", (*APPEND_ONLY, "remarks"))
    as_it_was = schema_of(current)
    done = migrate(
        Database.open_any(current), tmp_path / "copy.db", versions=step(tmp_path / "steps"), target=NEXT
    )
    assert (done.before, done.after, done.copy) == (NEXT - 1, NEXT, tmp_path / "copy.db")
    assert schema_of(tmp_path / "copy.db") == as_it_was
    assert rows_of(current, "schema_version") == [(NEXT - 1,), (NEXT,)]
    assert Database.open_any(current).missing_guards() == []
    assert {"remarks_no_update", "remarks_no_delete"} <= {name for name, _ in schema_of(current)}


def test_a_step_that_fails_leaves_the_database_as_it_was(current: Path, tmp_path: Path) -> None:
    as_it_was = schema_of(current)
    steps = step(tmp_path / "steps", more='op.execute("INSERT INTO nowhere VALUES (1)")')
    with pytest.raises(Exception, match="nowhere") as caught:
        migrate(Database.open_any(current), tmp_path / "copy.db", versions=steps, target=NEXT)
    assert isinstance(caught.value.__cause__, OperationalError)
    assert schema_of(current) == as_it_was
    assert Database.open(current).schema() == NEXT - 1


def test_a_database_whose_guards_are_gone_is_not_migrated(current: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(current)) as database:
        database.execute("DROP TRIGGER entries_no_delete")
    with pytest.raises(GuardMissingError, match="trigger entries_no_delete"):
        migrate(Database.open_any(current), tmp_path / "copy.db", versions=step(tmp_path / "s"), target=NEXT)
    assert not (tmp_path / "copy.db").exists()


def test_nothing_is_migrated_while_somebody_writes(
    current: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.sqlite.BUSY_TIMEOUT_MS", 50)
    with closing(sqlite3.connect(current, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseLockedError):
            migrate(
                Database.open_any(current), tmp_path / "copy.db", versions=step(tmp_path / "s"), target=NEXT
            )


def test_without_room_for_the_copy_nothing_is_migrated(current: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("somebody's")
    with pytest.raises(RegistryStateError, match="exists already"):
        migrate(Database.open_any(current), tmp_path / "copy.db", versions=step(tmp_path / "s"), target=NEXT)
    assert (tmp_path / "copy.db").read_text() == "somebody's"
    assert Database.open(current).schema() == NEXT - 1


def test_an_older_schema_is_refused_until_it_is_migrated(
    current: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "SCHEMA_VERSION", NEXT)
    with pytest.raises(
        SchemaVersionError, match=f"schema version {NEXT - 1}, this host works on {NEXT}"
    ) as caught:
        Database.open(current)
    assert caught.value.hint == "assay trust migrate"


@pytest.mark.parametrize("version", [NEXT, 99])
def test_a_newer_schema_is_neither_opened_nor_migrated(current: Path, tmp_path: Path, version: int) -> None:
    with closing(sqlite3.connect(current)) as database:
        database.execute(f"INSERT INTO schema_version VALUES ({version})")
        database.commit()
    with pytest.raises(SchemaVersionError, match="is newer than this host knows"):
        Database.open(current)
    with pytest.raises(SchemaVersionError, match="is newer than this host knows"):
        migrate(Database.open_any(current), tmp_path / "copy.db")


def test_a_missing_step_is_named(current: Path, tmp_path: Path) -> None:
    with pytest.raises(SchemaVersionError, match=f"no migration leads to schema version {NEXT + 1}"):
        migrate(
            Database.open_any(current),
            tmp_path / "copy.db",
            versions=step(tmp_path / "steps"),
            target=NEXT + 1,
        )


def test_a_log_that_comes_forward_with_a_gap_gets_no_tree_over_it(older: Path) -> None:
    with closing(sqlite3.connect(older / home.DATABASE)) as database:
        triggers = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE name IN ('entries_no_delete', 'subjects_no_delete')"
        ).fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("DELETE FROM subjects WHERE sequence = 2")
        database.execute("DELETE FROM entries WHERE sequence = 2")
        for _, statement in triggers:
            database.execute(statement)
        database.commit()
    registry = brought_forward(older)
    assert "entry-missing" in {fault.code for fault in verify_log(registry)}
    with pytest.raises(LogTruncatedError):
        registry.log.checkpoint()


def as_schema_1(path: Path, filed: str) -> None:
    """Put a database back to what schema 1 had: no stored tree, and no run filed under its id."""
    with closing(sqlite3.connect(path)) as database:
        found = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
        triggers = database.execute(found).fetchall()
        for name, _, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("DROP TABLE nodes")
        assert database.execute("DELETE FROM subjects WHERE digest = ?", [filed]).rowcount == 1
        database.execute("DELETE FROM schema_version")
        database.execute("INSERT INTO schema_version VALUES (1)")
        for _, table, sql in triggers:
            if table != "nodes":
                database.execute(sql)
        database.commit()


def test_a_run_from_before_is_found_by_its_id_after_a_migration(world: World) -> None:
    world.locked().imported().run("c" * 16)
    as_schema_1(world.site.home / home.DATABASE, run_key("c" * 16))
    site = brought_forward(world.site.home)
    assert verify_log(site) == ()
    assert trace(site, "c" * 16, port="volumes", column="brain_ml").started.run == "c" * 16
    again = world.run_started("c" * 16).model_copy(
        update=dict(zip(("chain", "previous"), site.next_link(), strict=True))
    )
    with pytest.raises(DuplicateRecordError, match="was started before"):
        site.act(again, site.node)
