"""What a container saw of GPUs against what it was given. Pure; what it saw is a claim like all it says."""

from collections.abc import Sequence

from host.gpu.device import GpuDevice
from plugin_spec.case import GpuSeen


def difference(leased: Sequence[GpuDevice], seen: Sequence[GpuSeen]) -> str:
    """What was visible and not leased, or leased and not visible, in one line; empty when they agree.

    A MIG instance may be told by the name of its GPU: drivers before CUDA 11.4 know no other. Where a container has
    no driver library, only device nodes are seen, which have no UUID: then their number decides.
    """
    named = {_bare(one.uuid): one.uuid for one in seen if one.uuid}
    if not named:
        if len(seen) == len(leased):
            return ""
        return f"{len(leased)} device(s) leased, {len(seen)} visible in the container"
    foreign = sorted(uuid for bare, uuid in named.items() if not any(_is(one, bare) for one in leased))
    if foreign:
        return f"visible in the container and not leased: {', '.join(foreign)}"
    missing = sorted(one.uuid for one in leased if not any(_is(one, bare) for bare in named))
    if missing:
        return f"leased and not visible in the container: {', '.join(missing)}"
    return ""


def _is(device: GpuDevice, bare: str) -> bool:
    return bare in {_bare(device.uuid), _bare(device.parent)} - {""}


def _bare(uuid: str) -> str:
    """A UUID without the word before it, by which libraries differ."""
    return uuid.removeprefix("GPU-").removeprefix("MIG-").lower()
