"""What only the Docker engine promises: its daemon's answers in Assay's words, and what it refuses to run."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from host.engines.docker import MANAGED_LABEL, connect
from host.engines.interface import Engine
from host.engines.owner import PREFIX, owner_alive, owner_labels
from host.errors import EngineDiedError, EngineRefusedError, GpuUnavailableError, NoEngineError
from host.gpu.request import GpuRequest, GpuVendor
from tests.support.docker_proxy import DockerProxy
from tests.support.engine_bench import BENCH_LABEL, Bench
from tests.support.engine_image import python_image

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = connect()
    yield made
    made.close()


@pytest.fixture(scope="module")
def api() -> Iterator[docker.APIClient]:
    client = docker.APIClient(version="auto")
    yield client
    client.close()


@pytest.fixture
def bench(engine: Engine, tmp_path: Path) -> Iterator[Bench]:
    made = Bench.at(engine, tmp_path)
    yield made
    assert made.leftovers() == []


@pytest.mark.parametrize("device_ids", [None, ("GPU-11111111-2222-3333-4444-555555555555",)])
def test_a_gpu_request_reaches_the_daemon_and_its_refusal_is_named(
    bench: Bench, device_ids: tuple[str, ...] | None
) -> None:
    with pytest.raises(GpuUnavailableError) as caught:
        bench.run("pass", gpu=GpuRequest(device_ids=device_ids))
    # The daemon repeats the capabilities that were asked for.
    assert (
        'could not select device driver "" with capabilities: [[gpu compute utility]]' in caught.value.message
    )
    assert caught.value.code == "gpu-unavailable"
    assert "CPU release" in caught.value.hint


def test_a_device_by_cdi_name_is_refused_by_a_daemon_that_knows_none(
    bench: Bench, api: docker.APIClient
) -> None:
    request = GpuRequest(vendor=GpuVendor.AMD, device_ids=("amd.com/gpu=0",))
    if api.info().get("CDISpecDirs"):
        with pytest.raises(GpuUnavailableError, match="CDI device"):
            bench.run("pass", gpu=request)
        return
    with pytest.raises(GpuUnavailableError, match=r"cannot pass amd.com/gpu=0 on") as caught:
        bench.run("pass", gpu=request)
    assert "Docker 25" in caught.value.hint


def test_an_image_with_volumes_is_refused(bench: Bench, api: docker.APIClient) -> None:
    container_id = api.create_container(bench.image_id, ["pass"])["Id"]
    image_id = api.commit(container_id, changes="VOLUME /data")["Id"]
    api.remove_container(container_id)
    with pytest.raises(EngineRefusedError, match="/data"):
        bench.run("pass", image_id=image_id)
    bench.engine.remove(image_id)
    assert not bench.engine.holds(image_id)
    assert bench.engine.holds(bench.image_id), "an untagged image below a removed one stays"


def test_containers_of_a_dead_process_are_reaped_and_those_of_a_live_one_are_not(
    engine: Engine, api: docker.APIClient
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine = {MANAGED_LABEL: "1", **owner_labels()}
    image_id = python_image(engine)
    dead_id, alive_id = (
        api.create_container(image_id, ["pass"], labels=labels)["Id"]
        for labels in (mine | {f"{PREFIX}pid": str(gone.pid)}, mine)
    )
    try:
        reaped = engine.reap(owner_alive)
        assert dead_id in reaped
        assert alive_id not in reaped
        assert [one["Id"] for one in api.containers(all=True, filters={"id": dead_id})] == []
    finally:
        api.remove_container(alive_id)


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # docker-py drops a socket that fails to connect unclosed
def test_a_daemon_that_dies_during_a_run_is_named_and_never_taken_for_a_result(bench: Bench) -> None:
    proxy = DockerProxy(bench.folder / "proxy.sock")
    engine = connect(proxy.address)
    spec = bench.spec("import time; time.sleep(60)")
    asked = []

    def cut_at_the_third_question() -> bool:
        asked.append(1)
        if len(asked) == 3:
            proxy.cut()
        return False

    with pytest.raises(EngineDiedError, match="docker stopped answering and could not wait") as caught:
        engine.run(spec, log_path=spec.outputs.parent / "log", cancelled=cut_at_the_third_question)
    assert caught.value.code == "engine-died"
    del caught
    engine.close()
    gc.collect()
    (container_id,) = bench.leftovers()
    assert bench.engine.reap(lambda labels: labels.get(BENCH_LABEL) != bench.label) == [container_id]


@pytest.mark.parametrize("scheme", ["unix://{}/dead.sock", "tcp://127.0.0.1:9", "carrier-pigeon://somewhere"])
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # docker-py drops a socket that fails to connect unclosed
def test_no_daemon_is_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    address = scheme.format(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", address)
    with pytest.raises(NoEngineError) as caught:
        connect()
    assert caught.value.message == f"no Docker daemon answers at {address}"
    assert caught.value.code == "no-engine"
    assert "DOCKER_HOST" in caught.value.hint
    del caught
    gc.collect()


def test_a_running_container_is_closed_in_as_the_daemon_sees_it(bench: Bench, api: docker.APIClient) -> None:
    seen: list[dict] = []

    def look() -> bool:
        seen.extend(api.inspect_container(one)["HostConfig"] for one in bench.leftovers())
        return False

    bench.run("import time; time.sleep(0.5)", cancelled=look)
    host = seen[0]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] is None
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["LogConfig"]["Type"] == "none"
    assert {mount["Target"]: mount.get("ReadOnly", False) for mount in host["Mounts"]} == {
        "/assay/in": True,
        "/assay/out": False,
    }


def test_the_fastest_run_costs_little_more_than_docker_run(bench: Bench) -> None:
    """Guard against a slow call slipping into the path; figures are measured on quiet machines."""
    command = ["docker", "run", "--rm", "--network", "none", bench.image_id, "pass"]
    ours, docker_own = [], []
    for _ in range(4):
        before = os.times().elapsed
        subprocess.run(command, check=True)
        between = os.times().elapsed
        bench.run("pass")
        docker_own.append(between - before)
        ours.append(os.times().elapsed - between)
    assert min(ours) < 2 * min(docker_own), f"{ours} s against {docker_own} s"
