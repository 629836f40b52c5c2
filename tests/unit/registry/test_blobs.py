import hashlib
import os
from pathlib import Path

import pytest

from registry.blobs import BlobStore
from registry.errors import BlobMismatchError, MissingBlobError


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def test_a_file_is_stored_under_its_own_sha256(store: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "scan.nii"
    source.write_bytes(b"x" * 3_000_000)
    stored = store.put_file(source)
    assert stored == ("sha256:" + hashlib.sha256(b"x" * 3_000_000).hexdigest(), 3_000_000)
    assert store.path(stored.digest).read_bytes() == source.read_bytes()


def test_the_empty_file_has_the_published_digest(store: BlobStore) -> None:
    # FIPS 180-4 example values: SHA-256 of the empty message.
    empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert store.put_bytes(b"").digest == empty


def test_a_stored_file_is_read_only_and_leaves_nothing_behind(store: BlobStore, tmp_path: Path) -> None:
    stored = store.put_bytes(b"data")
    store.put_bytes(b"data")
    assert store.path(stored.digest).stat().st_mode & 0o777 == 0o444
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []


def test_other_bytes_than_expected_are_not_kept(store: BlobStore) -> None:
    expected = "sha256:" + hashlib.sha256(b"promised").hexdigest()
    with pytest.raises(BlobMismatchError):
        store.put_stream([b"delivered"], expected=expected)
    assert not store.has(expected)
    assert not store.has("sha256:" + hashlib.sha256(b"delivered").hexdigest())


def test_a_stored_file_edited_on_disk_fails_verification(store: BlobStore) -> None:
    stored = store.put_bytes(b"data")
    assert store.verify(stored.digest) == 4
    place = store.path(stored.digest)
    os.chmod(place, 0o644)
    place.write_bytes(b"date")
    with pytest.raises(BlobMismatchError):
        store.verify(stored.digest)


@pytest.mark.parametrize("name", ["sha256:../../etc/passwd", "md5:00", "", "sha256:" + "A" * 64, "sha256:00"])
def test_a_name_that_is_no_digest_never_becomes_a_path(store: BlobStore, name: str) -> None:
    with pytest.raises(MissingBlobError):
        store.path(name)


def test_a_missing_file_is_named(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(MissingBlobError, match=r"absent\.bin: No such file"):
        store.put_file(tmp_path / "absent.bin")
    with pytest.raises(MissingBlobError, match="directory"):
        store.put_file(tmp_path)


def test_a_file_that_is_moved_in_is_stored_as_if_it_were_copied(store: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "weights"
    source.write_bytes(b"net")
    stored = store.take_file(source)
    assert stored == store.put_bytes(b"net")
    assert not source.exists()
    assert store.path(stored.digest).stat().st_mode & 0o777 == 0o444
    with pytest.raises(MissingBlobError, match="No such file"):
        store.take_file(source)
