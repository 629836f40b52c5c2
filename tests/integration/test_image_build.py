"""The real base image, from Debian's packages and hashed wheels, built twice from nothing and run."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.images.archive import read_archive, save_archive
from host.images.base_lock import read_base_lock
from host.images.build import BuiltImage, PluginSource, build_plugin_image

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "host/images/runtime-requirements.txt"
ADAPTER = """
from pathlib import Path
from plugin_spec import CaseResult, hookimpl

@hookimpl
def run_case(case, state):
    return CaseResult(outputs={"volumes": [{"n": len(Path(case.inputs["t1"]).read_bytes())}]})
"""
IMPORTS = "bz2, ctypes, decimal, hashlib, lzma, multiprocessing, sqlite3, ssl, uuid, zlib"

pytestmark = [pytest.mark.network, pytest.mark.slow]


def source(folder: Path, requirements: Path) -> PluginSource:
    adapter = folder / "adapter.py"
    adapter.write_text(ADAPTER)
    return PluginSource(
        base_lock=read_base_lock(),
        requirements=requirements,
        adapter_files={"adapter.py": adapter},
        entry="adapter",
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[BuiltImage, Path]:
    folder = tmp_path_factory.mktemp("image")
    image = build_plugin_image(source(folder, REQUIREMENTS), cache=folder / "cache")
    save_archive(image, folder / "image.tar")
    return image, folder


def test_empty_caches_another_folder_umask_and_time_zone_give_the_same_image(built, tmp_path):
    script = (
        "import os, pathlib, sys; os.umask(0o077)\n"
        "from tests.integration.test_image_build import source\n"
        "from host.images.build import build_plugin_image\n"
        "folder = pathlib.Path(sys.argv[1]); folder.mkdir(parents=True)\n"
        "image = build_plugin_image(source(folder, pathlib.Path(sys.argv[2])), cache=folder / 'cache')\n"
        "print(image.image_id, image.sbom_bytes.decode())\n"
    )
    environment = {
        **os.environ,
        "TZ": "Asia/Tokyo",
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "7",
        "LANG": "C",
    }
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "another folder/deeper"), str(REQUIREMENTS)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    identity, sbom = done.stdout.strip().split(" ", 1)
    assert identity == built[0].image_id
    assert sbom.encode() == built[0].sbom_bytes


def test_a_second_build_takes_every_layer_from_the_cache_without_a_network(built, monkeypatch):
    image, folder = built
    monkeypatch.setenv("PATH", "/nonexistent")
    assert build_plugin_image(source(folder, REQUIREMENTS), cache=folder / "cache") == image


def test_another_adapter_shares_all_other_layers_and_is_another_image(built, tmp_path):
    image, folder = built
    changed = source(tmp_path, REQUIREMENTS)
    changed.adapter_files["adapter.py"].write_text(ADAPTER + "# changed\n")
    other = build_plugin_image(changed, cache=folder / "cache")
    assert other.layers[:-1] == image.layers[:-1]
    assert other.image_id != image.image_id


def test_the_archive_verifies_and_the_bill_of_materials_is_complete(built):
    image, folder = built
    assert read_archive(folder / "image.tar").image_id == image.image_id
    listed = {package["name"] for package in json.loads(image.sbom_bytes)["packages"]}
    assert listed == {"plugin image", "pluggy", *(package.package for package in read_base_lock().packages)}


@pytest.fixture(scope="module")
def loaded(built) -> Iterator[str]:
    image, folder = built
    if subprocess.run(["docker", "version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no Docker engine answers")
    subprocess.run(["docker", "load", "-q", "-i", str(folder / "image.tar")], check=True, capture_output=True)
    yield image.image_id
    subprocess.run(["docker", "rmi", "-f", image.image_id], check=False, capture_output=True)


def run(image: str, *command: str, mounts: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    closed = ["--network", "none", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/scratch:mode=1777"]
    line = ["docker", "run", "--rm", *closed, *mounts, image, *command]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.docker
def test_the_engine_computes_the_same_identity(loaded):
    done = subprocess.run(
        ["docker", "image", "inspect", "-f", "{{.Id}}", loaded], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == loaded


@pytest.mark.docker
def test_python_runs_as_nobody_with_its_libraries_and_with_bytecode(loaded):
    done = run(
        loaded, "python3", "-c", f"import {IMPORTS}, os, pluggy; print(os.getuid(), pluggy.__cached__)"
    )
    assert done.stdout.split() == ["65534", "/opt/assay/pluggy/__pycache__/__init__.cpython-311.pyc"], (
        done.stderr
    )


@pytest.mark.docker
def test_a_shell_is_there_for_tools_that_are_not_python(loaded):
    assert run(loaded, "sh", "-c", "echo $HOME").stdout == "/scratch\n"


@pytest.mark.docker
def test_the_adapter_answers_through_the_file_protocol(loaded, tmp_path):
    inputs, outputs = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    outputs.mkdir()
    outputs.chmod(0o777)
    (inputs / "t1.nii").write_bytes(b"12345")
    request = {
        "contract": "assay.request/1",
        "case_id": "one",
        "seed": 0,
        "threads": 1,
        "inputs": {"t1": "t1.nii"},
        "parameters": {},
        "weights": {},
    }
    (inputs / "request.json").write_text(json.dumps(request))
    done = run(loaded, mounts=("-v", f"{inputs}:/assay/in:ro", "-v", f"{outputs}:/assay/out"))
    assert done.returncode == 0, done.stderr
    result = json.loads((outputs / "result.json").read_text())
    assert result["outcome"] == "ok"
