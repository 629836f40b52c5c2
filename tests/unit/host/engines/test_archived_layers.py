"""Layers that come compressed; whole archives are loaded in test_runc_images.py."""

import gzip
import json
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from host.engines.archived_layers import archived_layers
from host.engines.docker_archive import ArchivedImage, archived_image
from host.errors import ImageLoadError
from tests.support.engine_image import tar_of
from tests.support.hostile_tars import backwards

MIB = 1024 * 1024
CONFIG = b'{"rootfs": {"type": "layers", "diff_ids": ["sha256:ab"]}}'


def unpacked(
    tmp_path: Path, layer: bytes, *, outer: Callable[[bytes], bytes] = bytes, times: int = 1
) -> Path:
    archive, work = tmp_path / "image.tar", tmp_path / "work"
    entry = json.dumps([{"Config": "c.json", "Layers": ["l.tar"] * times}]).encode()
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": ["sha256:ab"] * times}}).encode()
    archive.write_bytes(outer(tar_of([("manifest.json", entry), ("c.json", config), ("l.tar", layer)])))
    work.mkdir()
    found, *_ = archived_layers(archive, archived_image(archive), work)
    assert found.path.stat().st_size == found.size
    return found.path


def test_a_layer_that_inflates_a_thousandfold_is_written_in_pieces(tmp_path: Path) -> None:
    compressed = gzip.compress(bytes(64 * MIB), compresslevel=1)
    tracemalloc.start()
    try:
        path = unpacked(tmp_path, compressed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size == 64 * MIB
    assert peak < 16 * MIB


def test_gzip_streams_one_after_another_are_one_layer(tmp_path: Path) -> None:
    first, second = bytes(range(256)) * 9000, b"second" * 400_000
    path = unpacked(tmp_path, gzip.compress(first) + gzip.compress(second))
    assert path.read_bytes() == first + second


@pytest.mark.parametrize("outer", [bytes, gzip.compress], ids=["compressed layer", "compressed archive"])
def test_layers_larger_than_any_image_are_refused_before_they_are_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outer: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr("host.engines.archived_layers.MAX_IMAGE_BYTES", 4 * MIB)
    layer = bytes(64 * MIB)
    with pytest.raises(ImageLoadError, match=r"image\.tar: comes to more than 4194304 bytes"):
        unpacked(tmp_path, gzip.compress(layer) if outer is bytes else layer, outer=outer)
    assert sum(path.stat().st_size for path in (tmp_path / "work").iterdir()) <= 4 * MIB


def test_one_layer_listed_many_times_counts_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.engines.archived_layers.MAX_IMAGE_BYTES", 4 * MIB)
    with pytest.raises(ImageLoadError, match="comes to more than"):
        unpacked(tmp_path, gzip.compress(bytes(3 * MIB)), times=2)


def test_a_header_that_leads_backwards_is_no_endless_loop(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(backwards())
    with pytest.raises(tarfile.ReadError, match="backwards"):
        archived_layers(archive, ArchivedImage("sha256:ab", CONFIG, ("sha256:ab",), ("l.tar",)), tmp_path)
