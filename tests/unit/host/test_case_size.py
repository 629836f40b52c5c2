"""What a case will need is told from headers alone, and what can never fit is refused before anything runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from host.case_size import foretold_bytes, require_room
from host.errors import MachineTooSmallError
from host.execution import CaseRequest, prepare
from host.machine import Room
from host.planning import plan_limits
from host.scheduling import Share
from host.staging import RunFolder
from plugin_spec.manifest import Manifest
from registry.statements import RunStarted
from tests.support.manifests import manifest_document, minimal_manifest
from tests.support.nifti_files import write_nifti
from tests.support.tiny_host import TinyHost, tiny_host


def growing(per_input_mib: float = 100.0) -> Manifest:
    resources = {**manifest_document()["resources"], "memory_per_input_mib": per_input_mib}
    return minimal_manifest(resources=resources)


@pytest.mark.parametrize("name", ["t1.nii", "t1.nii.gz"])
def test_the_header_foretells_what_reading_finds(name: str, host: TinyHost, tmp_path: Path) -> None:
    scan = write_nifti(tmp_path / name, np.arange(24 * 20 * 30, dtype=np.int16).reshape(24, 20, 30))
    declared = host.release.manifest
    resources = declared.resources.model_copy(update={"memory_per_input_mib": 100.0})
    release = replace(host.release, manifest=declared.model_copy(update={"resources": resources}))
    foretold = foretold_bytes(release.manifest, {"scan": [scan]})
    folder = RunFolder.create(host.home.runs / "foretold")
    found = prepare(release, CaseRequest("c", {"scan": scan}, {}), folder, run_id="c")
    folder.remove()
    assert foretold == 24 * 20 * 30 * 2
    assert found.limits == plan_limits(release.manifest, foretold)


def test_what_is_no_image_is_left_for_staging_to_tell(tmp_path: Path) -> None:
    (tmp_path / "broken.nii").write_bytes(b"no header")
    (tmp_path / "numbers.json").write_text("{}")
    files = [tmp_path / "broken.nii", tmp_path / "numbers.json", tmp_path / "missing.nii", tmp_path]
    assert foretold_bytes(growing(), {"t1": files}) == 0


def test_a_case_that_can_never_fit_is_named(tmp_path: Path) -> None:
    scan = write_nifti(tmp_path / "t1.nii", np.arange(64**3, dtype=np.int16).reshape(64, 64, 64))
    room = Room(Share(2.0, 280 * 2**20))
    with pytest.raises(MachineTooSmallError, match="mean-intensity 1.0.0 on case-7 needs 306 MiB"):
        require_room(room, growing(), "case-7", {"t1": [scan]})
    require_room(room, growing(0.0), "case-7", {"t1": [scan]})
    require_room(Room(Share(2.0, 400 * 2**20)), growing(), "case-7", {"t1": [scan]})


def test_a_validation_is_refused_before_its_first_run_where_one_case_can_never_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grows = "memory_mib = 64\nmemory_per_input_mib = 100.0"
    host = tiny_host(tmp_path, declared=lambda text: text.replace("memory_mib = 64", grows))
    monkeypatch.setattr("host.validation.validate.this_machine", lambda: Share(2.0, 64 * 2**20 + 1000))
    with pytest.raises(MachineTooSmallError, match="on cube-2"):
        host.validate()
    assert list(host.registry.records(RunStarted.predicate_type)) == []
