"""GPUs through runc and CDI spec files, over harmless device nodes: the real path, several processes, no hardware."""

import os
import pickle
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host.engines.interface import ContainerSpec
from host.engines.owner import PREFIX
from host.engines.runc import RuncEngine, connect
from host.errors import EngineRefusedError, GpuUnavailableError, NoEngineError
from host.gpu.cdi import FOLDERS_VARIABLE
from host.gpu.lease_files import FOLDER_VARIABLE
from host.gpu.request import GpuRequest
from tests.support.cdi_files import device, write_cdi
from tests.support.engine_bench import Bench
from tests.support.gpus import A100, L4

pytestmark = pytest.mark.docker  # a skip is a failure where engines are required

ROOT = Path(__file__).parents[3]
OWNER = f"{PREFIX}pid"
LOOK = (
    "import glob, os\n"
    "for path in sorted(glob.glob('/dev/nvidia*')):\n"
    "    number = os.stat(path).st_rdev\n"
    "    with open(path, 'rb') as node:\n"
    "        print(path, os.major(number), os.minor(number), node.read(2), flush=True)\n"
    "print(os.environ.get('GPU_OF_SPEC'), flush=True)\n"
)
# Stays until its input file is there, so that a test decides how long a device is held.
HOLD = LOOK + "import time\nwhile not os.path.exists('/assay/in/go'): time.sleep(0.05)\n"

PROGRAM = """
import dataclasses, pickle, sys
from pathlib import Path
from host.engines.runc import connect
from host.gpu.grant import granted
from tests.support.gpus import A100, L4, a_need
from tests.support.nvml_library import Card, NvmlLibrary, install

install(NvmlLibrary((Card(A100), Card(L4))))
engine, spec, log = connect(), pickle.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[1]).with_name("log")
say = lambda line: print(line, flush=True)
with granted(a_need(), engine, run_id=sys.argv[2], say=say, cancelled=lambda: False) as grant:
    say("holds " + " ".join(grant.uuids))
    with_gpu = dataclasses.replace(spec, gpu=grant.request)
    ended = engine.run(with_gpu, log_path=log, cancelled=lambda: False)
say(f"ended {ended.exit_code} " + log.read_text().replace("\\n", ";"))
"""


def why_not() -> str:
    """Why no container can be run with runc here; empty where one can."""
    try:
        connect()
    except (NoEngineError, EngineRefusedError) as error:
        return error.message
    return ""


@pytest.fixture(scope="module", autouse=True)
def _runc() -> None:
    if fault := why_not():
        pytest.skip(fault)


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CDI folder of two "GPUs": one is really /dev/null, the other /dev/zero."""
    for name, minor in (("null", 3), ("zero", 5)):
        os.mknod(tmp_path / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    gpus = [
        device(uuid, deviceNodes=[{"path": f"/dev/nvidia{number}", "hostPath": str(tmp_path / name)}],
               env=[f"GPU_OF_SPEC={uuid}"])
        for number, (uuid, name) in enumerate(((A100, "null"), (L4, "zero")))
    ]  # fmt: skip
    write_cdi(tmp_path / "cdi", "nvidia.json", kind="nvidia.com/gpu", devices=gpus, containerEdits={})
    monkeypatch.setenv(FOLDERS_VARIABLE, str(tmp_path / "cdi"))
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "leases"))
    return tmp_path / "cdi"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    folder = tmp_path / "bench"
    folder.mkdir()
    made = Bench.at(connect(), folder)
    yield made
    assert made.leftovers() == []


@pytest.mark.parametrize(
    ("uuid", "seen"), [(A100, "/dev/nvidia0 1 3 b''"), (L4, "/dev/nvidia1 1 5 b'\\x00\\x00'")]
)
def test_a_device_by_its_uuid_is_there_and_works_and_no_other_is(
    bench: Bench, specs: Path, uuid: str, seen: str
) -> None:
    assert bench.log(LOOK, gpu=GpuRequest(device_ids=(uuid,))).splitlines() == [seen, uuid]


def test_without_a_request_there_is_none(bench: Bench, specs: Path) -> None:
    assert bench.log(LOOK).splitlines() == ["None"]


def test_a_device_that_no_spec_file_has_is_refused_before_anything_starts(bench: Bench, specs: Path) -> None:
    with pytest.raises(GpuUnavailableError, match="nvidia.com/gpu=GPU-none"):
        bench.run("pass", gpu=GpuRequest(device_ids=("GPU-none",)))


def test_a_mount_and_a_hook_of_a_spec_file_take_effect_and_the_image_stays_as_it_is(
    bench: Bench, specs: Path, tmp_path: Path
) -> None:
    library, called = tmp_path / "libgpu.so", tmp_path / "called"
    library.write_text("driver")
    library.chmod(0o666)
    hook = tmp_path / "hooks" / "hook"
    hook.parent.mkdir(mode=0o755)
    hook.write_text(f"#!/bin/sh\ncat > {called}\n")
    hook.chmod(0o755)
    edits = {
        "mounts": [
            {"hostPath": str(library), "containerPath": "/usr/lib/libgpu.so", "options": ["ro", "bind"]}
        ],
        "hooks": [{"hookName": "createRuntime", "path": str(hook)}],
    }
    write_cdi(specs, "nvidia.json", kind="nvidia.com/gpu", devices=[device(A100, **edits)], containerEdits={})
    code = (
        "print(open('/usr/lib/libgpu.so').read())\n"
        "try: open('/usr/lib/libgpu.so', 'a')\n"
        "except OSError as error: print(error.strerror)\n"
    )
    assert bench.log(code, gpu=GpuRequest(device_ids=(A100,))).splitlines() == [
        "driver",
        "Read-only file system",
    ]
    assert '"status":"creating"' in called.read_text().replace(" ", "")
    assert bench.log("import os; print(os.path.exists('/usr/lib/libgpu.so'))") == "False\n"


class Run:
    """A process that leases a GPU, runs a container with it and says so line by line."""

    def __init__(self, spec: ContainerSpec, name: str) -> None:
        self.go = spec.inputs / "go"
        order = spec.outputs.parent / "spec"
        order.write_bytes(pickle.dumps(spec))
        self.popen = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(order), name], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )

    @property
    def pid(self) -> str:
        return str(self.popen.pid)

    def says(self) -> str:
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().strip()

    def let_go(self) -> str:
        self.go.write_text("")
        return self.says()


@pytest.fixture
def start(bench: Bench, specs: Path) -> Iterator[Callable[[str], Run]]:
    runs: list[Run] = []

    def one(name: str) -> Run:
        runs.append(Run(bench.spec(HOLD), name))
        return runs[-1]

    yield one
    for run in runs:
        with run.popen:
            run.popen.kill()
    bench.engine.reap(lambda labels: labels.get(OWNER) not in {run.pid for run in runs})


def test_two_runs_get_different_devices_and_a_third_waits_for_one_of_them(
    start: Callable[[str], Run],
) -> None:
    first = start("first")
    assert first.says() == f"holds {A100}"
    second = start("second")
    assert second.says() == f"holds {L4}"
    third = start("third")
    said = third.says()
    assert said.startswith("waiting for 1 GPU(s)")
    assert "run first, engine runc" in said
    assert second.let_go() == f"ended 0 /dev/nvidia1 1 5 b'\\x00\\x00';{L4};"
    assert third.says() == f"holds {L4}"
    assert first.let_go() == f"ended 0 /dev/nvidia0 1 3 b'';{A100};"
    assert third.let_go() == f"ended 0 /dev/nvidia1 1 5 b'\\x00\\x00';{L4};"


def test_the_container_of_a_killed_run_is_removed_before_its_device_is_used_again(
    start: Callable[[str], Run], bench: Bench
) -> None:
    killed, other = start("killed"), start("other")
    assert {killed.says(), other.says()} == {f"holds {A100}", f"holds {L4}"}
    while killed.pid not in owners(bench):
        time.sleep(0.05)
    waiting = start("waiting")
    assert waiting.says().startswith("waiting")
    killed.popen.send_signal(signal.SIGKILL)
    assert waiting.says().startswith("holds")
    assert killed.pid not in owners(bench)
    assert waiting.let_go().startswith("ended 0")


def owners(bench: Bench) -> set[str]:
    """Processes whose containers run."""
    assert isinstance(bench.engine, RuncEngine)
    return {labels[OWNER] for labels in bench.engine.containers().values()}
