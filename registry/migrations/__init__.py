"""Bring a database forward to the schema that this host works on: a copy first, then all steps in one transaction.

Invariants
----------
* Nothing migrates by itself: opening an older schema is refused (`Database.open`), and an operator migrates it.
* Each step is one file of ``versions``, an Alembic revision named by the schema version it leads to. Which steps were
  taken is in ``schema_version``, which only grows; Alembic's own table would be overwritten at each step.
* A step adds; it never rewrites a logged row, whose bytes are signed.
* A database whose guards are incomplete is not migrated: making them anew would hide who removed them.
* Where a step fails, the database is as it was.

Alembic is loaded here only, and only where a step is due.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from registry import tables
from registry.database import Database, guarded
from registry.errors import SchemaVersionError

VERSIONS = Path(__file__).parent / "versions"
Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done; ``copy`` is None where nothing was due."""

    before: int
    after: int
    copy: Path | None


def migrate(
    database: Database, copy: Path, *, versions: Path = VERSIONS, target: int = tables.SCHEMA_VERSION
) -> Migrated:
    """Bring a database to a schema version.

    Parameters
    ----------
    database : Database
        From `Database.open_any`.
    copy : Path
        A new file, for the copy that is made before anything is changed.
    versions : Path, optional
        Folder of the revisions.
    target : int, optional
        The version to reach; default: the one this host works on.

    Raises
    ------
    SchemaVersionError
        The schema is newer, or a step is missing.
    GuardMissingError
        The guards are incomplete as it is.
    RegistryStateError
        The copy cannot be written.
    """
    if database.schema() == target:
        return Migrated(target, target, None)
    with database.owning() as session:
        # Writers wait until this ends, so the copy is what is migrated.
        before = database.schema()
        if before == target:  # somebody else was faster
            return Migrated(before, target, None)
        due = _steps(versions, before, target, database.store.name)
        connection = session.connection()
        database.check_guards(
            connection, hint="keep it as it is for the inquiry, and migrate a copy whose log verifies"
        )
        database.copy_to(copy)
        known = guarded(connection)
        for version, step in due:
            _take(step, connection)
            session.add(tables.SchemaRow(version=version))
            session.flush()
        database.store.guard(connection, [one for one in guarded(connection) if one not in known])
        database.check_guards(connection, hint="nothing was changed")
    return Migrated(before, target, copy)


def _steps(versions: Path, before: int, target: int, name: str) -> list[tuple[int, Step]]:
    if before > target:
        raise SchemaVersionError(
            f"{name}: schema version {before} is newer than this host knows ({target})",
            subject=name,
            hint="use the version of Assay that migrated it, or a later one",
        )
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(versions.parent), version_locations=[str(versions)])
    found = {int(one.revision): one.module.upgrade for one in scripts.walk_revisions()}
    due = range(before + 1, target + 1)
    if missing := [number for number in due if number not in found]:
        raise SchemaVersionError(f"{name}: no migration leads to schema version {missing[0]}", subject=name)
    return [(number, found[number]) for number in due]


def _take(step: Step, connection: Connection) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    with Operations.context(MigrationContext.configure(connection)):
        step()
