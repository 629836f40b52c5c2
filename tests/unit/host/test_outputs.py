"""Outputs: a sound folder is taken over with its digests, and every way of cheating is refused by name."""

import dataclasses
import errno
import hashlib
import json
import os
import socket

import numpy as np
import pytest

from host.cases.geometry import Grid
from host.engines.interface import Limits
from host.errors import (
    OutputGridError,
    OutputLabelsError,
    OutputMalformedError,
    OutputMissingError,
    OutputNotAFileError,
    OutputRangeError,
    OutputUndeclaredError,
)
from host.outputs import collect_outputs, read_result
from plugin_spec.case import Result
from plugin_spec.errors import ContractError
from tests.support.manifests import minimal_manifest
from tests.support.nifti_files import nifti_bytes, write_bytes, write_nifti

SHAPE = (4, 5, 6)
GRID = Grid(SHAPE, ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0)))
LIMITS = Limits(
    cpus=1.0,
    memory_bytes=1,
    shm_bytes=0,
    scratch_bytes=1,
    pids=1,
    output_bytes=10_000_000,
    output_files=20,
    log_bytes=1,
    timeout_s=1.0,
)
NAN, INF = float("nan"), float("inf")


def label(value, name, **fields):
    return {
        "value": value,
        "name": name,
        "concept": {"value": "1", "scheme": "99T", "meaning": name},
        **fields,
    }


def column(name):
    return {"name": name, "summary": "A.", "unit": "mL", "minimum": 0.0, "maximum": 100.0, "decimals": 1}


def manifest(rows_per="case"):
    return minimal_manifest(
        outputs=[
            {
                "kind": "label_map",
                "name": "tissue",
                "summary": "Labels.",
                "labels": [label(1, "grey"), label(2, "white"), label(3, "lesion", may_be_absent=True)],
                "grid_of": "t1",
            },
            {
                "kind": "volume",
                "name": "map",
                "summary": "Probability.",
                "modality": "MR",
                "unit": "{probability}",
                "value_min": 0.0,
                "value_max": 1.0,
            },
            {
                "kind": "measurements",
                "name": "volumes",
                "summary": "Numbers.",
                "rows_per": rows_per,
                "columns": [column("gm_ml"), column("wm_ml")],
            },
        ],
        tests=[
            {"name": "answers", "inputs": {"t1": "a.nii"}, "expect": "ok"},
            {"name": "refuses", "inputs": {"t1": "b.nii"}, "expect": "refused", "reason_code": "empty"},
        ],
    )


def labels():
    data = np.zeros(SHAPE, np.uint8)
    data[0], data[1] = 1, 2
    return data


def probabilities():
    return np.linspace(0.0, 1.0, 120, dtype=np.float32).reshape(SHAPE)


def write_rows(path, *rows):
    path.write_text(json.dumps({"contract": "assay.measurements/1", "rows": rows}))


PATHS = {"tissue": "tissue.nii.gz", "map": "maps/p.nii", "volumes": "volumes.json"}


def write_result(folder, paths=PATHS, outcome="ok"):
    outputs = [{"port": port, "path": path} for port, path in paths.items()]
    document = {"contract": "assay.result/1", "outcome": outcome, "outputs": outputs}
    (folder / "result.json").write_text(json.dumps(document))


@pytest.fixture
def folder(tmp_path):
    """An output folder in which everything is right."""
    folder = tmp_path / "out"
    (folder / "maps").mkdir(parents=True)
    write_nifti(folder / "tissue.nii.gz", labels())
    write_nifti(folder / "maps" / "p.nii", probabilities())
    write_rows(folder / "volumes.json", {"gm_ml": 10, "wm_ml": 20.5})
    write_result(folder)
    return folder


def collect(folder, rows_per="case", limits=LIMITS):
    return collect_outputs(
        manifest(rows_per), read_result(folder), folder, grids={"t1": GRID}, files={"t1": 1}, limits=limits
    )


def test_sound_outputs_are_taken_over_in_the_order_of_the_manifest(folder):
    tissue, probability, volumes = collect(folder)
    assert [one.port for one in (tissue, probability, volumes)] == ["tissue", "map", "volumes"]
    for one in (tissue, probability, volumes):
        content = one.path.read_bytes()
        assert one.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert one.bytes == len(content)
    assert tissue.grid == GRID
    assert (tissue.rows, volumes.grid) == (None, None)
    assert volumes.rows == ({"gm_ml": 10.0, "wm_ml": 20.5},)


def test_what_a_refused_run_left_is_not_looked_at(folder):
    (folder / "stray.txt").write_text("x")
    write_result(folder, {}, outcome="refused")
    assert collect(folder) == ()


def test_no_descriptor_stays_open(folder):
    (folder / "z.txt").write_text("x")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(OutputUndeclaredError):
            collect(folder)
    (folder / "z.txt").unlink()
    for _ in range(3):
        collect(folder)
    assert len(os.listdir("/proc/self/fd")) == before


# ---- the folder --------------------------------------------------------------------------------------------


def replace(path, make):
    path.unlink()
    make(path)


def make_device(path):
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero
    except OSError as fault:
        if fault.errno != errno.EPERM:
            raise
        pytest.skip("this machine does not let the tests make a device")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(path.parent)  # the address of a socket may have 108 bytes only
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


def make_hard_link(path):
    source = path.parent.parent / "elsewhere.nii.gz"
    write_nifti(source, labels())
    os.link(source, path)


def make_symbolic_link(path):
    source = path.parent.parent / "elsewhere.nii.gz"
    write_nifti(source, labels())
    path.symlink_to(source)


def make_set_id_file(path):
    write_nifti(path, labels())
    path.chmod(0o4755)


NOT_FILES = {
    "symbolic link": make_symbolic_link,
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "hard link": make_hard_link,
    "FIFO": os.mkfifo,
    "socket": make_socket,
    "device": make_device,
    "set-id file": make_set_id_file,
}


@pytest.mark.parametrize("kind", NOT_FILES)
def test_a_listed_output_that_is_no_plain_file_is_refused(folder, kind):
    replace(folder / "tissue.nii.gz", NOT_FILES[kind])
    with pytest.raises(OutputNotAFileError, match="port tissue"):
        collect(folder)


@pytest.mark.parametrize("kind", NOT_FILES)
def test_a_result_json_that_is_no_plain_file_is_refused(folder, kind):
    replace(folder / "result.json", NOT_FILES[kind])
    with pytest.raises(OutputNotAFileError, match="result.json"):
        read_result(folder)


@pytest.mark.parametrize("kind", NOT_FILES)
@pytest.mark.parametrize("place", ["stray", "maps/stray", ".hidden"])
def test_an_entry_that_is_not_listed_is_refused(folder, kind, place):
    NOT_FILES[kind](folder / f"{place}.nii.gz")
    with pytest.raises(OutputUndeclaredError, match="stray|hidden"):
        collect(folder)


def test_an_unexpected_folder_is_refused(folder):
    (folder / "cache").mkdir()
    with pytest.raises(OutputUndeclaredError, match=r"'cache', a folder"):
        collect(folder)


def test_a_linked_folder_is_refused(folder):
    (folder / "maps").rename(folder.parent / "maps")
    (folder / "maps").symlink_to(folder.parent / "maps")
    with pytest.raises(OutputUndeclaredError, match="symbolic link"):
        collect(folder)


def test_a_folder_in_place_of_a_file_is_refused(folder):
    replace(folder / "tissue.nii.gz", os.mkdir)
    with pytest.raises(OutputUndeclaredError, match="a folder"):
        collect(folder)


@pytest.mark.parametrize("limits", [{"output_bytes": 100}, {"output_files": 3}])
def test_too_much_output_is_refused(folder, limits):
    with pytest.raises(OutputUndeclaredError, match="limit"):
        collect(folder, limits=dataclasses.replace(LIMITS, **limits))


def test_a_missing_result_is_named(folder):
    (folder / "result.json").unlink()
    with pytest.raises(OutputMissingError, match="result.json"):
        read_result(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 10**6, b" " * (1024 * 1024 + 1)])
def test_a_malformed_result_is_refused(folder, content):
    (folder / "result.json").write_bytes(content)
    with pytest.raises(ContractError, match="result.json"):
        read_result(folder)


# ---- the list ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", PATHS)
def test_a_declared_output_must_be_listed(folder, port):
    (folder / PATHS[port]).unlink()
    write_result(folder, {name: path for name, path in PATHS.items() if name != port})
    with pytest.raises(OutputMissingError, match=f"port {port}"):
        collect(folder)


@pytest.mark.parametrize("port", PATHS)
def test_a_listed_output_must_be_there(folder, port):
    (folder / PATHS[port]).unlink()
    with pytest.raises(OutputMissingError, match=f"port {port}"):
        collect(folder)


def test_a_port_that_is_not_declared_is_refused(folder):
    (folder / "extra.json").write_text("{}")
    write_result(folder, {**PATHS, "extra": "extra.json"})
    with pytest.raises(OutputUndeclaredError, match="extra"):
        collect(folder)


@pytest.mark.parametrize("path", ["tissue.nii.gz", "result.json", "a//b.nii", "a/./b.nii", "maps/"])
def test_one_file_cannot_serve_two_ports_nor_hide_behind_another_spelling(folder, path):
    write_result(folder, {**PATHS, "map": path})
    with pytest.raises(OutputMalformedError, match="port map"):
        collect(folder)


@pytest.mark.parametrize(
    "path", ["../elsewhere.nii", "/etc/passwd", "maps/../../elsewhere.nii", "~/x.nii", ""]
)
def test_a_path_that_leads_outside_is_refused(folder, path):
    write_result(folder, {**PATHS, "map": path})
    with pytest.raises(ContractError, match="outputs"):
        read_result(folder)


def test_a_port_listed_twice_is_refused(folder):
    result = read_result(folder)
    doubled = Result(outcome="ok", outputs=(*result.outputs, result.outputs[0]))
    with pytest.raises(OutputMalformedError, match="port tissue"):
        collect_outputs(manifest(), doubled, folder, grids={"t1": GRID}, files={"t1": 1}, limits=LIMITS)


def test_two_files_that_would_be_copied_out_under_one_name_are_refused(folder):
    result = read_result(folder)
    first, second = result.outputs[0], result.outputs[1]
    clashing = second.model_copy(update={"path": f"elsewhere/{first.path.rpartition('/')[2]}"})
    doubled = Result(outcome="ok", outputs=(first, clashing, *result.outputs[2:]))
    with pytest.raises(OutputMalformedError, match="twice"):
        collect_outputs(manifest(), doubled, folder, grids={"t1": GRID}, files={"t1": 1}, limits=LIMITS)


# ---- the images --------------------------------------------------------------------------------------------


def test_an_unknown_label_is_refused(folder):
    data = labels()
    data[3, 3, 3] = 9
    write_nifti(folder / "tissue.nii.gz", data)
    with pytest.raises(OutputLabelsError, match="port tissue: holds the values 9"):
        collect(folder)


def test_an_absent_label_is_refused_unless_it_may_be_absent(folder):
    data = labels()
    data[data == 2] = 0
    write_nifti(folder / "tissue.nii.gz", data)
    with pytest.raises(OutputLabelsError, match="port tissue: no voxel is white"):
        collect(folder)


@pytest.mark.parametrize(
    "affine",
    [np.diag([1.0, 1.0, 1.1, 1.0]), np.diag([-1.0, 1.0, 1.0, 1.0]), np.array([*np.eye(4)[:3], [0, 0, 0, 1]])],
    ids=["stretched", "flipped", "shifted"],
)
def test_another_grid_than_that_of_the_input_is_refused(folder, affine, request):
    if "shifted" in request.node.name:
        affine[0, 3] = 0.02
    write_nifti(folder / "tissue.nii.gz", labels(), affine)
    with pytest.raises(OutputGridError, match="port tissue"):
        collect(folder)


def test_another_shape_than_that_of_the_input_is_refused(folder):
    write_nifti(folder / "tissue.nii.gz", labels()[:-1])
    with pytest.raises(OutputGridError, match=r"\(3, 5, 6\), but t1 has \(4, 5, 6\)"):
        collect(folder)


@pytest.mark.parametrize("value", [-0.001, 1.001, NAN, INF, -INF])
def test_a_value_outside_the_declared_range_is_refused(folder, value):
    data = probabilities()
    data[2, 2, 2] = value
    write_nifti(folder / "maps" / "p.nii", data)
    with pytest.raises(OutputRangeError, match="port map"):
        collect(folder)


@pytest.mark.parametrize(
    "content", [b"", b"no image", nifti_bytes(labels())[:-1], nifti_bytes(labels()) + b"x"]
)
def test_an_image_that_cannot_be_read_whole_is_refused(folder, content):
    write_bytes(folder / "tissue.nii.gz", content)
    with pytest.raises(OutputMalformedError, match="port tissue"):
        collect(folder)


def test_a_label_map_of_fractions_is_refused(folder):
    write_nifti(folder / "tissue.nii.gz", probabilities())
    with pytest.raises(OutputMalformedError, match="whole numbers"):
        collect(folder)


# ---- the rows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-0.1, 100.1])
def test_a_number_outside_its_declared_range_is_refused(folder, value):
    write_rows(folder / "volumes.json", {"gm_ml": value, "wm_ml": 1})
    with pytest.raises(OutputRangeError, match="port volumes: row 1, gm_ml is .* mL; 0 to 100 is declared"):
        collect(folder)


MALFORMED_ROWS = {
    "NaN": '[{"gm_ml": NaN, "wm_ml": 1}]',
    "infinity": '[{"gm_ml": 1e999, "wm_ml": 1}]',
    "text": '[{"gm_ml": "12", "wm_ml": 1}]',
    "true": '[{"gm_ml": true, "wm_ml": 1}]',
    "null": '[{"gm_ml": null, "wm_ml": 1}]',
    "a missing column": '[{"gm_ml": 1}]',
    "a further column": '[{"gm_ml": 1, "wm_ml": 1, "csf_ml": 1}]',
    "no row": "[]",
    "two rows": '[{"gm_ml": 1, "wm_ml": 1}, {"gm_ml": 1, "wm_ml": 1}]',
    "no list": "{}",
    "broken JSON": "[",
}


@pytest.mark.parametrize("fault", MALFORMED_ROWS)
def test_rows_that_do_not_fit_the_columns_are_refused(folder, fault):
    text = f'{{"contract": "assay.measurements/1", "rows": {MALFORMED_ROWS[fault]}}}'
    (folder / "volumes.json").write_text(text)
    with pytest.raises(OutputMalformedError, match="port volumes"):
        collect(folder)


def test_rows_per_label_say_which_label_they_are_about(folder):
    rows = [{"label": name, "gm_ml": 1.0, "wm_ml": 2.0} for name in ("grey", "white")]
    write_rows(folder / "volumes.json", *rows)
    assert collect(folder, "label")[-1].rows == tuple(rows)


def test_rows_for_unknown_or_repeated_labels_are_refused(folder):
    row = {"label": "grey", "gm_ml": 1.0, "wm_ml": 2.0}
    write_rows(folder / "volumes.json", row, row)
    with pytest.raises(OutputMalformedError, match="two rows"):
        collect(folder, "label")
    write_rows(folder / "volumes.json", {**row, "label": "bone"})
    with pytest.raises(OutputLabelsError, match="bone"):
        collect(folder, "label")


def test_a_case_without_lesions_has_no_lesion_rows(folder):
    write_rows(folder / "volumes.json")
    assert collect(folder, "lesion")[-1].rows == ()
