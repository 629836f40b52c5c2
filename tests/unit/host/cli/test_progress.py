"""Progress: a line per case off a terminal, a bar on one, and never on stdout."""

import io

import pytest

from host.cli.progress import CaseProgress, rate
from tests.support.memory_engine import ending
from tests.support.tiny_host import TinyHost, run_on


def test_a_case_is_told_in_one_line_on_stderr(host: TinyHost, capsys: pytest.CaptureFixture[str]) -> None:
    case, run = host.kit.cases[0], run_on(host, host.scan())
    with CaseProgress() as bar:
        bar.say("check the digests")
        bar.case_done(case, run, 1, 3)
        assert bar.cancelled() is False
    printed = capsys.readouterr()
    assert printed.err == "check the digests\n[1/3] cube-2: ok (2.5 s, 24 MiB)\n"
    assert printed.out == ""


def test_an_end_that_was_not_expected_stands_out(host: TinyHost, capsys: pytest.CaptureFixture[str]) -> None:
    host.engine.container = ending(137, timed_out=True, memory_peak_bytes=None)
    run = run_on(host, host.scan())
    CaseProgress().case_done(host.kit.cases[0], run, 2, 3)
    assert capsys.readouterr().err == (
        "[2/3] cube-2: failed timeout (10.0 s)  EXPECTED ok: still running after 10 s; "
        "the limit is resources.case_timeout_s\n"
    )


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_counts_the_cases(host: TinyHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", screen := Terminal())
    run = run_on(host, host.scan())
    with CaseProgress() as bar:
        bar.case_done(host.kit.cases[0], run, 1, 3)
    assert "[1/3] cube-2: ok" in screen.getvalue()
    assert "1/3" in screen.getvalue().replace("[1/3]", "")


@pytest.mark.parametrize(
    ("cases", "seconds", "told"),
    [(0, 10.0, ""), (3, 0.0, ""), (30, 10.0, "3.0/s"), (10, 60.0, "10.0/min"), (1, 60.0, "60.0/h")],
)
def test_a_rate_is_told_in_a_unit_one_can_read(cases: int, seconds: float, told: str) -> None:
    assert rate(cases, seconds) == told
