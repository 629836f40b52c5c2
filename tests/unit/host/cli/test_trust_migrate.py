"""``assay trust migrate``: what an operator sees of a schema that is older, current or newer."""

import sqlite3
from contextlib import closing
from pathlib import Path

from registry import home, tables
from tests.support.cli import Cli
from tests.support.older_schema import RELEASED, older_home, rows_of


def test_a_home_of_the_first_schema_comes_forward_and_verifies(tmp_path: Path) -> None:
    cli = Cli(older_home(min(RELEASED), tmp_path / "home"), tmp_path / "cache")
    done = cli.do("trust", "migrate", "--json").document
    assert (done["before"], done["after"]) == (1, tables.SCHEMA_VERSION)
    if done["copy"] is not None:
        assert rows_of(Path(done["copy"]), "schema_version") == [(1,)]
    assert cli.do("audit", "verify", "--json").document == {"entries": 4, "faults": []}
    again = cli.do("trust", "migrate")
    assert again.out.startswith(f"schema version {tables.SCHEMA_VERSION} is what this host works on")
    assert len(list(cli.home.glob("registry-before-*.db"))) == int(done["copy"] is not None)


def test_a_newer_schema_is_refused_in_one_line_by_whatever_opens_it(tmp_path: Path) -> None:
    cli = Cli(older_home(min(RELEASED), tmp_path / "home"), tmp_path / "cache")
    with closing(sqlite3.connect(cli.home / home.DATABASE)) as database:
        database.execute("INSERT INTO schema_version VALUES (99)")
        database.commit()
    for words in (("trust", "show"), ("audit", "verify"), ("trust", "migrate")):
        refused = cli(*words).refused()
        assert (refused.code, refused.exit_code) == ("schema-version", 9)
        assert "schema version 99 is newer than this host knows" in refused.message
    assert not list(cli.home.glob("registry-before-*.db"))


def test_a_folder_without_a_registry_has_nothing_to_migrate(tmp_path: Path) -> None:
    assert Cli(tmp_path, tmp_path / "cache")("trust", "migrate").refused().code == "no-home"
