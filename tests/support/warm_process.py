"""A warm container without an engine: a child process that speaks ``assay.serve/1``, honestly or not.

It can crash, hang, be killed, and leave processes behind, like what runs in a container; nothing closes it in.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from host.engines.interface import VISIBLE_DEVICES, ContainerSpec

ROOT = Path(__file__).parents[2]
SOCKET = "host.sock"

# What every program below starts with: the container's folders, and the processes it can see.
_PRELUDE = """
import json, os, socket, sys, time
from pathlib import Path
from plugin_spec.runtime.protocol import Folders

folders = Folders()
folders.inputs, folders.outputs, folders.weights, folders.scratch = map(Path, sys.argv[1:5])

def processes():
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(name)) == os.getsid(0) and " Z " not in Path("/proc", name, "stat").read_text():
                found.add(int(name))
        except OSError:
            pass
    return frozenset(found)
"""

# The contract's own loop around the adapter of the tiny plugin.
HONEST = """
from plugin_spec.runtime.serve import serve
sys.exit(serve("tests.support.tiny_plugin.adapter", folders, Path("host.sock"), processes))
"""

# The tiny plugin with a memory: from its second case on, a millilitre too much.
REMEMBERS = """
import types
from plugin_spec import CaseResult, hookimpl
from tests.support.tiny_plugin import adapter

module = types.ModuleType("remembers")
seen = []

@hookimpl
def run_case(case, state):
    result = adapter.run_case(case, state)
    seen.append(case.id)
    rows = [{"bright_ml": result.outputs["volumes"][0]["bright_ml"] + (len(seen) > 1)}]
    return CaseResult(outputs={**result.outputs, "volumes": rows})

module.run_case = run_case
sys.modules["remembers"] = module
from plugin_spec.runtime.serve import serve
sys.exit(serve("remembers", folders, Path("host.sock"), processes))
"""

# A plugin that fails at every case, always with the same words.
FAILS = """
import types
from plugin_spec import hookimpl

module = types.ModuleType("fails")

@hookimpl
def run_case(case, state):
    raise RuntimeError("told to fail")

module.run_case = run_case
sys.modules["fails"] = module
from plugin_spec.runtime.serve import serve
sys.exit(serve("fails", folders, Path("host.sock"), processes))
"""

# For programs that speak for themselves: `take` an order, `say` something, `answer` a case soundly.
_TALK = """
link = socket.socket(socket.AF_UNIX)
link.connect("host.sock")
lines = link.makefile()

def take():
    line = lines.readline()
    if not line: sys.exit(0)
    return json.loads(line)

def say(times=1, **fields):
    link.sendall((json.dumps({"contract": "assay.serve/1", **fields}).encode() + b"\\n") * times)

def result(**fields):
    (folders.outputs / "result.json").write_text(json.dumps({"contract": "assay.result/1", **fields}))

def refuse():
    result(outcome="refused", reason_code="told-to", message="")

def done(order, exit_code=10, left=0, times=1):
    say(times, type="done", order=order["order"], exit_code=exit_code, left=left)
"""


def talking(program: str) -> str:
    """A program that speaks for itself, from its first order on."""
    return _TALK + program


def ready(program: str) -> str:
    """A program that speaks for itself once it has said that it is ready."""
    return _TALK + "take(); say(type='ready')\n" + program


@contextmanager
def warm_process(program: str, spec: ContainerSpec, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program as the container of ``spec``; at the end nothing of it is left."""
    assert spec.control is not None
    scratch = spec.outputs.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    folders = (spec.inputs, spec.outputs, spec.weights or spec.outputs.parent / "no-weights", scratch)
    with log.open("xb") as stream:
        child = subprocess.Popen(
            [sys.executable, "-c", _PRELUDE + program, *map(str, folders)],
            cwd=spec.control,
            env={
                "PYTHONPATH": str(ROOT),
                "PATH": os.environ["PATH"],
                # What a test wants a container to see of GPUs.
                VISIBLE_DEVICES: os.environ.get(VISIBLE_DEVICES, ""),
                **spec.environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):  # it left nothing behind
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def exit_code(child: "subprocess.Popen[bytes]", cancelled: Callable[[], bool]) -> int | None:
    """Wait for its end; ``None`` once it is cancelled."""
    while not cancelled():
        try:
            code = child.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
        return 128 - code if code < 0 else code
    return None


def gone(pid: int, within_s: float = 5.0) -> bool:
    """Whether a process ends in time."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if not Path("/proc", str(pid)).exists():
            return True
        time.sleep(0.01)
    return False
