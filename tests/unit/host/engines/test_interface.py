import dataclasses
from pathlib import Path

import pytest

from host.engines.interface import ContainerSpec, Mount, full_name, require_image_id
from host.errors import ImageMissingError, LimitError
from host.gpu.request import GpuRequest
from tests.support.engine_bench import LIMITS

IMAGE_ID = f"sha256:{'a' * 64}"


def a_spec(**changes: object) -> ContainerSpec:
    base = ContainerSpec(
        image_id=IMAGE_ID, argv=None, inputs=Path("/r/in"), outputs=Path("/r/out"), limits=LIMITS
    )
    return dataclasses.replace(base, **changes)


@pytest.mark.parametrize(
    "name", [field.name for field in dataclasses.fields(LIMITS) if field.name != "shm_bytes"]
)
@pytest.mark.parametrize("value", [0, -1])
def test_a_limit_that_engines_read_as_unlimited_is_refused(name: str, value: int) -> None:
    with pytest.raises(LimitError) as caught:
        dataclasses.replace(LIMITS, **{name: value})
    assert caught.value.subject == name


def test_shared_memory_may_be_left_out() -> None:
    assert dataclasses.replace(LIMITS, shm_bytes=0).shm_bytes == 0
    with pytest.raises(LimitError):
        dataclasses.replace(LIMITS, shm_bytes=-1)


def test_only_the_outputs_are_writable() -> None:
    spec = a_spec(weights=Path("/w"))
    assert spec.mounts() == (
        Mount(Path("/r/in"), "/assay/in", True),
        Mount(Path("/r/out"), "/assay/out", False),
        Mount(Path("/w"), "/assay/weights", True),
    )


def test_a_plugins_own_home_wins_over_the_default() -> None:
    assert a_spec(environment={"HOME": "/assay/out", "X": "1"}).full_environment() == {
        "HOME": "/assay/out",
        "TMPDIR": "/scratch",
        "X": "1",
        "NVIDIA_VISIBLE_DEVICES": "void",
    }


def test_no_gpu_is_visible_that_was_not_asked_for_whatever_the_plugin_says() -> None:
    wish = {"NVIDIA_VISIBLE_DEVICES": "all"}
    by_name = GpuRequest(device_ids=("nvidia.com/gpu=0",))
    for spec in (a_spec(environment=wish), a_spec(environment=wish, gpu=by_name)):
        assert spec.full_environment()["NVIDIA_VISIBLE_DEVICES"] == "void"
    # Docker itself sets the variable to the UUIDs that are asked for.
    assert "NVIDIA_VISIBLE_DEVICES" not in a_spec(environment=wish, gpu=GpuRequest()).full_environment()


def test_an_image_id_passes() -> None:
    assert require_image_id(IMAGE_ID) == IMAGE_ID


@pytest.mark.parametrize(
    "name", ["python:3", "a" * 64, IMAGE_ID[:-1], IMAGE_ID.upper(), f"{IMAGE_ID}\n", f"x@{IMAGE_ID}"]
)
def test_anything_but_an_image_id_is_refused(name: str) -> None:
    with pytest.raises(ImageMissingError, match="not an image ID"):
        require_image_id(name)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("tool", ("tool", "latest")),
        ("assay/tool:1.0.0", ("assay/tool", "1.0.0")),
        ("registry.example:5000/a/b", ("registry.example:5000/a/b", "latest")),
        ("registry.example:5000/a/b__c-d:X_1", ("registry.example:5000/a/b__c-d", "X_1")),
    ],
)
def test_a_name_is_a_repository_and_a_tag(name: str, parts: tuple[str, str]) -> None:
    assert full_name(name) == parts
