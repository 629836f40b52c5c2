"""The GPUs of this machine, whoever made them; and why there are none, where there are none."""

from host.gpu.amd import amd_inventory
from host.gpu.device import Inventory
from host.gpu.nvidia import nvidia_inventory


def take_inventory() -> Inventory:
    """Look for NVIDIA's GPUs through their driver's library and for AMD's through their device nodes."""
    found = (nvidia_inventory(), amd_inventory())
    return Inventory(
        tuple(device for one in found for device in one.devices),
        tuple(reason for one in found for reason in one.reasons),
    )
