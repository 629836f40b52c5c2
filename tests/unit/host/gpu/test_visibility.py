"""What a container saw against what was leased for it."""

import pytest

from host.gpu.visibility import difference
from plugin_spec.case import GpuSeen
from tests.support.gpus import A100, L4, a_gpu, an_instance

INSTANCE = an_instance(1)


def seen(*uuids: str, source: str = "cuda") -> tuple[GpuSeen, ...]:
    return tuple(GpuSeen.model_validate({"source": source, "uuid": uuid}) for uuid in uuids)


@pytest.mark.parametrize("visible", [(A100,), (A100.upper().replace("GPU", "GPU"),), (A100, A100)])
def test_the_leased_device_and_no_other_agrees(visible: tuple[str, ...]) -> None:
    assert difference((a_gpu(),), seen(*visible)) == ""


@pytest.mark.parametrize(
    ("visible", "told"),
    [
        ((L4,), f"visible in the container and not leased: {L4}"),
        ((A100, L4), f"visible in the container and not leased: {L4}"),
        ((), "1 device(s) leased, 0 visible in the container"),
        (("all",), "visible in the container and not leased: all"),
    ],
)
def test_another_device_or_none_is_told(visible: tuple[str, ...], told: str) -> None:
    assert difference((a_gpu(),), seen(*visible)) == told


def test_a_leased_device_that_is_not_visible_is_told() -> None:
    told = difference((a_gpu(), a_gpu(L4)), seen(A100))
    assert told == f"leased and not visible in the container: {L4}"


@pytest.mark.parametrize("uuid", [INSTANCE.uuid, INSTANCE.uuid.replace("MIG-", "GPU-"), A100])
def test_a_mig_instance_goes_by_its_own_name_or_its_gpus(uuid: str) -> None:
    assert difference((INSTANCE,), seen(uuid)) == ""
    assert difference((an_instance(2, of=L4),), seen(uuid)) != ""


def test_device_nodes_have_no_names_so_their_number_decides() -> None:
    assert difference((a_gpu(),), seen("", source="nodes")) == ""
    assert (
        difference((a_gpu(),), seen("", "", source="nodes"))
        == "1 device(s) leased, 2 visible in the container"
    )
