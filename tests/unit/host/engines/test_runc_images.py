"""The store of unpacked images: whole or not there, named, and compared with the layers; no container runs here."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from host.engines.archived_layers import whole_file
from host.engines.interface import LayerFiles
from host.engines.runc_images import Images
from host.engines.tree_files import mapped
from host.errors import EngineRefusedError, ImageLoadError, ImageMissingError, ImageTamperedError
from tests.support.engine_image import docker_archive, tar_of
from tests.support.hostile_tars import link_to
from tests.support.layers import file, layer, link

LOWER, UPPER = layer(file("a", b"lower"), file("b", b"kept")), layer(file("a", b"upper"), link("c", "b"))


@pytest.fixture
def images(tmp_path: Path) -> Images:
    return Images(tmp_path / "runc")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "image.tar"


@pytest.fixture
def image_id(images: Images, archive: Path) -> str:
    docker_archive(archive, [LOWER, UPPER], Cmd=["/a"])
    return images.load(archive)


def layers(folder: Path, *contents: bytes) -> LayerFiles:
    """Find the layers as a blob store does."""
    paths = {}
    for number, content in enumerate(contents):
        path = folder / f"blob-{number}"
        path.write_bytes(content)
        paths[f"sha256:{hashlib.sha256(content).hexdigest()}"] = path
    return paths.__getitem__


def root(images: Images, image_id: str) -> Path:
    with images.used(image_id) as image:
        return image.root


def test_looking_makes_no_folder(tmp_path: Path) -> None:
    images = Images(tmp_path / "runc")
    assert (images.held(), images.resolve("x:1"), images.holds(f"sha256:{'0' * 64}")) == ({}, None, False)
    assert not (tmp_path / "runc").exists()


def test_an_image_is_unpacked_under_the_digest_of_its_config(images: Images, image_id: str) -> None:
    assert (root(images, image_id) / "a").read_bytes() == b"upper"
    with images.used(image_id) as image:
        assert (image.image_id, image.defaults.argv) == (image_id, ("/a",))
    assert images.held() == {image_id: ()}


def test_the_folder_is_closed_to_other_users(images: Images, image_id: str) -> None:
    assert images._folder.stat().st_mode & 0o077 == 0
    assert list(images._incoming.iterdir()) == []


def test_a_name_may_come_without_a_tag(images: Images, image_id: str) -> None:
    images.tag(image_id, "registry.example:5000/tool")
    assert images.resolve("registry.example:5000/tool:latest") == image_id
    assert images.held() == {image_id: ("registry.example:5000/tool:latest",)}


def test_a_name_moves_and_goes_with_its_image(images: Images, image_id: str, tmp_path: Path) -> None:
    other = docker_archive(tmp_path / "other.tar", [LOWER])
    images.load(tmp_path / "other.tar")
    images.tag(image_id, "tool:1")
    images.tag(other, "tool:1")
    assert images.resolve("tool:1") == other
    images.remove(other)
    assert images.resolve("tool:1") is None
    assert images.holds(image_id)


def test_a_short_or_malformed_digest_names_nothing(images: Images, image_id: str) -> None:
    assert images.resolve(image_id[:19]) is None
    with pytest.raises(ImageMissingError, match="not an image ID"):
        images.holds("../../etc")


def test_an_image_in_use_is_not_removed(images: Images, image_id: str) -> None:
    with images.used(image_id), pytest.raises(EngineRefusedError, match="in use"):
        images.remove(image_id)
    images.remove(image_id)
    with pytest.raises(ImageMissingError), images.used(image_id):
        pass


def test_compressed_layers_are_checked_by_the_digest_of_what_they_hold(images: Images, archive: Path) -> None:
    plain = docker_archive(archive, [LOWER])
    config = json.dumps(
        {
            "architecture": "amd64",
            "rootfs": {"diff_ids": [f"sha256:{hashlib.sha256(LOWER).hexdigest()}"], "type": "layers"},
        }
    ).encode()
    manifest = json.dumps([{"Config": "c.json", "Layers": ["l.tar"]}]).encode()
    archive.write_bytes(
        tar_of([("c.json", config), ("l.tar", gzip.compress(LOWER)), ("manifest.json", manifest)])
    )
    image_id = images.load(archive)
    assert image_id == f"sha256:{hashlib.sha256(config).hexdigest()}" != plain
    assert (root(images, image_id) / "a").read_bytes() == b"lower"


@pytest.mark.parametrize(
    ("hostile", "compressed"),
    [
        (link_to("a\0b"), False),
        (layer(file("a" * 300, b"content")), False),
        (b"", True),
    ],
    ids=["link to no path", "name too long for a file", "nothing at all"],
)
def test_a_layer_that_cannot_be_unpacked_is_refused_in_a_line(
    images: Images, archive: Path, hostile: bytes, compressed: bool
) -> None:
    diff_id = f"sha256:{hashlib.sha256(hostile).hexdigest()}"
    config = json.dumps({"architecture": "amd64", "rootfs": {"diff_ids": [diff_id], "type": "layers"}})
    manifest = json.dumps([{"Config": "c.json", "Layers": ["l.tar"]}])
    stored = gzip.compress(hostile) if compressed else hostile
    archive.write_bytes(
        tar_of([("c.json", config.encode()), ("l.tar", stored), ("manifest.json", manifest.encode())])
    )
    with pytest.raises(ImageLoadError):
        images.load(archive)
    assert images.held() == {}


def test_what_interrupts_the_reading_of_layers_is_what_is_told(archive: Path) -> None:
    archive.write_bytes(LOWER)

    def interrupted(content: memoryview) -> None:
        part = content[:10]
        raise KeyboardInterrupt(len(part))

    with pytest.raises(KeyboardInterrupt), mapped([whole_file("sha256:a", archive)]) as (content,):
        interrupted(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace(b"lower", b"lowar"),
        lambda data: data.replace(b"layer.tar", b"layer.tap", 1),
        lambda data: data[: len(data) // 3],
    ],
)
def test_a_damaged_archive_leaves_nothing(
    images: Images, archive: Path, damage: Callable[[bytes], bytes]
) -> None:
    docker_archive(archive, [LOWER])
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(ImageLoadError):
        images.load(archive)
    assert images.held() == {}
    assert not images._incoming.exists() or list(images._incoming.iterdir()) == []


def test_an_image_that_nobody_touched_passes(images: Images, image_id: str, tmp_path: Path) -> None:
    images.verify(image_id, layers(tmp_path, LOWER, UPPER))


def test_an_edited_tree_does_not_pass(images: Images, image_id: str, tmp_path: Path) -> None:
    (root(images, image_id) / "b").write_bytes(b"kepd")
    with pytest.raises(ImageTamperedError, match="b has another time"):
        images.verify(image_id, layers(tmp_path, LOWER, UPPER))


def test_a_tree_that_was_edited_along_with_the_layers_does_not_pass(
    images: Images, image_id: str, tmp_path: Path
) -> None:
    found = layers(tmp_path, LOWER, UPPER)
    forged = found(f"sha256:{hashlib.sha256(LOWER).hexdigest()}")
    forged.write_bytes(LOWER.replace(b"kept", b"bent"))
    (root(images, image_id) / "b").write_bytes(b"bent")
    with pytest.raises(
        ImageTamperedError, match="cannot be compared with its layers: a layer has the digest"
    ):
        images.verify(image_id, found)


def test_an_edited_config_is_refused_before_anything_runs(images: Images, image_id: str) -> None:
    config = root(images, image_id).parent / "config.json"
    config.write_bytes(config.read_bytes().replace(b"/a", b"/b"))
    with pytest.raises(ImageTamperedError, match="was edited"), images.used(image_id):
        pass


def test_names_that_cannot_be_read_are_said_and_not_guessed(images: Images, image_id: str) -> None:
    (images._folder / "names.json").write_text("[]")
    with pytest.raises(EngineRefusedError, match=r"names\.json"):
        images.resolve("tool:1")


def test_what_a_killed_process_left_is_removed_by_the_next_that_loads(
    images: Images, image_id: str, tmp_path: Path
) -> None:
    (images._incoming / "tmp-killed" / "image").mkdir(parents=True)
    docker_archive(tmp_path / "other.tar", [LOWER])
    with images._work():
        images.load(tmp_path / "other.tar")
        assert (images._incoming / "tmp-killed").exists() is False, "nobody else was at work"
        (images._incoming / "tmp-of-somebody").mkdir()
        images.remove(image_id)
        assert (images._incoming / "tmp-of-somebody").exists(), "somebody is at work there"
    docker_archive(tmp_path / "third.tar", [UPPER])
    images.load(tmp_path / "third.tar")
    assert list(images._incoming.iterdir()) == []
