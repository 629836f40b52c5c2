"""One GPU, or one MIG instance of it, as the machine describes it; and what a machine has of them. Pure."""

import re
from dataclasses import dataclass

from host.gpu.request import GpuVendor


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuDevice:
    """A device that a container can be given.

    Attributes
    ----------
    vendor : GpuVendor
    uuid : str
        Its name for good: a GPU or MIG UUID. Leases and records go by it.
    model : str
        As the driver calls it.
    vram_bytes : int
        All of its memory.
    driver : str
        Version of the kernel driver.
    compute_capability : str
        NVIDIA's ``8.6``, or AMD's target version ``9.0.10`` (gfx90a).
    index : int
        Its place in the driver's order, which may change with the next start of the machine.
    parent : str
        UUID of the GPU that a MIG instance is a part of; empty for a whole GPU.
    """

    vendor: GpuVendor
    uuid: str
    model: str
    vram_bytes: int
    driver: str
    compute_capability: str
    index: int
    parent: str = ""

    @property
    def request_id(self) -> str:
        """What an engine is asked for: NVIDIA's tools know UUIDs, AMD's CDI files number the devices."""
        return self.uuid if self.vendor is GpuVendor.NVIDIA else f"amd.com/gpu={self.index}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """The GPUs of this machine, and one line for everything that is not there or cannot be used."""

    devices: tuple[GpuDevice, ...] = ()
    reasons: tuple[str, ...] = ()


def version_tuple(version: str) -> tuple[int, ...]:
    """``550.54.15`` as numbers that can be compared; anything after the leading numbers is left out."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()
