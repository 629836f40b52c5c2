"""What somebody who owns the database may do to it, on each engine, and how it shows."""

from pathlib import Path

import pytest

from plugin_spec.errors import InputError
from registry.audit import verify_log
from registry.errors import AppendOnlyError
from registry.registry import Registry
from tests.support.databases import Place, reopened, world_on
from tests.support.registry_builders import World


@pytest.fixture
def world(place: Place, tmp_path: Path) -> World:
    """A sponsor with a release, a kit and a checkpoint that its site cosigned."""
    world = world_on(place, tmp_path)
    world.submit()
    world.register_kit()
    world.cosign()
    return world


def codes(registry: Registry, *pinned: str) -> set[str]:
    return {fault.code for fault in verify_log(registry, pinned)}


@pytest.mark.requirement("R5", "R25")
def test_a_log_that_nobody_touched_is_sound(world: World) -> None:
    assert codes(world.sponsor, *world.sponsor.log.notes()) == set()


@pytest.mark.requirement("R5")
@pytest.mark.attack("row edited")
def test_a_row_that_the_owner_edited_is_found(world: World, place: Place) -> None:
    place.without_guards("UPDATE entries SET logged_at = '2026-11-23T07:00:00+00:00' WHERE sequence = 2")
    assert world.sponsor.log.database.missing_guards() == []
    assert "record-tampered" in codes(world.sponsor)


@pytest.mark.requirement("R5")
@pytest.mark.attack("row deleted")
def test_a_row_that_the_owner_deleted_is_found(world: World, place: Place) -> None:
    place.without_guards(
        *(f"DELETE FROM {table} WHERE sequence = 2" for table in ("nodes", "subjects", "entries"))
    )
    assert "entry-missing" in codes(world.sponsor)


@pytest.mark.requirement("R5", "R25")
@pytest.mark.attack("tail truncated")
def test_a_tail_that_the_owner_cut_off_is_found(world: World, place: Place) -> None:
    place.without_guards(
        *(f"DELETE FROM {table} WHERE sequence = 3" for table in ("nodes", "subjects", "entries"))
    )
    assert "log-truncated" in codes(world.sponsor)


@pytest.mark.requirement("R5")
@pytest.mark.attack("REPLACE hole")
def test_a_row_is_not_replaced_by_an_insert_that_conflicts(world: World, place: Place) -> None:
    upsert = (
        "INSERT INTO entries SELECT * FROM entries WHERE true "
        "ON CONFLICT (sequence) DO UPDATE SET logged_at = 'x'"
    )
    with pytest.raises(AppendOnlyError), world.sponsor.log.database.transaction() as session:
        session.connection().exec_driver_sql(upsert)
    with pytest.raises(Exception, match="append-only"):
        place.run(upsert)
    assert codes(world.sponsor) == set()


@pytest.mark.requirement("R5")
@pytest.mark.attack("trigger dropped")
def test_a_guard_that_was_dropped_shows_before_anything_is_edited(world: World, place: Place) -> None:
    place.drop_guard("entries")
    assert codes(world.sponsor) == {"guard-missing"}


@pytest.mark.requirement("R3", "R5")
def test_what_would_swallow_records_is_named_and_loses_none_unsaid(world: World, place: Place) -> None:
    name, before = place.swallow("entries"), world.sponsor.log.size
    assert [one.message for one in verify_log(world.sponsor)] == [
        f"the database has lost its freedom from the {name}: somebody worked on it directly"
    ]
    with pytest.raises(AppendOnlyError):
        world.sponsor.refuse(InputError("no"), attempted="trial-run", subject="x")
    assert world.sponsor.log.size == before


@pytest.mark.requirement("R30")
@pytest.mark.attack("whole database restored")
def test_an_older_copy_put_back_shows_against_a_pinned_checkpoint(
    world: World, place: Place, tmp_path: Path
) -> None:
    world.sponsor.log.database.copy_to(tmp_path / "copy")
    world.submit("1.1.0")
    pinned = world.cosign()
    assert codes(reopened(world), pinned) == set()
    place.put_back(tmp_path / "copy")
    restored = reopened(world)
    assert codes(restored) == set(), "a consistent old state looks sound by itself"
    assert codes(restored, pinned) == {"log-truncated"}


@pytest.mark.requirement("R30")
@pytest.mark.attack("whole database restored, and gone on with")
def test_an_older_copy_that_went_on_shows_against_a_pinned_checkpoint(
    world: World, place: Place, tmp_path: Path
) -> None:
    world.sponsor.log.database.copy_to(tmp_path / "copy")
    world.submit("1.1.0")
    pinned = world.cosign()
    place.put_back(tmp_path / "copy")
    forked = reopened(world)
    for number in range(3):
        forked.refuse(InputError("no"), attempted="trial-run", subject=str(number))
    forked.log.checkpoint()
    assert codes(forked) == set()
    assert codes(forked, pinned) == {"checkpoint-mismatch"}


@pytest.mark.requirement("R30")
def test_the_newest_copy_put_back_verifies_and_goes_on(world: World, place: Place, tmp_path: Path) -> None:
    pinned = world.sponsor.log.checkpoint()
    world.sponsor.log.database.copy_to(tmp_path / "copy")
    place.put_back(tmp_path / "copy")
    restored = reopened(world)
    assert codes(restored, pinned) == set()
    restored.refuse(InputError("no"), attempted="trial-run", subject="x")
    restored.log.checkpoint()
    assert codes(restored, pinned) == set()
