"""PostgreSQL: what its owner still cannot do unseen, and what an operator is told."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from registry import home
from registry import postgresql as module
from registry.database import APPEND_ONLY, Database
from registry.errors import (
    DatabaseLockedError,
    DatabaseMalformedError,
    GuardMissingError,
    RegistryStateError,
    ValueRefusedError,
)
from registry.registry import Registry
from registry.tables import SCHEMA_VERSION
from tests.support.databases import PostgresPlace, created
from tests.support.postgresql import ADMIN, APPLICATION, OWNER, PrivateServer
from tests.support.registry_builders import FixedClock, seeded


@pytest.fixture
def made(postgres_place: PostgresPlace) -> PostgresPlace:
    """A registry's database with one row."""
    created(postgres_place)
    postgres_place.run(
        "INSERT INTO checkpoints (origin, size, root, note, stored_at) VALUES ('o', 0, '', 'n', 's')"
    )
    return postgres_place


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE checkpoints",
        "SET session_replication_role = replica; DELETE FROM checkpoints",
        "SET session_replication_role = replica; TRUNCATE entries CASCADE",
        "MERGE INTO checkpoints USING (SELECT 1 AS n) AS x ON x.n = number WHEN MATCHED THEN DELETE",
        "MERGE INTO checkpoints USING (SELECT 1 AS n) AS x ON x.n = number "
        "WHEN MATCHED THEN UPDATE SET note = 'x'",
        "WITH gone AS (DELETE FROM checkpoints RETURNING *) SELECT * FROM gone",
    ],
)
def test_not_even_a_superuser_changes_a_row_while_the_guards_stand(
    made: PostgresPlace, statement: str
) -> None:
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        made.run(statement)
    assert made.run("SELECT note FROM checkpoints") == [("n",)]


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE checkpoints",
        "ALTER TABLE checkpoints DISABLE TRIGGER ALL",
        "DROP TABLE checkpoints",
        "CREATE TRIGGER mine BEFORE INSERT ON checkpoints EXECUTE FUNCTION assay_append_only()",
        "CREATE OR REPLACE FUNCTION assay_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SELECT setval('checkpoints_number_seq', 1)",
        "SELECT 1 FROM checkpoints FOR UPDATE",
        f"SET ROLE {OWNER}",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_may_read_and_add_only(made: PostgresPlace, statement: str) -> None:
    with psycopg.connect(made.place) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


GIVEN_WAY = {
    "ALTER TABLE entries DISABLE TRIGGER entries_append_only": ["trigger entries_append_only"],
    "ALTER TABLE entries ENABLE TRIGGER entries_append_only": ["trigger entries_append_only"],
    "DROP TRIGGER entries_append_only ON entries; CREATE TRIGGER entries_append_only BEFORE TRUNCATE ON entries "
    "EXECUTE FUNCTION assay_append_only()": ["trigger entries_append_only"],
    "CREATE TRIGGER hole BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION "
    "suppress_redundant_updates_trigger()": ["freedom from the trigger hole"],
    "CREATE RULE swallow AS ON INSERT TO entries DO INSTEAD NOTHING": ["freedom from the rule swallow"],
    f"GRANT UPDATE ON entries TO {APPLICATION}": [f"denial of UPDATE on entries to {APPLICATION}"],
    f"GRANT UPDATE (logged_at) ON entries TO {APPLICATION}": [
        f"denial of UPDATE on entries to {APPLICATION}"
    ],
    "GRANT DELETE ON subjects TO PUBLIC": [f"denial of DELETE on subjects to {APPLICATION}"],
    f"GRANT TRUNCATE, TRIGGER ON checkpoints TO {APPLICATION}": [
        f"denial of TRUNCATE on checkpoints to {APPLICATION}",
        f"denial of TRIGGER on checkpoints to {APPLICATION}",
    ],
}


@pytest.mark.parametrize("change", GIVEN_WAY)
def test_each_guard_that_gave_way_is_named(made: PostgresPlace, change: str) -> None:
    made.run(change)
    assert Database.open(made.place).missing_guards() == GIVEN_WAY[change]


def test_a_guard_whose_body_was_emptied_is_gone_on_every_table(made: PostgresPlace) -> None:
    made.run(
        "CREATE OR REPLACE FUNCTION assay_append_only() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NULL; END'"
    )
    assert len(Database.open(made.place).missing_guards()) == len(APPEND_ONLY)


@pytest.fixture
def role_change(postgresql: PrivateServer) -> Iterator[Callable[[str, str], None]]:
    """Change a role, which belongs to the whole server, and change it back afterwards."""
    undo: list[str] = []

    def change(statement: str, back: str) -> None:
        postgresql.run(statement)
        undo.append(back)

    yield change
    for statement in undo:
        postgresql.run(statement)


ROLES_GIVEN_WAY = [
    (
        f"ALTER ROLE {OWNER} LOGIN",
        f"ALTER ROLE {OWNER} NOLOGIN",
        [f"owner without login: {OWNER} may log in"],
    ),
    (
        f"ALTER ROLE {APPLICATION} CREATEROLE",
        f"ALTER ROLE {APPLICATION} NOCREATEROLE",
        ["application role without CREATEROLE"],
    ),
]


@pytest.mark.parametrize(("change", "back", "named"), ROLES_GIVEN_WAY)
def test_a_role_that_may_more_is_named_and_no_registry_is_founded_with_it(
    made: PostgresPlace,
    postgresql: PrivateServer,
    role_change: Callable[[str, str], None],
    change: str,
    back: str,
    named: list[str],
) -> None:
    role_change(change, back)
    assert Database.open(made.place).missing_guards() == named
    other = PostgresPlace(postgresql, postgresql.new_database())
    with pytest.raises(GuardMissingError, match=named[0]):
        created(other)
    assert other.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    postgresql.drop(other.name)


def test_an_application_that_is_the_owner_too_is_named(
    made: PostgresPlace, role_change: Callable[[str, str], None]
) -> None:
    role_change(f"GRANT {OWNER} TO {APPLICATION}", f"REVOKE {OWNER} FROM {APPLICATION}")
    assert f"separation of {APPLICATION} from the owner {OWNER}" in Database.open(made.place).missing_guards()


def test_rows_hidden_by_a_policy_are_an_error_and_not_an_empty_log(made: PostgresPlace) -> None:
    made.run("ALTER TABLE schema_version ENABLE ROW LEVEL SECURITY")
    with pytest.raises(RegistryStateError, match="row-level security"):
        Database.open(made.place)


def test_a_table_of_the_same_name_elsewhere_is_not_read(made: PostgresPlace) -> None:
    made.run(
        f"CREATE SCHEMA trap; CREATE TABLE trap.schema_version (version int); GRANT USAGE ON SCHEMA trap TO PUBLIC;"
        f"GRANT SELECT ON trap.schema_version TO PUBLIC;"
        f"ALTER DATABASE {made.name} SET search_path = trap, public"
    )
    assert Database.open(made.place).schema() == SCHEMA_VERSION


def test_commits_are_durable_whatever_the_database_is_set_to(made: PostgresPlace) -> None:
    made.run(f"ALTER DATABASE {made.name} SET synchronous_commit = off")
    with Database.open(made.place).transaction() as session:
        assert session.connection().exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_a_writer_that_waits_too_long_is_told(made: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT_MS", 50)
    with psycopg.connect(made.place) as other:
        other.execute(f"SELECT pg_advisory_xact_lock({module.WRITERS_LOCK})")
        database = Database.open(made.place)
        with pytest.raises(DatabaseLockedError, match="another process is writing"), database.transaction():
            pass
        with database.reading() as session:  # readers do not wait
            assert session.connection().exec_driver_sql("SELECT 1").scalar() == 1


def test_without_an_administrator_nothing_is_set_up(postgres_place: PostgresPlace) -> None:
    with pytest.raises(RegistryStateError, match="an administrator acts") as caught:
        Database.create(postgres_place.place)
    assert "--database-admin" in (caught.value.hint or "")


def test_an_administrator_who_may_not_act_as_the_owner_is_refused(
    postgres_place: PostgresPlace, role_change: Callable[[str, str], None]
) -> None:
    role_change(f"REVOKE {OWNER} FROM {ADMIN}", f"GRANT {OWNER} TO {ADMIN}")
    with pytest.raises(RegistryStateError, match="permission denied to set role"):
        Database.create(postgres_place.place, postgres_place.admin)


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegistryStateError, match="connection to server on socket") as caught:
        Database.open(f"postgresql://assay_app@/assay?host={tmp_path}")
    assert "start the server" in (caught.value.hint or "")


def test_a_table_that_was_dropped_is_no_registrys_database(made: PostgresPlace) -> None:
    database = Database.open(made.place)
    made.run("DROP TABLE schema_version")
    with pytest.raises(DatabaseMalformedError, match="does not exist"):
        database.schema()


def test_without_its_driver_the_extra_is_named(made: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(RegistryStateError) as caught:
        Database.open(made.place)
    assert "assay[postgresql]" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://a@h/d", "postgresql://ROLE@HOST/DATABASE"),
        ("postgresql://h/d", "postgresql://ROLE@HOST/DATABASE"),
        ("postgresql://a@h/", "postgresql://ROLE@HOST/DATABASE"),
        ("postgresql://a:secret@h/d", "leave the pass word out"),
        ("postgresql://a@h/d?options=-c%20fsync%3Doff", "options: only"),
        ("postgresql://a@h:port/d", "ort"),
    ],
)
def test_a_url_that_says_too_much_or_too_little_is_refused_and_not_repeated(
    url: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueRefusedError, match=said) as caught:
        home.checked_url(url)
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueRefusedError, match=said):
        Registry.create_site(
            tmp_path / "site", site_id="site-1", clock=FixedClock(), random=seeded("s"), database=url
        )
    assert not (tmp_path / "site").exists()
