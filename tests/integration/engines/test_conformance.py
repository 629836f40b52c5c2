"""What every container engine must do alike. A later engine joins in `tests.support.engine_bench.ENGINES`."""

import gzip
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import pytest

from host.engines.interface import Engine
from host.engines.owner import owner_alive
from host.errors import (
    EngineRefusedError,
    ImageLoadError,
    ImageMissingError,
    LogFileError,
    OutputFolderError,
    RunCancelledError,
)
from plugin_spec.errors import EngineError
from tests.support.engine_bench import BENCH_LABEL, ENGINES, MIB, Bench
from tests.support.engine_image import docker_archive, python_layer, tar_of
from tests.support.layers import file, folder, hard_link, layer, link

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[3]
ABSENT = f"sha256:{'0' * 64}"


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    made = ENGINES[request.param]()
    yield made
    made.close()


@pytest.fixture
def bench(engine: Engine, tmp_path: Path) -> Iterator[Bench]:
    made = Bench.at(engine, tmp_path)
    yield made
    assert made.leftovers() == []


@pytest.fixture
def tiny(engine: Engine, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """An archive of an image of one file that differs from test to test, and its image ID."""
    archive = tmp_path / "tiny.tar"
    image_id = docker_archive(archive, [tar_of([("name", str(tmp_path).encode())])])
    yield archive, image_id
    if engine.holds(image_id):
        engine.remove(image_id)


# ---- images


def test_an_engine_says_what_it_is(engine: Engine) -> None:
    info = engine.describe()
    assert info.name == engine.name
    assert info.version
    assert info.storage
    assert info.cgroup_version in {"1", "2"}


def test_a_loaded_image_is_known_by_the_digest_of_its_config(engine: Engine, tiny: tuple[Path, str]) -> None:
    archive, image_id = tiny
    assert not engine.holds(image_id)
    assert engine.load(archive) == image_id
    assert engine.holds(image_id)
    assert engine.load(archive) == image_id


def test_a_name_resolves_to_the_image_it_names_now(engine: Engine, tiny: tuple[Path, str]) -> None:
    archive, image_id = tiny
    name = f"assay-test-{image_id[7:19]}:1"
    engine.load(archive)
    assert engine.resolve(name) is None
    engine.tag(image_id, name)
    assert engine.resolve(name) == image_id
    engine.remove(image_id)
    assert engine.resolve(name) is None
    assert not engine.holds(image_id)


def test_a_compressed_archive_gives_the_same_image(engine: Engine, tiny: tuple[Path, str]) -> None:
    archive, image_id = tiny
    archive.write_bytes(gzip.compress(archive.read_bytes()))
    assert engine.load(archive) == image_id


def test_an_archive_with_a_changed_layer_is_refused(engine: Engine, tiny: tuple[Path, str]) -> None:
    archive, image_id = tiny
    marker = str(archive.parent).encode()
    assert archive.read_bytes().count(marker) == 1
    archive.write_bytes(archive.read_bytes().replace(marker, marker[::-1]))
    with pytest.raises(ImageLoadError):
        engine.load(archive)
    assert not engine.holds(image_id)


def test_an_archive_that_is_none_is_refused_by_name(engine: Engine, tmp_path: Path) -> None:
    archive = tmp_path / "notes.tar"
    archive.write_bytes(b"not an archive")
    with pytest.raises(ImageLoadError, match=r"notes\.tar"):
        engine.load(archive)


def test_an_archive_of_two_images_is_refused(engine: Engine, tmp_path: Path) -> None:
    archive = tmp_path / "two.tar"
    entry = b'{"Config": "a.json", "Layers": [], "RepoTags": null}'
    archive.write_bytes(tar_of([("a.json", b"{}"), ("manifest.json", b"[%s,%s]" % (entry, entry))]))
    with pytest.raises(ImageLoadError, match="2 images"):
        engine.load(archive)


def test_a_missing_image_is_named_and_not_pulled(bench: Bench) -> None:
    with pytest.raises(ImageMissingError) as caught:
        bench.run("pass", image_id=ABSENT)
    assert ABSENT in caught.value.message
    assert caught.value.code == "image-missing"
    assert not bench.engine.holds(ABSENT)


def test_a_missing_image_cannot_be_tagged_or_removed(engine: Engine) -> None:
    with pytest.raises(ImageMissingError):
        engine.tag(ABSENT, "assay-test-absent:1")
    with pytest.raises(ImageMissingError):
        engine.remove(ABSENT)


@pytest.mark.parametrize("name", ["python:3", "latest", "sha256:abc", f"x@{ABSENT}", ""])
def test_an_image_is_run_by_digest_only(bench: Bench, name: str) -> None:
    with pytest.raises(ImageMissingError, match="not an image ID"):
        bench.run("pass", image_id=name)


def test_layers_add_up_alike(bench: Bench, tmp_path: Path) -> None:
    lower = layer(
        folder("data"),
        file("data/gone", b"1"),
        folder("data/emptied"),
        file("data/emptied/old", b"2"),
        file("data/replaced", b"3"),
        file("data/first", b"4", mode=0o640),
        hard_link("data/second", "data/first", mode=0o640),
        link("data/link", "first"),
        folder("data/aside"),
        file("data/aside/kept", b"5"),
        link("data/over", "aside"),
        folder("data/private", mode=0o711),
        file("data/set", b"6", mode=0o4755),
    )
    upper = layer(
        file("data/.wh.gone"),
        folder("data/emptied"),
        file("data/emptied/.wh..wh..opq"),
        file("data/emptied/new", b"7"),
        file("data/replaced", b"8"),
        file("data/over/landed", b"9"),
    )
    archive = tmp_path / "layers.tar"
    variables = ["PATH=/opt/py/bin", "PYTHONHOME=/opt/py"]
    image_id = docker_archive(archive, [python_layer(), lower, upper], Env=variables)
    bench.engine.load(archive)
    code = (
        "import os, stat\n"
        "os.chdir('/data')\n"
        "for parent, folders, files in os.walk('.'):\n"
        "    for name in sorted(folders + files):\n"
        "        path = os.path.join(parent, name)[2:]; status = os.lstat(path)\n"
        "        kind = stat.filemode(status.st_mode)[0]\n"
        "        word = os.readlink(path) if kind == 'l' else '' if kind == 'd' else open(path).read() \\\n"
        "            if status.st_mode & 4 else 'closed'\n"
        "        print(path, kind, oct(status.st_mode & 0o777), word)\n"
    )
    try:
        printed = bench.log(code, image_id=image_id)
    finally:
        bench.engine.remove(image_id)
    assert sorted(line.rstrip() for line in printed.splitlines()) == [
        "aside d 0o755",
        "aside/kept - 0o644 5",
        "emptied d 0o755",
        "emptied/new - 0o644 7",
        "first - 0o640 closed",
        "link l 0o777 first",
        "over d 0o755",
        "over/landed - 0o644 9",
        "private d 0o711",
        "replaced - 0o644 8",
        "second - 0o640 closed",
        "set - 0o755 6",
    ]


@pytest.mark.parametrize("name", ["Capital:1", "two words:1", "name:tag:tag", "name:", ":1", "../up:1", ""])
def test_a_name_that_is_none_is_refused(engine: Engine, tiny: tuple[Path, str], name: str) -> None:
    archive, image_id = tiny
    engine.load(archive)
    with pytest.raises(EngineRefusedError):
        engine.tag(image_id, name)


# ---- what a container sees


def test_a_container_prints_to_its_log_and_returns_its_exit_code(bench: Bench) -> None:
    ended = bench.run("import sys; print('to stdout'); print('to stderr', file=sys.stderr); sys.exit(10)")
    assert ended.exit_code == 10
    assert {*ended.log_path.read_text().splitlines()} == {"to stdout", "to stderr"}
    assert not (ended.timed_out or ended.oom_killed or ended.output_overflow or ended.log_truncated)


def test_the_image_speaks_for_itself_without_an_argv(bench: Bench) -> None:
    assert bench.log(None) == "the image speaks\n"


def test_a_container_gets_its_own_variables_and_none_of_the_host(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    printed = bench.log("import os; print(dict(os.environ))", environment={"OMP_NUM_THREADS": "1"})
    seen = eval(printed)
    assert seen.pop("HOSTNAME") == "assay"
    assert seen == {
        "PATH": "/opt/py/bin",
        "PYTHONHOME": "/opt/py",
        "HOME": "/scratch",
        "TMPDIR": "/scratch",
        "OMP_NUM_THREADS": "1",
        "NVIDIA_VISIBLE_DEVICES": "void",
    }


def test_inputs_and_weights_can_be_read_and_not_written(bench: Bench) -> None:
    weights = bench.folder / "weights"
    weights.mkdir()
    (weights / "net").write_text("w")
    code = (
        "for name in ('/assay/in/scan', '/assay/weights/net'):\n"
        "    print(open(name).read())\n"
        "    try: open(name, 'w')\n"
        "    except OSError as error: print(error.strerror)\n"
    )
    spec = bench.spec(code, weights=weights)
    (spec.inputs / "scan").write_text("s")
    ended = bench.run_spec(spec)
    assert ended.log_path.read_text() == "s\nRead-only file system\nw\nRead-only file system\n"


def test_a_socket_of_the_host_can_be_spoken_to_and_its_folder_not_written(bench: Bench) -> None:
    control = bench.folder / "control"
    control.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(control / "orders"))
        (control / "orders").chmod(0o666)
        listener.listen()
        code = (
            "import socket\n"
            "host = socket.socket(socket.AF_UNIX); host.connect('/assay/control/orders')\n"
            "host.sendall(b'ready')\n"
            "try: open('/assay/control/x', 'w')\n"
            "except OSError as error: print(error.strerror)\n"
        )
        assert bench.log(code, control=control) == "Read-only file system\n"
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(16) == b"ready"


def test_outputs_outlive_the_container(bench: Bench) -> None:
    spec = bench.spec("import os; os.makedirs('/assay/out/a'); open('/assay/out/a/b', 'w').write('kept')")
    assert bench.run_spec(spec).exit_code == 0
    assert (spec.outputs / "a" / "b").read_text() == "kept"


def test_a_container_starts_in_the_images_working_folder_which_is_made_if_need_be(
    bench: Bench, tmp_path: Path
) -> None:
    archive = tmp_path / "work.tar"
    variables = ["PATH=/opt/py/bin", "PYTHONHOME=/opt/py"]
    image_id = docker_archive(archive, [python_layer()], Env=variables, WorkingDir="/made/for/it")
    bench.engine.load(archive)
    try:
        assert (
            bench.log("import os; print(os.getcwd(), os.listdir())", image_id=image_id) == "/made/for/it []\n"
        )
    finally:
        bench.engine.remove(image_id)


def test_scratch_is_empty_writable_and_runs_programs(bench: Bench) -> None:
    code = (
        "import os, subprocess; print(os.listdir('/scratch'))\n"
        "with open('/scratch/tool', 'w') as file: file.write('#!/opt/py/bin/python3\\nprint(42)')\n"
        "os.chmod('/scratch/tool', 0o755); print(subprocess.check_output(['/scratch/tool']))\n"
    )
    for _ in range(2):
        assert bench.log(code) == "[]\nb'42\\n'\n"


def test_shared_memory_is_there_only_when_asked_for(bench: Bench) -> None:
    code = (
        "from multiprocessing.shared_memory import SharedMemory as S; s = S(create=True, size=9); s.unlink()"
    )
    assert bench.run(code).exit_code == 0
    assert bench.log("import os; print(os.path.exists('/dev/shm'))", shm_bytes=0) == "False\n"


# ---- what the host learns


def test_times_are_aware_and_in_order(bench: Bench) -> None:
    ended = bench.run("import time; time.sleep(0.3)")
    assert ended.started_at.tzinfo is UTC
    assert ended.duration_s == (ended.finished_at - ended.started_at).total_seconds()
    assert 0.3 <= ended.duration_s < 30


def test_the_memory_peak_is_measured(bench: Bench) -> None:
    ended = bench.run(f"import time; block = bytearray({48 * MIB}); block = None; time.sleep(0.4)")
    assert ended.memory_limit_bytes == 128 * MIB
    assert ended.memory_peak_bytes is not None
    assert 48 * MIB <= ended.memory_peak_bytes < 100 * MIB
    assert not ended.oom_killed


def test_runs_side_by_side_do_not_meet(bench: Bench) -> None:
    with ThreadPoolExecutor(3) as pool:
        printed = list(pool.map(lambda n: bench.log(f"print({n}); open('/scratch/x', 'x')"), range(3)))
    assert printed == ["0\n", "1\n", "2\n"]


# ---- how a run is stopped or refused


def test_cancellation_kills_the_container_and_says_so(bench: Bench) -> None:
    asked = iter([False, False, True])
    with pytest.raises(RunCancelledError) as caught:
        bench.run("import time; time.sleep(60)", cancelled=lambda: next(asked))
    assert caught.value.code == "run-cancelled"
    assert not isinstance(caught.value, EngineError)


def test_an_interrupt_from_the_keyboard_leaves_no_container(bench: Bench) -> None:
    def interrupted() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.run("import time; time.sleep(60)", cancelled=interrupted)
    assert bench.leftovers() == []


def test_an_output_folder_that_others_can_reach_is_refused(bench: Bench) -> None:
    spec = bench.spec("pass")
    spec.outputs.parent.chmod(0o755)
    with pytest.raises(OutputFolderError, match="open to other users"):
        bench.run_spec(spec)


def test_an_output_folder_that_is_not_empty_is_refused(bench: Bench) -> None:
    spec = bench.spec("pass")
    (spec.outputs / "old").touch()
    with pytest.raises(OutputFolderError, match="not an empty folder"):
        bench.run_spec(spec)


def test_an_output_folder_behind_a_link_is_refused(bench: Bench) -> None:
    spec = bench.spec("pass")
    spec.outputs.rename(spec.outputs.with_name("elsewhere"))
    spec.outputs.symlink_to("elsewhere")
    with pytest.raises(OutputFolderError, match="not an empty folder"):
        bench.run_spec(spec)


def test_an_existing_log_is_not_overwritten(bench: Bench) -> None:
    spec = bench.spec("pass")
    log = spec.outputs.parent / "log"
    log.write_text("evidence")
    with pytest.raises(LogFileError):
        bench.run_spec(spec)
    assert log.read_text() == "evidence"


def test_a_program_that_is_not_in_the_image_ends_with_127_and_is_named_in_the_log(bench: Bench) -> None:
    ended = bench.run(None, argv=("no-such-program",))
    assert ended.exit_code == 127
    assert "no-such-program" in ended.log_path.read_text()


def test_more_cpus_than_the_machine_has_are_refused(bench: Bench) -> None:
    with pytest.raises(EngineRefusedError, match="CPUs"):
        bench.run("pass", cpus=4096.0)


def test_an_image_with_volumes_is_refused(bench: Bench, tmp_path: Path) -> None:
    image_id = docker_archive(tmp_path / "v.tar", [tar_of([("x", b"")])], Volumes={"/data": {}}, Cmd=["/x"])
    bench.engine.load(tmp_path / "v.tar")
    try:
        with pytest.raises(EngineRefusedError, match="/data"):
            bench.run("pass", image_id=image_id)
    finally:
        bench.engine.remove(image_id)


def test_an_image_without_a_command_is_refused_where_none_is_given(bench: Bench, tmp_path: Path) -> None:
    image_id = docker_archive(tmp_path / "n.tar", [tar_of([("x", str(tmp_path).encode())])])
    bench.engine.load(tmp_path / "n.tar")
    try:
        with pytest.raises(EngineRefusedError):
            bench.run(None, image_id=image_id)
    finally:
        bench.engine.remove(image_id)


@contextmanager
def hosted(bench: Bench) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a container that would sleep for a minute from a process of its own; the block starts when it runs."""
    spec = bench.spec("import time; time.sleep(60)")
    program = (
        "import signal, sys; from pathlib import Path\n"
        "from host import extensions\n"
        "from host.engines.interface import ContainerSpec, Limits\n"
        # A shell may have told its background jobs to ignore Ctrl-C, and children inherit that.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"limits = {spec.limits!r}\n"
        "folder = Path(sys.argv[1])\n"
        f"spec = ContainerSpec(image_id={spec.image_id!r}, argv={spec.argv!r}, inputs=folder / 'in',\n"
        f"    outputs=folder / 'out', limits=limits, labels={spec.labels!r})\n"
        f"engine = extensions.connect({bench.engine.name!r})\n"
        "engine.run(spec, log_path=folder / 'log', cancelled=lambda: print('runs', flush=True))\n"
    )
    host = subprocess.Popen(
        [sys.executable, "-c", program, str(spec.outputs.parent)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    with host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"runs\n"
        yield host
        host.kill()


def test_a_killed_host_process_leaves_a_container_that_the_next_one_reaps(bench: Bench) -> None:
    with hosted(bench):
        (container_id,) = bench.leftovers()
        assert container_id not in bench.engine.reap(owner_alive)
    assert container_id in bench.engine.reap(owner_alive)
    assert bench.leftovers() == []


def test_ctrl_c_ends_a_host_process_and_its_container(bench: Bench) -> None:
    with hosted(bench) as host:
        host.send_signal(signal.SIGINT)
        _, said = host.communicate(timeout=60)
    assert said.rstrip().endswith(b"KeyboardInterrupt")
    assert bench.leftovers() == []


def test_only_leftovers_of_dead_processes_are_reaped(bench: Bench) -> None:
    started, stop = threading.Event(), threading.Event()

    def running() -> bool:
        started.set()
        return stop.is_set()

    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(bench.run, "import time; time.sleep(60)", cancelled=running)
        assert started.wait(30)
        seen: list[dict[str, str]] = []
        # Other sessions share the engine: everything counts as alive here.
        assert bench.engine.reap(lambda labels: seen.append(dict(labels)) or True) == []
        stop.set()
        assert isinstance(run.exception(timeout=30), RunCancelledError)
    assert any(labels.get(BENCH_LABEL) == bench.label for labels in seen)
