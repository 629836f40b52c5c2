"""A manifest's needs against a machine's GPUs: what fits, what is missing, and what happens then."""

from typing import Any

import pytest

from host.errors import GpuUnsuitableError
from host.gpu.device import GpuDevice, version_tuple
from host.gpu.preflight import CpuFallback, GpuChoice, preflight, request_of, unfit, untested
from host.gpu.request import GpuVendor
from tests.support.gpus import A100, GIB, L4, a_gpu, a_machine, a_need, an_instance


def test_a_device_that_fits_is_chosen() -> None:
    assert preflight(a_need(), a_machine(a_gpu())) == GpuChoice((a_gpu(),), 1, False)


@pytest.mark.parametrize(
    ("need", "device", "lacks"),
    [
        ({"vram_mib": 40961}, {}, "40960 MiB of memory, needs 40961"),
        ({"compute_capability_min": "8.6"}, {}, "compute capability 8.0, needs 8.6"),
        (
            {"compute_capability_min": "10.0"},
            {"compute_capability": "9.0"},
            "compute capability 9.0, needs 10.0",
        ),
        ({"driver_min": "550.54.16"}, {}, "driver 550.54.15, needs 550.54.16"),
        ({"driver_min": "1000"}, {}, "driver 550.54.15, needs 1000"),
        ({"vendor": "amd"}, {}, "made by nvidia, not amd"),
        ({}, {"vendor": GpuVendor.AMD}, "made by amd, not nvidia"),
    ],
)
def test_what_a_device_lacks_is_said_exactly(
    need: dict[str, Any], device: dict[str, Any], lacks: str
) -> None:
    assert unfit(a_need(**need), a_gpu(**device)) == (lacks,)
    with pytest.raises(GpuUnsuitableError, match=lacks) as caught:
        preflight(a_need(**need), a_machine(a_gpu(**device)))
    assert caught.value.code == "gpu-unsuitable"
    assert A100 in caught.value.message
    assert "assay gpu list" in caught.value.hint


@pytest.mark.parametrize(
    "need",
    [
        {"vram_mib": 40960},
        {"compute_capability_min": "8.0"},
        {"compute_capability_min": "8"},
        {"driver_min": "550.54.15"},
    ],
)
def test_exactly_enough_is_enough(need: dict[str, Any]) -> None:
    assert unfit(a_need(**need), a_gpu()) == ()


def test_everything_that_is_lacking_is_said_at_once() -> None:
    need = a_need(vram_mib=10**6, compute_capability_min="9.9", driver_min="999")
    assert len(unfit(need, a_gpu())) == 3


def test_a_machine_without_gpus_says_why() -> None:
    with pytest.raises(GpuUnsuitableError, match="0 of 0 device.* fit: nvidia: no driver is installed"):
        preflight(a_need(), a_machine(reasons=("nvidia: no driver is installed",)))


def test_too_few_that_fit_are_too_few() -> None:
    with pytest.raises(GpuUnsuitableError, match="1 of 2 device"):
        preflight(a_need(count=2), a_machine(a_gpu(), a_gpu(L4, vram_bytes=GIB)))
    assert preflight(a_need(count=2), a_machine(a_gpu(), a_gpu(L4))).count == 2


@pytest.mark.parametrize("declared", ["same_results", "within_tolerance"])
def test_a_declared_fallback_is_taken_and_says_why(declared: str) -> None:
    decision = preflight(a_need(cpu_fallback=declared), a_machine(reasons=("nvidia: none",)))
    assert isinstance(decision, CpuFallback)
    assert declared.replace("_", " ") in decision.why
    assert "nvidia: none" in decision.why


@pytest.mark.parametrize("declared", ["no", "same_results", "within_tolerance"])
def test_a_device_that_fits_is_used_whatever_the_fallback(declared: str) -> None:
    assert isinstance(preflight(a_need(cpu_fallback=declared), a_machine(a_gpu())), GpuChoice)


def test_tested_devices_come_first_then_the_smallest() -> None:
    small, large, tested = a_gpu(L4, vram_bytes=24 * GIB), a_gpu(), a_gpu("GPU-h", compute_capability="9.0")
    machine = a_machine(large, small, tested)
    chosen = preflight(a_need(compute_capability_tested=("9.0",)), machine)
    assert [one.uuid for one in chosen.candidates] == ["GPU-h", L4, A100]


def test_a_device_the_author_never_ran_on_is_told() -> None:
    need = a_need(compute_capability_tested=("8.6", "9.0"))
    assert untested(need, a_gpu()) == f"{A100}: compute capability 8.0 is not among the tested 8.6, 9.0"
    assert untested(need, a_gpu(compute_capability="8.6")) == ""
    assert untested(a_need(), a_gpu()) == "", "nothing is said where nothing was declared"


def test_mig_instances_serve_one_device_and_never_several() -> None:
    machine = a_machine(an_instance(1), an_instance(2))
    assert len(preflight(a_need(vram_mib=4096), machine).candidates) == 2
    with pytest.raises(GpuUnsuitableError, match="one process can use only one"):
        preflight(a_need(vram_mib=4096, count=2), machine)


def test_sharing_is_the_manifests_word() -> None:
    assert preflight(a_need(shared=True), a_machine(a_gpu())).shared is True


def amd(index: int) -> GpuDevice:
    return a_gpu(f"GPU-{index}", vendor=GpuVendor.AMD, index=index)


def test_nvidia_is_asked_for_by_uuid_and_amd_by_its_cdi_name() -> None:
    request = request_of((a_gpu(), a_gpu(L4)), a_need(count=2))
    assert (request.device_ids, request.count, request.vendor) == ((A100, L4), 2, "nvidia")
    assert (request.vram_bytes_min, request.compute_capability_min) == (8192 * 2**20, (7, 5))
    assert request_of((amd(1),), a_need(vendor="amd")).device_ids == ("amd.com/gpu=1",)
    assert request_of((amd(1),), a_need(vendor="amd")).by_cdi_name


@pytest.mark.parametrize(
    ("text", "numbers"), [("550.54.15", (550, 54, 15)), ("6.7.0-rc1", (6, 7, 0)), ("", ()), ("abc", ())]
)
def test_versions_are_compared_as_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert version_tuple(text) == numbers
