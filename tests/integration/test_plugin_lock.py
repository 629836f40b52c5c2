"""``assay plugin lock`` with the machine's real apt and uv."""

import json
from pathlib import Path

import pytest

from host.images.requirements import read_requirements
from tests.support.cli import Cli
from tests.support.tiny import plugin_folder

# What the contract's runtime pins, and older than the newest.
OLD = (Path(__file__).parents[2] / "host/images/runtime-requirements.txt").read_text()
IMAGE = '[image]\nsource = "packages"\ndebian = ["libblas3"]\ndebian_lock = "debian.lock.json"\n\n[[inputs]]'

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    folder = plugin_folder(tmp_path / "plugin")
    path = folder / "plugin.toml"
    text = path.read_text().replace("[[inputs]]", IMAGE, 1)
    path.write_text(
        text.replace('adapter = "adapter.py"', 'adapter = "adapter.py"\nrequirements = "requirements.txt"')
    )
    (folder / "requirements.in").write_text("pluggy\n")
    return folder


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home")


def locked(cli: Cli, plugin: Path, *options: str) -> dict[str, list[str]]:
    answer = cli.read("plugin", "lock", plugin, *options)
    return {one["file"]: one["changes"] for one in answer["locked"]}


def test_locking_again_changes_what_debian_has_superseded_and_nothing_else(cli: Cli, plugin: Path) -> None:
    assert cli("plugin", "check", plugin).exit_code == 7
    first = locked(cli, plugin)
    assert [change.split(" ")[0] for changes in first.values() for change in changes] == [
        "libblas3",
        "pluggy",
    ]
    files = {name: (plugin / name).read_bytes() for name in first}
    assert b"://" not in b"".join(files.values())
    assert cli("plugin", "check", plugin).exit_code == 0
    path = plugin / "debian.lock.json"
    lock = json.loads(path.read_text())
    newest = lock["packages"][0]["version"]
    lock["packages"][0]["version"] = "3.11.0-1"
    path.write_text(json.dumps(lock))
    assert locked(cli, plugin) == {
        "debian.lock.json": [f"libblas3 3.11.0-1 -> {newest}"],
        "requirements.txt": [],
    }
    assert {name: (plugin / name).read_bytes() for name in first} == files


def test_python_packages_stay_where_they_are_until_they_are_to_be_upgraded(cli: Cli, plugin: Path) -> None:
    path = plugin / "plugin.toml"
    path.write_text(path.read_text().replace(IMAGE, "[[inputs]]", 1))
    (plugin / "requirements.txt").write_text(OLD)
    assert locked(cli, plugin)["requirements.txt"] == []
    [change] = locked(cli, plugin, "--upgrade")["requirements.txt"]
    [newest] = read_requirements(plugin / "requirements.txt")
    assert change == f"pluggy 1.5.0 -> {newest.version}"
