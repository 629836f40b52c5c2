"""What only the runc engine promises: nothing of a container on the host after it, and a tree nobody edited."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.engines.interface import Engine
from host.engines.owner import PREFIX, owner_alive, owner_labels
from host.engines.runc import RuncEngine, connect
from host.engines.runc_cgroup import ControlGroup
from host.errors import EngineDiedError, EngineRefusedError, ImageTamperedError
from host.home import Home
from host.leftovers import clear_dead
from tests.support.engine_bench import MIB, Bench
from tests.support.engine_image import docker_archive, python_layers, tar_of
from tests.support.memory_engine import MemoryEngine

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = connect()
    yield made
    made.close()


@pytest.fixture
def bench(engine: Engine, tmp_path: Path) -> Iterator[Bench]:
    made = Bench.at(engine, tmp_path)
    yield made
    assert made.leftovers() == []


def containers(bench: Bench) -> Path:
    """Where the engine keeps its bundles."""
    assert isinstance(bench.engine, RuncEngine)
    return bench.engine._containers


def remains(bench: Bench, container_id: str) -> list[str]:
    """Everything of a container that the host can still see."""
    folder = containers(bench)
    paths = [folder / container_id, folder.parent / "runc" / container_id]
    found = [str(path) for path in paths if path.exists()]
    if ControlGroup(f"/assay/{container_id}").exists():
        found.append("control group")
    found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if container_id in line]
    return found + [pid for pid in launchers(container_id)]


def launchers(container_id: str) -> list[str]:
    """Processes whose words name the container: runc itself."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            words = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if container_id.encode() in words:
            found.append(pid)
    return found


# ---- nothing remains


def test_nothing_of_a_container_remains_and_no_mount_is_ever_seen(bench: Bench) -> None:
    seen: list[list[str]] = []

    def look() -> bool:
        seen.append(Path("/proc/self/mountinfo").read_text().splitlines())
        return False

    ended = bench.run("import time; time.sleep(0.3)", cancelled=look)
    assert remains(bench, ended.container_id) == []
    assert [line for lines in seen for line in lines if ended.container_id in line] == []


def test_a_container_and_its_files_are_closed_to_other_users(bench: Bench) -> None:
    modes: list[int] = []

    def look() -> bool:
        modes.extend(path.stat().st_mode & 0o077 for path in (containers(bench).parent, containers(bench)))
        return False

    bench.run("import time; time.sleep(0.3)", cancelled=look)
    assert modes[0] == 0


def test_runc_killed_during_a_run_is_named_and_its_container_dies_with_it(bench: Bench) -> None:
    killed: list[str] = []

    def kill_runc() -> bool:
        running = bench.leftovers()
        if running and not killed and ControlGroup(f"/assay/{running[0]}").pids():
            killed.extend(running)
            os.kill(int(launchers(running[0])[0]), signal.SIGKILL)
        return False

    with pytest.raises(EngineDiedError, match="runc was ended by signal 9") as caught:
        bench.run("import time; time.sleep(60)", cancelled=kill_runc)
    assert caught.value.code == "engine-died"
    assert remains(bench, killed[0]) == []


def test_what_runc_says_is_passed_on(bench: Bench) -> None:
    spec = bench.spec("pass", memory_bytes=256 * 1024)
    with pytest.raises(EngineRefusedError, match="runc could not start the container"):
        bench.run_spec(spec)


# ---- the reaper


def bundle_of(bench: Bench, labels: dict[str, str] | None) -> Path:
    """A bundle as a host leaves it that is killed before the container's start."""
    bundle = containers(bench) / f"assay-{bench.label}"
    bundle.mkdir()
    if labels is not None:
        (bundle / "labels.json").write_text(json.dumps(labels))
    return bundle


def test_a_bundle_without_a_container_is_reaped_too(bench: Bench) -> None:
    bundle = bundle_of(bench, owner_labels() | {f"{PREFIX}boot": "an earlier one"})
    assert bundle.name in bench.engine.reap(owner_alive)
    assert not bundle.exists()


def test_a_bundle_of_a_live_process_is_left_alone(bench: Bench) -> None:
    bundle = bundle_of(bench, owner_labels())
    assert bundle.name not in bench.engine.reap(owner_alive)
    (bundle / "labels.json").unlink()
    bundle.rmdir()


def test_a_bundle_without_labels_is_left_alone_until_its_maker_must_be_dead(bench: Bench) -> None:
    bundle = bundle_of(bench, None)
    assert bundle.name not in bench.engine.reap(owner_alive)
    os.utime(bundle, (1, 1))
    assert bundle.name in bench.engine.reap(owner_alive)
    assert not bundle.exists()


def test_what_a_command_left_on_runc_is_removed_by_one_that_uses_another_engine(
    bench: Bench, tmp_path: Path
) -> None:
    bundle = bundle_of(bench, owner_labels() | {f"{PREFIX}boot": "an earlier one"})
    home = Home(tmp_path / "home", tmp_path / "cache")
    home.ensure()
    clear_dead(home, MemoryEngine())
    assert bundle.exists(), "no command died in this home"
    (home.runs / "0123456789abcdef").mkdir()
    clear_dead(home, MemoryEngine())
    assert not bundle.exists()


# ---- the tree


def test_containers_leave_the_tree_as_its_layers_say_and_an_edit_is_found(tmp_path: Path) -> None:
    # A store of its own: other sessions run the image of the shared one.
    engine = connect(tmp_path / "cache")
    (tmp_path / "bench").mkdir()
    bench, layers = Bench.at(engine, tmp_path / "bench"), python_layers(tmp_path)
    bench.log("import os; os.makedirs('/assay/out/x')", weights=bench.folder, control=bench.folder)
    engine.verify(bench.image_id, layers.__getitem__)
    added = unpacked(engine, bench.image_id) / "opt/py/lib/sitecustomize.py"
    added.write_text("print('forged')\n")
    with pytest.raises(ImageTamperedError, match=r"sitecustomize\.py is not in the image"):
        engine.verify(bench.image_id, layers.__getitem__)


def unpacked(engine: RuncEngine, image_id: str) -> Path:
    """The tree of an image."""
    with engine._images.used(image_id) as image:
        return image.root


def test_an_image_for_another_machine_is_refused(bench: Bench, tmp_path: Path) -> None:
    archive = tmp_path / "arm.tar"
    docker_archive(archive, [tar_of([("x", b"")])])
    archive.write_bytes(archive.read_bytes().replace(b'"amd64"', b'"arm64"'))
    image_id = bench.engine.load(archive)
    try:
        with pytest.raises(EngineRefusedError, match="the image is for arm64"):
            bench.run("pass", image_id=image_id)
    finally:
        bench.engine.remove(image_id)


# ---- what it costs


def test_a_run_costs_less_than_dockers(bench: Bench, tmp_path: Path) -> None:
    """Guard against a slow call slipping into the path; figures are measured on quiet machines."""
    from host.engines import docker

    (tmp_path / "docker").mkdir()
    ours, dockers = bench, Bench.at(docker.connect(), tmp_path / "docker")
    figures: dict[str, list[float]] = {"runc": [], "docker": []}
    for _ in range(3):
        for name, one in (("runc", ours), ("docker", dockers)):
            before = os.times().elapsed
            one.run("pass", memory_bytes=64 * MIB)
            figures[name].append(os.times().elapsed - before)
    dockers.engine.close()
    assert min(figures["runc"]) < min(figures["docker"]), figures
