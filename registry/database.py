"""The database of a registry: durable, append-only, one writer at a time, and errors an operator can act on.

Invariants
----------
* A transaction that returned is on disk.
* Every table only grows: guards refuse UPDATE, DELETE and what replaces rows. Guards are a guard rail; the log's
  proofs are the control.
* Writers queue, so what a check read inside a transaction still holds when it writes.
* A schema that this code does not know is never written to; an older one is migrated by `assay trust migrate` only
  (``migrations``).

How each engine keeps these is its own module's: ``sqlite``, ``postgresql``.
"""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, inspect
from sqlmodel import Session, SQLModel, select

from plugin_spec.errors import StateError
from registry import tables
from registry.errors import GuardMissingError, RegistryStateError, SchemaVersionError

APPEND_ONLY = ("schema_version", "entries", "subjects", "nodes", "checkpoints")


Place = Path | str


class Store(Protocol):
    """What differs between the engines."""

    name: str
    copy_suffix: str
    errors: tuple[type[Exception], ...]

    def exists(self) -> bool:
        """Whether there is a database to open."""

    def engine(self) -> Engine:
        """Connections that read and append."""

    def owner_engine(self) -> Engine:
        """Connections that may make tables and guards."""

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Begin a transaction: as the one writer, or on one snapshot."""

    def guard(self, connection: Connection, tables: Collection[str]) -> None:
        """Make tables append-only."""

    def missing_guards(self, connection: Connection, tables: Collection[str]) -> list[str]:
        """What no longer keeps these tables append-only."""

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy to a new file."""

    def explained(self, error: Exception) -> StateError:
        """Say what a driver's error means to an operator."""


class Database:
    """One database. Transactions nest: within a thread, an inner one joins the outer."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._engine = store.engine()
        self._open = threading.local()

    @classmethod
    def create(cls, place: Place, admin: str | None = None) -> "Database":
        """Make a new database with its tables and guards.

        Parameters
        ----------
        place : Path or str
            A new file, or the URL of an empty PostgreSQL database.
        admin : str, optional
            On PostgreSQL, the URL of somebody who may act as its owner.

        Raises
        ------
        RegistryStateError
            There is one already, or it cannot be made.
        GuardMissingError
            It would not be append-only: the roles are not set up as they should be.
        """
        database = cls(store_at(place, admin))
        if database._exists():
            raise RegistryStateError(f"{place}: exists already", subject=str(place))
        with database.owning() as session:
            connection = session.connection()
            SQLModel.metadata.create_all(connection)
            database.store.guard(connection, APPEND_ONLY)
            session.add(tables.SchemaRow(version=tables.SCHEMA_VERSION))
            session.flush()
            database.check_guards(connection, hint="registry/README.md says how its roles are set up")
        return database

    @classmethod
    def open(cls, place: Place) -> "Database":
        """Open an existing database of the schema version this code knows.

        Raises
        ------
        RegistryStateError
            No such database.
        SchemaVersionError
            An older or a newer schema.
        DatabaseMalformedError
            Not a registry's database.
        """
        database = cls.open_any(place)
        database.check_schema()
        return database

    @classmethod
    def open_any(cls, place: Place, admin: str | None = None) -> "Database":
        """Open an existing database whatever its schema: to migrate or to copy it. Raises `RegistryStateError`."""
        database = cls(store_at(place, admin))
        if not database._exists():
            raise RegistryStateError(f"{place}: no such database", subject=str(place))
        return database

    def _exists(self) -> bool:
        try:
            return self.store.exists()
        except self.store.errors as error:
            raise self.store.explained(error) from error

    def schema(self) -> int:
        """The schema version: the newest row of the history that migrations leave."""
        with self.reading() as session:
            versions = list(session.exec(select(tables.SchemaRow.version)))
        if not versions:
            raise SchemaVersionError(f"{self.store.name}: says no schema version", subject=self.store.name)
        return max(versions)

    def check_schema(self) -> None:
        """Refuse a schema that this code does not work on. Raises `SchemaVersionError`."""
        held, known, name = self.schema(), tables.SCHEMA_VERSION, self.store.name
        if held < known:
            raise SchemaVersionError(
                f"{name}: schema version {held}, this host works on {known}",
                subject=name,
                hint="assay trust migrate",
            )
        if held > known:
            raise SchemaVersionError(
                f"{name}: schema version {held} is newer than this host knows ({known})",
                subject=name,
                hint="use the version of Assay that migrated it, or a later one",
            )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Write in one durable transaction, or join the one that is open; an exception undoes all of it."""
        with self._begun(self._engine, writing=True) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read one snapshot, or see what the open transaction sees."""
        with self._begun(self._engine, writing=False) as session:
            yield session

    @contextmanager
    def owning(self) -> Iterator[Session]:
        """As `transaction`, with the right to make tables: for setting up and migrating."""
        with self._begun(self.store.owner_engine(), writing=True) as session:
            yield session

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep the database open while many transactions of this thread follow each other, all on one connection.

        Closing a file for the last time makes SQLite copy its journal back and wait for the disk, and opening it again
        prepares it anew; both take longer than most transactions. Between transactions the connection holds nothing.
        """
        if getattr(self._open, "kept", None) is not None:
            yield
            return
        with self._engine.connect() as kept:
            kept.exec_driver_sql("SELECT version FROM schema_version").all()
            kept.rollback()
            self._open.kept = kept
            try:
                yield
            finally:
                self._open.kept = None

    def after_commit(self, do: Callable[[], None]) -> None:
        """Do something once what the open transaction writes is on disk; never, where it is undone."""
        self._open.after.append(do)

    def missing_guards(self) -> list[str]:
        """What no longer keeps the log append-only, by name: a sign of tampering."""
        with self.reading() as session:
            return self.store.missing_guards(session.connection(), APPEND_ONLY)

    def check_guards(self, connection: Connection, *, hint: str) -> None:
        """Refuse a database that is not append-only; only tables that it has count. Raises `GuardMissingError`."""
        if lost := self.store.missing_guards(connection, guarded(connection)):
            raise GuardMissingError(
                f"{self.store.name} has lost its {', '.join(lost)}", subject=self.store.name, hint=hint
            )

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy to a new file.

        Raises
        ------
        RegistryStateError
            The file exists, or its folder cannot be written to.
        StorageFullError
            The disk is full.
        """
        try:
            self.store.copy_to(target)
        except self.store.errors as error:
            raise self.store.explained(error) from error
        except OSError as error:
            raise RegistryStateError(f"{target}: {error.strerror}", subject=str(target)) from error

    @contextmanager
    def _begun(self, engine: Engine, *, writing: bool) -> Iterator[Session]:
        joined: Session | None = getattr(self._open, "session", None)
        if joined is not None:
            yield joined
            return
        kept: Connection | None = getattr(self._open, "kept", None) if engine is self._engine else None
        try:
            with Session(engine if kept is None else kept, expire_on_commit=False) as session:
                self.store.begin(session.connection(), writing=writing)
                self._open.session, self._open.after = session, []
                yield session
                session.commit()
                for do in self._open.after:
                    do()
        except self.store.errors as error:
            raise self.store.explained(error) from error
        finally:
            self._open.session = None


def guarded(connection: Connection) -> tuple[str, ...]:
    """The append-only tables that a database has, which are fewer in an older schema."""
    held = set(inspect(connection).get_table_names())
    return tuple(table for table in APPEND_ONLY if table in held)


def store_at(place: Place, admin: str | None = None) -> Store:
    """The engine of a place: a file is SQLite, a URL is PostgreSQL."""
    if isinstance(place, Path):
        from registry.sqlite import SqliteStore

        return SqliteStore(place)
    from registry.postgresql import PostgresStore

    return PostgresStore(place, admin)
