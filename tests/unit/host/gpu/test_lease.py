"""Leases between real processes: exclusive, first come first served, and gone with their holder."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host.errors import GpuLeaseError, RunCancelledError
from host.gpu.lease import Wanted, holder_of, lease
from host.gpu.lease_files import Holder, file_of
from tests.support.gpus import A100, L4, a_gpu, an_instance

ROOT = Path(__file__).parents[4]
ME = Holder(pid=os.getpid(), run="0123456789abcdef", engine="docker")
BOTH = (a_gpu(), a_gpu(L4, index=1))

PROGRAM = """
import os, sys
from pathlib import Path
from host.gpu.lease import Wanted, lease
from host.gpu.lease_files import Holder
from tests.support.gpus import A100, L4, a_gpu, an_instance

wanted = eval(sys.argv[2])
holder = Holder(pid=os.getpid(), run="a-run", engine="docker")
say = lambda line: print("waiting", line, flush=True)
with lease(wanted, holder, waiting=say, folder=Path(sys.argv[1])) as held:
    print("holds", *[one.uuid for one in held.devices], flush=True)
    sys.stdin.read()
print("let go", flush=True)
"""


class Process:
    """Another process that wants GPUs, holds them until it is told to end, and says what it does."""

    def __init__(self, folder: Path, wanted: str) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder), wanted],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().strip()

    def end(self) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.close()
        assert self.popen.wait(30) == 0

    def kill(self) -> None:
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait(30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Process]]:
    started: list[Process] = []

    def one(wanted: str) -> Process:
        started.append(Process(tmp_path, wanted))
        return started[-1]

    yield one
    for process in started:
        with process.popen:
            process.popen.kill()


def test_two_processes_hold_different_devices_and_a_third_waits_for_the_first_to_end(
    start: Callable[[str], Process],
) -> None:
    any_one = "Wanted(candidates=(a_gpu(), a_gpu(L4)), count=1)"
    first = start(any_one)
    assert first.says() == f"holds {A100}"
    second = start(any_one)
    assert second.says() == f"holds {L4}"
    third = start(any_one)
    said = third.says()
    assert said.startswith("waiting waiting for 1 GPU(s)")
    assert f"{A100} held by process {first.popen.pid} (run a-run, engine docker)" in said
    first.end()
    assert third.says() == f"holds {A100}"
    second.end()
    third.end()


def test_a_killed_holder_holds_nothing_and_is_named_to_the_next_one(
    start: Callable[[str], Process], tmp_path: Path
) -> None:
    holder = start("Wanted(candidates=(a_gpu(),), count=1)")
    assert holder.says() == f"holds {A100}"
    waiting = start("Wanted(candidates=(a_gpu(),), count=1)")
    assert waiting.says().startswith("waiting")
    holder.kill()
    assert waiting.says() == f"holds {A100}"
    waiting.kill()
    with lease(Wanted(candidates=(a_gpu(),), count=1), ME, folder=tmp_path) as held:
        assert [one.pid for one in held.left_by] == [waiting.popen.pid]
    with lease(Wanted(candidates=(a_gpu(),), count=1), ME, folder=tmp_path) as held:
        assert held.left_by == (), "who let go leaves no trace"


def test_who_came_first_is_served_first_and_a_killed_one_in_the_queue_blocks_nobody(
    start: Callable[[str], Process],
) -> None:
    wanted = "Wanted(candidates=(a_gpu(),), count=1)"
    holder = start(wanted)
    assert holder.says() == f"holds {A100}"
    queue = []
    for _ in range(3):
        queue.append(start(wanted))
        assert queue[-1].says().startswith("waiting")
    queue[0].kill()
    holder.end()
    assert queue[1].says() == f"holds {A100}"
    assert queue[2].popen.poll() is None
    queue[1].end()
    assert queue[2].says() == f"holds {A100}"


def test_who_wants_two_is_not_passed_by_later_ones_that_want_one(
    start: Callable[[str], Process], tmp_path: Path
) -> None:
    holder = start("Wanted(candidates=(a_gpu(),), count=1)")
    assert holder.says() == f"holds {A100}"
    pair = start("Wanted(candidates=(a_gpu(), a_gpu(L4)), count=2)")
    assert pair.says().startswith("waiting")
    single = start("Wanted(candidates=(a_gpu(L4),), count=1)")
    assert single.says() == "waiting waiting for 1 GPU(s): others came first"
    elsewhere = start("Wanted(candidates=(a_gpu('GPU-other'),), count=1)")
    assert elsewhere.says() == "holds GPU-other", "only rivals wait for each other"
    holder.end()
    assert pair.says() == f"holds {A100} {L4}"
    pair.end()
    assert single.says() == f"holds {L4}"


def test_only_those_who_share_may_share(start: Callable[[str], Process]) -> None:
    shared, exclusive = (
        f"Wanted(candidates=(a_gpu(),), count=1, shared={shared})" for shared in (True, False)
    )
    first, second = start(shared), start(shared)
    assert first.says() == second.says() == f"holds {A100}"
    alone = start(exclusive)
    assert alone.says().startswith("waiting")
    first.end()
    late = start(shared)
    assert late.says().startswith("waiting"), "the exclusive one came first"
    second.end()
    assert alone.says() == f"holds {A100}"
    alone.end()
    assert late.says() == f"holds {A100}"


@pytest.mark.parametrize("shared", [False, True])
def test_a_mig_instance_and_its_gpu_exclude_each_other(
    start: Callable[[str], Process], tmp_path: Path, shared: bool
) -> None:
    part = start("Wanted(candidates=(an_instance(1),), count=1)")
    assert part.says().startswith("holds MIG-")
    other = start("Wanted(candidates=(an_instance(1), an_instance(2)), count=1)")
    assert other.says() == f"holds {an_instance(2).uuid}", "instances of one GPU are devices of their own"
    whole = start(f"Wanted(candidates=(a_gpu(),), count=1, shared={shared})")
    assert f"{A100} held by" in whole.says()
    part.end()
    other.end()
    assert whole.says() == f"holds {A100}"
    again = start("Wanted(candidates=(an_instance(1),), count=1)")
    assert "held by" in again.says()
    whole.kill()
    assert again.says().startswith("holds MIG-")


def test_waiting_can_be_cancelled_and_leaves_nothing_behind(
    start: Callable[[str], Process], tmp_path: Path
) -> None:
    wanted = Wanted(candidates=(a_gpu(),), count=1)
    said: list[str] = []
    with lease(wanted, ME, folder=tmp_path):
        before = sorted(tmp_path.iterdir())
        with (
            pytest.raises(RunCancelledError, match="nothing was started"),
            lease(wanted, ME, folder=tmp_path, waiting=said.append, cancelled=lambda: bool(said)),
        ):
            raise AssertionError("two hold one device")
        assert sorted(tmp_path.iterdir()) == before
    assert len(said) == 1
    with lease(wanted, ME, folder=tmp_path):
        pass


def test_threads_of_one_process_exclude_each_other_too(tmp_path: Path) -> None:
    inside, most, gate = [], [], threading.Lock()

    def work() -> None:
        with lease(Wanted(candidates=BOTH, count=1), ME, folder=tmp_path) as held:
            with gate:
                inside.append(held.devices[0].uuid)
                most.append(sorted(inside))
            with gate:
                inside.remove(held.devices[0].uuid)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(most) == 8
    assert all(len(set(seen)) == len(seen) for seen in most), "nobody saw its device held twice"


def test_who_holds_a_device_can_be_asked(tmp_path: Path) -> None:
    assert holder_of(a_gpu(), folder=tmp_path) == ""
    with lease(Wanted(candidates=(a_gpu(),), count=1), ME, folder=tmp_path):
        assert holder_of(a_gpu(), folder=tmp_path) == str(ME)
        assert holder_of(an_instance(1), folder=tmp_path) == str(ME)
        assert holder_of(a_gpu(L4), folder=tmp_path) == ""
    assert holder_of(a_gpu(), folder=tmp_path) == ""


def test_what_is_written_in_a_file_decides_nothing(tmp_path: Path) -> None:
    path = file_of(tmp_path, A100, "whole")
    for forged in (b'{"pid": 1, "run": "x", "engine": "y"}', b"\xff" * 100, b'{"pid": -1}', b"[" * 100_000):
        path.write_bytes(forged)
        with lease(Wanted(candidates=(a_gpu(),), count=1), ME, folder=tmp_path) as held:
            assert held.devices[0].uuid == A100
            assert len(held.left_by) == (forged[0:1] == b"{" and b"-1" not in forged)


def test_the_folder_is_made_open_to_all_and_sticky(tmp_path: Path) -> None:
    folder = tmp_path / "leases"
    with lease(Wanted(candidates=(a_gpu(),), count=1), ME, folder=folder):
        assert folder.stat().st_mode & 0o7777 == 0o1777
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o666}


def test_a_folder_where_others_could_remove_locks_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with (
        pytest.raises(GpuLeaseError, match="no sticky folder") as caught,
        lease(Wanted(candidates=(a_gpu(),), count=1), ME, folder=tmp_path),
    ):
        raise AssertionError("a lease that holds nothing")
    assert "chmod 1777" in caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a folder of another user")
def test_a_folder_whose_owner_could_remove_locks_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    with (
        pytest.raises(GpuLeaseError, match="belongs to user 1234") as caught,
        lease(Wanted(candidates=(a_gpu(),), count=1), ME, folder=tmp_path),
    ):
        raise AssertionError("a lease that holds nothing")
    assert "chown root" in caught.value.hint


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(GpuLeaseError, match="GPUs cannot be leased"),
        lease(Wanted(candidates=(a_gpu(),), count=1), ME, folder=tmp_path / "file" / "leases"),
    ):
        raise AssertionError("a lease that holds nothing")


@pytest.mark.parametrize("key", ["../../etc/passwd", "vendor.example/gpu=0", "a b", ".", ""])
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    assert file_of(tmp_path, key, "whole").parent == tmp_path
    assert "/" not in file_of(tmp_path, key, "whole").name
