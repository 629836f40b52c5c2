"""Pinned sources: two forms are understood, and a local one never leaves its folder."""

from pathlib import Path

import pytest

from host.errors import SourceError
from host.sources import PACKAGE_URI, fetch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "scan.nii").write_bytes(b"voxels")
    (tmp_path / "secret").write_bytes(b"not yours")
    return tmp_path / "kit"


def test_a_local_file_is_copied(folder: Path) -> None:
    fetch("local:scan.nii", folder.parent / "copy", folder=folder, cache=folder)
    assert (folder.parent / "copy").read_bytes() == b"voxels"


@pytest.mark.parametrize("path", ["../secret", "missing.nii", ".", "link"])
def test_a_local_path_that_leaves_the_folder_or_is_no_file_is_refused(path: str, folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    with pytest.raises(SourceError, match="no such file inside"):
        fetch(f"local:{path}", folder.parent / "copy", folder=folder, cache=folder)
    assert not (folder.parent / "copy").exists()


def test_an_absolute_local_path_is_refused(folder: Path) -> None:
    with pytest.raises(SourceError):
        fetch(f"local:{folder.parent / 'secret'}", folder.parent / "copy", folder=folder, cache=folder)


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.org/scan.nii",
        "package:nilearn!data/mni.nii.gz",
        "package:nilearn==0.1@sha256:abc!data/mni.nii.gz",
        f"package:nilearn==0.1@sha256:{'a' * 64}",
        f"package:nilearn==0.1 --index x@sha256:{'a' * 64}!m",
    ],
)
def test_another_form_is_refused_with_the_two_that_are_understood(uri: str, folder: Path) -> None:
    with pytest.raises(SourceError) as refused:
        fetch(uri, folder.parent / "copy", folder=folder, cache=folder)
    assert "package:NAME==VERSION@sha256:WHEEL!MEMBER" in refused.value.hint


def test_a_package_source_names_requirement_wheel_and_member() -> None:
    found = PACKAGE_URI.fullmatch(f"package:nilearn==0.12.1@sha256:{'a' * 64}!nilearn/data/mni.nii.gz")
    assert found is not None
    assert (found["package"], found["wheel"], found["member"]) == (
        "nilearn==0.12.1",
        "a" * 64,
        "nilearn/data/mni.nii.gz",
    )
