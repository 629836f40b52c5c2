"""The GPU a container asks for, in terms every engine can turn into its own request."""

from dataclasses import dataclass
from enum import StrEnum

from host.errors import GpuRequestError


class GpuVendor(StrEnum):
    """Who made the device; it decides which of the engine's drivers is asked."""

    NVIDIA = "nvidia"
    AMD = "amd"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuRequest:
    """Devices for one container.

    The minima are for the preflight against the inventory; an engine passes devices on and checks nothing.

    Parameters
    ----------
    count : int
        How many devices, at least 1.
    vram_bytes_min : int
        Memory each device must have.
    compute_capability_min : tuple of (int, int), optional
        Lowest NVIDIA compute capability, as (major, minor).
    device_ids : tuple of str, optional
        Leased devices, one name each: a device UUID, a MIG UUID or a qualified CDI name
        (``vendor.example/gpu=0``). Without them the engine takes its first ``count`` devices.
    vendor : GpuVendor
        Maker of the devices.
    """

    count: int = 1
    vram_bytes_min: int = 0
    compute_capability_min: tuple[int, int] | None = None
    device_ids: tuple[str, ...] | None = None
    vendor: GpuVendor = GpuVendor.NVIDIA

    def __post_init__(self) -> None:
        if self.count < 1:
            raise GpuRequestError(
                f"a GPU request for {self.count} devices: ask for at least one", subject="count"
            )
        if self.device_ids is not None and len(set(self.device_ids)) != self.count:
            raise GpuRequestError(
                f"a GPU request for {self.count} devices names {len(set(self.device_ids))} distinct ones",
                subject="device_ids",
            )
        if self.device_ids and len({is_cdi_name(name) for name in self.device_ids}) > 1:
            raise GpuRequestError("a GPU request mixes CDI names with device UUIDs", subject="device_ids")

    @property
    def by_cdi_name(self) -> bool:
        """Whether the devices are named in the Container Device Interface's way."""
        return self.device_ids is not None and all(is_cdi_name(name) for name in self.device_ids)

    @property
    def cdi_names(self) -> tuple[str, ...]:
        """The same devices in the Container Device Interface's way; NVIDIA's tools name them by their UUIDs too."""
        if self.by_cdi_name or self.vendor is not GpuVendor.NVIDIA:
            return self.device_ids or ()
        return tuple(f"nvidia.com/gpu={uuid}" for uuid in self.device_ids or ())


def is_cdi_name(name: str) -> bool:
    """Whether ``name`` is a qualified Container Device Interface name: ``vendor/class=device``."""
    kind, equals, device = name.partition("=")
    vendor, slash, device_class = kind.partition("/")
    return bool(equals and slash and vendor and device_class and device)
