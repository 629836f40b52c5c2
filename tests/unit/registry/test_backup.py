"""A backup can be put back and goes on, and what it is older than is told by a checkpoint kept elsewhere."""

from pathlib import Path

import pytest

from plugin_spec.errors import InputError
from registry.audit import verify_log
from registry.backup import back_up
from registry.errors import LogTruncatedError, RegistryStateError
from tests.support.databases import Place, reopened, world_on
from tests.support.registry_builders import World


@pytest.fixture
def world(place: Place, tmp_path: Path) -> World:
    """A sponsor whose log is on each engine."""
    return world_on(place, tmp_path)


@pytest.mark.requirement("R30")
def test_what_was_backed_up_is_put_back_whole(world: World, place: Place, tmp_path: Path) -> None:
    world.submit()
    done = back_up(world.sponsor, tmp_path / "backup")
    assert done.entries == world.sponsor.log.size
    assert sorted(one.name for one in (tmp_path / "backup").iterdir()) == sorted(
        ["checkpoint.txt", "registry.json", done.database.name]
    )
    world.register_kit()
    place.put_back(done.database)
    restored = reopened(world)
    assert restored.log.size == done.entries
    assert restored.log.database.missing_guards() == []
    assert verify_log(restored, [done.checkpoint.read_text()]) == ()
    restored.refuse(InputError("no"), attempted="trial-run", subject="x")
    restored.log.checkpoint()
    assert verify_log(restored, [done.checkpoint.read_text()]) == ()


@pytest.mark.requirement("R30")
@pytest.mark.attack("whole database restored")
def test_an_older_backup_put_back_is_told_by_the_checkpoint_of_a_newer_one(
    world: World, place: Place, tmp_path: Path
) -> None:
    older = back_up(world.sponsor, tmp_path / "older")
    world.submit()
    newer = back_up(world.sponsor, tmp_path / "newer")
    place.put_back(older.database)
    faults = verify_log(reopened(world), [newer.checkpoint.read_text()])
    assert {one.code for one in faults} == {"log-truncated"}


def test_a_backup_is_made_while_others_write_and_holds_what_its_checkpoint_covers(
    world: World, place: Place, tmp_path: Path
) -> None:
    with world.sponsor.log.database.transaction():
        world.sponsor.refuse(InputError("no"), attempted="trial-run", subject="not committed yet")
        copy = tmp_path / "copy"
        world.sponsor.log.database.copy_to(copy)
    size = world.sponsor.log.size
    place.put_back(copy)
    assert reopened(world).log.size == size - 1


def test_a_backup_replaces_nothing(world: World, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    with pytest.raises(RegistryStateError, match="File exists"):
        back_up(world.sponsor, tmp_path / "backup")
    with pytest.raises(RegistryStateError, match="No such file"):
        back_up(world.sponsor, tmp_path / "no" / "backup")


@pytest.mark.requirement("R5")
def test_a_log_that_lost_its_tail_is_not_backed_up(world: World, place: Place, tmp_path: Path) -> None:
    world.submit()
    world.sponsor.log.checkpoint()
    last = world.sponsor.log.size - 1
    place.without_guards(
        *(f"DELETE FROM {table} WHERE sequence = {last}" for table in ("nodes", "subjects", "entries"))
    )
    with pytest.raises(LogTruncatedError):
        back_up(world.sponsor, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
