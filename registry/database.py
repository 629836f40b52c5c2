"""The SQLite file: durable, append-only, one writer at a time, and errors an operator can act on.

Invariants
----------
* A transaction that returned is on disk (WAL, synchronous=FULL).
* Entries, subjects and checkpoints only grow: triggers refuse UPDATE and DELETE, and INSERT OR REPLACE too,
  whose deletes fire triggers because recursive_triggers is on. Triggers are a guard rail; the log's proofs
  are the control.
* Writers queue on BEGIN IMMEDIATE, so what a check read inside a transaction still holds when it writes.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlmodel import Session, SQLModel, create_engine, select

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


class Database:
    """One database file. Transactions nest: within a thread, an inner one joins the outer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = _engine(path)
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
            SQLModel.metadata.create_all(session.connection())
            for statement in _triggers().values():
                session.connection().exec_driver_sql(statement)
            session.add(tables.SchemaRow(version=tables.SCHEMA_VERSION))
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
            versions = list(session.exec(select(tables.SchemaRow.version)))
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

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep the file open while many transactions follow each other.

        Closing it for the last time makes SQLite copy its journal back and wait for the disk, which takes longer than
        most transactions; each transaction has its own connection all the same.
        """
        with self._engine.connect() as idle:
            idle.exec_driver_sql("SELECT version FROM schema_version").all()
            yield

    def missing_triggers(self) -> list[str]:
        """Names of the append-only triggers that are gone or changed: a sign of tampering."""
        with self.reading() as session:
            rows = session.connection().exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            )
            held = {str(name): str(sql) for name, sql in rows}
        return sorted(name for name, sql in _triggers().items() if held.get(name) != sql)

    @contextmanager
    def _begun(self, begin: str) -> Iterator[Session]:
        joined: Session | None = getattr(self._open, "session", None)
        if joined is not None:
            yield joined
            return
        try:
            with Session(self._engine, expire_on_commit=False) as session:
                session.connection().exec_driver_sql(begin)
                self._open.session = session
                yield session
                session.commit()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise _explained(error, self._path) from error
        finally:
            self._open.session = None


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
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

    return engine


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


def _explained(error: Exception, path: Path) -> StateError:
    name = str(path)
    cause = error.orig if isinstance(error, DBAPIError) else error
    text, code = str(cause), getattr(cause, "sqlite_errorname", "")
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
