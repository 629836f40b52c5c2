"""Pinned sources: three forms are understood, and a local one never leaves its folder."""

from pathlib import Path

import pytest

from host.errors import KitDigestError, SourceError
from host.sources.pinned import PACKAGE_URI, Pinned, uri_fault
from registry.canonical import digest

COMMIT = "65704901f60650824565aa5a4818611aa89716f4"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "scan.nii").write_bytes(b"voxels")
    (tmp_path / "secret").write_bytes(b"not yours")
    return tmp_path / "kit"


def pinned(uri: str, folder: Path) -> Pinned:
    return Pinned("source scan", uri, digest(b"voxels"), 6, folder, KitDigestError)


@pytest.mark.parametrize("path", ["../secret", "missing.nii", ".", "link", "", "/etc/passwd"])
def test_a_local_path_that_leaves_the_folder_or_is_no_file_is_refused(path: str, folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    with pytest.raises(SourceError, match="no such file inside"):
        _ = pinned(f"local:{path}", folder).local


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.org/scan.nii",
        "local:",
        "package:nilearn!data/mni.nii.gz",
        "package:nilearn==0.1@sha256:abc!data/mni.nii.gz",
        f"package:nilearn==0.1@sha256:{'a' * 64}",
        f"package:nilearn==0.1 --index x@sha256:{'a' * 64}!m",
        "url:http://example.org/scan.nii",
        "url:https:///scan.nii",
        "url:file:///etc/passwd",
        "url:https://me:secret@example.org/scan.nii",
        "url:https://example.org/scan.nii#part",
        "url:https://example.org/my scan.nii",
        "url:https://[broken/scan.nii",
        "url:https://raw.githubusercontent.com/owner/repository/master/scan.nii",
        "url:https://github.com/owner/repository/raw/v1.0/scan.nii",
        f"url:https://raw.githubusercontent.com/owner/repository/{COMMIT}",
    ],
)
def test_another_form_is_refused(uri: str) -> None:
    assert uri_fault(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "local:reference/scan.nii",
        f"package:nilearn==0.12.1@sha256:{'a' * 64}!nilearn/data/mni.nii.gz",
        "url:https://example.org/records/1/files/scan.nii?download=1",
        f"url:https://raw.githubusercontent.com/owner/repository/{COMMIT}/a/scan.nii",
        f"url:https://github.com/owner/repository/raw/{COMMIT}/a/scan.nii",
    ],
)
def test_a_file_of_the_folder_of_a_wheel_or_at_a_fixed_address_can_be_fetched(uri: str) -> None:
    assert uri_fault(uri) == ""


def test_a_package_source_names_requirement_wheel_and_member() -> None:
    found = PACKAGE_URI.fullmatch(f"package:nilearn==0.12.1@sha256:{'a' * 64}!nilearn/data/mni.nii.gz")
    assert found is not None
    assert (found["package"], found["wheel"], found["member"]) == (
        "nilearn==0.12.1",
        "a" * 64,
        "nilearn/data/mni.nii.gz",
    )
