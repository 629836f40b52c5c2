"""Releases are found by name or digest, and run only from bytes that hash to what was signed."""

import pytest

from host.errors import ReleaseUnknownError
from host.installed import find_release, install, read_stored_manifest
from registry.errors import BlobMismatchError, MissingBlobError
from registry.statements import Release
from tests.support.tiny import RELEASE
from tests.support.tiny_host import WEIGHTS, TinyHost


def test_a_release_is_found_by_name_and_by_digest(host: TinyHost) -> None:
    record = find_release(host.registry, RELEASE)
    assert find_release(host.registry, record.digest) == record
    release = install(host.registry, record)
    assert (release.title, release.record) == ("tiny-volumes 1.0.0", record.digest)
    assert release.weights["net"].read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["tiny-volumes", "tiny-volumes@2.0.0", "sha256:" + "0" * 64, ""])
def test_an_unknown_release_is_refused(name: str, host: TinyHost) -> None:
    with pytest.raises(ReleaseUnknownError, match="no release") as refused:
        find_release(host.registry, name)
    assert "assay catalogue list" in refused.value.hint


def test_a_manifest_edited_in_the_store_is_not_read(host: TinyHost) -> None:
    path = host.registry.blobs.path(host.release.manifest_digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(BlobMismatchError):
        install(host.registry, find_release(host.registry, RELEASE))


def test_a_manifest_that_is_gone_is_named_by_its_digest(host: TinyHost) -> None:
    missing = "sha256:" + "0" * 64
    with pytest.raises(MissingBlobError):
        read_stored_manifest(host.registry, missing)
    assert isinstance(find_release(host.registry, RELEASE).statement.read(Release), Release)
