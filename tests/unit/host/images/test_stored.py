"""An image goes through a blob store as it came, whoever wrote its config."""

from pathlib import Path

import pytest

from host.errors import ArchiveError
from host.images.archive import save_archive
from host.images.foreign_archive import read_foreign_archive
from host.images.store import LayerStore
from host.images.stored import stored_image
from registry.blobs import BlobStore
from registry.errors import BlobMismatchError, MissingBlobError
from tests.support.foreign_images import config, layer, sha256

LAYER = layer(("usr/bin/tool", b"#!", 0o755))
CONFIG = config([LAYER], config={"OnBuild": None, "Healthcheck": {"Test": ["CMD", "true"]}})


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    store = BlobStore(tmp_path / "blobs")
    store.put_bytes(LAYER)
    store.put_bytes(CONFIG)
    return store


def test_a_foreign_config_comes_out_byte_for_byte(blobs: BlobStore, tmp_path: Path) -> None:
    image = f"sha256:{sha256(CONFIG)}"
    stored = stored_image(blobs, image)
    assert stored.config_bytes == CONFIG
    save_archive(stored, tmp_path / "image.tar")
    again = read_foreign_archive(
        tmp_path / "image.tar", LayerStore(tmp_path / "layers"), declared=image, bytes_max=10**6
    )
    assert (again.image_id, again.config_bytes) == (image, CONFIG)
    assert again.layers[0].path.read_bytes() == LAYER


def test_a_config_edited_in_the_store_is_found_out(blobs: BlobStore) -> None:
    image = f"sha256:{sha256(CONFIG)}"
    path = blobs.path(image)
    path.chmod(0o644)
    path.write_bytes(CONFIG.replace(b'"linux"', b'"plan9"'))
    with pytest.raises(BlobMismatchError):
        stored_image(blobs, image)


def test_a_missing_layer_is_named(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "other")
    blobs.put_bytes(CONFIG)
    with pytest.raises(MissingBlobError, match=sha256(LAYER)):
        stored_image(blobs, f"sha256:{sha256(CONFIG)}")


def test_a_blob_that_is_no_config_is_one_clear_line(blobs: BlobStore) -> None:
    stored = blobs.put_bytes(b'{"rootfs": {}}')
    with pytest.raises(ArchiveError, match=r"config of the image sha256:.*rootfs\.diff_ids"):
        stored_image(blobs, stored.digest)
