"""What runc is told about one container, as the OCI runtime specification 1.0 puts it.

Decisions only, nothing here touches a file of the container. The walls are Docker's, one for one, so that a
plugin sees the same under both engines; `seccomp.json` is the profile that Docker 20.10 gives a container without
capabilities on x86-64, without io_uring.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from host.engines.image_defaults import ImageDefaults
from host.engines.interface import SCRATCH_TARGET, ContainerSpec, Limits, Mount
from host.errors import EngineRefusedError, GpuUnavailableError
from host.gpu.request import GpuRequest

OPEN_FILES_MAX: Final = 4096
HOST_NAME: Final = "assay"
INIT_TARGET: Final = "/dev/init"
NAMESPACES: Final = ("mount", "network", "uts", "pid", "ipc", "cgroup")
_CPU_PERIOD_US: Final = 100_000
_MASKED: Final = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
)
_READ_ONLY: Final = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
# Null, zero, full, random, urandom and tty; runc makes these nodes in the container's own /dev.
_DEVICES: Final = ((1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the engine adds to a spec: its own files, and what the kernel can do.

    Attributes
    ----------
    user : tuple of (int, int)
        Uid and gid of its processes. In a user namespace that has only one of each, both are 0.
    cgroups_path : str
        The container's control group, below the root of every hierarchy.
    root : str
        The container's root, relative to the bundle.
    program : str
        Where in the image the program of ``argv`` lies.
    init : Path
        The first process's program.
    etc : mapping
        Files to see as ``/etc/<name>``.
    swap_limited : bool
        Whether the kernel counts swap.
    """

    user: tuple[int, int]
    cgroups_path: str
    root: str
    program: str
    init: Path
    etc: Mapping[str, Path]
    swap_limited: bool


def runtime_spec(spec: ContainerSpec, image: ImageDefaults, around: Surroundings) -> dict[str, Any]:
    """Return ``config.json`` of one container, devices left out."""
    uid, gid = around.user
    return {
        "ociVersion": "1.0.2",
        "process": {
            # A user namespace with one group allows no others, not even the same once more.
            "user": {"uid": uid, "gid": gid} | ({"additionalGids": [gid]} if gid else {}),
            "args": [INIT_TARGET, around.program, *command(spec, image)],
            "env": [f"{name}={value}" for name, value in environment(spec, image).items()],
            "cwd": image.working_folder,
            # All sets of capabilities are empty.
            "capabilities": {},
            "rlimits": _rlimits(spec.limits),
            "noNewPrivileges": True,
        },
        "root": {"path": around.root, "readonly": True},
        "hostname": HOST_NAME,
        "mounts": _mounts(spec, around),
        "linux": {
            "cgroupsPath": around.cgroups_path,
            "namespaces": [{"type": name} for name in NAMESPACES],
            "resources": _resources(spec.limits, swap_limited=around.swap_limited),
            "maskedPaths": list(_MASKED),
            "readonlyPaths": list(_READ_ONLY),
            "rootfsPropagation": "private",
            "seccomp": seccomp_profile(),
        },
    }


def command(spec: ContainerSpec, image: ImageDefaults) -> tuple[str, ...]:
    """The words to run: the spec's, else the image's.

    Raises
    ------
    EngineRefusedError
        Neither names any.
    """
    words = image.argv if spec.argv is None else spec.argv
    if not words:
        raise EngineRefusedError(
            "neither the image nor the request names a command to run", subject=spec.image_id
        )
    return words


def environment(spec: ContainerSpec, image: ImageDefaults) -> dict[str, str]:
    """Variables of the container: the image's, the engine's, the spec's; later ones win."""
    return {**image.environment, "HOSTNAME": HOST_NAME, **spec.full_environment()}


def require_cdi(gpu: GpuRequest) -> tuple[str, ...]:
    """Return the CDI names of the requested devices.

    Raises
    ------
    GpuUnavailableError
        The devices have no such names: runc itself knows no vendor's devices.
    """
    if not gpu.cdi_names:
        raise GpuUnavailableError(
            "runc passes GPUs on only by their CDI names, and the request names no device",
            subject=str(gpu.vendor),
            hint="lease the devices first, or use the docker engine, or run a CPU release",
        )
    return gpu.cdi_names


def require_cpus(limits: Limits, *, available: int) -> None:
    """Refuse more CPUs than the machine has: the kernel would accept them and never deliver.

    Raises
    ------
    EngineRefusedError
        It has fewer.
    """
    if limits.cpus > available:
        raise EngineRefusedError(
            f"{limits.cpus:g} CPUs are asked for, this machine has {available} CPUs", subject="cpus"
        )


@cache
def seccomp_profile() -> dict[str, Any]:
    """The system calls a container may make."""
    profile: dict[str, Any] = json.loads(Path(__file__).with_name("seccomp.json").read_bytes())
    return profile


def _mounts(spec: ContainerSpec, around: Surroundings) -> list[dict[str, Any]]:
    limits = spec.limits
    mounts = [
        _mount("/proc", "proc", "nosuid", "noexec", "nodev"),
        # Filled by runc and closed then: in a user namespace its owner is the container's user.
        _mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k", "ro"),
        _mount("/dev/pts", "devpts", *_terminals(around)),
        _mount("/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        _mount("/sys/fs/cgroup", "cgroup", "nosuid", "noexec", "nodev", "ro"),
        _mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        _bound(Mount(around.init, INIT_TARGET, True)),
    ]
    if limits.shm_bytes:
        size = f"size={limits.shm_bytes}"
        mounts.append(_mount("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", size))  # noqa: S108 - inside
    mounts += [_bound(Mount(path, f"/etc/{name}", True)) for name, path in around.etc.items()]
    uid, gid = around.user
    # Tools compile in their scratch folder, so it stays executable.
    scratch = (f"uid={uid}", f"gid={gid}", "mode=1777", f"size={limits.scratch_bytes}")
    mounts.append(_mount(SCRATCH_TARGET, "tmpfs", "nosuid", "nodev", *scratch))
    return mounts + [_bound(mount) for mount in spec.mounts()]


def _terminals(around: Surroundings) -> tuple[str, ...]:
    options = ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620")
    # Group 5 is the terminals' everywhere, and unknown to a user namespace with one group.
    return (*options, "gid=5") if around.user[1] else options


def _mount(target: str, kind: str, *options: str) -> dict[str, Any]:
    return {"destination": target, "type": kind, "source": kind, "options": list(options)}


def _bound(mount: Mount) -> dict[str, Any]:
    # Not "rbind": what is mounted below the folder on the host is no part of it, and would stay writable.
    options = ["bind", "rprivate", "nosuid", "nodev", "ro" if mount.read_only else "rw"]
    source = str(mount.source.resolve())
    return {"destination": mount.target, "type": "bind", "source": source, "options": options}


def _resources(limits: Limits, *, swap_limited: bool) -> dict[str, Any]:
    memory: dict[str, Any] = {"limit": limits.memory_bytes, "disableOOMKiller": False}
    if swap_limited:
        # Memory and swap together.
        memory["swap"] = limits.memory_bytes
    allowed = [
        {"allow": True, "type": "c", "major": major, "minor": minor, "access": "rwm"}
        for major, minor in _DEVICES
    ]
    return {
        "devices": [{"allow": False, "access": "rwm"}, *allowed],
        "memory": memory,
        "cpu": {"quota": max(1000, round(limits.cpus * _CPU_PERIOD_US)), "period": _CPU_PERIOD_US},
        "pids": {"limit": limits.pids},
    }


def _rlimits(limits: Limits) -> list[dict[str, Any]]:
    # The bound on a file's size holds for scratch and shared memory too, where larger files are legitimate.
    bounds = {
        "RLIMIT_FSIZE": max(limits.output_bytes, limits.scratch_bytes, limits.shm_bytes),
        "RLIMIT_NOFILE": OPEN_FILES_MAX,
        "RLIMIT_CORE": 0,
    }
    return [{"type": name, "soft": bound, "hard": bound} for name, bound in bounds.items()]
