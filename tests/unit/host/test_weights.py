"""What a container sees of a release's weights is what was hashed."""

from dataclasses import replace
from pathlib import Path

import pytest

from host.errors import WeightsError
from host.releases import InstalledRelease
from host.staging import RunFolder
from host.weights import weights_folder
from registry.canonical import digest
from registry.statements import FileRef
from tests.support.manifests import minimal_manifest

DATA = b"net" * 1000


@pytest.fixture
def release(tmp_path: Path) -> InstalledRelease:
    stored = tmp_path / "stored"
    stored.write_bytes(DATA)
    return InstalledRelease(
        manifest=minimal_manifest(),
        manifest_digest=digest(b""),
        image=digest(b""),
        image_name="assay/x:1",
        weights={"net": stored},
        weight_refs=(FileRef(name="net", digest=digest(DATA), bytes=len(DATA)),),
    )


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run")


def test_the_container_gets_a_read_only_copy(release: InstalledRelease, run: RunFolder) -> None:
    with weights_folder(release, run) as folder:
        assert folder is not None
        copy = folder / "net"
        assert copy.read_bytes() == DATA
        assert copy.stat().st_mode & 0o777 == 0o444
        # Neither a hard link nor a symbolic one: writing into the store changes nothing here.
        release.weights["net"].write_bytes(b"evil" * 750)
        assert copy.read_bytes() == DATA


def test_weights_that_were_edited_in_the_store_are_refused(release: InstalledRelease, run: RunFolder) -> None:
    release.weights["net"].write_bytes(b"evil" * 750)
    with (
        pytest.raises(WeightsError, match="weights net: the local file is not the one the release names"),
        weights_folder(release, run),
    ):
        pass


def test_missing_weights_are_named(release: InstalledRelease, run: RunFolder) -> None:
    release.weights["net"].unlink()
    with pytest.raises(WeightsError, match="weights net: No such file"), weights_folder(release, run):
        pass


def test_a_release_without_weights_has_no_folder(release: InstalledRelease, run: RunFolder) -> None:
    with weights_folder(replace(release, weights={}, weight_refs=()), run) as folder:
        assert folder is None
