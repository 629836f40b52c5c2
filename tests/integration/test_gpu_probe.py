"""The GPU probe as a built image, leased, passed on and looked at by the real code: only the driver is a stand-in.

NVML is a stand-in below pynvml, the device node is really /dev/null, and libcuda, mounted by a CDI spec file as the
real one is, computes on the processor. Nothing here says anything about hardware.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.engines.runc import connect
from host.errors import EngineRefusedError, NoEngineError
from host.gpu.cdi import FOLDERS_VARIABLE
from host.gpu.lease_files import FOLDER_VARIABLE
from tests.support.cdi_files import device, write_cdi
from tests.support.cli import Cli
from tests.support.driver_libraries import build_drivers
from tests.support.nvml_library import Card, NvmlLibrary, installed

pytestmark = pytest.mark.docker  # a skip is a failure where engines are required

PLUGIN = Path(__file__).parents[2] / "plugins" / "gpu-probe"
# What the stand-in libcuda calls its device.
UUID = "GPU-aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
OTHER = "GPU-bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"
RUNC = ("--engine", "runc")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A home in which the probe is built."""
    try:
        connect()
    except (NoEngineError, EngineRefusedError) as error:
        pytest.skip(error.message)
    cli = Cli(tmp_path_factory.mktemp("probe") / "home")
    cli.do("plugin", "build", PLUGIN, *RUNC)
    return cli


@pytest.fixture
def cli(built: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv(FOLDERS_VARIABLE, str(tmp_path / "cdi"))
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "leases"))
    return built


@pytest.fixture
def leased(request: pytest.FixtureRequest) -> Iterator[str]:
    """The machine's one GPU, as its driver calls it."""
    uuid = getattr(request, "param", UUID)
    with installed(NvmlLibrary((Card(uuid),))):
        yield uuid


def passed_on(folder: Path, uuid: str, *, driver: bool) -> None:
    """A CDI spec file for the GPU, with or without the driver's library."""
    os.mknod(folder / "node", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    mounts = []
    if driver:
        library = build_drivers(folder, "cuda") / "libcuda.so.1"
        target = "/usr/lib/x86_64-linux-gnu/libcuda.so.1"
        mounts = [{"hostPath": str(library), "containerPath": target, "options": ["ro", "nosuid", "bind"]}]
    edits = {"deviceNodes": [{"path": "/dev/nvidia0", "hostPath": str(folder / "node")}], "mounts": mounts}
    write_cdi(folder / "cdi", kind="nvidia.com/gpu", devices=[device(uuid, **edits)], containerEdits={})


def test_the_embedded_tests_hold_on_a_device_that_computes_right(
    cli: Cli, tmp_path: Path, leased: str
) -> None:
    passed_on(tmp_path, leased, driver=True)
    answer = cli.do("plugin", "test", PLUGIN, *RUNC, "--json")
    assert answer.document["failed"] == 0
    assert [one["outcome"] for one in answer.document["tests"]] == ["ok", "refused"]


def run_ramp(out: Path) -> tuple[str, ...]:
    return (
        "plugin",
        "run",
        str(PLUGIN),
        *RUNC,
        "--input",
        f"image={PLUGIN / 'tests/ramp.nii'}",
        "--out",
        str(out),
    )


@pytest.mark.parametrize("leased", [OTHER], indirect=True)
def test_a_container_that_sees_another_device_than_the_leased_one_fails(
    cli: Cli, tmp_path: Path, leased: str
) -> None:
    passed_on(tmp_path, leased, driver=True)
    refused = cli(*run_ramp(tmp_path / "out")).refused()
    assert refused.exit_code == 11
    assert UUID in refused.message
    assert "not leased" in refused.message


def test_without_the_drivers_library_the_probe_ends_as_unusable(
    cli: Cli, tmp_path: Path, leased: str
) -> None:
    passed_on(tmp_path, leased, driver=False)
    refused = cli(*run_ramp(tmp_path / "out")).refused()
    assert refused.exit_code == 11
    assert "libcuda.so.1" in refused.message


def test_without_a_gpu_nothing_is_started(cli: Cli, tmp_path: Path) -> None:
    with installed(NvmlLibrary()):
        refused = cli(*run_ramp(tmp_path / "out")).refused()
    assert (refused.exit_code, refused.code) == (8, "gpu-unsuitable")
    assert "driver 550.54.15 sees no GPU" in refused.message
    assert not (tmp_path / "out").exists()
