"""What a machine lacks is found and said; looking changes nothing."""

import os
from pathlib import Path

import pytest

from host.diagnosis import Finding, diagnose
from host.home import Home
from tests.support.gpus import A100
from tests.support.nvml_library import DRIVER_NOT_LOADED, Card, NvmlLibrary, installed


def finding(findings: tuple[Finding, ...], check: str) -> Finding:
    return next(one for one in findings if one.check == check)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "deep" / "home", tmp_path / "cache")


def test_an_unknown_engine_is_missing_and_the_known_ones_are_named(home: Home) -> None:
    found = finding(diagnose(home, "podman"), "engine podman")
    assert found.verdict == "missing"
    assert "no engine 'podman' is registered; registered: docker" in found.found


def test_looking_makes_no_folder(home: Home) -> None:
    found = diagnose(home, "podman")
    assert not home.path.parent.exists()
    assert finding(found, "home").verdict == "note"
    assert finding(found, "disk").found.endswith(str(home.path.parent.parent))


def test_a_missing_tool_is_a_note(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = finding(diagnose(home, "podman"), "dpkg-deb")
    assert (found.verdict, "not found" in found.found) == ("note", True)


def test_run_folders_of_a_host_that_stopped_are_told(home: Home) -> None:
    home.ensure()
    (home.path / "registry.json").write_text("{}")
    assert finding(diagnose(home, "podman"), "home").verdict == "ok"
    (home.runs / "0123456789abcdef").mkdir()
    assert "1 run folder(s) left" in finding(diagnose(home, "podman"), "home").found


def test_gpus_are_told_by_their_models_and_a_lack_of_them_by_its_reason(home: Home) -> None:
    with installed(NvmlLibrary((Card(A100),))):
        assert "1 (NVIDIA A100-PCIE-40GB)" in finding(diagnose(home, "podman"), "gpu").found
    with installed(NvmlLibrary(init_answer=DRIVER_NOT_LOADED)):
        assert "none: nvidia: the driver does not answer" in finding(diagnose(home, "podman"), "gpu").found


def test_a_home_that_cannot_be_written_is_missing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.ensure()
    assert finding(diagnose(home, "podman"), "home").verdict == "note"
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != home.path)
    found = finding(diagnose(home, "podman"), "home")
    assert found.verdict == "missing"
    assert f"{home.path} is no folder that can be written" in found.found
