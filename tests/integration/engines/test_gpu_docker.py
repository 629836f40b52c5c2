"""A GPU request through a real Docker daemon that has a stand-in for NVIDIA's hook: no hardware, the real path."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.engines.docker import connect
from host.gpu.grant import granted
from host.gpu.lease import Wanted, lease
from host.gpu.lease_files import FOLDER_VARIABLE, Holder
from host.gpu.request import GpuRequest
from tests.support.engine_bench import Bench
from tests.support.gpus import A100, L4, a_gpu, a_need
from tests.support.nvml_library import Card, NvmlLibrary, installed
from tests.support.private_docker import PrivateDocker, bridges, private_docker

pytestmark = pytest.mark.docker  # a skip is a failure where engines are required

MIG = "MIG-cccccccc-0000-0000-0000-000000000001"
SHOW = (
    "import os; print(*(os.environ.get(n) for n in ('NVIDIA_VISIBLE_DEVICES', 'NVIDIA_DRIVER_CAPABILITIES')))"
)


@pytest.fixture(scope="module")
def docker() -> Iterator[PrivateDocker]:
    with private_docker() as daemon:
        yield daemon
    assert daemon.bridges_before <= bridges()


@pytest.fixture
def bench(docker: PrivateDocker, tmp_path: Path) -> Iterator[Bench]:
    engine = connect(docker.address)
    yield Bench.at(engine, tmp_path)
    engine.close()


@pytest.mark.parametrize("uuids", [(A100,), (A100, L4), (MIG,)])
def test_the_requested_uuids_reach_the_hook_and_the_container(
    bench: Bench, docker: PrivateDocker, uuids: tuple[str, ...]
) -> None:
    before = len(docker.calls())
    printed = bench.log(SHOW, gpu=GpuRequest(count=len(uuids), device_ids=uuids))
    assert printed.split() == [",".join(uuids), "compute,utility"]
    (call,) = docker.calls()[before:]
    assert call["NVIDIA_VISIBLE_DEVICES"] == ",".join(uuids)


def test_without_a_request_the_hook_is_not_called_and_nothing_is_visible(
    bench: Bench, docker: PrivateDocker
) -> None:
    before = len(docker.calls())
    assert bench.log(SHOW, environment={"NVIDIA_VISIBLE_DEVICES": "all"}).split() == ["void", "None"]
    assert len(docker.calls()) == before


def test_the_leased_device_is_the_one_the_container_gets(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "leases"))
    other = Holder(pid=1, run="another", engine="docker")
    with (
        installed(NvmlLibrary((Card(A100), Card(L4)))),
        lease(Wanted(candidates=(a_gpu(),), count=1), other),
        granted(a_need(), bench.engine, run_id="mine", say=print, cancelled=lambda: False) as grant,
    ):
        printed = bench.log(SHOW, gpu=grant.request)
    assert printed.split()[0] == L4 == grant.uuids[0]


def test_a_second_daemon_takes_no_network_of_the_first_one_away(docker: PrivateDocker) -> None:
    assert docker.bridges_before <= bridges()
