"""A registry's database on PostgreSQL: three roles, append-only by privilege and by trigger, one writer at a time.

Roles
-----
owner
    Owns the database and its tables, and cannot log in.
administrator
    Somebody who may ``SET ROLE`` to the owner; needed to set up and to migrate, and kept nowhere.
application
    The role of the home's URL: it may SELECT and INSERT, and nothing else.

Triggers fire even where replication would skip them. They are of statements, so that ``INSERT ... ON CONFLICT DO
UPDATE``, ``MERGE`` and ``TRUNCATE`` are refused before a row is looked at.
"""

import errno
import os
import subprocess
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
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

LOCK_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_S = 10
# Any number that no other application of the same database uses.
WRITERS_LOCK = 0x41_53_53_41_59
REFUSED = "append-only"
_FUNCTION = "assay_append_only"
_BODY = f"BEGIN RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END"
# What a session must not take from the server's or the role's settings: whose tables it sees, what a commit means,
# and that a row policy which hides rows is an error.
_SETTINGS = {
    "search_path": "public,pg_temp",
    "synchronous_commit": "on",
    "row_security": "off",
    "client_encoding": "UTF8",
}
_FORBIDDEN = ("UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


class PostgresStore:
    """One PostgreSQL database, which holds one registry's log and nothing else.

    Parameters
    ----------
    url : str
        ``postgresql://ROLE@HOST/DATABASE`` of the application role, without a pass word.
    admin : str, optional
        The same of an administrator.
    """

    copy_suffix = "dump"

    def __init__(self, url: str, admin: str | None = None) -> None:
        self.name = url
        self._url = make_url(url)
        self._admin = None if admin is None else make_url(admin)
        self._application = str(self._url.username)
        self.errors: tuple[type[Exception], ...] = (SQLAlchemyError,)
        with suppress(ImportError):  # said by `engine`
            import psycopg

            # Those of the driver itself come up while a connection is prepared.
            self.errors += (psycopg.Error,)

    def exists(self) -> bool:
        """Whether the database has a registry's tables."""
        with self.engine().connect() as connection:
            return (
                connection.exec_driver_sql("SELECT to_regclass('public.schema_version')").scalar() is not None
            )

    def engine(self) -> Engine:
        """Connections of the application role."""
        return _engine(self._url)

    def owner_engine(self) -> Engine:
        """Connections of the administrator, acting as the owner. Raises `RegistryStateError`."""
        if self._admin is None:
            raise RegistryStateError(
                f"{self.name}: tables are made by the owner of the database, in whose place an administrator acts",
                subject=self.name,
                hint="add --database-admin postgresql://ADMINISTRATOR@HOST/DATABASE",
            )
        engine = _engine(self._admin)
        event.listen(engine, "connect", _become_owner)
        return engine

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Begin; a writer waits here for the one before it, and then sees all that it committed."""
        if not writing:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return
        # A stricter level would fix what is seen before the lock is had.
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")

    def guard(self, connection: Connection, tables: Collection[str]) -> None:
        """Make the triggers of new tables, and let the application read and add."""
        run = connection.exec_driver_sql
        application = connection.dialect.identifier_preparer.quote(self._application)
        run(f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$")
        for table in tables:
            run(_definition(table).replace("public.", ""))
            run(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")
            run(f"GRANT SELECT, INSERT ON {table} TO {application}")
            for sequence in connection.execute(text(_SEQUENCES), {"of": table}).scalars():
                run(f"GRANT SELECT, USAGE ON SEQUENCE {sequence} TO {application}")

    def missing_guards(self, connection: Connection, tables: Collection[str]) -> list[str]:
        """Each trigger that is gone, changed or not ours, each privilege too many, and what else gives way."""
        return [
            *_trigger_faults(connection, tables),
            *_privilege_faults(connection, tables, self._application),
            *_role_faults(connection, tables, self._application),
            *(
                f"durable writes: {name} is off"
                for name in ("fsync", "full_page_writes")
                if connection.exec_driver_sql(f"SHOW {name}").scalar() != "on"
            ),
        ]

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy to a new file, through ``pg_dump``. Raises `RegistryStateError`."""
        if target.exists():
            raise FileExistsError(errno.EEXIST, "exists already")
        temporary = target.with_name(f".{target.name}.part")
        command = [
            "pg_dump",
            "--format=custom",
            "--no-password",
            f"--file={temporary}",
            f"--dbname={self.name}",
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                said = (done.stderr.splitlines() or ["no reason given"])[0]
                raise RegistryStateError(f"{self.name}: no copy: {said}", subject=self.name)
            with temporary.open("rb") as stream:
                os.fsync(stream.fileno())
            temporary.rename(target)
        except FileNotFoundError as error:
            raise RegistryStateError(
                f"{self.name}: no copy: pg_dump is not installed",
                subject=self.name,
                hint="on Debian: apt-get install postgresql-client-15",
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(target.parent)

    def explained(self, error: Exception) -> StateError:
        """Say what a driver's error means to an operator."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        said = (str(cause).splitlines() or [""])[0]
        state, name = str(getattr(cause, "sqlstate", None) or ""), self.name
        if state in {"55P03", "40001", "40P01"}:
            return DatabaseLockedError(f"{name}: another process is writing", subject=name, hint="try again")
        if state in {"53100", "58030"}:
            return StorageFullError(
                f"{name}: cannot write: {said}", subject=name, hint="free disk space, then try again"
            )
        if state.startswith("23") or (state == "42501" and _changes(error)):
            return AppendOnlyError(f"{name}: refused a change to what is logged: {said}", subject=name)
        if state == "42501":
            return RegistryStateError(f"{name}: {said}", subject=name, hint="assay audit verify")
        if state[:2] in {"", "08", "28", "3D", "57"} and isinstance(error, DBAPIError):
            hint = "start the server, or correct the URL in registry.json; pass words come from PGPASSWORD or .pgpass"
            return RegistryStateError(f"{name}: {said}", subject=name, hint=hint)
        return DatabaseMalformedError(f"{name}: {said}", subject=name, hint="assay audit verify")


def _engine(url: URL) -> Engine:
    settings = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "application_name": "assay",
                "options": f"{settings} -c lock_timeout={LOCK_TIMEOUT_MS}",
            },
        )
    except ImportError as error:
        raise RegistryStateError(
            f"{url}: the driver of PostgreSQL is not installed",
            subject=str(url),
            hint="install Assay with its extra: assay[postgresql]",
        ) from error


def _become_owner(connection: Any, _: object) -> None:
    """Act as the owner of the database from here on: an administrator's own rights are not needed."""
    found = connection.execute(
        "SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database WHERE datname = current_database()"
    ).fetchone()
    connection.execute(f"SET ROLE {found[0]}")
    connection.commit()


_SEQUENCES = """
SELECT quote_ident(sequence.relname) FROM pg_class AS sequence JOIN pg_depend AS link ON link.objid = sequence.oid
WHERE sequence.relkind = 'S' AND link.refobjid = to_regclass('public.' || :of)
"""
_HELD = """
SELECT one.tgname, pg_get_triggerdef(one.oid), one.tgenabled, code.prosrc, code.proconfig
FROM pg_trigger AS one JOIN pg_proc AS code ON code.oid = one.tgfoid
WHERE one.tgrelid = to_regclass('public.' || :of) AND NOT one.tgisinternal
"""
_RULES = "SELECT rulename FROM pg_rewrite WHERE ev_class = to_regclass('public.' || :of)"
_OWNERS = """
SELECT DISTINCT pg_get_userbyid(one.relowner), owner.rolcanlogin, pg_has_role(:application, owner.oid, 'MEMBER')
FROM pg_class AS one JOIN pg_roles AS owner ON owner.oid = one.relowner
WHERE one.oid = to_regclass('public.' || :of)
"""


def _definition(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.{table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
    )


def _trigger_faults(connection: Connection, tables: Collection[str]) -> Iterator[str]:
    for table in tables:
        own = f"{table}_append_only"
        held = {row[0]: tuple(row[1:]) for row in connection.execute(text(_HELD), {"of": table})}
        if held.get(own) != (_definition(table), "A", _BODY, None):
            yield f"trigger {own}"
        # A trigger or rule of somebody else's can swallow inserts without an error.
        yield from (f"freedom from the trigger {name}" for name in sorted(held.keys() - {own}))
        for rule in connection.execute(text(_RULES), {"of": table}).scalars():
            yield f"freedom from the rule {rule}"


def _privilege_faults(connection: Connection, tables: Collection[str], application: str) -> Iterator[str]:
    held = text("SELECT has_table_privilege(:who, to_regclass('public.' || :of), :what)")
    column = text("SELECT has_any_column_privilege(:who, to_regclass('public.' || :of), :what)")
    for table in tables:
        for what in _FORBIDDEN:
            asked = {"who": application, "of": table, "what": what}
            by_column = what in {"UPDATE", "REFERENCES"} and connection.execute(column, asked).scalar()
            if by_column or connection.execute(held, asked).scalar():
                yield f"denial of {what} on {table} to {application}"


def _role_faults(connection: Connection, tables: Collection[str], application: str) -> Iterator[str]:
    query = text("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = :who")
    row = connection.execute(query, {"who": application}).one()
    yield from (
        f"application role without {what}"
        for what, held in zip(("SUPERUSER", "CREATEROLE"), row, strict=True)
        if held
    )
    owners = {
        tuple(row)
        for table in tables
        for row in connection.execute(text(_OWNERS), {"of": table, "application": application})
    }
    for owner, may_log_in, is_application in sorted(owners):
        if may_log_in:
            yield f"owner without login: {owner} may log in"
        if is_application:
            yield f"separation of {application} from the owner {owner}"


def _changes(error: Exception) -> bool:
    """Whether the refused statement would have changed or removed rows."""
    words = str(getattr(error, "statement", None) or "").split()
    return words[:1] in (["UPDATE"], ["DELETE"], ["TRUNCATE"], ["MERGE"]) or "CONFLICT" in words
