import gzip
import json
from pathlib import Path

import pytest

from host.errors import ArchiveError, ImageDigestError, ImageTooLargeError, LayerDigestError
from host.images.foreign_archive import ForeignImage, read_foreign_archive
from host.images.store import LayerStore
from tests.support.foreign_images import config, layer, layout, members_of, saved, sha256, write_tar
from tests.support.hostile_tars import backwards, chain, endless_name, long_name

LOWER = layer(("usr/bin/tool", b"#!/bin/sh\n", 0o755))
UPPER = layer(("data", b"1" * 5000, 0o644))
CONFIG = config([LOWER, UPPER])
IDENTITY = f"sha256:{sha256(CONFIG)}"


def read(path: Path, declared: str = IDENTITY, bytes_max: int = 10**6) -> ForeignImage:
    store = LayerStore(path.parent / "layers")
    return read_foreign_archive(path, store, declared=declared, bytes_max=bytes_max)


def kept(path: Path) -> list[str]:
    return sorted(one.name for one in (path.parent / "layers").glob("*.tar"))


@pytest.mark.parametrize(
    "write",
    [
        saved,
        layout,
        lambda *given: layout(*given, compressed=False),
        lambda *given: layout(*given, nested=True),
    ],
    ids=["docker save", "OCI layout", "uncompressed OCI layout", "OCI layout with a nested index"],
)
def test_every_form_gives_the_same_image_byte_for_byte(tmp_path, write):
    image = read(write(tmp_path / "image.tar", [LOWER, UPPER], CONFIG))
    assert (image.image_id, image.config_bytes) == (IDENTITY, CONFIG)
    assert [one.path.read_bytes() for one in image.layers] == [LOWER, UPPER]
    assert [one.diff_id for one in image.layers] == [f"sha256:{sha256(one)}" for one in (LOWER, UPPER)]


def test_a_layer_that_two_images_share_is_a_link_in_old_archives(tmp_path):
    members = members_of(saved(tmp_path / "image.tar", [LOWER, UPPER], CONFIG))
    first, second = (f"{number:064x}/layer.tar" for number in range(2))
    members[f"{9:064x}/layer.tar"] = members[second]
    members[second] = f"../{9:064x}/layer.tar"
    image = read(write_tar(tmp_path / "image.tar", members))
    assert image.layers[1].path.read_bytes() == UPPER


def test_gzip_streams_one_after_another_are_one_layer(tmp_path):
    members = members_of(saved(tmp_path / "image.tar", [LOWER, UPPER], CONFIG))
    members[f"{0:064x}/layer.tar"] = gzip.compress(LOWER[:100]) + gzip.compress(LOWER[100:])
    assert read(write_tar(tmp_path / "image.tar", members)).layers[0].path.read_bytes() == LOWER


def test_a_layer_that_does_not_match_its_config_is_refused_and_not_kept(tmp_path):
    members = members_of(saved(tmp_path / "image.tar", [LOWER, UPPER], CONFIG))
    members[f"{0:064x}/layer.tar"] = LOWER.replace(b"#!/bin/sh", b"#!/bin/ev")
    path = write_tar(tmp_path / "image.tar", members)
    with pytest.raises(LayerDigestError, match="its image's config promises"):
        read(path)
    assert kept(path) == []


def test_another_image_than_the_declared_one_is_refused_before_a_layer_is_read(tmp_path):
    path = saved(tmp_path / "image.tar", [LOWER, UPPER], CONFIG)
    with pytest.raises(ImageDigestError, match=f"is the image {IDENTITY}, the manifest declares sha256:0000"):
        read(path, declared=f"sha256:{'0' * 64}")
    assert kept(path) == []


def test_a_config_changed_in_the_archive_is_another_image(tmp_path):
    changed = config([LOWER, UPPER], config={"User": "0"})
    with pytest.raises(ImageDigestError):
        read(saved(tmp_path / "image.tar", [LOWER, UPPER], changed))


def test_layers_in_another_order_are_refused(tmp_path):
    with pytest.raises(LayerDigestError):
        read(saved(tmp_path / "image.tar", [UPPER, LOWER], CONFIG))


def test_a_layer_too_few_is_refused(tmp_path):
    with pytest.raises(ArchiveError, match="1 layers are listed, the config names 2"):
        read(saved(tmp_path / "image.tar", [LOWER], CONFIG))


def test_a_blob_of_a_layout_must_have_the_digest_that_is_its_name(tmp_path):
    members = members_of(layout(tmp_path / "image.tar", [LOWER, UPPER], CONFIG))
    name = f"blobs/sha256/{sha256(CONFIG)}"
    members[name] = members[name].replace(b'"linux"', b'"plan9"')
    with pytest.raises(ArchiveError, match="does not have the digest that is its name"):
        read(write_tar(tmp_path / "image.tar", members))


@pytest.mark.parametrize("write", [saved, layout])
def test_an_image_larger_than_allowed_is_refused_while_it_is_unpacked(tmp_path, write):
    bomb = layer(("zeros", bytes(3 * 10**6), 0o644))
    data = config([bomb])
    path = write(tmp_path / "image.tar", [bomb], data)
    with pytest.raises(ImageTooLargeError, match="more than 0.0 GB"):
        read(path, declared=f"sha256:{sha256(data)}", bytes_max=10**6)
    assert kept(path) == []


def test_a_cut_compressed_layer_is_refused(tmp_path):
    members = members_of(saved(tmp_path / "image.tar", [LOWER, UPPER], CONFIG))
    members[f"{0:064x}/layer.tar"] = gzip.compress(LOWER)[:-9]
    with pytest.raises(ArchiveError, match="not a readable archive"):
        read(write_tar(tmp_path / "image.tar", members))


def test_zstd_is_named_with_what_to_do(tmp_path):
    members = members_of(saved(tmp_path / "image.tar", [LOWER, UPPER], CONFIG))
    members[f"{0:064x}/layer.tar"] = b"\x28\xb5\x2f\xfd" + LOWER
    with pytest.raises(ArchiveError, match="compressed with zstd; save it uncompressed"):
        read(write_tar(tmp_path / "image.tar", members))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found.pop("manifest.json"), "neither manifest.json"),
        (lambda found: found.update({"manifest.json": b"[]"}), "it holds 0 images"),
        (lambda found: found.update({"manifest.json": b"not JSON"}), "not strict JSON"),
        (lambda found: found.update({"manifest.json": b'[{"Layers": []}]'}), r"0\.Config"),
        (lambda found: found.pop(f"{sha256(CONFIG)}.json"), "is missing"),
        (lambda found: found.pop(f"{1:064x}/layer.tar"), "is missing"),
    ],
)
def test_what_is_missing_or_malformed_is_one_clear_line(tmp_path, change, said):
    members = members_of(saved(tmp_path / "image.tar", [LOWER, UPPER], CONFIG))
    change(members)
    with pytest.raises(ArchiveError, match=rf"image\.tar: .*{said}"):
        read(write_tar(tmp_path / "image.tar", members))


def test_two_images_for_one_platform_are_refused(tmp_path):
    members = members_of(layout(tmp_path / "image.tar", [LOWER, UPPER], CONFIG))
    index = json.loads(members["index.json"])
    index["manifests"] *= 2
    members["index.json"] = json.dumps(index).encode()
    with pytest.raises(ArchiveError, match="2 images for linux/amd64"):
        read(write_tar(tmp_path / "image.tar", members))


@pytest.mark.parametrize("data", [b"", b"no tar" * 1000, gzip.compress(b"no tar")])
def test_a_file_that_is_no_tar_is_one_clear_line(tmp_path, data):
    (tmp_path / "image.tar").write_bytes(data)
    with pytest.raises(ArchiveError, match=r"image\.tar"):
        read(tmp_path / "image.tar")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (chain(), "too many headers"),
        (backwards(), "leads backwards"),
        (endless_name(), "a header of 2147483648 bytes"),
        (long_name(), "too long"),
    ],
    ids=["chain", "backwards", "endless name", "long name"],
)
def test_headers_that_no_honest_writer_makes_are_one_clear_line(tmp_path, data, said):
    path = tmp_path / "image.tar"
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=rf"not a readable archive: .*{said}"):
        read(path)


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(ArchiveError, match="No such file"):
        read(tmp_path / "absent.tar")
