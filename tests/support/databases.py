"""The two engines of a registry's database, and somebody who works on them directly, as their owner can."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from registry import home
from registry.database import Database
from registry.registry import Registry
from tests.support.postgresql import ADMIN, APPLICATION, PrivateServer
from tests.support.registry_builders import World, build_world

Row = tuple[object, ...]


@dataclass
class SqlitePlace:
    """A file that does not exist yet."""

    place: Path
    admin: None = None

    def run(self, statement: str) -> list[Row]:
        """Run a statement behind the registry's back; rows it answers with."""
        with closing(sqlite3.connect(self.place, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()

    def without_guards(self, *statements: str) -> None:
        """Edit what is logged: the guards are dropped, and made again as they were."""
        with closing(sqlite3.connect(self.place, isolation_level=None)) as connection:
            rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in rows:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            for _, definition in rows:
                connection.execute(definition)

    def put_back(self, copy: Path) -> None:
        """Put a copy in the place of the database, as its administrator would."""
        for leftover in self.place.parent.glob(f"{self.place.name}-*"):
            leftover.unlink()
        shutil.copy(copy, self.place)

    def swallow(self, table: str) -> str:
        """Make inserts vanish without an error; the name of what does it."""
        self.run(f"CREATE TRIGGER swallow BEFORE INSERT ON {table} BEGIN SELECT RAISE(IGNORE); END")
        return "trigger swallow"

    def drop_guard(self, table: str) -> str:
        """Take one guard away; its name."""
        self.run(f"DROP TRIGGER {table}_no_update")
        return f"trigger {table}_no_update"


@dataclass
class PostgresPlace:
    """A database without tables on a server."""

    server: PrivateServer
    name: str

    @property
    def place(self) -> str:
        """The URL of the application."""
        return self.server.url(APPLICATION, self.name)

    @property
    def admin(self) -> str:
        """The URL of who may act as the owner."""
        return self.server.url(ADMIN, self.name)

    def run(self, statement: str) -> list[Row]:
        """Run statements as superuser; rows the last one answers with."""
        return self.server.run(statement, self.name)

    def without_guards(self, *statements: str) -> None:
        """Edit what is logged: the guards are switched off, and on again."""
        tables = [row[0] for row in self.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        for table in tables:
            self.run(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
        for statement in statements:
            self.run(statement)
        for table in tables:
            self.run(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")

    def put_back(self, copy: Path) -> None:
        """Put a copy in the place of the database, as its administrator would."""
        self.server.restore(self.name, copy)

    def swallow(self, table: str) -> str:
        """Make inserts vanish without an error; the name of what does it."""
        self.run(f"CREATE RULE swallow AS ON INSERT TO {table} DO INSTEAD NOTHING")
        return "rule swallow"

    def drop_guard(self, table: str) -> str:
        """Take one guard away; its name."""
        self.run(f"DROP TRIGGER {table}_append_only ON {table}")
        return f"trigger {table}_append_only"


Place = SqlitePlace | PostgresPlace


def created(place: Place) -> Database:
    """A new database in it."""
    return Database.create(place.place, place.admin)


def world_on(place: Place, folder: Path) -> World:
    """A sponsor whose log is there, with its staff and one enrolled site."""
    if isinstance(place, PostgresPlace):
        return build_world(folder, database=place.place, admin=place.admin)
    world = build_world(folder)
    place.place = world.sponsor.home / home.DATABASE
    return world


def reopened(world: World) -> Registry:
    """The sponsor's registry as another process would open it."""
    return Registry.open(world.sponsor.home, world.clock)
