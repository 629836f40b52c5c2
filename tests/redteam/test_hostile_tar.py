"""Layers of an image from outside, whose headers would have the host loop, or run out of memory."""

import hashlib
from pathlib import Path

import pytest

from host.engines.layer_tree import LayerFile, image_tree
from host.errors import ArchiveError, ImageLoadError
from host.images import inventory
from host.images.inventory import take_inventory
from host.images.layer import Layer
from tests.support import hostile_tars
from tests.support.layers import file, layer

HOSTILE = {
    "backwards": hostile_tars.backwards(),
    "endless name": hostile_tars.endless_name(),
    "long name": hostile_tars.long_name(),
    "chain of headers": hostile_tars.chain(),
}


def stored(tmp_path: Path, data: bytes) -> Layer:
    path = tmp_path / "layer.tar"
    path.write_bytes(data)
    return Layer(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data), path)


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_the_tree_of_a_hostile_layer_is_refused(tmp_path: Path, data: bytes) -> None:
    one = stored(tmp_path, data)
    with pytest.raises(ImageLoadError, match="cannot be read"):
        image_tree([LayerFile(one.diff_id, one.path, 0, one.size_bytes)])


@pytest.mark.parametrize("mtime", ["inf", "nan"])
def test_a_time_that_is_no_number_is_refused(tmp_path: Path, mtime: str) -> None:
    one = stored(tmp_path, hostile_tars.late(mtime))
    with pytest.raises(ImageLoadError, match="cannot be read"):
        image_tree([LayerFile(one.diff_id, one.path, 0, one.size_bytes)])


@pytest.mark.attack("hostile layer of an image")
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_the_inventory_of_a_hostile_layer_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ArchiveError, match="cannot be read"):
        take_inventory([stored(tmp_path, data)])


def test_package_records_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "MAX_RECORDS_BYTES", 1000)
    records = [file(f"{name}.dist-info/METADATA", b"x" * 600) for name in "ab"]
    assert len(take_inventory([stored(tmp_path, layer(records[0]))]).records) == 1
    with pytest.raises(ArchiveError, match="package records of more than 1000 bytes"):
        take_inventory([stored(tmp_path, layer(*records))])
