"""Inputs are copied once, hashed on the way, and lose the names they came under."""

import gzip
import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from host.errors import InputFileError
from host.input_staging import stage_inputs
from host.staging import RunFolder, write_request
from plugin_spec.case import Request
from tests.support.manifests import minimal_manifest


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs" / "0123456789abcdef")


def test_a_staged_file_has_its_ports_name_and_the_digest_of_its_bytes(
    folder: RunFolder, tmp_path: Path
) -> None:
    data = gzip.compress(b"voxels", mtime=0)
    (tmp_path / "Doe_John.NII.GZ").write_bytes(data)
    (staged,) = stage_inputs(minimal_manifest(), {"t1": [tmp_path / "Doe_John.NII.GZ"]}, folder)
    ref = staged.files[0].ref
    assert (ref.port, ref.name, ref.bytes) == ("t1", "t1.nii.gz", len(data))
    assert ref.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert (folder.inputs / "t1.nii.gz").read_bytes() == data


def test_a_staged_file_is_read_only_and_the_run_folder_is_closed_to_others(
    folder: RunFolder, tmp_path: Path
) -> None:
    (tmp_path / "scan.nii").write_bytes(b"voxels")
    stage_inputs(minimal_manifest(), {"t1": [tmp_path / "scan.nii"]}, folder)
    assert stat.S_IMODE((folder.inputs / "t1.nii").stat().st_mode) == 0o444
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.outputs.stat().st_mode) == 0o700


def test_a_link_is_followed_since_operators_arrange_scans_with_them(
    folder: RunFolder, tmp_path: Path
) -> None:
    (tmp_path / "scan.nii").write_bytes(b"voxels")
    (tmp_path / "link.nii").symlink_to(tmp_path / "scan.nii")
    stage_inputs(minimal_manifest(), {"t1": [tmp_path / "link.nii"]}, folder)
    assert not (folder.inputs / "t1.nii").is_symlink()


@pytest.mark.parametrize(
    ("kind", "said"),
    [("missing", "no such file"), ("folder", "not a regular file"), ("fifo", "not a regular")],
)
def test_what_is_no_file_is_refused_with_its_path_and_the_option(
    kind: str, said: str, folder: RunFolder, tmp_path: Path
) -> None:
    path = tmp_path / "scan.nii"
    if kind == "folder":
        path.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    with pytest.raises(InputFileError, match=said) as refused:
        stage_inputs(minimal_manifest(), {"t1": [path]}, folder)
    assert str(path) in refused.value.message
    assert refused.value.hint.startswith("--input t1=FILE")


def test_a_run_id_is_used_once(folder: RunFolder) -> None:
    with pytest.raises(FileExistsError):
        RunFolder.create(folder.path)


def test_the_request_is_written_where_the_container_reads_it(folder: RunFolder) -> None:
    request = Request(case_id="case-1", seed=1, threads=2, inputs={"t1": "t1.nii"}, parameters={}, weights={})
    write_request(request, folder)
    written = json.loads((folder.inputs / "request.json").read_text())
    assert (written["contract"], written["inputs"]) == ("assay.request/1", {"t1": "t1.nii"})


def test_a_removed_run_folder_leaves_nothing(folder: RunFolder) -> None:
    (folder.outputs / "left").write_bytes(b"x")
    folder.remove()
    assert list(folder.path.parent.iterdir()) == []
