import dataclasses
from pathlib import Path
from typing import Any

import pytest

from host.engines.image_defaults import ImageDefaults
from host.engines.interface import ContainerSpec
from host.engines.runc_spec import (
    Surroundings,
    command,
    require_cdi,
    require_cpus,
    runtime_spec,
    seccomp_profile,
)
from host.errors import EngineRefusedError, GpuUnavailableError
from host.gpu.request import GpuRequest
from tests.support.engine_bench import LIMITS, MIB

IMAGE = ImageDefaults(
    architecture="amd64",
    argv=("python3", "-m", "image"),
    environment={"PATH": "/opt/py/bin", "HOME": "/root", "HOSTNAME": "forged"},
    working_folder="/work",
    volumes=(),
    diff_ids=("sha256:ab",),
)
SPEC = ContainerSpec(
    image_id=f"sha256:{'a' * 64}",
    argv=("tool", "--fast"),
    inputs=Path("/r/in"),
    outputs=Path("/r/out"),
    weights=Path("/r/weights"),
    limits=LIMITS,
    environment={"OMP_NUM_THREADS": "2"},
)
AROUND = Surroundings(
    user=(65534, 65534),
    cgroups_path="/assay/x",
    root="root",
    program="/opt/py/bin/tool",
    init=Path("/bundle/init"),
    etc={"hosts": Path("/bundle/etc/hosts")},
    swap_limited=True,
)


def made(**limits: object) -> dict[str, Any]:
    return runtime_spec(
        dataclasses.replace(SPEC, limits=dataclasses.replace(LIMITS, **limits)), IMAGE, AROUND
    )


def mounts() -> dict[str, dict[str, Any]]:
    return {mount["destination"]: mount for mount in made()["mounts"]}


def test_the_process_is_nobody_without_capabilities_and_cannot_gain_any() -> None:
    process = made()["process"]
    assert process["user"] == {"uid": 65534, "gid": 65534, "additionalGids": [65534]}
    assert process["capabilities"] == {}
    assert process["noNewPrivileges"] is True
    assert made()["root"] == {"path": "root", "readonly": True}


def test_every_namespace_is_the_containers_own_and_none_is_joined() -> None:
    namespaces = made()["linux"]["namespaces"]
    assert {one["type"] for one in namespaces} == {"mount", "network", "uts", "pid", "ipc", "cgroup"}
    assert all("path" not in one for one in namespaces)


def test_the_limits_are_the_requests() -> None:
    resources = made(cpus=1.5)["linux"]["resources"]
    assert resources["memory"] == {"limit": 128 * MIB, "swap": 128 * MIB, "disableOOMKiller": False}
    assert resources["cpu"] == {"quota": 150_000, "period": 100_000}
    assert resources["pids"] == {"limit": 64}
    assert resources["devices"][0] == {"allow": False, "access": "rwm"}
    assert {(one["major"], one["minor"]) for one in resources["devices"][1:]} == {
        (1, 3),
        (1, 5),
        (1, 7),
        (1, 8),
        (1, 9),
        (5, 0),
    }


def test_swap_is_not_asked_for_where_the_kernel_would_refuse_it() -> None:
    around = dataclasses.replace(AROUND, swap_limited=False)
    assert "swap" not in runtime_spec(SPEC, IMAGE, around)["linux"]["resources"]["memory"]


def test_only_outputs_scratch_and_shared_memory_are_writable() -> None:
    writable = {target for target, mount in mounts().items() if "ro" not in mount["options"]}
    assert writable == {
        "/proc",
        "/dev/pts",
        "/dev/mqueue",
        "/dev/shm",
        "/scratch",
        "/assay/out",
    }


def test_what_is_mounted_below_a_folder_on_the_host_does_not_come_along() -> None:
    for target in ("/assay/in", "/assay/out", "/assay/weights", "/etc/hosts", "/dev/init"):
        options = mounts()[target]["options"]
        assert "bind" in options and "rbind" not in options
        assert {"nosuid", "nodev", "rprivate"} <= {*options}


def test_memory_folders_have_their_sizes() -> None:
    assert f"size={16 * MIB}" in mounts()["/scratch"]["options"]
    assert f"size={16 * MIB}" in mounts()["/dev/shm"]["options"]
    assert "noexec" not in mounts()["/scratch"]["options"]


def test_without_shared_memory_the_folder_is_not_there() -> None:
    assert "/dev/shm" not in {mount["destination"] for mount in made(shm_bytes=0)["mounts"]}


def test_the_requests_words_replace_the_images_and_keep_their_first_name() -> None:
    assert made()["process"]["args"] == ["/dev/init", "/opt/py/bin/tool", "tool", "--fast"]
    assert command(dataclasses.replace(SPEC, argv=None), IMAGE) == ("python3", "-m", "image")


def test_nothing_to_run_is_refused() -> None:
    with pytest.raises(EngineRefusedError, match="names a command"):
        command(dataclasses.replace(SPEC, argv=None), dataclasses.replace(IMAGE, argv=()))


def test_variables_come_from_image_engine_and_request_in_this_order() -> None:
    assert made()["process"]["env"] == [
        "PATH=/opt/py/bin",
        "HOME=/scratch",
        "HOSTNAME=assay",
        "TMPDIR=/scratch",
        "OMP_NUM_THREADS=2",
        "NVIDIA_VISIBLE_DEVICES=void",
    ]


def test_core_dumps_files_and_descriptors_are_bounded() -> None:
    limits = {
        one["type"]: (one["soft"], one["hard"]) for one in made(output_bytes=40 * MIB)["process"]["rlimits"]
    }
    assert limits == {
        "RLIMIT_FSIZE": (40 * MIB, 40 * MIB),
        "RLIMIT_NOFILE": (4096, 4096),
        "RLIMIT_CORE": (0, 0),
    }


def test_the_profile_refuses_what_it_does_not_name() -> None:
    profile = seccomp_profile()
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    freely = {
        name
        for rule in profile["syscalls"]
        if rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("args")
        for name in rule["names"]
    }
    assert {"read", "execve", "futex", "openat"} <= freely
    never = {"mount", "umount2", "unshare", "setns", "bpf", "kexec_load", "init_module", "reboot", "add_key"}
    never |= {"keyctl", "pivot_root", "perf_event_open", "io_uring_setup", "userfaultfd", "swapon", "clone"}
    assert not never & freely


def test_a_new_user_namespace_cannot_be_made_by_clone() -> None:
    (rule,) = [rule for rule in seccomp_profile()["syscalls"] if rule["names"] == ["clone"]]
    (mask,) = rule["args"]
    assert (mask["op"], mask["value"] & 0x10000000) == ("SCMP_CMP_MASKED_EQ", 0x10000000)
    assert mask.get("valueTwo", 0) == 0


def test_a_gpu_that_was_not_leased_is_refused_with_the_fix() -> None:
    with pytest.raises(GpuUnavailableError) as refused:
        require_cdi(GpuRequest())
    assert "lease the devices first, or use the docker engine" in refused.value.hint


def test_more_cpus_than_there_are_is_refused() -> None:
    require_cpus(LIMITS, available=1)
    with pytest.raises(EngineRefusedError, match="1 CPUs"):
        require_cpus(dataclasses.replace(LIMITS, cpus=1.5), available=1)
