"""A home as an earlier version of this project left it: the text of its database, and the key of its node."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from registry import home, keys, tables
from tests.support.registry_builders import seeded

RELEASED = {1: Path(__file__).parents[1] / "vectors" / "schema-1"}
NEXT = tables.SCHEMA_VERSION + 1
STEP = f"""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{NEXT}", None


def upgrade() -> None:
    op.create_table("remarks", sa.Column("number", sa.Integer, primary_key=True), sa.Column("text", sa.Text))
    op.add_column("checkpoints", sa.Column("heard_from", sa.Text))
    {{more}}
"""


def step(folder: Path, more: str = "") -> Path:
    """A folder with one further step, which no released version has."""
    folder.mkdir()
    (folder / "next.py").write_text(STEP.format(more=more))
    return folder


def older_home(version: int, folder: Path) -> Path:
    """Make the home of a schema version in a new folder."""
    folder.mkdir()
    shutil.copyfile(RELEASED[version] / home.DESCRIPTION, folder / home.DESCRIPTION)
    keys.save_private(folder / home.NODE_KEY, keys.generate(seeded("registry")), None)
    with closing(sqlite3.connect(folder / home.DATABASE)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript((RELEASED[version] / "registry.sql").read_text())
    return folder


def schema_of(path: Path) -> set[tuple[str, str]]:
    """Name and definition of every table, index and trigger of a database file, without spaces."""
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {(name, "".join(sql.split())) for name, sql in rows}


def rows_of(path: Path, table: str) -> list[tuple[object, ...]]:
    """Every row of a table."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
