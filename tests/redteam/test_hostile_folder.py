"""What a container may leave in its output folder so that the host cannot clear up."""

import os
from pathlib import Path

import pytest

from host.emptying import empty_folder, remove_folder
from host.home import Home
from host.staging import RunFolder
from host.warm.session import clear_folder

# Deeper than Python calls, and longer than any path may be.
DEPTH = 3000


def nest(folder: Path, depth: int = DEPTH) -> None:
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a-folder", dir_fd=here)
        inner = os.open("a-folder", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def test_a_run_folder_is_removed_however_deep_a_container_nested_it(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    nest(folder.outputs)
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_command_left_is_cleared_however_deep_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", tmp_path / "cache")
    folder = RunFolder.create(home.runs / "left")
    nest(folder.outputs)
    home.clear_runs()
    assert list(home.runs.iterdir()) == []


def test_the_outputs_of_a_warm_container_are_emptied_however_deep_they_are(tmp_path: Path) -> None:
    nest(tmp_path)
    assert clear_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_what_they_name_stays(tmp_path: Path) -> None:
    kept, filled = tmp_path / "kept", tmp_path / "filled"
    (kept / "inner").mkdir(parents=True)
    kept.chmod(0o500)
    (filled / "a").mkdir(parents=True)
    (filled / "to-folder").symlink_to(kept)
    (filled / "a" / "to-folder").symlink_to(kept)
    os.mkfifo(filled / "a" / "pipe")
    remove_folder(filled)
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]
    assert (kept / "inner").is_dir() and kept.stat().st_mode & 0o777 == 0o500
    kept.chmod(0o700)


def test_folders_that_are_closed_to_their_owner_go_too(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b" / "c"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    for one in (inner, inner.parent, inner.parent.parent):
        one.chmod(0)
    empty_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else for a while")
def test_what_belongs_to_another_user_is_told_and_the_rest_is_gone(tmp_path: Path) -> None:
    filled = tmp_path / "filled"
    (filled / "theirs").mkdir(parents=True)
    (filled / "theirs" / "file").touch()
    (filled / "ours").mkdir()
    (filled / "scan").touch()
    for one in (filled, filled / "ours", filled / "scan"):
        os.chown(one, 65534, 65534)
    before = [folder for folder in (tmp_path, *tmp_path.parents) if folder.stat().st_mode & 0o005 != 0o005]
    modes = {folder: folder.stat().st_mode for folder in before}
    for folder in before:
        folder.chmod(0o755)
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionError):
            empty_folder(filled)
    finally:
        os.seteuid(0)
        for folder, mode in modes.items():
            folder.chmod(mode)
    assert [one.name for one in filled.iterdir()] == ["theirs"]
