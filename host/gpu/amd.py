"""AMD's GPUs as the kernel describes them: ``/dev/kfd`` and its topology. No library of AMD's is needed."""

import platform
from collections.abc import Mapping
from pathlib import Path

from host.gpu.device import GpuDevice, Inventory
from host.gpu.request import GpuVendor

_TOPOLOGY = Path("sys/class/kfd/kfd/topology/nodes")
# kfd's heap types 1 and 2: the device's own memory, visible to the processor or not.
_DEVICE_HEAPS = {"1", "2"}


def amd_inventory(root: Path = Path("/")) -> Inventory:
    """Read the kernel's list of compute devices.

    Parameters
    ----------
    root : Path, optional
        Where ``dev`` and ``sys`` are.
    """
    if not (root / "dev/kfd").exists():
        return Inventory(reasons=("amd: no compute driver is loaded (no /dev/kfd)",))
    driver = _first_line(root / "sys/module/amdgpu/version") or platform.release()
    found, reasons = [], []
    # The first node is the processor; CDI files number the GPUs in the order of their render nodes.
    nodes = [(node, _properties(node / "properties")) for node in (root / _TOPOLOGY).glob("*")]
    gpus = [(node, told) for node, told in nodes if told.get("simd_count", "0") != "0"]
    for index, (node, told) in enumerate(sorted(gpus, key=lambda one: _number(one[1], "drm_render_minor"))):
        render = root / f"dev/dri/renderD{_number(told, 'drm_render_minor')}"
        if not render.exists():
            reasons.append(f"amd: GPU {index} has no {render.relative_to(root)}")
            continue
        found.append(_device(root, node, told, index=index, driver=driver))
    if not gpus:
        reasons.append("amd: /dev/kfd is there and lists no GPU")
    return Inventory(tuple(found), tuple(reasons))


def _device(root: Path, node: Path, told: Mapping[str, str], *, index: int, driver: str) -> GpuDevice:
    target = _number(told, "gfx_target_version")
    card = root / f"sys/class/drm/renderD{_number(told, 'drm_render_minor')}/device"
    banks = [_properties(bank) for bank in sorted(node.glob("mem_banks/*/properties"))]
    return GpuDevice(
        vendor=GpuVendor.AMD,
        uuid=_uuid(told),
        model=_first_line(card / "product_name") or _first_line(node / "name") or "AMD GPU",
        vram_bytes=sum(
            _number(bank, "size_in_bytes") for bank in banks if bank.get("heap_type") in _DEVICE_HEAPS
        ),
        driver=driver,
        compute_capability=f"{target // 10000}.{target // 100 % 100}.{target % 100}",
        index=index,
    )


def _uuid(told: Mapping[str, str]) -> str:
    """The name burnt into the device, or its place on the bus where it has none."""
    if unique := _number(told, "unique_id"):
        return f"GPU-{unique:016x}"
    return f"GPU-pci-{_number(told, 'domain'):04x}-{_number(told, 'location_id'):04x}"


def _properties(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    return {key: value.strip() for key, _, value in (line.partition(" ") for line in lines)}


def _number(told: Mapping[str, str], key: str) -> int:
    value = told.get(key, "")
    return int(value) if value.isdecimal() else 0


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip().split("\n")[0]
    except OSError:
        return ""
