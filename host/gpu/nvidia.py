"""NVIDIA's GPUs and MIG instances as the driver's own library (NVML) describes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from host.gpu.device import GpuDevice, Inventory
from host.gpu.request import GpuVendor

_MIG_ENABLED = 1


def nvidia_inventory() -> Inventory:
    """Ask NVML what there is. A missing library or driver is an answer, and so is a GPU that has failed."""
    import pynvml

    try:
        with _session(pynvml):
            driver = _text(pynvml.nvmlSystemGetDriverVersion())
            count = int(pynvml.nvmlDeviceGetCount())
            found = [_one(pynvml, index, driver) for index in range(count)]
    except pynvml.NVMLError_LibraryNotFound:
        return Inventory(reasons=("nvidia: no driver is installed (no libnvidia-ml.so.1)",))
    except pynvml.NVMLError as fault:
        return Inventory(reasons=(f"nvidia: the driver does not answer: {fault}",))
    reasons = [reason for one in found for reason in one.reasons]
    if not count:
        reasons.append(f"nvidia: driver {driver} sees no GPU")
    return Inventory(tuple(device for one in found for device in one.devices), tuple(reasons))


@contextmanager
def _session(nvml: Any) -> Iterator[None]:
    nvml.nvmlInit()
    try:
        yield
    finally:
        nvml.nvmlShutdown()


def _one(nvml: Any, index: int, driver: str) -> Inventory:
    """One GPU, or in its place the MIG instances that it is cut into."""
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        whole = _device(nvml, handle, index, driver, of=None)
        if _mig_mode(nvml, handle) != _MIG_ENABLED:
            return Inventory((whole,))
        instances = tuple(_instances(nvml, handle, whole))
    except nvml.NVMLError as fault:
        return Inventory(reasons=(f"nvidia: GPU {index} cannot be used: {fault}",))
    if not instances:
        return Inventory(reasons=(f"nvidia: {whole.uuid} is in MIG mode and has no instance",))
    return Inventory(instances)


def _mig_mode(nvml: Any, handle: Any) -> int:
    try:
        return int(nvml.nvmlDeviceGetMigMode(handle)[0])
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
        return 0


def _instances(nvml: Any, handle: Any, whole: GpuDevice) -> Iterator[GpuDevice]:
    for number in range(int(nvml.nvmlDeviceGetMaxMigDeviceCount(handle))):
        try:
            instance = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
        except nvml.NVMLError_NotFound:
            continue  # instances keep their numbers when others are removed
        yield _device(nvml, instance, whole.index, whole.driver, of=whole)


def _device(nvml: Any, handle: Any, index: int, driver: str, *, of: GpuDevice | None) -> GpuDevice:
    if of is None:
        major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
        capability = f"{major}.{minor}"
    else:
        capability = of.compute_capability
    return GpuDevice(
        vendor=GpuVendor.NVIDIA,
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        model=_text(nvml.nvmlDeviceGetName(handle)),
        vram_bytes=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
        driver=driver,
        compute_capability=capability,
        index=index,
        parent=of.uuid if of else "",
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
