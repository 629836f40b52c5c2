"""A `ContainerSpec` as the body of Docker's "create container" request, and what a daemon must enforce.

Pure: everything that makes a container safe can be read here. Keys are those of the Docker Engine API 1.41.
"""

from collections.abc import Mapping
from typing import Any, Final

from host.engines.interface import CONTAINER_USER, SCRATCH_TARGET, ContainerSpec, Limits
from host.errors import GpuUnavailableError
from host.gpu.request import GpuRequest, GpuVendor

OPEN_FILES_MAX: Final = 4096
_CONTAINERD_STORE: Final = ["driver-type", "io.containerd.snapshotter.v1"]
_DEFAULT_SECCOMP: Final = {"name=seccomp,profile=default", "name=seccomp,profile=builtin"}
_ENFORCED: Final = {"MemoryLimit": "memory", "PidsLimit": "pids", "CpuCfsQuota": "cpu"}


def container_config(spec: ContainerSpec, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the request body for one container.

    Parameters
    ----------
    spec : ContainerSpec
        What to run.
    labels : mapping
        The engine's own labels; they win over those of ``spec``.
    """
    config: dict[str, Any] = {
        "Image": spec.image_id,
        "User": CONTAINER_USER,
        # A random host name would be a needless difference between two runs.
        "Hostname": "assay",
        "Env": [f"{name}={value}" for name, value in spec.full_environment().items()],
        "Labels": {**spec.labels, **labels},
        # The image's own health check would run beside the plugin.
        "Healthcheck": {"Test": ["NONE"]},
        "AttachStdout": True,
        "AttachStderr": True,
        "HostConfig": _host_config(spec),
    }
    if spec.argv is not None:
        config["Entrypoint"] = list(spec.argv)
    return config


def _host_config(spec: ContainerSpec) -> dict[str, Any]:
    limits = spec.limits
    return {
        "NetworkMode": "none",
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        # Naming no seccomp profile keeps the daemon's default one.
        "SecurityOpt": ["no-new-privileges"],
        "Init": True,
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "NanoCpus": round(limits.cpus * 1_000_000_000),
        "PidsLimit": limits.pids,
        # Only "none" takes /dev/shm away: with "private", size 0 means Docker's default of 64 MB.
        "IpcMode": "private" if limits.shm_bytes else "none",
        "ShmSize": limits.shm_bytes or None,
        "Tmpfs": {SCRATCH_TARGET: _scratch_options(limits)},
        "Ulimits": _ulimits(limits),
        "Mounts": [
            {
                "Type": "bind",
                "Source": str(mount.source.resolve()),
                "Target": mount.target,
                "ReadOnly": mount.read_only,
            }
            for mount in spec.mounts()
        ],
        # The log goes to the attached host only, which bounds it; the daemon keeps none.
        "LogConfig": {"Type": "none"},
        "DeviceRequests": [] if spec.gpu is None else [device_request(spec.gpu)],
    }


def _scratch_options(limits: Limits) -> str:
    # Tools compile in their scratch folder, so it stays executable. It has an owner, since an image's own
    # /scratch can override the mode: runc before 1.1.8 (its issue 3911) keeps that folder's.
    uid, gid = CONTAINER_USER.split(":")
    return f"rw,exec,nosuid,nodev,uid={uid},gid={gid},mode=1777,size={limits.scratch_bytes}"


def _ulimits(limits: Limits) -> list[dict[str, Any]]:
    # The bound on a file's size holds for scratch and shared memory too, where larger files are legitimate.
    bounds = {
        "fsize": max(limits.output_bytes, limits.scratch_bytes, limits.shm_bytes),
        "nofile": OPEN_FILES_MAX,
        "core": 0,
    }
    return [{"Name": name, "Soft": bound, "Hard": bound} for name, bound in bounds.items()]


def device_request(gpu: GpuRequest) -> dict[str, Any]:
    """Return Docker's device request for ``gpu``.

    Raises
    ------
    GpuUnavailableError
        Docker passes devices of other vendors than NVIDIA on only by their CDI names.
    """
    if gpu.by_cdi_name:
        return {"Driver": "cdi", "DeviceIDs": list(gpu.device_ids or ())}
    if gpu.vendor is not GpuVendor.NVIDIA:
        raise GpuUnavailableError(
            f"docker passes {gpu.vendor} devices on only by their CDI names",
            subject=str(gpu.vendor),
            hint="name the leased devices as vendor/class=device, for example amd.com/gpu=0",
        )
    # Naming the driver's parts keeps what is passed on independent of the image's environment.
    request: dict[str, Any] = {"Driver": "", "Capabilities": [["gpu", "compute", "utility"]]}
    return request | ({"Count": gpu.count} if gpu.device_ids is None else {"DeviceIDs": list(gpu.device_ids)})


def uses_containerd_store(info: Mapping[str, Any]) -> bool:
    """Whether the daemon's image IDs are manifest digests (containerd image store) and not config digests."""
    return _CONTAINERD_STORE in (info.get("DriverStatus") or [])


def is_podman(version: Mapping[str, Any]) -> bool:
    """Whether podman answers behind Docker's API, which drops device requests without a word."""
    return any("podman" in str(part.get("Name", "")).lower() for part in version.get("Components") or [])


def takes_cdi_names(info: Mapping[str, Any]) -> bool:
    """Whether the daemon passes devices on by their Container Device Interface names (Docker 25 and later)."""
    return bool(info.get("CDISpecDirs"))


def unenforced_limits(info: Mapping[str, Any]) -> list[str]:
    """Return the limits that the daemon says it would accept and not enforce."""
    return [limit for key, limit in _ENFORCED.items() if info.get(key) is False]


def weaknesses(info: Mapping[str, Any], version: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is worth recording about a daemon that is usable."""
    notes = []
    if is_podman(version):
        notes.append("podman behind the Docker API: GPU work is refused")
    if info.get("SwapLimit") is False:
        notes.append("swap is not limited: a container may use swap beyond its memory limit")
    if not _DEFAULT_SECCOMP.intersection(info.get("SecurityOptions") or []):
        notes.append("no default seccomp profile")
    return tuple(notes)
