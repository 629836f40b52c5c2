"""Kill the host at its worst moments: what was acknowledged stays, what was under way is found and closed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from host.engines.docker import MANAGED_LABEL
from tests.support.cli import Cli
from tests.support.tiny import RELEASE, TRIAL, TinyWorld, write_scan

pytestmark = [pytest.mark.docker, pytest.mark.slow]

# A shell may have told its background jobs to ignore Ctrl-C, and children inherit that.
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from host.cli import main
sys.exit(main())
"""
PATIENCE_S = 60.0
LONG_TO_STAGE_BYTES = 768 * 1024 * 1024


@contextmanager
def started(cli: Cli, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """Run ``assay`` in a process of its own; whatever is left of it is killed."""
    command = [sys.executable, "-c", PROGRAM, *(str(one) for one in arguments)]
    environment = {**os.environ, **cli.environment}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def order(scan: Path, visit: str = "baseline") -> tuple[object, ...]:
    return ("trial", "run", TRIAL, "--input", f"scan={scan}", "--subject", "S-001", "--visit", visit)


def wait_until(happened: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Poll without a rest: the moments that matter last milliseconds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.001)


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def entries(home: Path, pattern: str) -> list[Path]:
    return list((home / "runs").glob(pattern))


def containers(run: str) -> list[str]:
    """States of the containers of a run, stopped ones included."""
    client = docker.from_env()
    try:
        found = client.api.containers(all=True, filters={"label": [MANAGED_LABEL, f"assay.run={run}"]})
        return [one["State"] for one in found]
    finally:
        client.close()


def stop_at_the_end(site: Cli, process: "subprocess.Popen[str]") -> str:
    """Freeze the host as soon as the container has answered, wait for the container's end, and kill the host."""
    wait_until(lambda: bool(entries(site.home, "*/out/result.json")), process)
    process.send_signal(signal.SIGSTOP)
    run = entries(site.home, "*/out/result.json")[0].parent.parent.name
    wait_until(lambda: "running" not in containers(run), process)
    kill(process)
    return run


def assert_healed(site: Cli, before: list[dict[str, object]], run: str, scan: Path) -> None:
    """The next command closes the dangling run, and then does its own work."""
    after_the_kill = site.log()
    assert after_the_kill[: len(before)] == before, "an acknowledged record is lost"
    assert [row["what"] for row in after_the_kill[len(before) :]] == ["run-started"]
    answer = site.do(*order(scan))
    assert f"found run {run}" in answer.err and "interrupted" in answer.err
    assert containers(run) == []
    new = [row["what"] for row in site.log()[len(after_the_kill) :]]
    assert new == ["run-finished", "run-started", "run-finished"]
    closed, own = site.predicates("run-finished")[-2:]
    assert (closed["run"], closed["outcome"], closed["reason_code"]) == (run, "failed", "interrupted")
    assert closed["measured"] == closed["outputs"] == []
    assert own["outcome"] == "ok"
    site.assert_clean()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_scan(tmp_path / "good.nii")


@pytest.mark.requirement("R3")
def test_a_host_killed_before_the_start_was_logged_leaves_no_trace(
    tiny: TinyWorld, tmp_path: Path, good: Path
) -> None:
    site, before = tiny.site, tiny.site.log()
    large = tmp_path / "large.nii"
    with large.open("wb") as stream:
        stream.truncate(LONG_TO_STAGE_BYTES)
    with started(site, *order(large)) as process:
        wait_until(lambda: bool(entries(site.home, "*/in/scan.nii")), process)
        kill(process)
    assert site.log() == before
    site.do(*order(good))
    assert [row["what"] for row in site.log()[len(before) :]] == ["run-started", "run-finished"]
    site.assert_clean()


@pytest.mark.requirement("R3")
@pytest.mark.attack("kill mid-run")
def test_a_host_killed_during_the_container_is_reported_as_interrupted(
    tiny: TinyWorld, tmp_path: Path, good: Path
) -> None:
    site, before = tiny.site, tiny.site.log()
    with started(site, *order(write_scan(tmp_path / "endless.nii", "sleep"))) as process:
        wait_until(lambda: bool(entries(site.home, "*/in/request.json")), process)
        run = entries(site.home, "*/in/request.json")[0].parent.parent.name
        wait_until(lambda: containers(run) == ["running"], process)
        kill(process)
    assert containers(run) == ["running"], "the container outlives its host until somebody looks"
    assert_healed(site, before, run, good)


@pytest.mark.requirement("R3")
def test_a_host_killed_between_the_request_and_the_container_is_reported_as_interrupted(
    tiny: TinyWorld, good: Path
) -> None:
    site, before = tiny.site, tiny.site.log()
    with started(site, *order(good)) as process:
        wait_until(lambda: bool(entries(site.home, "*/in/request.json")), process)
        run = entries(site.home, "*/in/request.json")[0].parent.parent.name
        kill(process)
    assert_healed(site, before, run, good)


@pytest.mark.requirement("R3")
def test_a_host_killed_between_the_containers_end_and_its_record_is_reported_as_interrupted(
    tiny: TinyWorld, good: Path
) -> None:
    site, before = tiny.site, tiny.site.log()
    with started(site, *order(good)) as process:
        run = stop_at_the_end(site, process)
    assert_healed(site, before, run, good)


@pytest.mark.requirement("R3")
def test_a_host_killed_right_after_its_answer_has_lost_nothing(tiny: TinyWorld, good: Path) -> None:
    site, before = tiny.site, tiny.site.log()
    with started(site, *order(good)) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("run ")
        kill(process)
    assert [row["what"] for row in site.log()[len(before) :]] == ["run-started", "run-finished"]
    assert "interrupted" not in site.do(*order(good, "month-6")).err
    site.assert_clean()


@pytest.mark.requirement("R3")
def test_a_killed_validation_stays_in_the_ledger_and_the_next_one_is_the_second_attempt(
    tiny: TinyWorld,
) -> None:
    sponsor, before = tiny.sponsor, tiny.sponsor.log()
    again = ("validate", RELEASE, "--kit", tiny.kit, "--as", "ada", "--smoke")
    with started(sponsor, *again) as process:
        run = stop_at_the_end(sponsor, process)
    assert [row["what"] for row in sponsor.log()[len(before) :]] == ["validation-started", "run-started"]
    answer = sponsor(*again)
    assert f"found run {run}" in answer.err
    assert [one["attempt"] for one in sponsor.predicates("validation-started")] == [1, 2, 3]
    assert len(sponsor.predicates("validation-report")) == 2
    assert containers(run) == []
    sponsor.assert_clean()


def test_ctrl_c_removes_the_container_and_records_the_run_as_cancelled(
    tiny: TinyWorld, tmp_path: Path
) -> None:
    site, before = tiny.site, tiny.site.log()
    with started(site, *order(write_scan(tmp_path / "endless.nii", "sleep"))) as process:
        wait_until(lambda: bool(entries(site.home, "*/in/request.json")), process)
        run = entries(site.home, "*/in/request.json")[0].parent.parent.name
        wait_until(lambda: containers(run) == ["running"], process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, err
    assert "interrupted" in err and "Traceback" not in out + err
    assert containers(run) == []
    assert [row["what"] for row in site.log()[len(before) :]] == ["run-started", "run-finished"]
    assert (site.last_run()["run"], site.last_run()["reason_code"]) == (run, "cancelled")
    site.assert_clean()
