"""Batches on real engines: side by side, fresh and warm alike, and nothing left when they are stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.batch_bench import BatchBench
from tests.support.engine_bench import ENGINES
from tests.support.engine_image import runtime_image

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[2]
# A shell may have told its background jobs to ignore Ctrl-C, and children inherit that.
MAIN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from host.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(params=sorted(ENGINES))
def batch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BatchBench]:
    engine = ENGINES[request.param]()
    try:
        yield BatchBench(tmp_path, engine=engine, image=runtime_image(engine))
    finally:
        engine.close()


def test_warm_and_fresh_workers_give_the_same_results(batch: BatchBench) -> None:
    batch.write(
        {"one": "answer", "two": "refuse", "three": "raise_error", "four": "extra_file", "five": "answer"}
    )
    fresh = batch.run(jobs=2).results
    batch.out = batch.folder / "warm"
    warm = batch.run(jobs=2, warm=True).results
    assert [one.reason_code for one in fresh] == [
        "",
        "told-to-refuse",
        "plugin-error",
        "output-undeclared",
        "",
    ]
    for one, other in zip(fresh, warm, strict=True):
        assert (one.outcome, one.reason_code, one.outputs) == (
            other.outcome,
            other.reason_code,
            other.outputs,
        )
    assert {one.container for one in warm} == {"warm"}
    assert all(one.memory_peak_bytes for one in warm)
    assert list(batch.bench.home.runs.iterdir()) == []


@pytest.mark.parametrize("warm", [(), ("--warm",)])
def test_ctrl_c_leaves_no_container_and_no_folder(batch: BatchBench, warm: tuple[str, ...]) -> None:
    batch.write({"one": "answer", "two": "sleep", "three": "sleep", "four": "answer"})
    bench = batch.bench
    started = subprocess.Popen(
        [sys.executable, "-c", MAIN, "plugin", "run", bench.plugin, "--cases", batch.table]
        + ["--out", batch.out, "--jobs", "2", "--engine", bench.engine.name, *warm],
        cwd=ROOT,
        env={**os.environ, "ASSAY_HOME": str(bench.home.path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline_s = time.monotonic() + 90
    while not (batch.out / "one" / "result.json").is_file() and started.poll() is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    time.sleep(1.0)
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=90)
    assert started.returncode == 130, told
    assert "interrupted" in told
    assert [row["outcome"] for row in batch.rows()] == ["ok", "not run", "not run", "not run"]
    assert list(bench.home.runs.iterdir()) == []

    def is_somebody_elses(labels: Mapping[str, str]) -> bool:
        return labels.get("assay.owner.pid") != str(started.pid)

    assert bench.engine.reap(is_somebody_elses) == []
