"""A sponsor and a site whose logs are on PostgreSQL, from the command line."""

import json
from pathlib import Path

from tests.support.cli import Cli
from tests.support.databases import PostgresPlace
from tests.support.postgresql import PrivateServer

FOUNDING = ("--organisation", "Test", "--root-id", "root", "--root-name", "Rosa Root")


def test_a_registry_founded_on_postgresql_works_like_any_other(
    postgres_place: PostgresPlace, tmp_path: Path
) -> None:
    cli = Cli(tmp_path / "home", tmp_path / "cache", people=("root",))
    url, admin = postgres_place.place, postgres_place.admin
    init = ("trust", "init", *FOUNDING, "--database", url)
    refused = cli(*init).refused()
    assert (refused.code, refused.exit_code) == ("bad-home", 9)
    assert "--database-admin" in refused.hint
    done = cli.do(*init, "--database-admin", admin, "--json").document
    assert done["database"] == url
    described = json.loads((cli.home / "registry.json").read_text())
    assert described["database"] == url
    assert admin not in (cli.home / "registry.json").read_text()
    assert not (cli.home / "registry.db").exists()
    assert cli.do("audit", "verify", "--json").document == {"entries": 1, "faults": []}
    assert cli.do("trust", "migrate").out.startswith("schema version")
    lost = postgres_place.drop_guard("entries")
    verified = cli("audit", "verify", "--json")
    assert verified.exit_code == 4
    assert [(one["code"], lost in one["message"]) for one in verified.document["faults"]] == [
        ("guard-missing", True)
    ]


def test_a_site_keeps_its_log_on_postgresql_too(postgres_place: PostgresPlace, tmp_path: Path) -> None:
    cli = Cli(tmp_path / "home", tmp_path / "cache")
    cli.do(
        *("trust", "join", "--site", "site-1", "--out", tmp_path / "site.pub"),
        *("--database", postgres_place.place, "--database-admin", postgres_place.admin),
    )
    assert cli.do("audit", "verify", "--json").document == {"entries": 0, "faults": []}


def test_a_database_holds_one_registry(postgres_place: PostgresPlace, tmp_path: Path) -> None:
    where = ("--database", postgres_place.place, "--database-admin", postgres_place.admin)
    Cli(tmp_path / "one", tmp_path / "cache", people=("root",)).do("trust", "init", *FOUNDING, *where)
    other = Cli(tmp_path / "two", tmp_path / "cache", people=("root",))
    assert "exists already" in other("trust", "init", *FOUNDING, *where).refused().message
    assert other("audit", "verify").refused().code == "no-home"


def test_a_pass_word_in_the_url_is_refused_and_not_repeated(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "home", tmp_path / "cache", people=("root",))
    refused = cli("trust", "init", *FOUNDING, "--database", "postgresql://app:secret@localhost/assay")
    assert refused.refused().code == "bad-value"
    assert "secret" not in refused.err + refused.out


def test_a_server_that_is_down_is_one_line(
    postgresql: PrivateServer, postgres_place: PostgresPlace, tmp_path: Path
) -> None:
    cli = Cli(tmp_path / "home", tmp_path / "cache", people=("root",))
    where = ("--database", postgres_place.place, "--database-admin", postgres_place.admin)
    cli.do("trust", "init", *FOUNDING, *where)
    path = cli.home / "registry.json"
    path.write_text(path.read_text().replace(str(postgresql.folder), str(tmp_path / "nowhere")))
    refused = cli("audit", "verify").refused()
    assert (refused.code, refused.exit_code) == ("bad-home", 9)
    assert "start the server" in refused.hint


def test_a_backup_tells_what_to_keep_and_is_never_written_over(
    postgres_place: PostgresPlace, tmp_path: Path
) -> None:
    cli = Cli(tmp_path / "home", tmp_path / "cache", people=("root",))
    where = ("--database", postgres_place.place, "--database-admin", postgres_place.admin)
    cli.do("trust", "init", *FOUNDING, *where)
    done = cli.do("audit", "backup", "--out", tmp_path / "backup")
    assert f"1 entries copied to {tmp_path}/backup/registry.dump" in done.out
    assert f"keep {tmp_path}/backup/checkpoint.txt elsewhere too" in done.out
    assert (tmp_path / "backup" / "registry.dump").read_bytes().startswith(b"PGDMP")
    again = cli("audit", "backup", "--out", tmp_path / "backup").refused()
    assert (again.code, again.exit_code) == ("bad-home", 9)
