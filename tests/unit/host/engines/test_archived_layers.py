"""Layers that come compressed; whole archives are loaded in test_runc_images.py."""

import gzip
import tracemalloc
from pathlib import Path

from host.engines.archived_layers import archived_layers
from host.engines.docker_archive import archived_image
from tests.support.engine_image import tar_of

MIB = 1024 * 1024
ENTRY = b'[{"Config": "c.json", "Layers": ["l.tar"]}]'
CONFIG = b'{"rootfs": {"type": "layers", "diff_ids": ["sha256:ab"]}}'


def unpacked(tmp_path: Path, layer: bytes) -> Path:
    archive, work = tmp_path / "image.tar", tmp_path / "work"
    archive.write_bytes(tar_of([("manifest.json", ENTRY), ("c.json", CONFIG), ("l.tar", layer)]))
    work.mkdir()
    (found,) = archived_layers(archive, archived_image(archive), work)
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
