"""What starts often must start fast: the modules that light entry points load."""

import json
import subprocess
import sys

import pytest

from tests.support.cli import Cli


def modules_loaded_by(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after one statement."""
    program = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_container_side_loads_pluggy_and_the_standard_library_only() -> None:
    loaded = modules_loaded_by("import plugin_spec, plugin_spec.runtime.__main__")
    third_party = loaded - sys.stdlib_module_names - modules_loaded_by("pass")
    assert third_party == {"plugin_spec", "pluggy"}


HEAVY = {"docker", "matplotlib", "nibabel", "numpy", "scipy"}
WITHOUT_A_HOME = [
    ["--help"],
    ["--version"],
    ["trust", "--help"],
    ["plugin", "--help"],
    ["kit", "--help"],
    ["report", "--help"],
    ["catalogue", "--help"],
    ["trial", "--help"],
    ["audit", "--help"],
    ["validate", "--help"],
    ["verify", "--help"],
    ["trace", "--help"],
]


@pytest.mark.parametrize("words", WITHOUT_A_HOME, ids=" ".join)
def test_help_loads_no_heavy_package_and_no_database(words: list[str]) -> None:
    loaded = modules_loaded_by(f"from host.cli import main; assert main({words!r}) == 0")
    assert not loaded & {*HEAVY, "sqlalchemy", "sqlmodel", "cryptography", "rich"}


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
    loaded = modules_loaded_by(f"from host.cli import main; assert main({words!r}) == 0")
    assert not loaded & HEAVY
