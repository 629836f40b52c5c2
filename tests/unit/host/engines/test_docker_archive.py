import gzip
import hashlib
from pathlib import Path

import pytest

from host.engines.docker_archive import ArchivedImage, archived_image
from host.errors import ImageLoadError
from tests.support.engine_image import docker_archive, tar_of
from tests.support.hostile_tars import backwards, chain, endless_name

ENTRY = b'[{"Config": "c.json", "Layers": ["a/layer.tar"]}]'
CONFIG = b'{"rootfs": {"type": "layers", "diff_ids": ["sha256:ab"]}}'


def test_an_image_is_named_by_the_digest_of_its_configs_bytes(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(tar_of([("manifest.json", ENTRY), ("c.json", CONFIG)]))
    assert archived_image(archive) == ArchivedImage(
        f"sha256:{hashlib.sha256(CONFIG).hexdigest()}", CONFIG, ("sha256:ab",), ("a/layer.tar",)
    )


def test_a_config_file_named_after_another_digest_does_not_mislead(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    image_id = docker_archive(archive, [b""])
    entry = b'[{"Config": "%s.json", "Layers": []}]' % (b"0" * 64)
    archive.write_bytes(tar_of([("manifest.json", entry), (f"{'0' * 64}.json", CONFIG)]))
    assert archived_image(archive).image_id not in {image_id, f"sha256:{'0' * 64}"}


@pytest.mark.parametrize(
    "members",
    [
        [],
        [("manifest.json", ENTRY)],
        [("manifest.json", b"[]"), ("c.json", CONFIG)],
        [("manifest.json", b"{}"), ("c.json", CONFIG)],
        [("manifest.json", ENTRY), ("c.json", b"{}")],
        [("manifest.json", ENTRY), ("c.json", b"\xff")],
    ],
)
def test_anything_else_is_refused_by_the_archives_name(
    tmp_path: Path, members: list[tuple[str, bytes]]
) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(tar_of(members))
    with pytest.raises(ImageLoadError, match=r"image\.tar"):
        archived_image(archive)


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageLoadError, match=r"none\.tar"):
        archived_image(tmp_path / "none.tar")


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(tar_of([("c.json", CONFIG * 1000)]))[:-20],
        chain(),
        backwards(),
        endless_name(),
        gzip.compress(backwards()),
    ],
    ids=["cut short", "chain of headers", "backwards", "endless name", "backwards, compressed"],
)
def test_an_archive_that_no_reader_comes_to_the_end_of_is_refused(tmp_path: Path, data: bytes) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(data)
    with pytest.raises(ImageLoadError, match="no docker archive that can be read"):
        archived_image(archive)


def test_more_members_than_any_image_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.engines.docker_archive.ARCHIVE_MEMBERS_MAX", 2)
    archive = tmp_path / "image.tar"
    archive.write_bytes(tar_of([("manifest.json", ENTRY), ("c.json", CONFIG), ("a/layer.tar", b"")]))
    with pytest.raises(ImageLoadError, match="no docker archive that can be read: more than 2 members"):
        archived_image(archive)


def test_a_compressed_archive_is_read_up_to_the_size_of_the_largest_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "image.tar"
    members = [("zeros", bytes(10**6)), ("manifest.json", ENTRY), ("c.json", CONFIG)]
    archive.write_bytes(gzip.compress(tar_of(members)))
    assert archived_image(archive).config_bytes == CONFIG
    monkeypatch.setattr("host.engines.docker_archive.MAX_IMAGE_BYTES", 10**6)
    with pytest.raises(ImageLoadError, match="no docker archive that can be read: unexpected end"):
        archived_image(archive)
