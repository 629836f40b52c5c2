"""What ``plugin lock`` writes beside a manifest; apt and uv are run for real in the integration tests."""

from pathlib import Path

import pytest

from host.check.plugin import check_plugin
from host.errors import RequirementsError
from host.plugin_locks import lock_plugin
from plugin_spec.errors import ContractError
from plugin_spec.manifest import read_manifest
from tests.support.tiny import plugin_folder


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    return plugin_folder(tmp_path / "plugin")


def declare(plugin: Path, old: str, new: str) -> None:
    path = plugin / "plugin.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def test_a_manifest_that_names_nothing_to_lock_has_nothing_locked(plugin: Path, tmp_path: Path) -> None:
    manifest = read_manifest(plugin / "plugin.toml")
    assert lock_plugin(plugin, manifest, cache=tmp_path, upgrade=False) == ()


def test_requirements_are_compiled_from_a_file_that_must_be_there(plugin: Path, tmp_path: Path) -> None:
    declare(plugin, 'adapter = "adapter.py"', 'adapter = "adapter.py"\nrequirements = "requirements.txt"')
    manifest = read_manifest(plugin / "plugin.toml")
    with pytest.raises(
        RequirementsError, match=r"requirements\.in: not there; requirements\.txt is compiled"
    ):
        lock_plugin(plugin, manifest, cache=tmp_path, upgrade=False)


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        (
            'adapter = "adapter.py"',
            'adapter = "adapter.py"\nrequirements = "requirements.txt"',
            "requirements.txt",
        ),
        (
            "[[inputs]]",
            '[image]\nsource = "packages"\ndebian = ["tool"]\ndebian_lock = "debian.lock.json"\n\n[[inputs]]',
            "debian.lock.json",
        ),
    ],
)
def test_a_lock_that_is_not_there_says_how_to_make_it(plugin: Path, old: str, new: str, missing: str) -> None:
    declare(plugin, old, new)
    with pytest.raises(ContractError, match=f"names {missing}, which is not there") as refused:
        check_plugin(plugin)
    assert refused.value.hint == f"assay plugin lock {plugin}"
