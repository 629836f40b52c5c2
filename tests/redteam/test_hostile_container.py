"""Containers that attack the host's resources, its walls or the run's end. The engine bounds each of them.

The engine bounds how much a container leaves in its output folder; what it leaves there (links, pipes, setuid
files, a forged result) is judged by the host's output check after the run.
"""

import dataclasses
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.engines.interface import Engine
from host.errors import LogFileError, OutputMissingError, OutputNotAFileError, RunCancelledError
from host.output_files import open_output
from host.outputs import collect_outputs, read_result
from tests.support.engine_bench import ENGINES, MIB, Bench
from tests.support.manifests import minimal_manifest

pytestmark = pytest.mark.docker


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


# ---- resources


@pytest.mark.attack("hostile container: fork bomb")
def test_a_fork_bomb_ends_at_the_pids_limit(bench: Bench) -> None:
    code = (
        "import os, time\n"
        "born = 0\n"
        "try:\n"
        "    while True:\n"
        "        if os.fork() == 0: time.sleep(30)\n"
        "        born += 1\n"
        "except BlockingIOError: print(born)\n"
    )
    born = int(bench.log(code, pids=20))
    assert 10 <= born < 20


@pytest.mark.attack("hostile container: memory hog")
def test_a_memory_hog_is_killed_and_peak_and_limit_are_named(bench: Bench) -> None:
    ended = bench.run(f"blocks = [bytearray({8 * MIB}) for _ in range(1000)]")
    assert ended.oom_killed
    assert ended.exit_code == 137
    assert not ended.timed_out
    assert ended.memory_peak_bytes == ended.memory_limit_bytes == 128 * MIB


@pytest.mark.attack("hostile container: memory hog")
def test_a_memory_hog_in_a_child_is_seen_though_the_parent_ends_well(bench: Bench) -> None:
    code = (
        "import os, sys, time\n"
        f"if os.fork() == 0: blocks = [bytearray({8 * MIB}) for _ in range(1000)]\n"
        "os.wait(); time.sleep(0.3); sys.exit(0)\n"
    )
    ended = bench.run(code)
    assert ended.exit_code == 0
    assert ended.oom_killed
    assert ended.memory_peak_bytes == ended.memory_limit_bytes


@pytest.mark.parametrize(("folder", "limit_mib"), [("/scratch", 16), ("/dev/shm", 16)])
def test_a_folder_in_memory_fills_up_to_its_own_limit(bench: Bench, folder: str, limit_mib: int) -> None:
    code = (
        "import itertools\n"
        "written = 0\n"
        "try:\n"
        "    for n in itertools.count():\n"
        f"        with open(f'{folder}/{{n}}', 'wb') as file: written += file.write(bytes({MIB}))\n"
        "except OSError as error: print(written, error.strerror)\n"
    )
    written, reason = bench.log(code).strip().split(" ", 1)
    assert reason == "No space left on device"
    assert int(written) <= limit_mib * MIB


def test_swap_does_not_add_to_the_memory(bench: Bench) -> None:
    assert bench.run(f"block = bytearray({160 * MIB})").oom_killed


def test_busy_loops_get_no_more_than_their_share_of_the_machine(bench: Bench) -> None:
    code = (
        "import os, time\n"
        "child = os.fork()\n"
        "end = time.monotonic() + 1.5\n"
        "while time.monotonic() < end: pass\n"
        "if child: os.wait(); print(sum(os.times()[:4]))\n"
    )
    assert float(bench.log(code, cpus=0.2)) < 0.75


@pytest.mark.attack("hostile container: huge output")
def test_many_output_files_end_the_run(bench: Bench) -> None:
    ended = bench.run("import time\nfor n in range(60): open(f'/assay/out/{n}', 'w')\ntime.sleep(60)")
    assert ended.output_overflow
    assert not ended.timed_out
    assert ended.duration_s < 30


def test_many_output_files_at_the_very_end_are_seen_too(bench: Bench) -> None:
    ended = bench.run("for n in range(51): open(f'/assay/out/{n}', 'w')")
    assert ended.exit_code == 0
    assert ended.output_overflow


def test_as_many_output_files_as_allowed_are_no_overflow(bench: Bench) -> None:
    ended = bench.run("for n in range(50): open(f'/assay/out/{n}', 'w')")
    assert ended.exit_code == 0
    assert not ended.output_overflow


def test_a_large_output_of_small_files_ends_the_run(bench: Bench) -> None:
    code = (
        "import time\n"
        f"for n in range(12): open(f'/assay/out/{{n}}', 'wb').write(bytes({MIB}))\n"
        "time.sleep(60)\n"
    )
    ended = bench.run(code)
    assert ended.output_overflow
    assert ended.duration_s < 30


@pytest.mark.attack("hostile container: huge output")
def test_one_large_output_file_is_cut_by_the_kernel(bench: Bench) -> None:
    spec = bench.spec(
        f"open('/assay/out/big', 'wb').write(bytes({24 * MIB}))",
        output_bytes=20 * MIB,
        memory_bytes=256 * MIB,
    )
    ended = bench.run_spec(spec)
    assert ended.exit_code != 0
    assert (spec.outputs / "big").stat().st_size <= 20 * MIB


def test_disk_space_held_past_a_files_end_counts(bench: Bench) -> None:
    code = (
        "import ctypes, os, time\n"
        "keep_size = 1\n"
        "for n in range(3):\n"
        "    file = os.open(f'/assay/out/{n}', os.O_CREAT | os.O_WRONLY)\n"
        "    libc = ctypes.CDLL(None, use_errno=True)\n"
        f"    assert libc.fallocate(file, keep_size, ctypes.c_long(0), ctypes.c_long({4 * MIB})) == 0\n"
        "time.sleep(60)\n"
    )
    assert bench.run(code).output_overflow


def test_outputs_nested_beyond_measure_end_the_run(bench: Bench) -> None:
    code = (
        "import os, time\n"
        "os.chdir('/assay/out')\n"
        "for _ in range(40): os.mkdir('d'); os.chdir('d')\n"
        "time.sleep(60)\n"
    )
    assert bench.run(code).output_overflow


def test_a_flood_of_log_lines_is_cut_with_a_marker(bench: Bench) -> None:
    ended = bench.run("for _ in range(300000): print('x' * 63)", log_bytes=10_000)
    assert ended.exit_code == 0
    assert ended.log_truncated
    log = ended.log_path.read_bytes()
    assert log.endswith(b"[assay: log cut after 10000 bytes; 19190000 more were dropped]\n")
    assert len(log) < 10_100


def test_core_dumps_and_floods_of_open_files_are_bounded(bench: Bench) -> None:
    code = "import resource as r\nprint(r.getrlimit(r.RLIMIT_CORE), r.getrlimit(r.RLIMIT_NOFILE))\n"
    assert bench.log(code) == "(0, 0) (4096, 4096)\n"


# ---- what is left in the outputs, as the host then judges it


@pytest.mark.attack("hostile container: symlink to host files")
def test_links_pipes_sockets_and_setuid_files_are_no_outputs(bench: Bench) -> None:
    code = (
        "import os, socket\n"
        "os.chdir('/assay/out')\n"
        "os.symlink('/etc/passwd', 'symlink')\n"
        "os.mkfifo('fifo')\n"
        "open('hard', 'w').write('x'); os.link('hard', 'harder')\n"
        "open('setuid', 'w').write('x'); os.chmod('setuid', 0o4755)\n"
        "open('setgid', 'w').write('x'); os.chmod('setgid', 0o2755)\n"
        "socket.socket(socket.AF_UNIX).bind('socket')\n"
        "try: os.mknod('device', 0o20666, os.makedev(1, 1))\n"
        "except OSError as error: print(error.strerror)\n"
    )
    spec = bench.spec(code)
    ended = bench.run_spec(spec)
    assert (ended.exit_code, ended.log_path.read_text()) == (0, "Operation not permitted\n")
    left = {entry.name for entry in spec.outputs.iterdir()}
    assert left == {"symlink", "fifo", "hard", "harder", "setuid", "setgid", "socket"}
    for name in left:
        with pytest.raises(OutputNotAFileError, match=name), open_output(spec.outputs, name, port="port"):
            pass


@pytest.mark.attack("hostile container: forged result")
def test_a_forged_result_is_a_claim_that_the_files_do_not_bear_out(bench: Bench) -> None:
    claim = {
        "contract": "assay.result/1",
        "outcome": "ok",
        "outputs": [{"port": minimal_manifest().outputs[0].name, "path": "none.json"}],
    }
    spec = bench.spec(f"open('/assay/out/result.json', 'w').write({json.dumps(claim)!r})")
    assert bench.run_spec(spec).exit_code == 0
    result = read_result(spec.outputs)
    with pytest.raises(OutputMissingError, match=r"there is no file none\.json"):
        collect_outputs(minimal_manifest(), result, spec.outputs, grids={}, files={}, limits=spec.limits)


@pytest.mark.attack("hostile container: symlink to host files")
def test_a_result_that_points_to_a_file_of_the_host_is_not_read(bench: Bench) -> None:
    spec = bench.spec("import os; os.symlink('/etc/passwd', '/assay/out/result.json')")
    assert bench.run_spec(spec).exit_code == 0
    with pytest.raises(OutputNotAFileError, match=r"result\.json"):
        read_result(spec.outputs)


# ---- a full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of one mebibyte, this user's alone."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "assay-test", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_under_the_outputs_is_the_containers_error_to_tell(
    bench: Bench, small_disk: Path
) -> None:
    outputs = small_disk / "out"
    outputs.mkdir()
    code = (
        "try: open('/assay/out/big', 'wb', buffering=0).write(bytes(2 << 20))\n"
        "finally: open('/assay/out/more', 'wb').write(bytes(1 << 20))\n"
    )
    spec = dataclasses.replace(bench.spec(code), outputs=outputs)
    ended = bench.engine.run(spec, log_path=bench.folder / "log", cancelled=lambda: False)
    assert ended.exit_code == 1
    assert "No space left on device" in ended.log_path.read_text()
    assert not ended.output_overflow


def test_a_full_disk_under_the_log_is_the_hosts_error_and_holds_nothing_up(
    bench: Bench, small_disk: Path
) -> None:
    spec = bench.spec("for _ in range(50000): print('x' * 99)", log_bytes=8 * MIB)
    with pytest.raises(LogFileError, match="No space left on device"):
        bench.engine.run(spec, log_path=small_disk / "log", cancelled=lambda: False)


# ---- walls


@pytest.mark.attack("hostile container: writes outside")
def test_nothing_can_be_written_outside_the_allowed_folders(bench: Bench) -> None:
    code = (
        "import os\n"
        "allowed = ('/scratch', '/assay/out', '/dev/shm', '/dev/mqueue', '/proc', '/dev/pts')\n"
        "for folder, _, _ in os.walk('/'):\n"
        "    if folder.startswith(allowed): continue\n"
        "    try: open(folder + '/x', 'w')\n"
        "    except OSError: continue\n"
        "    print(folder)\n"
    )
    assert bench.log(code) == ""


@pytest.mark.attack("hostile container: network")
def test_there_is_no_network(bench: Bench) -> None:
    code = (
        "import os, socket\n"
        "print(os.listdir('/sys/class/net'))\n"
        "for address in (('1.1.1.1', 53), ('169.254.169.254', 80), ('172.17.0.1', 80)):\n"
        "    try: socket.create_connection(address, timeout=2)\n"
        "    except OSError as error: print(error.strerror)\n"
    )
    printed = bench.log(code).splitlines()
    assert printed[1:] == ["Network is unreachable"] * 3
    assert "eth0" not in printed[0]


@pytest.mark.attack("hostile container: way out of its namespaces")
def test_the_user_is_nobody_without_capabilities_or_a_way_to_more(bench: Bench) -> None:
    code = "import os; print(os.getresuid(), os.getresgid()); print(open('/proc/self/status').read())"
    lines = bench.log(code).splitlines()
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert lines[0] == "(65534, 65534, 65534) (65534, 65534, 65534)"
    assert {int(fields[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"


@pytest.mark.attack("hostile container: way out of its namespaces")
def test_namespaces_and_mounts_are_out_of_reach(bench: Bench) -> None:
    code = (
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "new_user, new_namespace = 0x10000000, 0x00020000\n"
        "for call in (lambda: libc.unshare(new_user), lambda: libc.unshare(new_namespace),\n"
        "             lambda: libc.mount(b'none', b'/scratch', b'tmpfs', 0, None)):\n"
        "    print(call(), os.strerror(ctypes.get_errno()))\n"
    )
    assert bench.log(code) == "-1 Operation not permitted\n" * 3


def test_the_kernels_own_settings_cannot_be_changed(bench: Bench) -> None:
    code = (
        "for name in ('/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/sys/kernel/uevent_helper'):\n"
        "    try: open(name, 'w').write('x'); print(name)\n"
        "    except OSError: pass\n"
    )
    assert bench.log(code) == ""


# ---- the end of a run


@pytest.mark.attack("hostile container: sleeper")
def test_a_sleeper_is_killed_at_its_time_out(bench: Bench) -> None:
    ended = bench.run("import time; time.sleep(60)", timeout_s=1.0)
    assert ended.timed_out
    assert ended.exit_code == 137
    assert not ended.oom_killed
    assert 0.8 <= ended.duration_s < 15


def test_ignoring_every_signal_does_not_help(bench: Bench) -> None:
    code = (
        "import signal, time\n"
        "for one in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    signal.signal(one, signal.SIG_IGN)\n"
        "print('deaf', flush=True); time.sleep(60)\n"
    )
    ended = bench.run(code, timeout_s=2.0)
    assert ended.timed_out
    assert ended.log_path.read_text() == "deaf\n"
    assert ended.duration_s < 15


def test_children_die_with_the_container(bench: Bench) -> None:
    mark = f"assay-{bench.label}"
    code = (
        "import subprocess, time\n"
        f"child = ['python3', '-c', 'import time; time.sleep(60)', '{mark}']\n"
        "for _ in range(5): subprocess.Popen(child, start_new_session=True)\n"
        "time.sleep(60)\n"
    )
    assert bench.run(code, timeout_s=1.5).timed_out
    assert _processes_named(mark) == []


def test_children_left_behind_by_the_main_process_die_too(bench: Bench) -> None:
    mark = f"assay-{bench.label}"
    child = "import time; time.sleep(60)"
    code = f"import subprocess as s; s.Popen(['python3', '-c', '{child}', '{mark}'], start_new_session=True)"
    assert bench.run(code).exit_code == 0
    assert _processes_named(mark) == []


def test_a_kill_leaves_no_zombies_on_the_host(bench: Bench) -> None:
    code = (
        "import os, time\n"
        "for _ in range(10):\n"
        "    if os.fork() == 0: os._exit(0)\n"
        "for _ in range(10):\n"
        "    if os.fork() == 0: time.sleep(60)\n"
        "time.sleep(60)\n"
    )
    assert bench.run(code, timeout_s=1.5).timed_out
    assert [pid for pid, state in _processes_of_nobody() if state == "Z"] == []


def test_zombies_are_reaped_inside_the_container(bench: Bench) -> None:
    code = (
        "import os, time\n"
        "for _ in range(5):\n"
        "    if os.fork() == 0:\n"
        "        os.fork(); os._exit(0)\n"
        "    os.wait()\n"
        "time.sleep(0.5)\n"
        "pids = filter(str.isdecimal, os.listdir('/proc'))\n"
        "states = [open(f'/proc/{pid}/stat').read().split(') ')[1][0] for pid in pids]\n"
        "print(len(states), states.count('Z'))\n"
    )
    assert bench.log(code) == "2 0\n"


def test_cancellation_is_quick_and_leaves_no_container(bench: Bench) -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    before = time.monotonic()
    with pytest.raises(RunCancelledError):
        bench.run("import time; time.sleep(60)", cancelled=cancelled)
    assert time.monotonic() - before < 20
    assert bench.leftovers() == []


def _processes_of_nobody() -> list[tuple[str, str]]:
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            lines = Path("/proc", pid, "status").read_text().splitlines()
        except OSError:
            continue
        fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        if fields["Uid"].split()[0] == "65534":
            found.append((pid, fields["State"][0]))
    return found


def _processes_named(mark: str) -> list[str]:
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if mark.encode() in Path("/proc", pid, "cmdline").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found
