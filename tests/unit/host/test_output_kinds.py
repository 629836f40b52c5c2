"""Every kind of output through the one door: listed, optional, checked, and hashed as it was checked."""

import hashlib
import json

import pytest

from host.errors import OutputActiveContentError, OutputMissingError
from host.outputs import collect_outputs, read_result
from plugin_spec.errors import ContractError
from tests.support.manifests import minimal_manifest
from tests.support.nifti_files import nifti_bytes, ramp
from tests.support.output_ports import document, port_document
from tests.unit.host.test_outputs import GRID, LIMITS

PORTS = {
    "volume": {"ndim": 4, "grid_of": "t1"},
    "measurements": {},
    "classification": {},
    "detections": {"within": "t1"},
    "score": {},
    "transform": {"from_port": "t1", "to_port": "t1"},
    "report": {"at_least": 0},
}
FILES = {
    "volume": ("series.nii", nifti_bytes(ramp((4, 5, 6, 2)))),
    "measurements": ("numbers.csv", b"gm_ml,wm_ml\n1,2\n"),
    "classification": (
        "call.json",
        document(
            "classification",
            label="lesion",
            probabilities={"lesion": 0.8, "healthy": 0.2, "unsure": 0.0},
        ),
    ),
    "detections": (
        "found.json",
        document(
            "detections",
            frame="LPS",
            detections=[{"label": "lesion", "point": [-1.0, -2.0, 3.0], "score": 0.5}],
        ),
    ),
    "score": ("score.json", document("score", value=0.5, lower=0.4, upper=0.6)),
    "transform": (
        "moved.json",
        document(
            "transform",
            matrix=[[1.0, 0.0, 0.0, 5.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
        ),
    ),
    "report": ("page.html", b"<!doctype html><p>fine</p>"),
}


def manifest():
    outputs = [port_document(kind, **{**changes, "name": kind}) for kind, changes in PORTS.items()]
    tests = [
        {"name": "answers", "inputs": {"t1": "a.nii"}, "expect": "ok"},
        {"name": "refuses", "inputs": {"t1": "b.nii"}, "expect": "refused", "reason_code": "empty"},
    ]
    return minimal_manifest(outputs=outputs, tests=tests)


@pytest.fixture
def folder(tmp_path):
    """An output folder with a sound file of every kind."""
    for name, content in FILES.values():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def collect(folder, kinds=FILES):
    outputs = [{"port": kind, "path": FILES[kind][0]} for kind in kinds]
    result = {"contract": "assay.result/1", "outcome": "ok", "outputs": outputs}
    (folder / "result.json").write_text(json.dumps(result))
    return collect_outputs(
        manifest(), read_result(folder), folder, grids={"t1": GRID}, files={"t1": 1}, limits=LIMITS
    )


def test_every_kind_is_taken_over_with_the_digest_of_what_was_checked(folder):
    found = {one.port: one for one in collect(folder)}
    assert list(found) == list(PORTS)
    for kind, (name, content) in FILES.items():
        assert found[kind].digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert (found[kind].path.name, found[kind].bytes) == (name, len(content))
    assert found["measurements"].rows == ({"gm_ml": 1.0, "wm_ml": 2.0},)
    assert found["volume"].grid == GRID
    assert found["score"].document.value == 0.5
    assert found["report"].document is None


def test_an_optional_output_may_be_left_out_and_any_other_may_not(folder):
    (folder / "page.html").unlink()
    kinds = [kind for kind in FILES if kind != "report"]
    assert [one.port for one in collect(folder, kinds)] == kinds
    (folder / "score.json").unlink()
    with pytest.raises(OutputMissingError, match="port score"):
        collect(folder, [kind for kind in kinds if kind != "score"])


def test_an_optional_output_that_is_listed_is_there_and_sound(folder):
    (folder / "page.html").write_bytes(b"<!doctype html><script>1</script>")
    with pytest.raises(OutputActiveContentError, match="port report"):
        collect(folder)
    (folder / "page.html").unlink()
    with pytest.raises(OutputMissingError, match="port report"):
        collect(folder)


@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_file_of_any_kind_names_its_port(folder, kind):
    name, content = FILES[kind]
    (folder / name).write_bytes(content[: len(content) // 2].replace(b"<!doctype", b"<doctype"))
    with pytest.raises(ContractError, match=f"^port {kind}: "):
        collect(folder)
