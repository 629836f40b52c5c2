"""What a container sees of GPUs: by the driver's libraries, by what it was told, and by its device nodes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plugin_spec import GpuUnusable
from plugin_spec.case import GpuSeen
from plugin_spec.runtime.gpu import Look, driver_version, uuid_text, visible
from tests.support.driver_libraries import build_drivers

UUID = "GPU-aaaaaaaa-0000-0000-0000-000000000001"
SHOW = "import json; from plugin_spec.runtime.gpu import visible; print(json.dumps(visible()))"


def seen_by_a_process(folder: Path, **variables: str) -> Any:
    """What a fresh process sees that finds its libraries in ``folder``; every entry is one the host would accept."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder), **variables}
    told = subprocess.run(
        [sys.executable, "-c", SHOW],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    seen = json.loads(told.stdout)
    for one in seen:
        GpuSeen.model_validate(one)
    return seen


def test_cuda_is_asked_first_and_sees_what_a_cuda_program_sees(tmp_path: Path) -> None:
    (device,) = seen_by_a_process(build_drivers(tmp_path, "cuda", "nvml"))
    assert device.pop("driver") == driver_version()
    assert device == {
        "source": "cuda",
        "uuid": "GPU-aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
        "model": "Stand-in GPU",
        "compute_capability": "8.6",
        "vram_bytes": 2**33,
    }


def test_the_management_library_answers_where_cuda_is_not_there(tmp_path: Path) -> None:
    first, second = seen_by_a_process(build_drivers(tmp_path, "nvml"))
    assert (first["source"], first["uuid"], second["uuid"]) == ("nvml", "GPU-zero", "GPU-one")
    assert (first["compute_capability"], first["vram_bytes"], first["driver"]) == ("7.5", 2**34, "550.54.15")


def test_a_driver_without_a_device_is_believed(tmp_path: Path) -> None:
    folder = build_drivers(tmp_path, "cuda")
    assert seen_by_a_process(folder, STAND_IN_CUINIT="100", NVIDIA_VISIBLE_DEVICES=UUID) == []


@pytest.mark.parametrize("how", ["999", "x"])
def test_a_driver_that_fails_or_crashes_ends_only_the_process_that_asked(tmp_path: Path, how: str) -> None:
    folder = build_drivers(tmp_path, "cuda", "nvml")
    assert [one["source"] for one in seen_by_a_process(folder, STAND_IN_CUINIT=how)] == ["nvml", "nvml"]


@pytest.mark.usefixtures("no_driver")
@pytest.mark.parametrize(
    ("told", "uuids"),
    [
        (UUID, [UUID]),
        (f"{UUID},GPU-2", [UUID, "GPU-2"]),
        ("all", ["all"]),
        ("void", []),
        ("none", []),
        ("", []),
    ],
)
def test_without_a_library_what_was_told_to_the_hook_counts(
    tmp_path: Path, told: str, uuids: list[str]
) -> None:
    seen = visible({"NVIDIA_VISIBLE_DEVICES": told}, tmp_path)
    assert [(one["source"], one["uuid"]) for one in seen] == [("environment", uuid) for uuid in uuids]


@pytest.mark.usefixtures("no_driver")
@pytest.mark.parametrize(
    ("nodes", "count"),
    [
        (["nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"], 2),
        (["dri/renderD128", "dri/card0"], 1),
        (["nvidia0", "dri/renderD128"], 1),
        (["null", "zero"], 0),
        ([], 0),
    ],
)
def test_the_last_resort_is_to_count_device_nodes(tmp_path: Path, nodes: list[str], count: int) -> None:
    for node in nodes:
        (tmp_path / node).parent.mkdir(exist_ok=True)
        (tmp_path / node).write_text("")
    seen = visible({}, tmp_path)
    assert seen == [{"source": "nodes"}] * count


def test_nothing_is_looked_at_where_no_gpu_was_leased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin_spec.runtime.gpu.visible", lambda: pytest.fail("looked"))
    look = Look()
    look.require(())
    assert look.seen is None


def test_a_leased_gpu_that_is_not_visible_is_unusable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin_spec.runtime.gpu.visible", lambda: [])
    look = Look()
    with pytest.raises(GpuUnusable, match="none is visible"):
        look.require((UUID,))
    assert look.seen == []


def test_a_uuid_is_written_as_nvidias_tools_do() -> None:
    assert uuid_text(bytes(range(16))) == "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f"


@pytest.mark.parametrize(
    ("told", "version"),
    [
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 2024\nGCC version: 12\n",
            "550.54.15",
        ),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.10  Release Build\n", "570.86.10"),
        ("nothing of the kind", ""),
    ],
)
def test_the_kernel_module_tells_its_version(tmp_path: Path, told: str, version: str) -> None:
    path = tmp_path / "version"
    path.write_text(told)
    assert driver_version(path) == version
    assert driver_version(tmp_path / "absent") == ""
