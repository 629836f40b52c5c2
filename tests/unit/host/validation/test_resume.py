"""A validation that was stopped goes on: what ended is kept, what the host cut short runs again, and all is told."""

import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from host.engines.interface import ContainerSpec
from host.errors import EngineDiedError, ReportMismatchError, ResumeError, ValidationRunsError
from host.execution import CaseRequest
from host.reports.recheck import recheck
from host.run_ledger import close_interrupted
from host.validation.recorded_runs import runs_of
from host.validation.resume import find_stopped
from registry.errors import BlobMismatchError
from registry.statements import RunStarted, ValidationStarted
from tests.support.forged_reports import forged
from tests.support.memory_engine import Ending, tiny_adapter
from tests.support.robust_plan import ROBUST, bearing, planned, sameness
from tests.support.tiny_host import TinyHost, reopened, tiny_host

ROOT = Path(__file__).parents[4]


@pytest.fixture
def again(tmp_path: Path) -> TinyHost:
    return tiny_host(
        tmp_path, planned=planned(sameness("twice", "repeat", count=2), sameness("mixed", "order"))
    )


def stopping_at(number: int, error: BaseException) -> Callable[[ContainerSpec], Ending]:
    """A plugin during whose run ``number``, counted from 0, the engine stops."""
    runs = count()

    def container(spec: ContainerSpec) -> Ending:
        if next(runs) == number:
            raise error
        return tiny_adapter(spec)

    return bearing(container)


def stop(host: TinyHost, number: int, error: BaseException | None = None, **asked: object) -> str:
    """Begin a validation that stops during that run; its id."""
    error = error or EngineDiedError("gone")
    host.engine.container = stopping_at(number, error)
    with pytest.raises(type(error)):
        host.validate(**asked)
    host.engine.container = bearing()
    host.engine.ran.clear()
    return begun(host)[-1].validation or ""


def begun(host: TinyHost) -> list[RunStarted]:
    return [one.statement.read(RunStarted) for one in host.registry.records(RunStarted.predicate_type)]


@pytest.mark.parametrize("error", [EngineDiedError("gone"), KeyboardInterrupt()])
def test_a_stopped_validation_runs_only_what_was_cut_short_and_what_was_still_to_run(
    error: BaseException, host: TinyHost
) -> None:
    validation = stop(host, 1, error)
    done = host.validate(stopped=validation)
    assert [one.case for one in begun(host)[2:]] == ["cube-3", "told-to-refuse"]
    assert done.report.validation == validation
    assert done.report.verdict.verdict == "met"
    assert [(one.case, one.comparison) for one in done.report.interruptions] == [("cube-3", "")]
    assert [(one.attempt, one.finished) for one in done.report.attempts] == [(1, True)]
    assert len(list(host.registry.records(ValidationStarted.predicate_type))) == 1
    assert recheck(host.registry, done.record)


def test_a_resumed_report_has_the_rows_of_one_that_was_never_stopped(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    whole, cut = (tiny_host(tmp_path / name, planned=planned(*ROBUST)) for name in ("a", "b"))
    whole.engine.container = bearing()
    expected = whole.validate()
    done = cut.validate(stopped=stop(cut, 4))
    assert [one.row for one in done.report.cases] == [one.row for one in expected.report.cases]
    assert [one.measured for one in done.report.cases] == [one.measured for one in expected.report.cases]
    assert [one.qc for one in done.report.cases] == [one.qc for one in expected.report.cases]
    assert done.report.verdict == expected.report.verdict
    assert recheck(cut.registry, done.record)


def test_a_validation_may_be_stopped_more_than_once(host: TinyHost) -> None:
    validation = stop(host, 1)
    host.engine.container = stopping_at(0, EngineDiedError("gone again"))
    with pytest.raises(EngineDiedError):
        host.validate(stopped=validation)
    host.engine.container = tiny_adapter
    done = host.validate(stopped=validation)
    assert [one.case for one in done.report.interruptions] == ["cube-3", "cube-3"]
    assert recheck(host.registry, done.record)


def test_a_plugins_own_failure_is_an_end_and_does_not_run_again(host: TinyHost) -> None:
    runs = count()

    def container(spec: ContainerSpec) -> Ending:
        if next(runs) == 2:
            raise EngineDiedError("gone")
        return Ending(139)

    host.engine.container = container
    with pytest.raises(EngineDiedError):
        host.validate()
    host.engine.container = tiny_adapter
    done = host.validate(stopped=begun(host)[0].validation or "")
    assert [one.row.outcome for one in done.report.cases] == ["failed", "failed", "refused"]
    assert recheck(host.registry, done.record)


def test_comparisons_go_on_where_they_stopped_in_the_order_they_had(again: TinyHost) -> None:
    validation = stop(again, 3 + 4)  # in the second repetition
    done = again.validate(stopped=validation)
    assert len(again.engine.ran) == 2 + 3
    assert [(one.case, one.comparison) for one in done.report.interruptions] == [("cube-3", "twice")]
    found = {one.id: one for one in done.report.sameness}
    assert (len(found["twice"].pairs), found["twice"].agreement) == (6, "equal")
    assert done.report.verdict.verdict == "met"
    assert recheck(again.registry, done.record)


def test_what_was_asked_at_the_beginning_is_asked_again(tmp_path: Path) -> None:
    host = tiny_host(tmp_path, mode="serve")
    validation = stop(host, 1, smoke=True, warm=True)
    done = host.validate(stopped=validation)
    assert (done.report.subset, done.report.flow.cases) == ("smoke", 2)
    assert [one.kind for one in done.report.sameness] == ["warm"]
    assert recheck(host.registry, done.record)


SCRIPT = """
import os, signal, sys
from itertools import count
from pathlib import Path
from tests.support.memory_engine import tiny_adapter
from tests.support.tiny_host import tiny_host

host, runs = tiny_host(Path(sys.argv[1])), count()

def container(spec):
    if next(runs) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return tiny_adapter(spec)

host.engine.container = container
host.validate()
"""


def test_a_validation_whose_process_was_killed_goes_on(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT, tmp_path], cwd=ROOT, check=False)
    assert ended.returncode == -9
    host = reopened(tmp_path)
    (closed,) = close_interrupted(host.home, host.registry, host.engine, role="log")
    done = host.validate(stopped=closed.validation or "")
    assert [one.reason for one in done.report.interruptions] == ["interrupted"]
    assert [one.case for one in begun(host)[2:]] == ["cube-3", "told-to-refuse"]
    assert done.report.verdict.verdict == "met"
    assert recheck(host.registry, done.record)
    assert list(host.home.runs.iterdir()) == []


def test_a_finished_validation_and_one_that_never_was_do_not_go_on(host: TinyHost) -> None:
    done = host.validate()
    with pytest.raises(ResumeError, match="is finished"):
        find_stopped(host.registry, done.report.validation)
    with pytest.raises(ResumeError, match="there is no validation"):
        find_stopped(host.registry, "f" * 16)


def test_a_validation_goes_on_under_what_it_was_begun_with_or_not_at_all(host: TinyHost) -> None:
    validation = stop(host, 1)
    newer = host.next_release()
    with pytest.raises(ResumeError, match="it is of another release"):
        host.validate(stopped=validation, release=newer)
    host.engine.name = "another"
    with pytest.raises(ResumeError, match="begun on memory 1, and this is another 1"):
        host.validate(stopped=validation)
    host.engine.name = "memory"
    with pytest.raises(ResumeError, match="ada began it, not rosa"):
        host.validate(stopped=validation, executor="rosa")
    assert host.engine.ran == []
    assert host.validate(stopped=validation).report.verdict.verdict == "met"


def test_a_stored_output_that_was_changed_meanwhile_is_found(host: TinyHost) -> None:
    validation = stop(host, 1)
    output = runs_of(host.registry, validation).own["cube-2"].ended.outputs[0]
    path = host.registry.blobs.path(output.digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    with pytest.raises(BlobMismatchError):
        host.validate(stopped=validation)


def test_a_report_cannot_leave_out_what_was_cut_short(host: TinyHost) -> None:
    done = host.validate(stopped=stop(host, 1))
    with pytest.raises(ReportMismatchError, match="interrupted runs"):
        recheck(host.registry, forged(host, done, interruptions=()))


def test_a_case_that_was_answered_twice_is_found_out(host: TinyHost) -> None:
    """Somebody runs a case once more under the same validation, to take the better answer."""
    done = host.validate()
    first = begun(host)[0]
    ledger = host.ledger_of(done.report.validation)
    ledger.run(
        host.release,
        CaseRequest(first.case, {"scan": host.scan()}, {}),
        subject=first.subject,
        visit="kit",
        cancelled=lambda: False,
    )
    with pytest.raises(ValidationRunsError, match="case cube-2 ran twice"):
        recheck(host.registry, done.record)
