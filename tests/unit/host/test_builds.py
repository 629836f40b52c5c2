"""A build is what lies in the folder now; a change after it is found out."""

import json
from pathlib import Path

import pytest

from host.builds import Build, as_release, io_schema, read_build
from host.check.plugin import check_plugin
from host.errors import BuildMissingError
from host.home import Home
from plugin_spec.errors import ContractError
from registry.blobs import BlobStore
from registry.canonical import canonical_json, digest
from tests.support.manifests import minimal_manifest
from tests.support.tiny import IMAGE_NAME, plugin_folder

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", tmp_path / "cache")
    home.ensure()
    return home


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    return plugin_folder(tmp_path / "plugin")


def built(home: Home, plugin: Path, **changes: object) -> Path:
    """What ``plugin build`` leaves."""
    made = {
        "contract": "assay.build/1",
        "plugin": "tiny-volumes",
        "version": "1.0.0",
        "image": DIGEST,
        "image_name": IMAGE_NAME,
        "manifest": digest((plugin / "plugin.toml").read_bytes()),
        "io_schema": DIGEST,
        "sbom": DIGEST,
        "weights": [],
        "layers": [DIGEST],
        "layer_bytes": 3,
        **changes,
    }
    path = home.builds / "tiny-volumes-1.0.0.json"
    path.write_text(json.dumps(made))
    return path


def test_a_folder_with_every_file_it_names_is_accepted(plugin: Path) -> None:
    assert check_plugin(plugin).id == "tiny-volumes"


@pytest.mark.parametrize("name", ["adapter.py", "tests/answer.nii"])
def test_a_file_the_manifest_names_and_that_is_not_there_is_named(name: str, plugin: Path) -> None:
    (plugin / name).unlink()
    with pytest.raises(ContractError, match=f"names {name}, which is not there") as refused:
        check_plugin(plugin)
    assert str(plugin / "plugin.toml") in refused.value.message


def test_the_build_of_an_unchanged_folder_is_found(home: Home, plugin: Path) -> None:
    net = BlobStore(home.path / "blobs").put_bytes(b"net")
    built(home, plugin, weights=[{"name": "net", "digest": net.digest, "bytes": net.bytes}])
    made = read_build(home, check_plugin(plugin), plugin)
    assert isinstance(made, Build)
    release = as_release(home, made, check_plugin(plugin))
    assert (release.title, release.image, release.record) == ("tiny-volumes 1.0.0", DIGEST, "")
    assert list(release.weights) == ["net"]


def test_a_plugin_that_was_never_built_says_how_to_build_it(home: Home, plugin: Path) -> None:
    with pytest.raises(BuildMissingError, match=r"tiny-volumes 1\.0\.0 was not built here") as refused:
        read_build(home, check_plugin(plugin), plugin)
    assert refused.value.hint == f"assay plugin build {plugin}"


def test_a_manifest_edited_after_the_build_is_found_out(home: Home, plugin: Path) -> None:
    built(home, plugin)
    path = plugin / "plugin.toml"
    path.write_text(path.read_text() + "\n# a comment\n")
    with pytest.raises(BuildMissingError, match="was changed after the build"):
        read_build(home, check_plugin(plugin), plugin)


def test_an_adapter_edited_after_the_build_is_not_run_as_it_was_before(home: Home, plugin: Path) -> None:
    adapter = plugin / "adapter.py"
    built(home, plugin, sources={"adapter.py": digest(adapter.read_bytes())})
    assert read_build(home, check_plugin(plugin), plugin).sources
    adapter.write_text(adapter.read_text() + "\n# a comment\n")
    with pytest.raises(BuildMissingError, match=r"adapter\.py was changed after the build") as refused:
        read_build(home, check_plugin(plugin), plugin)
    assert refused.value.hint == f"assay plugin build {plugin}"


def test_a_damaged_build_file_is_named_with_its_field(home: Home, plugin: Path) -> None:
    path = built(home, plugin, image="latest")
    with pytest.raises(BuildMissingError, match="image: ") as refused:
        read_build(home, check_plugin(plugin), plugin)
    assert str(path) in refused.value.message


def test_the_io_schema_is_canonical_and_says_ports_and_parameters() -> None:
    schema = io_schema(minimal_manifest())
    document = json.loads(schema)
    assert canonical_json(document) == schema
    assert [port["name"] for port in document["inputs"] + document["outputs"]] == ["t1", "numbers"]
    assert document["contract"] == "assay.io-schema/1"
