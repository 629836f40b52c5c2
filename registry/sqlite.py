"""The SQLite file of a registry: durable settings, append-only triggers, and what its errors mean.

Triggers refuse UPDATE and DELETE, and INSERT OR REPLACE too, whose deletes fire triggers because
recursive_triggers is on; where it is off, the insert itself is refused.
"""

import errno
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from plugin_spec.errors import StateError
from plugin_spec.files import sync_folder
from registry.errors import (
    AppendOnlyError,
    DatabaseLockedError,
    DatabaseMalformedError,
    RegistryStateError,
    StorageFullError,
)

BUSY_TIMEOUT_MS = 10_000
REFUSED = "append-only"
# Without recursive_triggers INSERT OR REPLACE would delete silently; these refuse the insert itself.
_SAME = {
    "entries": "sequence = NEW.sequence OR payload_digest = NEW.payload_digest",
    "subjects": "sequence = NEW.sequence AND digest = NEW.digest",
    "nodes": "sequence = NEW.sequence",
    "checkpoints": "number = NEW.number",
}


class SqliteStore:
    """One database file, owned by whoever owns the file."""

    copy_suffix = "db"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        # Those of the driver itself come up while a connection is prepared.
        self.errors: tuple[type[Exception], ...] = (SQLAlchemyError, sqlite3.Error)

    def exists(self) -> bool:
        """Whether there is such a file."""
        return self._path.is_file()

    def engine(self) -> Engine:
        """Connections with the settings that make a commit durable."""
        engine = create_engine(f"sqlite:///{self._path}", poolclass=NullPool)
        event.listen(engine, "connect", _prepare)
        return engine

    def owner_engine(self) -> Engine:
        """The same: a file has one owner, who may do everything."""
        return self.engine()

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Begin; a writer waits here for the one before it."""
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    def guard(self, connection: Connection, tables: Collection[str]) -> None:
        """Make the triggers of new tables."""
        for statement in _triggers(tables).values():
            connection.exec_driver_sql(statement)

    def missing_guards(self, connection: Connection, tables: Collection[str]) -> list[str]:
        """Each trigger of these tables that is gone or changed, and each one that is not ours."""
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        held = {str(name): str(sql) for name, sql in rows}
        due = _triggers(tables)
        lost = sorted(f"trigger {name}" for name, sql in due.items() if held.get(name) != sql)
        # A trigger of somebody else's can swallow inserts without an error.
        return lost + sorted(f"freedom from the trigger {name}" for name in held.keys() - due.keys())

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy to a new file, through SQLite's own online backup."""
        if target.exists():
            raise FileExistsError(errno.EEXIST, "exists already")
        temporary = target.with_name(f".{target.name}.part")
        temporary.unlink(missing_ok=True)
        try:
            # Read-only, so that a copy changes nothing, and closing it does not clear the journal.
            with (
                closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(temporary)) as copy,
            ):
                source.backup(copy)
            with temporary.open("rb") as stream:
                os.fsync(stream.fileno())
            temporary.rename(target)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(target.parent)

    def explained(self, error: Exception) -> StateError:
        """Say what a driver's error means to an operator."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        text, code = str(cause), getattr(cause, "sqlite_errorname", "")
        name = self.name
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return DatabaseLockedError(f"{name}: another process is writing", subject=name, hint="try again")
        if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            return StorageFullError(
                f"{name}: cannot write: {text}", subject=name, hint="free disk space, then try again"
            )
        if code.startswith("SQLITE_CONSTRAINT"):
            return AppendOnlyError(f"{name}: refused a change to what is logged: {text}", subject=name)
        if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            return RegistryStateError(f"{name}: {text}", subject=name)
        return DatabaseMalformedError(f"{name}: {text}", subject=name, hint="assay audit verify")


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    # The driver must not open transactions by itself: BEGIN IMMEDIATE is ours to send.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _triggers(tables: Collection[str]) -> dict[str, str]:
    """Name to definition of every trigger of these tables."""

    def conditions() -> Iterator[tuple[str, str]]:
        for table in tables:
            for change in ("UPDATE", "DELETE"):
                yield f"{table}_no_{change.lower()}", f"BEFORE {change} ON {table}"
            if same := _SAME.get(table):
                held = f"SELECT 1 FROM {table} WHERE {same}"  # noqa: S608 - names of this module
                yield f"{table}_no_replace", f"BEFORE INSERT ON {table} WHEN EXISTS ({held})"

    return {
        name: f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        for name, when in conditions()
    }
