"""runc without root, tried as a user without any rights: what it promises, what it says it does not, what it refuses.

Root plays the administrator, who gives the user control groups; the rest happens in a process of the user's own.
"""

import json
import os
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from host.engine_choice import TRIAL_GRADE
from host.engines.runc_cgroup import is_unified
from host.engines.runc_rootless import connect
from host.errors import EngineRefusedError

ROOT = Path(__file__).parents[3]
UID = 54321
CGROUPS = Path("/sys/fs/cgroup")
PROBE = """
import json, os, sys
from pathlib import Path
from host.engines.runc_rootless import connect
from plugin_spec.errors import AssayError
from tests.support.engine_bench import MIB, Bench

folder = Path(sys.argv[1])
try:
    engine = connect(folder / "cache")
except AssayError as error:
    print(json.dumps({"error": error.code, "message": error.message, "hint": error.hint}))
    sys.exit()
(folder / "bench").mkdir()
bench, found = Bench.at(engine, folder / "bench"), {"notes": engine.describe().notes, "name": engine.name}

spec = bench.spec(
    "import os; os.makedirs('/assay/out/a'); open('/assay/out/a/b', 'w').write('kept'); open('/scratch/x', 'w')"
)
found["written"] = bench.run_spec(spec).exit_code
found["kept"] = (spec.outputs / "a/b").read_text()
found["owner"] = (spec.outputs / "a/b").stat().st_uid
found["status"] = bench.log("print(open('/proc/self/status').read())")
found["outside"] = bench.log(
    "import os\\n"
    "allowed = ('/scratch', '/assay/out', '/dev/shm', '/dev/mqueue', '/proc', '/dev/pts')\\n"
    "for folder, _, _ in os.walk('/'):\\n"
    "    if folder.startswith(allowed): continue\\n"
    "    try: open(folder + '/x', 'w')\\n"
    "    except OSError: continue\\n"
    "    print(folder)\\n"
)
found["network"] = bench.log(
    "import socket\\n"
    "try: socket.create_connection(('1.1.1.1', 53), timeout=2)\\n"
    "except OSError as error: print(error.strerror)\\n"
)
found["mount"] = bench.log(
    "import ctypes, os\\n"
    "libc = ctypes.CDLL(None, use_errno=True)\\n"
    "for call in (lambda: libc.unshare(0x10000000), lambda: libc.mount(b'none', b'/scratch', b'tmpfs', 0, None)):\\n"
    "    print(call(), os.strerror(ctypes.get_errno()))\\n"
)
hog = bench.run(f"blocks = [bytearray({8 * MIB}) for _ in range(1000)]")
found["hog"] = [hog.exit_code, hog.oom_killed, hog.memory_peak_bytes == hog.memory_limit_bytes]
found["forks"] = bench.log(
    "import os, time\\n"
    "born = 0\\n"
    "try:\\n"
    "    while True:\\n"
    "        if os.fork() == 0: time.sleep(30)\\n"
    "        born += 1\\n"
    "except BlockingIOError: print(born)\\n",
    pids=20,
)
late = bench.run("import time; time.sleep(60)", timeout_s=1.0)
found["late"] = [late.timed_out, late.exit_code]
found["leftovers"] = bench.leftovers()
print(json.dumps(found))
"""


def interpreter() -> str:
    """A Python of this version that every user may start; the running one may be root's own."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")):
        try:
            if candidate and subprocess.run([candidate, "-c", ""], user=UID, check=False).returncode == 0:
                return candidate
        except OSError:
            continue
    pytest.skip(f"no {version} here that a user other than root may start")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder of the user's own; pytest's are root's."""
    if os.geteuid() != 0:
        pytest.skip("only root can play both the administrator and the user")
    made = Path(tempfile.mkdtemp(prefix="assay-rootless-"))
    os.chown(made, UID, UID)
    yield made
    shutil.rmtree(made)


def probe(folder: Path) -> dict[str, Any]:
    """Run the probe as the user, and return what it found."""
    done = subprocess.run(
        [interpreter(), "-c", PROBE, str(folder)],
        user=UID,
        group=UID,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ":".join([str(ROOT), *site.getsitepackages()])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if answer.get("error") == "engine-refused" and "namespaces" in answer["message"]:
        pytest.skip(f"the kernel does not allow it: {answer['message']}")
    return answer


@pytest.fixture(scope="module")
def found(folder: Path) -> Iterator[dict[str, Any]]:
    """What a user found who was given control groups."""
    if is_unified():
        pytest.skip("cgroup v2: a user's own scope comes from systemd, which a test cannot play")
    given = [one / f"assay-{UID}" for one in CGROUPS.iterdir() if (one / "cgroup.procs").is_file()]
    for group in given:
        group.mkdir()
        for path in (group, *group.iterdir()):
            os.chown(path, UID, UID)
    yield probe(folder)
    for group in given:
        group.rmdir()


def test_without_control_groups_nothing_is_run_and_the_administrators_part_is_said(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, UID, UID)
        refused = probe(Path(folder))
    assert refused["error"] == "engine-refused"
    assert "without limits nothing is run" in refused["message"]
    assert f"assay-{UID}" in refused["hint"] or "Delegate=yes" in refused["hint"]


def test_root_is_sent_to_the_engine_that_keeps_every_promise(tmp_path: Path) -> None:
    with pytest.raises(EngineRefusedError, match="users other than root"):
        connect(tmp_path)


def test_no_lock_allows_it_unless_told_to(found: dict[str, Any]) -> None:
    assert found["name"] == "runc-rootless"
    assert found["name"] not in TRIAL_GRADE
    assert f"user 0 of a user namespace, which is user {UID}" in found["notes"][0]


def test_its_processes_have_no_rights_though_they_are_called_root(found: dict[str, Any]) -> None:
    fields = dict(line.split(":\t", 1) for line in found["status"].splitlines() if ":\t" in line)
    assert {int(fields[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")
    assert found["mount"] == "-1 Operation not permitted\n" * 2
    assert found["outside"] == ""
    assert found["network"] == "Network is unreachable\n"


def test_outputs_belong_to_the_user(found: dict[str, Any]) -> None:
    assert (found["written"], found["kept"], found["owner"]) == (0, "kept", UID)


def test_memory_processes_and_time_are_bounded(found: dict[str, Any]) -> None:
    assert found["hog"] == [137, True, True]
    assert 10 <= int(found["forks"]) < 20
    assert found["late"] == [True, 137]


def test_nothing_remains(found: dict[str, Any]) -> None:
    assert found["leftovers"] == []
    assert [path for path in CGROUPS.glob(f"*/assay-{UID}/*") if path.is_dir()] == []
