"""The files a manifest names: each way in which one of them is not what it should be."""

import gzip
import hashlib
import io
import struct
import tarfile
from pathlib import Path
from typing import Any

import pytest

from host.check.plugin import inspect_plugin
from tests.support.clean_plugin import SCAN, CleanPlugin
from tests.support.manifests import manifest_document
from tests.support.rule_examples import LABELS, SERIES

PIN = f"numpy==2.0.0 --hash=sha256:{'a' * 64}\n".encode()


def told(folder: Path, plugin: CleanPlugin) -> list[tuple[str, str, str]]:
    checked = inspect_plugin(plugin.write(folder))
    return [(one.rule, one.path, one.message) for one in checked.faults]


@pytest.fixture
def plugin() -> CleanPlugin:
    return CleanPlugin()


def changed(scan: bytes, offset: int, code: str, *values: object) -> bytes:
    content = bytearray(scan)
    struct.pack_into(code, content, offset, *values)
    return bytes(content)


# ---- images of the tests --------------------------------------------------------------------------------------------

FLOATS = changed(SCAN, 70, "<2h", 16, 32) + bytes(len(SCAN))
BROKEN = {
    "empty": (b"", "not a NIfTI-1 file"),
    "a text": (b"x" * 400, "not a NIfTI-1 file"),
    "NIfTI-2": (changed(SCAN, 0, "<i", 540), "not a NIfTI-1 file"),
    "header and voxels apart": (
        changed(SCAN, 344, "4s", b"ni1\0"),
        "a header whose voxels stand in another file; write one .nii or .nii.gz",
    ),
    "an axis of nothing": (
        changed(SCAN, 40, "<8h", 3, 6, 0, 4, 1, 1, 1, 1),
        "an image without voxels (axes [6, 0, 4])",
    ),
    "a plane": (changed(SCAN, 40, "<8h", 2, 6, 5, 1, 1, 1, 1, 1), "an image without voxels (axes [6, 5])"),
    "cut off": (SCAN[:-2], "cut off: the header names more voxels than the file holds"),
    "damaged gzip": (gzip.compress(SCAN)[:40] + b"\0" * 40, "a damaged gzip file"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_image_that_cannot_be_read_says_why(case: str, plugin: CleanPlugin, tmp_path: Path) -> None:
    data, said = BROKEN[case]
    plugin.files["tests/ramp.nii"] = data
    assert told(tmp_path, plugin) == [("C505", "tests.0.inputs.t1", f"tests/ramp.nii: {said}")]


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(SCAN),
        changed(SCAN, 40, "<8h", 5, 6, 5, 4, 1, 1, 1, 1),  # axes of one after the third
        struct.pack(">i", 348) + SCAN[4:40] + struct.pack(">8h", 3, 6, 5, 4, 1, 1, 1, 1) + SCAN[56:70]
        + struct.pack(">2h", 4, 16) + SCAN[74:],
    ],
    ids=["gzip", "axes of one", "big-endian"],
)  # fmt: skip
def test_every_way_of_writing_an_image_is_read(data: bytes, plugin: CleanPlugin, tmp_path: Path) -> None:
    plugin.files["tests/ramp.nii"] = data
    assert told(tmp_path, plugin) == []


def test_a_series_over_time_is_no_volume_unless_it_must_be_refused(
    plugin: CleanPlugin, tmp_path: Path
) -> None:
    over_time = changed(SCAN, 40, "<8h", 4, 6, 5, 2, 2, 1, 1, 1)
    plugin.files["tests/ramp.nii"] = plugin.files["tests/empty.nii"] = over_time
    said = "tests/ramp.nii: has 4 axes, the port takes 3"
    assert told(tmp_path, plugin) == [("C505", "tests.0.inputs.t1", said)]


def test_labels_are_whole_numbers(plugin: CleanPlugin, tmp_path: Path) -> None:
    plugin.document["inputs"].append({**LABELS, "at_least": 0})
    plugin.document["tests"][0]["inputs"]["mask"] = "tests/mask.nii"
    plugin.files["tests/mask.nii"] = FLOATS
    said = "tests/mask.nii: voxels are not whole numbers, as labels are"
    assert told(tmp_path, plugin) == [("C505", "tests.0.inputs.mask", said)]


# ---- other inputs ---------------------------------------------------------------------------------------------------

INSTANCE = bytes(128) + b"DICM"


def with_input(plugin: CleanPlugin, port: dict[str, Any], named: str) -> CleanPlugin:
    plugin.document["inputs"].append({**port, "at_least": 0})
    plugin.document["tests"][0]["inputs"][port["name"]] = named
    if port["kind"] == "dicom_series":
        plugin.document["domain"].append({**plugin.document["domain"][0], "port": port["name"]})
    return plugin


def test_a_dicom_series_is_a_folder_of_instances(plugin: CleanPlugin, tmp_path: Path) -> None:
    with_input(plugin, {**SERIES, "instances_min": 2}, "tests/series")
    plugin.files |= {"tests/series/1.dcm": INSTANCE, "tests/series/2.dcm": INSTANCE}
    assert told(tmp_path / "good", plugin) == []
    plugin.files["tests/series/2.dcm"] = b"no instance"
    assert told(tmp_path / "bad", plugin)[0][2] == "tests/series: 1 of 2 files are not DICOM part 10"
    del plugin.files["tests/series/2.dcm"]
    assert told(tmp_path / "few", plugin)[0][2] == "tests/series: 1 instances, the port takes 2 to 10000"


def test_a_file_where_a_folder_should_be_and_the_other_way_round(plugin: CleanPlugin, tmp_path: Path) -> None:
    with_input(plugin, SERIES, "tests/ramp.nii")
    plugin.document["tests"][1]["inputs"]["t1"] = "tests"
    assert [(rule, said) for rule, _, said in told(tmp_path, plugin)] == [
        ("C504", "tests/ramp.nii: port series takes a folder of instances"),
        ("C504", "tests: port t1 takes a file"),
    ]


def test_a_pipe_is_no_file_and_is_not_waited_for(plugin: CleanPlugin, tmp_path: Path) -> None:
    import os

    plugin.write(tmp_path)
    for name in ("tests/ramp.nii", "adapter.py"):
        (tmp_path / name).unlink()
        os.mkfifo(tmp_path / name)
    found = {one.rule: one.message for one in inspect_plugin(tmp_path).faults}
    assert found == {
        "C501": "names adapter.py, which is no text of at most 1 MiB",
        "C504": "tests/ramp.nii: port t1 takes a file",
    }


def test_numbers_are_given_as_their_document(plugin: CleanPlugin, tmp_path: Path) -> None:
    port = {**manifest_document()["outputs"][0], "name": "earlier"}
    with_input(plugin, port, "tests/earlier.json")
    plugin.files["tests/earlier.json"] = b'{"contract": "assay.measurements/1", "rows": [{"mean": 1.0}]}'
    assert told(tmp_path / "good", plugin) == []
    plugin.files["tests/earlier.json"] = b'{"rows": [{"mean": true}]}'
    ((rule, path, said),) = told(tmp_path / "bad", plugin)
    assert (rule, path) == ("C505", "tests.0.inputs.earlier")
    assert said.startswith("tests/earlier.json: port earlier: rows.0.mean")


def test_an_opaque_file_has_its_size(plugin: CleanPlugin, tmp_path: Path) -> None:
    port = {"kind": "file", "name": "licence", "summary": "x", "role": "licence", "bytes_max": 3}
    with_input(plugin, port, "tests/licence")
    plugin.files["tests/licence"] = b"1234"
    assert told(tmp_path, plugin)[0][2] == "tests/licence: 4 bytes, the port takes 3"


# ---- what the plugin is made of -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (PIN, None),
        (b"numpy==2.0.0\n", "requirements.txt: numpy has no hash, or one that is not sha256"),
        (b"-r other.txt\n", "requirements.txt: not a pinned requirement: -r other.txt"),
        (b"\xff", "names requirements.txt, which is no text of at most 1 MiB"),
    ],
)
def test_requirements_are_pinned_by_their_hashes(
    data: bytes, said: str | None, plugin: CleanPlugin, tmp_path: Path
) -> None:
    plugin.document["runtime"]["requirements"] = "requirements.txt"
    plugin.files["requirements.txt"] = data
    expected = [] if said is None else [("C503", "runtime.requirements", said)]
    assert told(tmp_path, plugin) == expected


def test_weights_in_the_folder_have_their_declared_size(plugin: CleanPlugin, tmp_path: Path) -> None:
    digest = "sha256:" + hashlib.sha256(b"net").hexdigest()
    weights = {"name": "net", "sha256": digest, "bytes": 3, "licence": "MIT", "uri": "local:net.bin"}
    plugin.document["weights"] = [weights]
    plugin.files["net.bin"] = b"net"
    assert told(tmp_path / "good", plugin) == []
    plugin.files["net.bin"] = b"nets"
    assert told(tmp_path / "large", plugin)[0][2] == "local:net.bin has 4 bytes, the manifest declares 3"
    weights["uri"] = "local:../secret"
    (tmp_path / "secret").write_bytes(b"net")
    assert told(tmp_path / "outside", plugin)[0][2] == "local:../secret: no such file inside the folder"


@pytest.mark.parametrize(
    "licence", ["MIT", "Apache-2.0 OR MIT", "LicenseRef-Ours", "GPL-2.0-only WITH Classpath-exception-2.0"]
)
def test_a_licence_of_the_list_is_known(licence: str, plugin: CleanPlugin, tmp_path: Path) -> None:
    plugin.document["attribution"]["licence"] = licence
    assert told(tmp_path, plugin) == []


@pytest.mark.parametrize("licence", ["GPL", "BSD", "MIT AND (", "free for research"])
def test_a_licence_that_says_nothing_exact_is_not(licence: str, plugin: CleanPlugin, tmp_path: Path) -> None:
    plugin.document["attribution"]["licence"] = licence
    assert told(tmp_path, plugin) == [("C509", "attribution.licence", f"{licence!r} is no SPDX licence")]


def test_an_archive_is_a_tar(plugin: CleanPlugin, tmp_path: Path) -> None:
    plugin.document["image"] = {"source": "archive", "path": "image.tar", "image": "sha256:" + "a" * 64}
    assert told(tmp_path / "none", plugin)[0][2] == "names image.tar, which is not there"
    plugin.files["image.tar"] = b"no tar"
    assert told(tmp_path / "text", plugin)[0][2] == "image.tar is no tar archive"
    stream = io.BytesIO()
    tarfile.open(fileobj=stream, mode="w").close()
    plugin.files["image.tar"] = stream.getvalue()
    assert told(tmp_path / "good", plugin) == []


def test_a_dockerfile_and_its_context_are_there(plugin: CleanPlugin, tmp_path: Path) -> None:
    plugin.document["image"] = {"source": "dockerfile", "file": "Dockerfile", "context": "docker"}
    plugin.files["Dockerfile"] = b"FROM scratch\n"
    assert told(tmp_path, plugin)[0][1:] == ("image.context", "names docker, which is no folder")


def test_a_lock_of_debian_packages_is_there(plugin: CleanPlugin, tmp_path: Path) -> None:
    plugin.document["image"] = {
        "source": "packages",
        "debian": ["dcm2niix"],
        "debian_lock": "debian.lock.json",
    }
    folder = plugin.write(tmp_path)
    (only,) = inspect_plugin(folder).faults
    assert (only.rule, only.message, only.fix) == (
        "C507",
        "names debian.lock.json, which is not there",
        f"assay plugin lock {folder}",
    )
