"""The GPU probe without a GPU: its kernels interpreted, its calls into a stand-in libcuda, and what it says."""

import importlib.util
import json
import os
import shutil
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from plugin_spec import Refuse
from plugin_spec.case import Request, Result, parse_result, request_bytes
from plugin_spec.manifest import read_manifest
from tests.support.driver_libraries import build_drivers, require_no_driver
from tests.support.ptx import Kernel, single

PLUGIN = Path(__file__).parents[3] / "plugins" / "gpu-probe"
TARGETS = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"probe_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def probe() -> ModuleType:
    return loaded(PLUGIN / "adapter.py")


@pytest.fixture(scope="module")
def voxels(probe: ModuleType) -> Any:
    return probe.read_voxels((PLUGIN / "tests" / "ramp.nii").read_bytes())


def test_the_manifest_asks_for_one_gpu_and_declares_no_way_without() -> None:
    gpu = read_manifest(PLUGIN / "plugin.toml").resources.gpu
    assert gpu is not None
    assert (gpu.count, gpu.cpu_fallback) == (1, "no")


def test_the_script_makes_the_committed_images(tmp_path: Path) -> None:
    loaded(PLUGIN / "tests" / "make_images.py").main(tmp_path)
    for name in ("ramp.nii", "few.nii"):
        assert (tmp_path / name).read_bytes() == (PLUGIN / "tests" / name).read_bytes()


def test_the_expected_numbers_are_the_exact_ones_rounded_once(probe: ModuleType) -> None:
    every = tuple(range(-32768, 32768))
    for value, got in zip(every, probe.expected_numbers(every), strict=True):
        exact = Fraction(value) * Fraction(probe.FACTOR) + Fraction(probe.OFFSET)
        below, above = np.nextafter(np.float32(got), np.float32([-np.inf, np.inf]))
        error = abs(Fraction(float(got)) - exact)
        assert error <= abs(Fraction(float(below)) - exact)
        assert error <= abs(Fraction(float(above)) - exact)


def test_the_expected_words_are_those_of_an_independent_xorshift(probe: ModuleType, voxels: Any) -> None:
    words = np.array(probe.first_words(voxels), dtype=np.uint32)
    assert (words != 0).all()
    for _ in range(probe.ROUNDS):
        words ^= words << np.uint32(13)
        words ^= words >> np.uint32(17)
        words ^= words << np.uint32(5)
    assert words.tolist() == probe.expected_words(voxels)


def test_the_distance_of_two_numbers_counts_those_between_them(probe: ModuleType) -> None:
    one, tiny = np.float32(1), np.nextafter(np.float32(0), np.float32(1))
    assert probe.place(np.nextafter(one, np.float32(2))) - probe.place(one) == 1
    assert probe.place(tiny) - probe.place(-tiny) == 2
    assert probe.place(0.0) == probe.place(-0.0) == 0
    assert abs(probe.place(float("nan")) - probe.place(one)) > 2**20


@pytest.mark.parametrize("count", [1024, 1000])
def test_the_kernels_as_ptx_defines_them_give_the_expected_results(
    probe: ModuleType, voxels: Any, count: int
) -> None:
    some, ptx = voxels[:count], probe.PTX.decode()
    memory = bytearray(struct.pack(f"<{count}f", *some) + bytes(4 * count))
    arguments = [4 * count, 0, single(probe.FACTOR), single(probe.OFFSET), count]
    Kernel(ptx, "affine").launch(arguments, memory, blocks=-(-count // probe.BLOCK), threads=probe.BLOCK)
    assert struct.unpack_from(f"<{count}f", memory, 4 * count) == probe.expected_numbers(some)
    memory = bytearray(struct.pack(f"<{count}I", *probe.first_words(some)))
    Kernel(ptx, "scramble").launch(
        [0, probe.ROUNDS, count], memory, blocks=-(-count // probe.BLOCK), threads=probe.BLOCK
    )
    assert list(struct.unpack(f"<{count}I", memory)) == probe.expected_words(some)


@pytest.mark.parametrize("target", TARGETS)
def test_the_kernels_assemble_for_every_target_that_the_assembler_knows(
    probe: ModuleType, tmp_path: Path, target: str
) -> None:
    if shutil.which("ptxas") is None:
        pytest.skip("no ptxas: CUDA's assembler is not on this machine")
    (tmp_path / "probe.ptx").write_bytes(probe.PTX)
    command = ["ptxas", f"-arch={target}", str(tmp_path / "probe.ptx"), "-o", str(tmp_path / "probe.cubin")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if f"Value '{target}' is not defined" in done.stderr:
        pytest.skip(f"this ptxas does not know {target}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "reason"), [("few.nii", "too-few-voxels"), ("make_images.py", "not-int16")])
def test_an_image_it_cannot_compute_with_is_refused(probe: ModuleType, name: str, reason: str) -> None:
    with pytest.raises(Refuse) as caught:
        probe.read_voxels((PLUGIN / "tests" / name).read_bytes())
    assert caught.value.reason_code == reason


RUN = """
import sys
from pathlib import Path
from plugin_spec.runtime.__main__ import run
from plugin_spec.runtime.protocol import Folders
sys.exit(run("adapter", Folders(Path(sys.argv[1]))))
"""


def in_a_container(root: Path, image: str, libraries: Path | None, **variables: str) -> tuple[int, Result]:
    """The adapter under the contract's own runtime, in a process of its own that finds its libraries there."""
    (root / "assay" / "in").mkdir(parents=True)
    (root / "assay" / "out").mkdir()
    shutil.copyfile(PLUGIN / "tests" / image, root / "assay" / "in" / "image.nii")
    request = Request(
        case_id="probe",
        seed=0,
        threads=1,
        gpu=("GPU-1",),
        inputs={"image": "image.nii"},
        parameters={},
        weights={},
    )
    (root / "assay" / "in" / "request.json").write_bytes(request_bytes(request))
    environment = {**os.environ, "PYTHONPATH": str(PLUGIN), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    if libraries is not None:
        environment["LD_LIBRARY_PATH"] = str(libraries)
    done = subprocess.run([sys.executable, "-c", RUN, str(root)], env=environment, check=False, timeout=120)
    return done.returncode, parse_result((root / "assay" / "out" / "result.json").read_bytes())


def row(root: Path) -> dict[str, float]:
    document = json.loads((root / "assay" / "out" / "probe.json").read_text())
    found: dict[str, float] = document["rows"][0]
    return found


def test_a_device_that_computes_right_is_reported_so(tmp_path: Path) -> None:
    code, result = in_a_container(tmp_path / "wall", "ramp.nii", build_drivers(tmp_path, "cuda"))
    assert (code, result.outcome) == (0, "ok"), result.message
    assert row(tmp_path / "wall") == {
        "device_count": 1.0,
        "compute_capability": 8.6,
        "vram_mib": 8192.0,
        "elements": 4096.0,
        "max_error": 0.0,
        "mismatches": 0.0,
    }
    assert [(one.id, one.verdict) for one in result.qc] == [("computes-exactly", "pass")]
    assert result.environment == {"cuda-of-driver": "12.4", "device-0": f"Stand-in GPU {'aa' * 16}"}
    assert result.gpu is not None
    assert result.gpu[0].source == "cuda"


def test_a_device_that_computes_wrong_is_found_out(tmp_path: Path) -> None:
    libraries = build_drivers(tmp_path, "cuda")
    code, result = in_a_container(tmp_path / "wall", "ramp.nii", libraries, STAND_IN_FAULT="1")
    assert (code, result.outcome) == (0, "ok")
    found = row(tmp_path / "wall")
    assert (found["max_error"], found["mismatches"]) == (1.0, 1.0)
    assert result.qc[0].verdict == "fail"


def test_a_refusal_needs_the_gpu_to_be_there_and_not_to_compute(tmp_path: Path) -> None:
    code, result = in_a_container(tmp_path / "wall", "few.nii", build_drivers(tmp_path, "cuda"))
    assert (code, result.outcome, result.reason_code) == (10, "refused", "too-few-voxels")


def test_a_driver_that_cannot_compile_the_kernels_says_so_in_its_own_words(tmp_path: Path) -> None:
    libraries = build_drivers(tmp_path, "cuda")
    code, result = in_a_container(tmp_path / "wall", "ramp.nii", libraries, STAND_IN_PTX_ERROR="1")
    assert (code, result.reason_code) == (30, "gpu-unusable")
    assert result.message == (
        "cuModuleLoadDataEx answers with error 218: stand-in error 218 ptxas error: no such target"
    )


def test_without_a_driver_it_ends_with_the_code_for_an_unusable_gpu(tmp_path: Path) -> None:
    require_no_driver()
    # The hook says there is a device, so that the runtime lets the adapter try.
    code, result = in_a_container(tmp_path / "wall", "ramp.nii", None, NVIDIA_VISIBLE_DEVICES="GPU-1")
    assert (code, result.outcome, result.reason_code) == (30, "failed", "gpu-unusable")
    assert "libcuda.so.1" in result.message
