"""What starts often must start fast: the modules that light entry points load."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from host.cli.nouns import NOUNS
from tests.support.clean_plugin import CleanPlugin
from tests.support.cli import Cli


def all_modules_loaded_by(statement: str) -> set[str]:
    """Every module in a fresh interpreter after one statement."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def modules_loaded_by(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after one statement."""
    return {name.partition(".")[0] for name in all_modules_loaded_by(statement)}


def command(*words: str) -> str:
    """A statement that runs one command, which must succeed."""
    return f"from host.cli import main; assert main({list(words)!r}) == 0"


def test_the_container_side_loads_pluggy_and_the_standard_library_only() -> None:
    loaded = modules_loaded_by("import plugin_spec, plugin_spec.runtime.__main__")
    third_party = loaded - sys.stdlib_module_names - modules_loaded_by("pass")
    assert third_party == {"plugin_spec", "pluggy"}


def test_what_every_pytest_run_loads_is_the_standard_library_only() -> None:
    loaded = all_modules_loaded_by("import host.pytest_entry") - all_modules_loaded_by("import typing")
    third_party = {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names}
    assert third_party == {"host", "host.pytest_entry"}


HEAVY = {"alembic", "docker", "matplotlib", "nibabel", "numpy", "requests", "scipy"}


def test_the_version_is_answered_by_the_standard_library() -> None:
    loaded = all_modules_loaded_by(command("--version")) - all_modules_loaded_by("pass")
    assert {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names} == {
        "host",
        "host.cli",
    }


SOME_VERBS = [["kit", "list", "--help"], ["plugin", "run", "--help"], ["trust", "show", "--help"]]


@pytest.mark.parametrize(
    "words", [["--help"], *([noun, "--help"] for noun in NOUNS), *SOME_VERBS], ids=" ".join
)
def test_help_loads_its_own_noun_and_nothing_heavy(words: list[str]) -> None:
    loaded = all_modules_loaded_by(command(*words))
    assert {noun for noun in NOUNS if f"host.cli.{noun}" in loaded} == set(words[:1]) - {"--help"}
    unwanted = {*HEAVY, "cryptography", "pydantic", "rich", "sqlalchemy", "sqlmodel"}
    assert not {name.partition(".")[0] for name in loaded} & unwanted


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A registry with its root holder."""
    folder = tmp_path_factory.mktemp("light")
    cli = Cli(folder / "home", folder / "cache", people=("root",))
    cli.do("trust", "init", "--organisation", "Test", "--root-id", "root", "--root-name", "Rosa Root")
    return cli


@pytest.mark.parametrize(
    "words",
    [["trust", "show"], ["catalogue", "list"], ["kit", "list"], ["audit", "log"], ["audit", "verify"]],
    ids=" ".join,
)
def test_what_only_reads_the_registry_loads_no_heavy_package(
    words: list[str], founded: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(founded.home))
    loaded = modules_loaded_by(command(*words))
    assert not loaded & HEAVY


@pytest.mark.parametrize("verb", ["check", "explain"])
def test_looking_at_a_plugin_loads_no_heavy_package(verb: str, tmp_path: Path) -> None:
    folder = CleanPlugin().write(tmp_path)
    loaded = modules_loaded_by(command("plugin", verb, str(folder)))
    assert not loaded & {*HEAVY, "cryptography", "rich", "sqlalchemy", "sqlmodel"}


def test_the_doctor_loads_no_heavy_package_and_no_database() -> None:
    loaded = modules_loaded_by("from host.cli import main; main(['doctor', '--engine', 'docker'])")
    assert not loaded & {*HEAVY, "sqlalchemy", "sqlmodel"}


def test_one_case_from_the_command_line_loads_no_builder_no_database_and_no_imaging_library() -> None:
    loaded = all_modules_loaded_by("import host.workbench, host.engines.docker, host.engines.runc")
    assert not {name.partition(".")[0] for name in loaded} & ({*HEAVY, "sqlalchemy", "yaml"} - {"numpy"})
    assert not {"host.images.build", "host.warm.container", "host.run_ledger"} & loaded
