import pytest

from host.errors import GpuRequestError
from host.gpu.request import GpuRequest, GpuVendor, is_cdi_name

UUID = "GPU-11111111-2222-3333-4444-555555555555"
MIG = "MIG-11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    "fields",
    [
        {"count": 0},
        {"count": -1},
        {"count": 2, "device_ids": (UUID,)},
        {"count": 2, "device_ids": (UUID, UUID)},
        {"count": 1, "device_ids": ()},
        {"count": 2, "device_ids": (UUID, "nvidia.com/gpu=0")},
    ],
)
def test_a_request_that_contradicts_itself_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(GpuRequestError) as caught:
        GpuRequest(**fields)
    assert caught.value.subject in fields


def test_devices_are_named_by_uuid_or_by_cdi_name() -> None:
    assert not GpuRequest().by_cdi_name
    assert not GpuRequest(count=2, device_ids=(UUID, MIG)).by_cdi_name
    assert GpuRequest(device_ids=("amd.com/gpu=0",)).by_cdi_name


@pytest.mark.parametrize(
    "name", [UUID, MIG, "0", "gpu=0", "vendor/gpu", "/gpu=0", "vendor/=0", "vendor/gpu=", ""]
)
def test_only_qualified_names_are_cdi_names(name: str) -> None:
    assert not is_cdi_name(name)


def test_every_leased_device_has_a_cdi_name() -> None:
    assert GpuRequest(device_ids=(UUID,)).cdi_names == (f"nvidia.com/gpu={UUID}",)
    assert GpuRequest(device_ids=(MIG,)).cdi_names == (f"nvidia.com/gpu={MIG}",)
    named = GpuRequest(vendor=GpuVendor.AMD, device_ids=("amd.com/gpu=0",))
    assert named.cdi_names == ("amd.com/gpu=0",)
    assert GpuRequest().cdi_names == ()
