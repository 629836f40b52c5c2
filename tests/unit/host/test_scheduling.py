"""What may run side by side: never more than there is, in order, and nothing that can never fit."""

import dataclasses
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.engines.interface import Limits
from host.errors import MachineTooSmallError, RunCancelledError
from host.machine import Room, this_machine
from host.scheduling import NOTHING, Share, lacking, may_start, need_of

MIB = 2**20
MACHINE = Share(2.0, 1024 * MIB)
LIMITS = Limits(
    cpus=1.0,
    memory_bytes=256 * MIB,
    shm_bytes=0,
    scratch_bytes=MIB,
    pids=8,
    output_bytes=MIB,
    output_files=8,
    log_bytes=MIB,
    timeout_s=1.0,
)


def limits(**changes: float) -> Limits:
    return dataclasses.replace(LIMITS, **changes)


def never() -> bool:
    return False


@pytest.mark.parametrize(
    ("used", "waiting", "starts"),
    [
        (NOTHING, 0, True),
        (Share(1.0, 256 * MIB), 0, True),
        (Share(2.0, 0), 0, False),
        (Share(0.0, 800 * MIB), 0, False),
        (NOTHING, 1, False),
    ],
)
def test_a_container_starts_where_there_is_room_and_nobody_waited_longer(
    used: Share, waiting: int, starts: bool
) -> None:
    assert may_start(Share(1.0, 256 * MIB), waiting_before=waiting, used=used, there=MACHINE) is starts


def test_more_cpus_than_there_are_take_the_whole_machine() -> None:
    assert need_of(limits(cpus=16.0), MACHINE) == Share(2.0, 256 * MIB)


def test_more_memory_than_there_is_can_never_fit() -> None:
    need = need_of(limits(memory_bytes=2048 * MIB), MACHINE)
    assert lacking(need, MACHINE) == "2048 MiB of memory, of which there are 1024"
    with pytest.raises(MachineTooSmallError, match="big-plugin 1.0 needs 2048 MiB"):
        Room(MACHINE).require(limits(memory_bytes=2048 * MIB), "big-plugin 1.0")


@given(st.lists(st.tuples(st.floats(0.1, 4.0), st.integers(1, 1024)), min_size=1, max_size=12))
def test_what_runs_together_never_needs_more_than_there_is(wanted: list[tuple[float, int]]) -> None:
    room = Room(MACHINE)
    inside = NOTHING
    most: list[Share] = []
    lock = threading.Lock()

    def run(one: Limits) -> None:
        nonlocal inside
        with room.held(one, "plugin", never):
            need = need_of(one, MACHINE)
            with lock:
                inside = inside + need
                most.append(inside)
            with lock:
                inside = inside - need

    threads = [
        threading.Thread(target=run, args=(limits(cpus=cpus, memory_bytes=mib * MIB),))
        for cpus, mib in wanted
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == len(wanted)
    assert all(one.memory_bytes <= MACHINE.memory_bytes and one.cpus <= MACHINE.cpus + 1e-9 for one in most)


def test_a_small_case_does_not_slip_past_a_large_one_that_waits() -> None:
    room = Room(MACHINE)
    order: list[str] = []

    def run(name: str, one: Limits) -> None:
        with room.held(one, name, never):
            order.append(name)

    with room.held(LIMITS, "running", never):
        large = threading.Thread(target=run, args=("large", limits(cpus=2.0)))
        large.start()
        while not room._queue:
            time.sleep(0.001)
        small = threading.Thread(target=run, args=("small", LIMITS))
        small.start()
        small.join(0.2)
        assert order == []
    large.join()
    small.join()
    assert order == ["large", "small"]


def test_waiting_ends_with_the_operators_wish_to_stop_and_leaves_no_trace() -> None:
    room = Room(MACHINE)
    running = room.held(limits(cpus=2.0), "running", never)
    with running, pytest.raises(RunCancelledError), room.held(LIMITS, "waiting", lambda: True):
        pass
    with room.held(limits(cpus=2.0), "later", never):
        pass


def test_this_machine_has_something() -> None:
    there = this_machine()
    assert there.cpus >= 1
    assert there.memory_bytes > 256 * MIB
