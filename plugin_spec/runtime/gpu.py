"""Which GPUs this container sees, told by the driver's own libraries where they are there.

The libraries are asked in a process of their own: a driver that crashes ends only that process, and CUDA, once
initialised, does not survive the forks that algorithms make of theirs. Without a library, what the container was given
is read from ``NVIDIA_VISIBLE_DEVICES`` and ``/dev``.
"""

import ctypes
import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, Final, List, Mapping, Optional, Sequence

from plugin_spec.hookspecs import GpuUnusable

Seen = Dict[str, Any]

_ASK_TIMEOUT_S: Final = 60
_TEXT_BYTES: Final = 100
_NODES: Final = re.compile(r"nvidia\d+")
_RENDER_NODES: Final = re.compile(r"render.\d+")  # renderD128 and its like
_CUDA_NO_DEVICE: Final = 100
# CUdevice_attribute: the two numbers of the compute capability.
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76


class Look:
    """What this container sees of GPUs: looked once, and only where the host has given it one."""

    def __init__(self) -> None:
        self.seen: Optional[List[Seen]] = None

    def require(self, leased: Sequence[str]) -> None:
        """Look at what is visible; the host compares it with what it leased.

        Parameters
        ----------
        leased : sequence of str
            UUIDs from the request; nothing is looked at without one.

        Raises
        ------
        GpuUnusable
            No device is visible at all.
        """
        if not leased or self.seen is not None:
            return
        self.seen = visible()
        if not self.seen:
            raise GpuUnusable("a GPU was leased for this case and none is visible in the container")


def visible(environment: Optional[Mapping[str, str]] = None, devices: Path = Path("/dev")) -> List[Seen]:
    """Describe every GPU that a program in this container could use, by the best source there is."""
    for source in LIBRARIES:
        found = _asked(source)
        if found is not None:
            return found
    return _named(os.environ if environment is None else environment) or _nodes(devices)


def from_cuda(cuda: Any) -> List[Seen]:
    """Ask libcuda, which sees exactly what a CUDA program sees, MIG instances included.

    Raises
    ------
    OSError
        It answers with an error.
    """
    answer = cuda.cuInit(0)
    if answer == _CUDA_NO_DEVICE:
        return []
    _check(answer, "cuInit")
    count = ctypes.c_int()
    _check(cuda.cuDeviceGetCount(ctypes.byref(count)), "cuDeviceGetCount")
    return [_cuda_device(cuda, number) for number in range(count.value)]


def _cuda_device(cuda: Any, number: int) -> Seen:
    device, uuid, name = ctypes.c_int(), (ctypes.c_ubyte * 16)(), ctypes.create_string_buffer(_TEXT_BYTES)
    _check(cuda.cuDeviceGet(ctypes.byref(device), number), "cuDeviceGet")
    # The first version gives a MIG instance the UUID of its GPU; drivers before 11.4 have no other.
    uuid_of = getattr(cuda, "cuDeviceGetUuid_v2", None) or cuda.cuDeviceGetUuid
    _check(uuid_of(ctypes.byref(uuid), device), "cuDeviceGetUuid")
    _check(cuda.cuDeviceGetName(name, _TEXT_BYTES, device), "cuDeviceGetName")
    memory = ctypes.c_size_t()
    _check(cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), device), "cuDeviceTotalMem")
    capability = []
    for attribute in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR):
        value = ctypes.c_int()
        _check(cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, device), "cuDeviceGetAttribute")
        capability.append(str(value.value))
    return {
        "source": "cuda",
        "uuid": uuid_text(bytes(uuid)),
        "model": _text(name),
        "compute_capability": ".".join(capability),
        "vram_bytes": memory.value,
        "driver": driver_version(),
    }


def from_nvml(nvml: Any) -> List[Seen]:
    """Ask NVIDIA's management library, which is there with the ``utility`` capability alone.

    Raises
    ------
    OSError
        It answers with an error.
    """
    _check(nvml.nvmlInit_v2(), "nvmlInit")
    try:
        driver, count = ctypes.create_string_buffer(_TEXT_BYTES), ctypes.c_uint()
        _check(nvml.nvmlSystemGetDriverVersion(driver, _TEXT_BYTES), "nvmlSystemGetDriverVersion")
        _check(nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)), "nvmlDeviceGetCount")
        return [_nvml_device(nvml, number, _text(driver)) for number in range(count.value)]
    finally:
        nvml.nvmlShutdown()


def _nvml_device(nvml: Any, number: int, driver: str) -> Seen:
    handle = ctypes.c_void_p()
    _check(nvml.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(handle)), "nvmlDeviceGetHandleByIndex")
    uuid, name = (ctypes.create_string_buffer(_TEXT_BYTES) for _ in range(2))
    _check(nvml.nvmlDeviceGetUUID(handle, uuid, _TEXT_BYTES), "nvmlDeviceGetUUID")
    _check(nvml.nvmlDeviceGetName(handle, name, _TEXT_BYTES), "nvmlDeviceGetName")
    major, minor = ctypes.c_int(), ctypes.c_int()
    _check(
        nvml.nvmlDeviceGetCudaComputeCapability(handle, ctypes.byref(major), ctypes.byref(minor)),
        "nvmlDeviceGetCudaComputeCapability",
    )
    memory = (ctypes.c_ulonglong * 3)()  # total, free, used
    _check(nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)), "nvmlDeviceGetMemoryInfo")
    return {
        "source": "nvml",
        "uuid": _text(uuid),
        "model": _text(name),
        "compute_capability": "%d.%d" % (major.value, minor.value),
        "vram_bytes": memory[0],
        "driver": driver,
    }


# In the order in which they are asked.
LIBRARIES: Final[Mapping[str, str]] = {"cuda": "libcuda.so.1", "nvml": "libnvidia-ml.so.1"}
READERS: Final[Mapping[str, Callable[[Any], List[Seen]]]] = {"cuda": from_cuda, "nvml": from_nvml}


def uuid_text(raw: bytes) -> str:
    """The 16 bytes of a UUID as NVIDIA's tools write them."""
    digits = raw.hex()
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "GPU-" + "-".join(parts)


def driver_version(told: Path = Path("/proc/driver/nvidia/version")) -> str:
    """Version of NVIDIA's kernel module; empty where the kernel does not tell."""
    try:
        found = re.search(r"Kernel Module(?: for \S+)?\s+(\d+(\.\d+)+)", told.read_text(errors="replace"))
    except OSError:
        return ""
    return found.group(1) if found else ""


def _asked(source: str) -> Optional[List[Seen]]:
    """Have a process of its own ask a library; ``None`` where it is not there or does not answer."""
    try:
        ctypes.CDLL(LIBRARIES[source])
    except OSError:
        return None
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        told = subprocess.run(
            [sys.executable, "-m", "plugin_spec.runtime.gpu", source],
            stdout=subprocess.PIPE,
            timeout=_ASK_TIMEOUT_S,
            check=True,
        )
        found: List[Seen] = json.loads(told.stdout)
        return found
    return None


def _named(environment: Mapping[str, str]) -> List[Seen]:
    """What NVIDIA's hook was told to make visible. ``void`` and ``none`` mean nothing."""
    names = environment.get("NVIDIA_VISIBLE_DEVICES", "").split(",")
    return [{"source": "environment", "uuid": name} for name in names if name not in {"", "void", "none"}]


def _nodes(devices: Path) -> List[Seen]:
    """Device nodes have no names that last: each counts as one device without a UUID."""
    for folder, pattern in ((devices, _NODES), (devices / "dri", _RENDER_NODES)):
        with suppress(OSError):
            found = [name for name in sorted(os.listdir(folder)) if pattern.fullmatch(name)]
            if found:
                return [{"source": "nodes"} for _ in found]
    return []


def _check(answer: int, what: str) -> None:
    if answer != 0:
        raise OSError("%s answers with error %d" % (what, answer))


def _text(buffer: Any) -> str:
    return str(buffer.value.decode("utf-8", "replace"))


def main(arguments: Sequence[str]) -> int:
    """Ask one library and print what it says; its errors end this process with a line on stderr."""
    (source,) = arguments
    try:
        print(json.dumps(READERS[source](ctypes.CDLL(LIBRARIES[source]))))
    except OSError as error:
        print("assay: %s: %s" % (LIBRARIES[source], error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
