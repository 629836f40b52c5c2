"""Warm containers on real engines: closed in like fresh ones, equal to them, and gone when they are done."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.errors import RunCancelledError
from host.execution import Execution
from tests.support.engine_bench import ENGINES
from tests.support.engine_image import runtime_image
from tests.support.warm_bench import WarmBench, after

pytestmark = pytest.mark.docker


@pytest.fixture(params=sorted(ENGINES))
def warm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WarmBench]:
    engine = ENGINES[request.param]()
    bench = WarmBench(tmp_path, engine, runtime_image(engine))
    try:
        yield bench
    finally:
        bench.close()
        engine.close()


def ended(execution: Execution) -> tuple[str, str]:
    return execution.outcome, execution.reason_code


def test_warm_cases_end_and_answer_as_fresh_ones_do(warm: WarmBench) -> None:
    behaviours = ("answer", "refuse", "raise_error", "wrong_grid", "extra_file", "link", "answer")
    served = [warm.run(one) for one in behaviours]
    containers = {one.exit.container_id for one in served if one.exit}
    fresh = [warm.run(one, warm=False) for one in behaviours]
    assert len(containers) == 1
    assert [ended(one) for one in served] == [ended(one) for one in fresh]
    for one, other in zip(served, fresh, strict=True):
        assert [(o.port, o.digest) for o in one.outputs] == [(o.port, o.digest) for o in other.outputs]
    assert "RuntimeError: told to fail" in warm.log(2)
    assert (warm.log(3), warm.log(0)) == ("", "")


def test_a_crash_a_time_out_and_a_memory_hog_are_charged_to_their_own_case(warm: WarmBench) -> None:
    warm.limit(case_timeout_s=3)
    behaviours = ("answer", "no_result", "answer", "hog_memory", "answer", "sleep", "answer")
    served = [warm.run(one) for one in behaviours]
    assert [ended(one) for one in served] == [
        ("ok", ""),
        ("failed", "crashed"),
        ("ok", ""),
        ("failed", "out-of-memory"),
        ("ok", ""),
        ("failed", "timeout"),
        ("ok", ""),
    ]
    hog = served[3].exit
    assert hog is not None and hog.memory_peak_bytes == hog.memory_limit_bytes
    assert all(one.exit and one.exit.memory_peak_bytes for one in served)


def test_a_process_that_outlives_its_case_ends_with_its_container(warm: WarmBench) -> None:
    mark = f"linger-{warm.label[:16]}"
    first = warm.run("linger", case=mark)
    assert ended(first) == ("ok", "")
    assert "1 process(es) outlived the case" in first.warnings[-1]
    assert processes_named(mark) != []
    second = warm.run()
    assert ended(second) == ("ok", "")
    assert "was replaced" in second.warnings[-1]
    assert processes_named(mark) == []


def processes_named(mark: str) -> list[str]:
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if mark.encode() in Path("/proc", pid, "cmdline").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found


def test_cancellation_leaves_no_container(warm: WarmBench) -> None:
    with pytest.raises(RunCancelledError):
        warm.run("sleep", cancelled=after(3))
    # Everything of a warm container is gone when its run has returned: nothing dead is left to be found.
    assert warm.engine.reap(lambda labels: labels.get("assay.test.warm") != warm.label) == []
