"""The SQLite file: durable, append-only, one writer at a time, and errors an operator can act on.

Invariants
----------
* A transaction that returned is on disk (WAL, synchronous=FULL).
* Entries, subjects and checkpoints only grow: triggers refuse UPDATE and DELETE, and INSERT OR REPLACE too,
  whose deletes fire triggers because recursive_triggers is on. Triggers are a guard rail; the log's proofs
  are the control.
* Statements name their parameters (``:name``) and pass no value in their text.
* Writers queue on BEGIN IMMEDIATE, so what a check read inside a transaction still holds when it writes.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from plugin_spec.errors import StateError
from registry import tables
from registry.errors import (
    AppendOnlyError,
    DatabaseLockedError,
    DatabaseMalformedError,
    RegistryStateError,
    StorageFullError,
)

BUSY_TIMEOUT_MS = 10_000
APPEND_ONLY = ("schema_version", "entries", "subjects", "checkpoints")
_REFUSED = "append-only"


class Session:
    """The statements of one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """Run a statement and return every row it gives."""
        return self._connection.execute(statement, values).fetchall()

    def first(self, statement: str, **values: object) -> tuple[Any, ...] | None:
        """Run a statement and return its first row, ``None`` where it gives none."""
        row: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return row

    def run(self, statement: str, **values: object) -> None:
        """Run a statement that gives no rows."""
        self._connection.execute(statement, values)


class Database:
    """One database file. Transactions nest: within a thread, an inner one joins the outer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = threading.local()

    @classmethod
    def create(cls, path: Path) -> "Database":
        """Make a new file with its tables and triggers.

        Raises
        ------
        RegistryStateError
            The file exists.
        """
        if path.exists():
            raise RegistryStateError(f"{path}: exists already", subject=str(path))
        database = cls(path)
        with database.transaction() as session:
            for statement in (*tables.STATEMENTS, *_triggers().values()):
                session.run(statement)
            session.run("INSERT INTO schema_version VALUES (:version)", version=tables.SCHEMA_VERSION)
        return database

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Open an existing file of the schema version this code knows.

        Raises
        ------
        RegistryStateError
            No such file, or another schema version.
        DatabaseMalformedError
            Not a registry's database.
        """
        if not path.is_file():
            raise RegistryStateError(f"{path}: no such database", subject=str(path))
        database = cls(path)
        with database.reading() as session:
            versions = [row[0] for row in session.rows("SELECT version FROM schema_version")]
        if versions != [tables.SCHEMA_VERSION]:
            raise RegistryStateError(
                f"{path}: schema version {versions}, this host knows {tables.SCHEMA_VERSION}",
                subject=str(path),
            )
        return database

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Write in one durable transaction, or join the one that is open; an exception undoes all of it."""
        with self._begun("BEGIN IMMEDIATE") as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read one snapshot, or see what the open transaction sees."""
        with self._begun("BEGIN") as session:
            yield session

    def missing_triggers(self) -> list[str]:
        """Names of the append-only triggers that are gone or changed: a sign of tampering."""
        with self.reading() as session:
            rows = session.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            held = {str(name): str(sql) for name, sql in rows}
        return sorted(name for name, sql in _triggers().items() if held.get(name) != sql)

    @contextmanager
    def _begun(self, begin: str) -> Iterator[Session]:
        joined: Session | None = getattr(self._open, "session", None)
        if joined is not None:
            yield joined
            return
        try:
            with closing(_connected(self._path)) as connection:
                connection.execute(begin)
                self._open.session = session = Session(connection)
                yield session
                connection.execute("COMMIT")  # closing without it undoes everything
        except sqlite3.Error as error:
            raise _explained(error, self._path) from error
        finally:
            self._open.session = None


def _connected(path: Path) -> sqlite3.Connection:
    # The driver must not open transactions by itself: BEGIN IMMEDIATE is ours to send.
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _triggers() -> dict[str, str]:
    """Name to definition of every trigger."""
    found: dict[str, str] = {}
    for table in APPEND_ONLY:
        for change in ("UPDATE", "DELETE"):
            found[f"{table}_no_{change.lower()}"] = f"BEFORE {change} ON {table}"
    # Without recursive_triggers INSERT OR REPLACE would delete silently; these refuse the insert itself.
    for table, same in (
        ("entries", "sequence = NEW.sequence OR payload_digest = NEW.payload_digest"),
        ("subjects", "sequence = NEW.sequence AND digest = NEW.digest"),
        ("checkpoints", "number = NEW.number"),
    ):
        held = f"SELECT 1 FROM {table} WHERE {same}"  # noqa: S608 - the names above, nothing from outside
        found[f"{table}_no_replace"] = f"BEFORE INSERT ON {table} WHEN EXISTS ({held})"
    return {
        name: f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        for name, when in found.items()
    }


def _explained(error: sqlite3.Error, path: Path) -> StateError:
    name = str(path)
    text, code = str(error), getattr(error, "sqlite_errorname", "")
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
