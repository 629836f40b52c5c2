"""Builders of GPUs: as the inventory describes them, and what a manifest needs of them."""

from typing import Any

from host.gpu.device import GpuDevice, Inventory
from host.gpu.request import GpuVendor
from plugin_spec.resources import Gpu

A100 = "GPU-aaaaaaaa-0000-0000-0000-000000000001"
L4 = "GPU-bbbbbbbb-0000-0000-0000-000000000002"
GIB = 1024**3


def a_gpu(uuid: str = A100, **changes: Any) -> GpuDevice:
    """One NVIDIA GPU, with fields replaced."""
    fields = {
        "vendor": GpuVendor.NVIDIA,
        "uuid": uuid,
        "model": "NVIDIA A100-PCIE-40GB",
        "vram_bytes": 40 * GIB,
        "driver": "550.54.15",
        "compute_capability": "8.0",
        "index": 0,
    }
    return GpuDevice(**{**fields, **changes})


def an_instance(number: int, of: str = A100, **changes: Any) -> GpuDevice:
    """One MIG instance of a GPU."""
    uuid = f"MIG-cccccccc-0000-0000-0000-{number:012d}"
    return a_gpu(uuid, parent=of, model="NVIDIA A100 MIG 1g.5gb", vram_bytes=5 * GIB, **changes)


def a_need(**changes: Any) -> Gpu:
    """A manifest's ``resources.gpu``, with fields replaced."""
    fields = {
        "count": 1,
        "vram_mib": 8192,
        "compute_capability_min": "7.5",
        "driver_min": "525",
        "cpu_fallback": "no",
    }
    return Gpu(**{**fields, **changes})


def a_machine(*devices: GpuDevice, reasons: tuple[str, ...] = ()) -> Inventory:
    """What a machine has."""
    return Inventory(devices, reasons)
