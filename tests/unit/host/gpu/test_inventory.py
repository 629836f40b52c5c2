"""What GPUs a machine has: through NVIDIA's library (a stand-in below pynvml) and AMD's device nodes."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from host.gpu.amd import amd_inventory
from host.gpu.inventory import take_inventory
from host.gpu.nvidia import nvidia_inventory
from host.gpu.request import GpuVendor
from tests.support.gpus import A100, L4
from tests.support.nvml_library import DRIVER_NOT_LOADED, Card, NvmlLibrary, installed


def test_gpus_are_described_as_the_driver_does() -> None:
    cards = (Card(A100), Card(L4, "NVIDIA L4", 24 * 1024**3, (8, 9)))
    with installed(NvmlLibrary(cards)) as library:
        found = nvidia_inventory()
        assert library.open_sessions == 0
    assert found.reasons == ()
    assert [(one.uuid, one.model, one.compute_capability, one.index) for one in found.devices] == [
        (A100, "NVIDIA A100-PCIE-40GB", "8.0", 0),
        (L4, "NVIDIA L4", "8.9", 1),
    ]
    assert {one.driver for one in found.devices} == {"550.54.15"}
    assert found.devices[1].vram_bytes == 24 * 1024**3
    assert found.devices[0].request_id == A100


def test_a_gpu_in_mig_mode_is_its_instances() -> None:
    with installed(NvmlLibrary((Card(A100, instances=(0, 3)), Card(L4)))):
        found = nvidia_inventory()
    assert [one.uuid for one in found.devices] == [f"MIG-{A100[4:]}-0", f"MIG-{A100[4:]}-3", L4]
    assert [one.parent for one in found.devices] == [A100, A100, ""]
    assert [one.compute_capability for one in found.devices] == ["8.0", "8.0", "8.0"]
    assert found.devices[0].vram_bytes == 5 * 1024**3


@pytest.mark.parametrize(
    "library", [NvmlLibrary((Card(A100, capability=(7, 5)),)), NvmlLibrary((Card(A100),), knows_mig=False)]
)
def test_a_gpu_or_driver_that_knows_no_mig_is_whole(library: NvmlLibrary) -> None:
    with installed(library):
        assert [one.uuid for one in nvidia_inventory().devices] == [A100]


@pytest.mark.parametrize(
    ("library", "reason"),
    [
        (NvmlLibrary(init_answer=DRIVER_NOT_LOADED), "does not answer"),
        (NvmlLibrary(), "driver 550.54.15 sees no GPU"),
        (NvmlLibrary((Card(A100, instances=()),)), f"{A100} is in MIG mode and has no instance"),
    ],
)
def test_where_there_is_none_the_reason_is_kept(library: NvmlLibrary, reason: str) -> None:
    with installed(library):
        found = nvidia_inventory()
    assert found.devices == ()
    assert reason in found.reasons[0]
    assert len(found.reasons) == 1


def test_a_lost_gpu_is_told_and_the_others_are_listed() -> None:
    with installed(NvmlLibrary((Card(A100, lost=True), Card(L4)))):
        found = nvidia_inventory()
    assert [one.uuid for one in found.devices] == [L4]
    assert "GPU 0 cannot be used" in found.reasons[0]


def test_without_a_driver_library_there_is_no_gpu_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import pynvml

    def not_there(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(pynvml, "CDLL", not_there)
    found = nvidia_inventory()
    assert found.devices == ()
    assert found.reasons == ("nvidia: no driver is installed (no libnvidia-ml.so.1)",)


def amd_machine(root: Path, **changes: str) -> Path:
    """The kernel's files of a machine with a processor and two GPUs."""
    processor = {"simd_count": "0", "cpu_cores_count": "16"}
    first = {"simd_count": "440", "gfx_target_version": "90010", "drm_render_minor": "129",
             "unique_id": "12345678901234567890", "location_id": "256", "domain": "0"}  # fmt: skip
    second = {**first, "drm_render_minor": "128", "unique_id": "0", "location_id": "512"}
    for number, told in enumerate((processor, first | changes, second)):
        _write(root / f"sys/class/kfd/kfd/topology/nodes/{number}/properties", told)
    bank = root / "sys/class/kfd/kfd/topology/nodes/1/mem_banks/0/properties"
    _write(bank, {"heap_type": "1", "size_in_bytes": str(64 * 1024**3)})
    _write(bank.parents[1] / "1/properties", {"heap_type": "0", "size_in_bytes": "1024"})
    for path in ("dev/kfd", "dev/dri/renderD128", "dev/dri/renderD129"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")
    product = root / "sys/class/drm/renderD129/device/product_name"
    product.parent.mkdir(parents=True)
    product.write_text("AMD Instinct MI210\n")
    version = root / "sys/module/amdgpu/version"
    version.parent.mkdir(parents=True)
    version.write_text("6.7.0\n")
    return root


def _write(path: Path, told: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{key} {value}\n" for key, value in told.items()))


def test_amd_gpus_are_read_from_the_kernel_in_the_order_of_their_render_nodes(tmp_path: Path) -> None:
    found = amd_inventory(amd_machine(tmp_path))
    assert found.reasons == ()
    second, first = found.devices
    assert first.uuid == "GPU-ab54a98ceb1f0ad2"
    assert (first.vendor, first.model, first.driver) == (GpuVendor.AMD, "AMD Instinct MI210", "6.7.0")
    assert (first.compute_capability, first.vram_bytes) == ("9.0.10", 64 * 1024**3)
    assert (first.index, first.request_id) == (1, "amd.com/gpu=1")
    assert (second.uuid, second.index) == ("GPU-pci-0000-0200", 0), (
        "a device without a name goes by its place"
    )


def test_an_amd_gpu_without_its_render_node_is_told(tmp_path: Path) -> None:
    root = amd_machine(tmp_path)
    (root / "dev/dri/renderD129").unlink()
    found = amd_inventory(root)
    assert len(found.devices) == 1
    assert found.reasons == ("amd: GPU 1 has no dev/dri/renderD129",)


def test_a_compute_driver_without_gpus_is_told(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kfd").write_text("")
    assert amd_inventory(tmp_path).reasons == ("amd: /dev/kfd is there and lists no GPU",)


def test_a_machine_without_amds_driver_says_so(tmp_path: Path) -> None:
    assert amd_inventory(tmp_path).reasons == ("amd: no compute driver is loaded (no /dev/kfd)",)


def test_the_inventory_of_the_machine_asks_both() -> None:
    with installed(NvmlLibrary((Card(A100),))):
        found = take_inventory()
    assert A100 in {one.uuid for one in found.devices}
