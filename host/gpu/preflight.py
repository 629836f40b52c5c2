"""What a manifest needs of a GPU against what the machine has, before anything is started. Pure."""

from dataclasses import dataclass

from host.errors import GpuUnsuitableError
from host.gpu.device import GpuDevice, Inventory, version_tuple
from host.gpu.request import GpuRequest, GpuVendor
from plugin_spec.resources import MIB, Gpu


@dataclass(frozen=True, slots=True)
class GpuChoice:
    """Devices that all fit, in order of preference, of which ``count`` will be leased."""

    candidates: tuple[GpuDevice, ...]
    count: int
    shared: bool


@dataclass(frozen=True, slots=True)
class CpuFallback:
    """The run goes without a GPU, as the manifest declares it may; ``why`` is for its record."""

    why: str


def preflight(gpu: Gpu, inventory: Inventory) -> GpuChoice | CpuFallback:
    """Choose the devices that fit, or the fallback that the manifest declares.

    Devices on which the author has run the plugin come first, then the smallest that fit, so that the large ones
    stay free. MIG instances serve only who needs one device: CUDA uses one instance in a process.

    Raises
    ------
    GpuUnsuitableError
        Too few devices fit and the manifest declares no fallback; the message says what each one lacks.
    """
    faults = {device.uuid: unfit(gpu, device) for device in inventory.devices}
    fitting = [device for device in inventory.devices if not faults[device.uuid]]
    if len(fitting) >= gpu.count:
        ordered = sorted(
            fitting, key=lambda one: (bool(untested(gpu, one)), one.vram_bytes, one.index, one.uuid)
        )
        return GpuChoice(tuple(ordered), gpu.count, gpu.shared)
    missing = [f"{uuid}: {'; '.join(lacks)}" for uuid, lacks in faults.items() if lacks]
    told = ", ".join([*missing, *inventory.reasons]) or "the machine has none"
    why = f"{_needs(gpu)}; {len(fitting)} of {len(inventory.devices)} device(s) here fit: {told}"
    if gpu.cpu_fallback != "no":
        return CpuFallback(f"no GPU used, results declared {gpu.cpu_fallback.replace('_', ' ')}: {why}")
    raise GpuUnsuitableError(
        why,
        subject="resources.gpu",
        hint="assay gpu list shows what this machine has; run on one that fits, or run a CPU release",
    )


def unfit(gpu: Gpu, device: GpuDevice) -> tuple[str, ...]:
    """Everything the device lacks; nothing when it fits."""
    if device.vendor is not GpuVendor(gpu.vendor):
        return (f"made by {device.vendor}, not {gpu.vendor}",)
    lacks = []
    if device.vram_bytes < gpu.vram_mib * MIB:
        lacks.append(f"{device.vram_bytes // MIB} MiB of memory, needs {gpu.vram_mib}")
    if version_tuple(device.compute_capability) < version_tuple(gpu.compute_capability_min):
        lacks.append(f"compute capability {device.compute_capability}, needs {gpu.compute_capability_min}")
    if version_tuple(device.driver) < version_tuple(gpu.driver_min):
        lacks.append(f"driver {device.driver}, needs {gpu.driver_min}")
    if device.parent and gpu.count > 1:
        lacks.append(f"a MIG instance, of which one process can use only one; needs {gpu.count} whole GPUs")
    return tuple(lacks)


def untested(gpu: Gpu, device: GpuDevice) -> str:
    """One line for a device that fits and is none of those the author has run the plugin on; else empty."""
    tested = gpu.compute_capability_tested
    if not tested or device.compute_capability in tested:
        return ""
    return f"{device.uuid}: compute capability {device.compute_capability} is not among the tested {', '.join(tested)}"


def request_of(devices: tuple[GpuDevice, ...], gpu: Gpu) -> GpuRequest:
    """What the engine is asked for, once the devices are leased."""
    major, _, minor = gpu.compute_capability_min.partition(".")
    return GpuRequest(
        count=len(devices),
        vram_bytes_min=gpu.vram_mib * MIB,
        compute_capability_min=(int(major), int(minor.partition(".")[0] or 0)),
        vendor=GpuVendor(gpu.vendor),
        device_ids=tuple(device.request_id for device in devices),
    )


def _needs(gpu: Gpu) -> str:
    return (
        f"the plugin needs {gpu.count} {gpu.vendor} GPU(s) with {gpu.vram_mib} MiB, compute capability "
        f"{gpu.compute_capability_min} and driver {gpu.driver_min} or later"
    )
