"""Grand Challenge, BIDS-Apps and MONAI packages: drafts with the adapter or command that their containers need."""

import json
import runpy
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from host.descriptors.bids_app import draft_bids_app
from host.descriptors.boutiques_model import Descriptor
from host.descriptors.draft import write_draft
from host.descriptors.grand_challenge import draft_grand_challenge, read_algorithm, socket_of
from host.descriptors.monai_map import draft_map, mebibytes, read_package
from host.errors import DescriptorError

APP: dict[str, Any] = {
    "name": "app",
    "tool-version": "1.2.3",
    "command-line": "mkdir -p OUT; /run.py BIDS OUT LEVEL",
    "container-image": {"type": "docker", "image": "example/app:1"},
    "inputs": [
        {"id": "bids_dir", "name": "Dataset", "type": "File", "value-key": "BIDS"},
        {"id": "analysis_level", "name": "Level", "type": "String", "value-key": "LEVEL"},
        {"id": "atlas", "name": "Atlas", "type": "String", "optional": True, "command-line-flag": "--atlas"},
    ],
}


def written(folder: Path, name: str, document: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(document))
    return path


# ---- Grand Challenge


def test_sockets_of_inputs_json_become_ports_of_their_kinds(tmp_path: Path) -> None:
    listed = [
        {"socket": {"slug": "t1-brain-mri", "relative_path": "images/t1-brain-mri", "super_kind": "Image"}},
        {"interface": {"slug": "clinical-data", "relative_path": "clinical-data.json", "kind": "Anything"}},
    ]
    outputs = tuple(
        map(socket_of, ["lesion-mask:Segmentation", "lesion-volume:Float", "call:Bool", "page:PDF file"])
    )
    made = draft_grand_challenge(read_algorithm(written(tmp_path, "inputs.json", listed), outputs), image="")
    assert [(port["name"], port["kind"]) for port in made.document["inputs"]] == [
        ("t1_brain_mri", "volume"),
        ("clinical_data", "file"),
    ]
    assert [(port["name"], port["kind"]) for port in made.document["outputs"]] == [
        ("lesion_mask", "label_map"),
        ("lesion_volume", "score"),
        ("call", "classification"),
        ("page", "report"),
    ]
    assert any(one.field == "Dockerfile" for one in made.questions)


@pytest.mark.parametrize("shape", ["older", "newer"])
def test_both_shapes_of_an_algorithms_context_are_read(tmp_path: Path, shape: str) -> None:
    sockets = {
        "inputs": [{"slug": "ct", "relative_path": "images/ct", "kind": "Image", "super_kind": "Image"}],
        "outputs": [
            {"slug": "mask", "relative_path": "images/mask", "kind": "Segmentation", "super_kind": "Image"}
        ],
    }
    algorithm = {"title": "An algorithm", "slug": "an-algorithm", "url": "x"}
    algorithm |= sockets if shape == "older" else {"algorithm_interfaces": [sockets]}
    path = written(tmp_path, "context.json", {"algorithm": algorithm})
    made = draft_grand_challenge(read_algorithm(path, ()), image=f"gc/algorithm@sha256:{'0' * 64}")
    assert (made.document["id"], made.document["outputs"][0]["kind"]) == ("an-algorithm", "label_map")
    assert made.files["Dockerfile"].startswith("FROM gc/algorithm@sha256:0")
    assert not any(one.field == "Dockerfile" for one in made.questions)
    compile(made.files["adapter.py"], "adapter.py", "exec")


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "images/../../x"])
def test_a_socket_that_leaves_its_folder_is_refused(tmp_path: Path, path: str) -> None:
    listed = [{"socket": {"slug": "t1", "relative_path": path}}]
    with pytest.raises(DescriptorError, match="relative_path"):
        read_algorithm(written(tmp_path, "inputs.json", listed), ())


def test_a_slug_that_is_none_is_refused() -> None:
    with pytest.raises(DescriptorError, match="--output-socket"):
        socket_of('x"; import os; "')


# ---- BIDS-Apps


def test_a_bids_app_gets_a_port_per_image_and_an_adapter_with_its_entry_point(tmp_path: Path) -> None:
    made = draft_bids_app(Descriptor.model_validate_json(json.dumps(APP)), ("T1w", "FLAIR"))
    assert [port["name"] for port in made.document["inputs"]] == ["t1w", "flair"]
    assert any("--atlas" in note for note in made.notes)
    folder = tmp_path / "plugin"
    write_draft(made, folder)
    assert tomllib.loads((folder / "plugin.toml").read_text())["image"]["name"] == "example/app:1"
    assert 'ENTRY = "/run.py"' in (folder / "adapter.py").read_text()


def test_the_drafted_adapter_lays_out_a_dataset_and_calls_the_app_on_it(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.write_text(
        f"#!{sys.executable}\nimport sys, pathlib\npathlib.Path(sys.argv[2], 'seen').write_text(str(sys.argv[1:]))\n"
    )
    app.chmod(0o755)
    described = {**APP, "command-line": f"{app} BIDS OUT LEVEL"}
    made = draft_bids_app(Descriptor.model_validate_json(json.dumps(described)), ("T1w",))
    adapter = tmp_path / "adapter.py"
    adapter.write_text(made.files["adapter.py"])
    image = tmp_path / "t1w.nii.gz"
    image.write_bytes(b"an image")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    case = SimpleNamespace(inputs={"t1w": image}, scratch_folder=scratch)
    module = runpy.run_path(str(adapter))
    with pytest.raises(NotImplementedError, match="seen"):
        module["run_case"](case, None)
    assert (scratch / "bids" / "sub-01" / "anat" / "sub-01_T1w.nii.gz").read_bytes() == b"an image"
    assert json.loads((scratch / "bids" / "dataset_description.json").read_text())["DatasetType"] == "raw"
    assert "'participant', '--participant_label', '01'" in (scratch / "derivatives" / "seen").read_text()


def test_a_descriptor_that_takes_no_dataset_is_no_bids_app() -> None:
    other = {**APP, "inputs": [{"id": "image", "name": "Image", "type": "File"}]}
    with pytest.raises(DescriptorError, match="takes no BIDS dataset"):
        draft_bids_app(Descriptor.model_validate_json(json.dumps(other)), ("T1w",))


def test_an_unknown_suffix_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DescriptorError, match="T1W") as caught:
        draft_bids_app(Descriptor.model_validate_json(json.dumps(APP)), ("T1W",))
    assert "T1w" in caught.value.hint


# ---- MONAI Application Packages


def package(folder: Path, application: dict[str, Any], resources: dict[str, Any]) -> Path:
    written(folder, "app.json", application)
    written(folder, "pkg.json", {"resources": resources, "models": {"net": "/opt/models/net"}})
    return folder


def test_a_package_keeps_its_command_resources_and_finds_its_folders_by_variables(tmp_path: Path) -> None:
    application = {
        "command": '["python3", "/opt/holoscan/app"]',
        "environment": {"HOLOSCAN_INPUT_PATH": "input/", "HOLOSCAN_WORKDIR": "/var/holoscan"},
        "timeout": 90,
        "version": "1.0.0",
    }
    folder = package(tmp_path, application, {"cpu": 2, "gpu": 1, "memory": "1Gi", "gpuMemory": "6Gi"})
    made = draft_map(*read_package(folder), name="Spleen", image="")
    runtime = made.document["runtime"]
    assert runtime["command"]["argv"] == ["python3", "/opt/holoscan/app"]
    assert runtime["environment"]["HOLOSCAN_INPUT_PATH"] == "/assay/in/series"
    assert runtime["environment"]["HOLOSCAN_OUTPUT_PATH"] == "/assay/out"
    assert made.document["resources"] == {
        "cpus": 2.0,
        "memory_mib": 1024,
        "case_timeout_s": 90,
        "gpu": {"count": 1, "cpu_fallback": "no", "vram_mib": 6144},
    }
    assert any("model net" in note for note in made.notes)


def test_the_older_spelling_of_a_package_is_read_too(tmp_path: Path) -> None:
    application = {"command": "python3 -u /opt/monai/app/app.py", "environment": {"MONAI_INPUTPATH": "input"}}
    made = draft_map(
        *read_package(package(tmp_path, application, {"cpu": 1, "gpu-memory": "2Gi", "gpu": 1})),
        name="x",
        image="a/b:1",
    )
    assert made.document["runtime"]["command"]["argv"][:2] == ["python3", "-u"]
    assert made.document["runtime"]["environment"]["MONAI_INPUTPATH"] == "/assay/in/series"
    assert made.document["resources"]["gpu"]["vram_mib"] == 2048
    assert made.document["image"] == {"source": "engine", "name": "a/b:1"}


def test_a_size_that_is_none_is_refused_by_file_and_field(tmp_path: Path) -> None:
    folder = package(tmp_path, {"command": "run"}, {"memory": "lots"})
    with pytest.raises(DescriptorError, match=r"pkg\.json: resources\.memory: 'lots' is no size"):
        read_package(folder)


@pytest.mark.parametrize(("size", "mib"), [("1Gi", 1024), ("512Mi", 512), ("1048576", 1), ("1.5G", 1536)])
def test_sizes_are_read_in_their_units(size: str, mib: int) -> None:
    assert mebibytes(size) == mib
