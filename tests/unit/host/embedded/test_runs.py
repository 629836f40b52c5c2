"""Embedded tests through the bench: repeated, judged, and held against the claim; and the command that does it."""

from itertools import count
from pathlib import Path

import pytest

from host import extensions
from host.embedded.runs import TestOrder, TestReport, run_tests
from host.engines.cgroup import MemoryUse
from host.engines.interface import ContainerSpec
from host.errors import BuildMissingError
from host.machine import Room
from host.scheduling import Share
from plugin_spec.errors import ExitCode
from tests.support.built import Bench
from tests.support.cli import Cli
from tests.support.memory_engine import Ending, ending, tiny_adapter, writing_the_time

ROOMY = Room(Share(8.0, 2**33))


def report_of(bench: Bench, *, repeats: int = 2, jobs: int = 1, said: list[str] | None = None) -> TestReport:
    return run_tests(
        bench.home,
        bench.engine,
        TestOrder(bench.plugin, repeats=repeats, jobs=jobs),
        say=(said if said is not None else []).append,
        room=ROOMY,
        probe=lambda pid: lambda: MemoryUse(24 * 2**20, 0),
    )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_embedded_tests_of_the_tiny_plugin_hold(jobs: int, bench: Bench) -> None:
    said: list[str] = []
    report = report_of(bench, repeats=3, jobs=jobs, said=said)
    assert [(one.name, one.outcome, one.fault) for one in report.tests] == [
        ("cube-is-measured", "ok", ""),
        ("told-to-refuse", "refused", ""),
    ]
    assert [one.runs for one in report.tests] == [{"fresh": 3, "warm": 0}] * 2
    assert report.determinism is not None
    assert (report.determinism.verdict, report.determinism.identical) == ("holds", True)
    assert len(bench.engine.ran) == 6
    assert len(said) == 6


def test_nothing_is_recorded_and_nothing_is_left(bench: Bench) -> None:
    report_of(bench)
    assert list(bench.home.runs.iterdir()) == []
    assert not bench.home.is_registry


def test_a_plugin_that_serves_is_tested_in_a_warm_container_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, mode="serve")
    report = report_of(bench, repeats=2)
    assert [one.runs for one in report.tests] == [{"fresh": 2, "warm": 2}] * 2
    assert [one.fault for one in report.tests] == ["", ""]
    assert report.determinism is not None and report.determinism.verdict == "holds"
    assert report.determinism.compared == 4
    assert len(bench.engine.ran) == 5  # four fresh ones, and one for all four warm cases


def test_a_plugin_that_claims_bitwise_and_writes_the_time_is_found_out(bench: Bench) -> None:
    bench.engine.container = writing_the_time()
    finding = report_of(bench).determinism
    assert finding is not None
    assert finding.verdict == "does not hold"
    assert finding.fault.startswith("volumes.bright_ml is 27.0 and 27.000001 between run 1 (fresh) and run ")


def test_a_test_that_does_not_hold_leaves_the_claim_unmeasured(bench: Bench) -> None:
    bench.engine.container = ending(139, printed="Segmentation fault\n")
    report = report_of(bench)
    assert report.determinism is None
    assert [one.fault.partition(":")[0] for one in report.failed] == [
        "expected ok, ended failed",
        "expected refused, ended failed",
    ]
    assert report.failed[0].explanation.lines == ("Segmentation fault",)


def test_a_test_that_holds_now_and_then_says_so(bench: Bench) -> None:
    calls = count()

    def container(spec: ContainerSpec) -> Ending:
        return Ending(139) if next(calls) == 0 else tiny_adapter(spec)

    bench.engine.container = container
    (failed,) = report_of(bench, repeats=3).failed
    assert failed.fault.endswith("in run 1 (fresh); 2 of 3 runs hold")


def test_a_plugin_that_was_not_built_is_not_tested(bench: Bench) -> None:
    (bench.home.builds / "tiny-volumes-1.0.0.json").unlink()
    with pytest.raises(BuildMissingError):
        report_of(bench)


@pytest.fixture
def cli(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setattr(extensions, "connect", lambda name: bench.engine)
    return Cli(bench.home.path)


def test_the_command_shows_each_test_and_the_claim(cli: Cli, bench: Bench) -> None:
    answer = cli("plugin", "test", bench.plugin, "--repeats", "2")
    assert answer.exit_code == 0, answer.err
    assert "cube-is-measured  ok        ok       2 fresh  holds" in answer.out
    assert "determinism: bitwise holds: 2 runs gave the same bytes (memory, " in answer.out
    assert answer.err.splitlines()[-1] == f"next: assay plugin submit {bench.plugin} --as PERSON"


def test_a_false_claim_has_an_exit_code_a_name_and_a_document(cli: Cli, bench: Bench) -> None:
    bench.engine.container = writing_the_time()
    answer = cli("plugin", "test", bench.plugin, "--repeats", "2", "--json")
    assert answer.exit_code == ExitCode.CONTRACT_VIOLATION
    refused = answer.refused()
    assert refused.code == "determinism-false"
    assert "volumes.bright_ml" in refused.message
    told = answer.document["determinism"]
    assert (told["claim"], told["verdict"], told["repeats"], told["seed"]) == (
        "bitwise",
        "does not hold",
        2,
        0,
    )
    assert told["differences"][0]["port"] == "volumes"
    assert told["engine"] == "memory"


def test_a_claim_cannot_be_measured_by_one_run(cli: Cli, bench: Bench) -> None:
    answer = cli("plugin", "test", bench.plugin, "--repeats", "1")
    assert answer.exit_code == 0
    assert "determinism: bitwise not measured: no test answered twice" in answer.out


def test_a_failing_test_is_explained_before_the_error(cli: Cli, bench: Bench) -> None:
    bench.engine.container = ending(139, printed="Segmentation fault\n")
    answer = cli("plugin", "test", bench.plugin, "--repeats", "1")
    assert answer.exit_code == ExitCode.CONTRACT_VIOLATION
    both = "--- cube-is-measured, told-to-refuse\nSegmentation fault\n"
    assert both in answer.err, "tests that failed alike are told once"
    assert answer.refused().message.startswith(
        "2 of 2 embedded tests do not hold: cube-is-measured: expected ok"
    )
