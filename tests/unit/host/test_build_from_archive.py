"""A build from an archive, without Docker and without a network: what is kept, and what is refused."""

from pathlib import Path

import pytest

from host.builds import build, read_build
from host.errors import ImageRuleError, WeightsError
from host.home import Home
from plugin_spec.manifest import read_manifest
from registry.blobs import BlobStore
from registry.canonical import digest
from tests.support.foreign_images import config, layer, saved, sha256
from tests.support.memory_engine import Container, MemoryEngine, ending
from tests.support.tiny import plugin_folder

LAYER = layer(("usr/bin/tool", b"#!", 0o755), ("usr/bin/data", b"", 0o644))
CONFIG = config([LAYER])
IMAGE = f"sha256:{sha256(CONFIG)}"
COMMAND = """
[runtime.command]
argv = ["{program}", "{{inputs.scan}}"]
outputs = {{ mask = "mask.nii", volumes = "volumes.csv" }}
"""
WEIGHTS = """
[[weights]]
name = "net"
sha256 = "{digest}"
bytes = 3
licence = "MIT"
uri = "local:net.bin"

[[inputs]]"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", tmp_path / "cache")


def plugin(tmp_path: Path, *, program: str = "tool", weights: str = "") -> Path:
    folder = plugin_folder(tmp_path / "plugin")
    saved(folder / "image.tar", [LAYER], CONFIG)
    (folder / "net.bin").write_bytes(b"net")
    path = folder / "plugin.toml"
    text = path.read_text().replace('adapter = "adapter.py"\n', COMMAND.format(program=program))
    source = f'[image]\nsource = "archive"\npath = "image.tar"\nimage = "{IMAGE}"\n\n[[inputs]]'
    if weights:
        text = text.replace("[[inputs]]", WEIGHTS.format(digest=weights), 1)
    path.write_text(text.replace("[[inputs]]", source, 1))
    return folder


def engine(container: Container) -> MemoryEngine:
    return MemoryEngine(container, images={IMAGE})


def test_image_layers_and_config_are_kept_by_digest_as_they_came(home: Home, tmp_path: Path) -> None:
    folder = plugin(tmp_path)
    said: list[str] = []
    made = build(home, folder, engine(ending(0)), say=said.append)
    assert (made.image, made.source_image, made.way, made.python) == (IMAGE, IMAGE, "archive", "")
    assert made.checks == ("I101", "I102", "I103", "I104", "I105", "I301")
    blobs = BlobStore(home.path / "blobs")
    assert blobs.path(IMAGE).read_bytes() == CONFIG
    assert [blobs.path(one).read_bytes() for one in made.layers] == [LAYER]
    assert read_build(home, read_manifest(folder / "plugin.toml"), folder) == made
    assert [line for line in said if "2 files with 2 bytes belong to no package" in line]


def test_a_tool_that_does_not_start_is_not_built_and_gets_no_name(home: Home, tmp_path: Path) -> None:
    folder, memory = plugin(tmp_path), engine(ending(127, printed="no such interpreter\n"))
    with pytest.raises(ImageRuleError, match="I301 image: tool does not start .* no such interpreter"):
        build(home, folder, memory, say=lambda _: None)
    assert memory.names == {}
    assert list(home.builds.iterdir()) == []
    assert list(home.runs.iterdir()) == []


@pytest.mark.parametrize("program", ["absent", "/usr/bin/data"])
def test_a_program_that_is_not_there_is_found_without_a_container(
    home: Home, tmp_path: Path, program: str
) -> None:
    memory = engine(ending(0))
    with pytest.raises(ImageRuleError, match=r"I105 runtime\.command\.argv"):
        build(home, plugin(tmp_path, program=program), memory, say=lambda _: None)
    assert memory.ran == []


def test_weights_are_moved_in_and_nothing_is_left_of_the_download(home: Home, tmp_path: Path) -> None:
    made = build(home, plugin(tmp_path, weights=digest(b"net")), engine(ending(0)), say=lambda _: None)
    assert [one.digest for one in made.weights] == [digest(b"net")]
    assert BlobStore(home.path / "blobs").path(digest(b"net")).read_bytes() == b"net"
    assert list(home.runs.iterdir()) == []


def test_other_weights_than_declared_are_refused(home: Home, tmp_path: Path) -> None:
    folder = plugin(tmp_path, weights=digest(b"net"))
    (folder / "net.bin").write_bytes(b"evl")
    with pytest.raises(WeightsError, match=f"gives 3 bytes with {digest(b'evl')}"):
        build(home, folder, engine(ending(0)), say=lambda _: None)
    assert list(home.runs.iterdir()) == []
