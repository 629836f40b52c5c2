import dataclasses
from pathlib import Path

import pytest

from host.engines.docker_config import (
    container_config,
    device_request,
    is_podman,
    unenforced_limits,
    uses_containerd_store,
    weaknesses,
)
from host.engines.interface import ContainerSpec
from host.errors import GpuUnavailableError
from host.gpu.request import GpuRequest, GpuVendor
from tests.support.engine_bench import LIMITS, MIB

SPEC = ContainerSpec(
    image_id=f"sha256:{'a' * 64}",
    argv=("python3", "-m", "tool"),
    inputs=Path("/r/in"),
    outputs=Path("/r/out"),
    limits=LIMITS,
    labels={"assay.managed": "forged", "run": "7"},
)
UUID = "GPU-11111111-2222-3333-4444-555555555555"


def test_the_walls_of_a_container_are_all_there() -> None:
    host = container_config(SPEC, {})["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Init"] is True
    assert host["Memory"] == host["MemorySwap"] == 128 * MIB
    assert host["NanoCpus"] == 1_000_000_000
    assert host["PidsLimit"] == 64
    assert "nosuid,nodev" in host["Tmpfs"]["/scratch"]
    assert f"size={16 * MIB}" in host["Tmpfs"]["/scratch"]
    assert host["LogConfig"] == {"Type": "none"}


def test_a_container_runs_as_nobody_and_its_argv_replaces_the_entrypoint() -> None:
    config = container_config(SPEC, {})
    assert config["User"] == "65534:65534"
    assert config["Entrypoint"] == ["python3", "-m", "tool"]
    assert "Entrypoint" not in container_config(dataclasses.replace(SPEC, argv=None), {})


def test_a_spec_cannot_forge_the_engines_labels() -> None:
    assert container_config(SPEC, {"assay.managed": "1"})["Labels"] == {"assay.managed": "1", "run": "7"}


def test_without_shared_memory_the_folder_is_taken_away() -> None:
    host = container_config(dataclasses.replace(SPEC, limits=dataclasses.replace(LIMITS, shm_bytes=0)), {})[
        "HostConfig"
    ]
    assert host["IpcMode"] == "none"


def test_scratch_files_may_be_larger_than_the_outputs() -> None:
    limits = dataclasses.replace(LIMITS, scratch_bytes=99 * MIB)
    host = container_config(dataclasses.replace(SPEC, limits=limits), {})["HostConfig"]
    assert {"Name": "fsize", "Soft": 99 * MIB, "Hard": 99 * MIB} in host["Ulimits"]


def test_leased_devices_are_asked_for_by_their_ids() -> None:
    assert device_request(GpuRequest(device_ids=(UUID,))) == {
        "Driver": "",
        "DeviceIDs": [UUID],
        "Capabilities": [["gpu", "compute", "utility"]],
    }


def test_without_ids_devices_are_asked_for_by_their_number() -> None:
    request = device_request(GpuRequest(count=2))
    assert request["Count"] == 2
    assert "DeviceIDs" not in request


def test_cdi_names_go_to_the_cdi_driver() -> None:
    names = ("nvidia.com/gpu=0", "nvidia.com/gpu=1")
    assert device_request(GpuRequest(count=2, device_ids=names)) == {
        "Driver": "cdi",
        "DeviceIDs": list(names),
    }


def test_amd_devices_without_cdi_names_are_refused_with_the_way_out() -> None:
    with pytest.raises(GpuUnavailableError) as caught:
        device_request(GpuRequest(vendor=GpuVendor.AMD))
    assert "amd.com/gpu=0" in caught.value.hint


def test_the_containerd_image_store_is_recognised() -> None:
    assert uses_containerd_store({"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]})
    assert not uses_containerd_store({"DriverStatus": [["Backing Filesystem", "extfs"]]})
    assert not uses_containerd_store({"DriverStatus": None})


def test_podman_is_recognised_by_its_components() -> None:
    assert is_podman({"Components": [{"Name": "Podman Engine", "Version": "4.3.1"}, {"Name": "Conmon"}]})
    assert not is_podman({"Components": [{"Name": "Engine"}, {"Name": "containerd"}]})
    assert not is_podman({})


def test_limits_that_a_daemon_would_not_enforce_are_named() -> None:
    assert unenforced_limits({"MemoryLimit": True, "PidsLimit": False, "CpuCfsQuota": False}) == [
        "pids",
        "cpu",
    ]
    assert unenforced_limits({"MemoryLimit": True, "PidsLimit": True, "CpuCfsQuota": True}) == []


@pytest.mark.parametrize("profile", ["default", "builtin"])
def test_a_sound_daemon_has_no_weaknesses(profile: str) -> None:
    info = {"SwapLimit": True, "SecurityOptions": ["name=apparmor", f"name=seccomp,profile={profile}"]}
    assert weaknesses(info, {"Components": [{"Name": "Engine"}]}) == ()


@pytest.mark.parametrize(
    ("info", "word"),
    [
        ({"SwapLimit": False, "SecurityOptions": ["name=seccomp,profile=default"]}, "swap"),
        ({"SwapLimit": True, "SecurityOptions": []}, "seccomp"),
        ({"SwapLimit": True, "SecurityOptions": ["name=seccomp,profile=unconfined"]}, "seccomp"),
    ],
)
def test_a_weaker_daemon_is_noted(info: dict[str, object], word: str) -> None:
    (note,) = weaknesses(info, {})
    assert word in note
