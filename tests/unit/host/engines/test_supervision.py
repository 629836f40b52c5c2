import dataclasses
import threading
import time
from concurrent.futures import Future
from datetime import UTC
from pathlib import Path

import pytest

from host.engines.cgroup import MemoryUse
from host.engines.supervision import StopReason, Stopwatch, Supervisor
from host.errors import EngineDiedError
from tests.support.engine_bench import LIMITS


def a_supervisor(outputs: Path, **changes: object) -> Supervisor:
    settings = {
        "limits": LIMITS,
        "outputs": outputs,
        "memory_folder": None,
        "cancelled": lambda: False,
        **changes,
    }
    return Supervisor(**settings)


def test_a_container_that_ends_by_itself_is_not_killed(tmp_path: Path) -> None:
    ended: Future[None] = Future()
    threading.Timer(0.05, ended.set_result, [None]).start()
    killed: list[bool] = []
    observed = a_supervisor(tmp_path).watch(ended, lambda: killed.append(True))
    assert (observed.stopped, observed.output_overflow, observed.memory, killed) == (None, False, None, [])


def test_the_time_out_kills_on_time(tmp_path: Path) -> None:
    ended: Future[None] = Future()
    limits = dataclasses.replace(LIMITS, timeout_s=0.05)
    before = time.monotonic()
    observed = a_supervisor(tmp_path, limits=limits).watch(ended, lambda: ended.set_result(None))
    assert observed.stopped is StopReason.TIMED_OUT
    assert time.monotonic() - before >= 0.05


def test_outputs_written_just_before_the_end_are_measured(tmp_path: Path) -> None:
    ended: Future[None] = Future()
    ended.set_result(None)
    (tmp_path / "large").write_bytes(bytes(LIMITS.output_bytes + 1))
    observed = a_supervisor(tmp_path).watch(ended, lambda: None)
    assert observed.stopped is None
    assert observed.output_overflow


def test_the_highest_memory_sample_is_kept(tmp_path: Path) -> None:
    ended: Future[None] = Future()
    outputs, memory = tmp_path / "out", tmp_path / "memory"
    outputs.mkdir()
    memory.mkdir()
    (memory / "memory.events").write_text("oom_kill 0\n")
    samples = iter(["900", "100", "100"])

    def next_sample() -> bool:
        value = next(samples, None)
        if value is None:
            return True
        (memory / "memory.current").write_text(value)
        return False

    next_sample()
    observed = a_supervisor(outputs, memory_folder=memory, cancelled=next_sample).watch(
        ended, lambda: ended.set_result(None)
    )
    assert observed.stopped is StopReason.CANCELLED
    assert observed.memory == MemoryUse(900, 0)


def test_a_lost_engine_is_not_taken_for_the_containers_end(tmp_path: Path) -> None:
    ended: Future[None] = Future()
    ended.set_exception(EngineDiedError("docker stopped answering"))
    with pytest.raises(EngineDiedError):
        a_supervisor(tmp_path).watch(ended, lambda: None)


def test_a_container_that_survives_its_kill_is_the_engines_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.engines.supervision.KILL_TIMEOUT_S", 0.05)
    with pytest.raises(EngineDiedError, match="still runs"):
        a_supervisor(tmp_path, cancelled=lambda: True).watch(Future(), lambda: None)


def test_a_wall_clock_that_is_put_back_makes_no_time_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter((100.0, 100.25))
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    started_at, finished_at = Stopwatch().times()
    assert (finished_at - started_at).total_seconds() == 0.25
    assert started_at.tzinfo is UTC
