"""One home, one command at a time, and nothing left of the command that died."""

import os
import stat
from pathlib import Path

import pytest

from host.errors import HomeBusyError, HomeMissingError, WorkFolderError
from host.home import Home, now, random_bytes


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", tmp_path / "cache")


def test_the_environment_chooses_the_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "h"))
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "c"))
    monkeypatch.setenv("ASSAY_DATA", str(tmp_path / "d"))
    assert Home.from_environment() == Home(tmp_path / "h", tmp_path / "c", tmp_path / "d")


def test_without_variables_the_folders_are_the_users_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ASSAY_HOME", raising=False)
    monkeypatch.delenv("ASSAY_CACHE", raising=False)
    monkeypatch.delenv("ASSAY_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Home.from_environment() == Home(tmp_path / ".assay", tmp_path / ".cache" / "assay")


def test_the_folders_of_a_home_are_closed_to_others(home: Home) -> None:
    home.ensure()
    for folder in (home.path, home.builds, home.kits, home.runs, home.keys):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_home_without_a_registry_says_how_to_make_one(home: Home) -> None:
    with pytest.raises(HomeMissingError) as refused:
        home.require_registry()
    assert "assay trust init" in refused.value.hint


def test_a_second_command_is_refused_while_the_first_is_at_work(home: Home) -> None:
    with home.running(), pytest.raises(HomeBusyError), home.running():
        pass
    with home.running():
        assert home.runs.is_dir()


def test_an_error_inside_lets_go_of_the_home(home: Home) -> None:
    with pytest.raises(RuntimeError), home.running():
        raise RuntimeError
    with home.running():
        pass


def test_what_a_dead_command_left_in_runs_is_removed(home: Home) -> None:
    home.ensure()
    (home.runs / "0123456789abcdef" / "in").mkdir(parents=True)
    (home.runs / "image.tar").write_bytes(b"half of it")
    with home.running():
        home.clear_runs()
    assert list(home.runs.iterdir()) == []


def test_a_home_that_cannot_be_made_is_named_with_the_variables_that_choose_it(home: Home) -> None:
    home.path.parent.mkdir(exist_ok=True)
    home.path.write_text("a file stands here")
    with pytest.raises(WorkFolderError, match=str(home.path)) as refused:
        home.ensure()
    assert "ASSAY_HOME" in refused.value.hint


def test_the_present_has_a_zone_and_random_bytes_differ() -> None:
    assert now().tzinfo is not None
    assert len(random_bytes(8)) == 8
    assert random_bytes(16) != random_bytes(16)


def test_a_home_whose_lock_cannot_be_opened_is_named(home: Home) -> None:
    home.ensure()
    (home.path / "lock").mkdir()
    with pytest.raises(WorkFolderError, match="lock: Is a directory") as refused, home.running():
        pass
    assert "ASSAY_HOME" in refused.value.hint


def test_a_home_on_a_disk_that_is_read_only_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.ensure()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != home.runs)
    with pytest.raises(WorkFolderError, match="runs: cannot be written"), home.running():
        pass
