"""Cases run once more: compared by the plugin's own claim, judged like any figure, and rechecked from the records."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from host.engines.interface import ContainerSpec
from host.errors import ImageTamperedError, KitError, ReportMismatchError
from host.reports.model import Report, WarmRun, WarmSection
from host.reports.recheck import recheck
from host.reports.sections import SamenessRow
from host.reports.write import report_bytes
from host.validation.attempt import Validated
from host.warm.errors import WarmUndeclaredError
from registry.statements import RunStarted, ValidationReport
from tests.support.forged_reports import forged
from tests.support.memory_engine import Ending, MemoryEngine, tiny_adapter, writing, writing_the_time
from tests.support.robust_plan import (
    ROBUST,
    bearing,
    case_of,
    planned,
    sameness,
)
from tests.support.tiny_host import TinyHost, tiny_host
from tests.support.warm_process import FAILS, REMEMBERS

EVERY = (
    sameness("twice", "repeat", count=2),
    sameness("shuffled", "order"),
    sameness("elsewhere", "engine", engine="runc", cases=["cube-2", "told-to-refuse"]),
)


@pytest.fixture
def again(tmp_path: Path) -> TinyHost:
    return tiny_host(tmp_path, planned=planned(*EVERY))


@pytest.fixture
def serving(tmp_path: Path) -> TinyHost:
    return tiny_host(tmp_path, mode="serve")


def other(host: TinyHost, name: str = "runc") -> MemoryEngine:
    """A second engine that holds the release."""
    engine = MemoryEngine(name=name)
    engine.images.add(host.release.image)
    return engine


def begun(host: TinyHost) -> list[RunStarted]:
    return [one.statement.read(RunStarted) for one in host.registry.records(RunStarted.predicate_type)]


def rows(report: Report) -> dict[str, SamenessRow]:
    return {one.id: one for one in report.sameness}


def verdicts(report: Report) -> dict[str, str]:
    return {one.criterion: one.verdict for one in report.verdict.criteria}


def test_every_declared_comparison_is_made_recorded_and_judged(again: TinyHost) -> None:
    done = again.validate(engines={"runc": other(again)}, jobs=2)
    found = rows(done.report)
    assert {name: (row.cases, row.same, len(row.pairs)) for name, row in found.items()} == {
        "twice": (3, 3, 6),
        "shuffled": (3, 3, 3),
        "elsewhere": (2, 2, 2),
    }
    assert {row.agreement for row in found.values()} == {"equal"}
    assert (found["twice"].engine, found["elsewhere"].engine) == ("memory 1", "runc 1")
    assert found["shuffled"].seed is not None and found["twice"].seed is None
    by_run = {one.run: one for one in begun(again)}
    assert len(by_run) == 3 + 6 + 3 + 2
    for name, row in found.items():
        for pair in row.pairs:
            run = by_run[pair.run]
            assert (run.comparison, run.repetition, run.case) == (name, pair.repetition, pair.case)
            assert run.engine == ("runc" if name == "elsewhere" else "memory")
    assert done.report.verdict.verdict == "met"
    assert recheck(again.registry, done.record)


def test_the_cases_run_in_the_order_that_the_seed_in_the_report_gives(again: TinyHost) -> None:
    done = again.validate(engines={"runc": other(again)})
    from host.sameness.outcome import shuffled

    seed = rows(done.report)["shuffled"].seed
    assert seed is not None
    order = [one.case for one in begun(again) if one.comparison == "shuffled"]
    assert order == shuffled([one.row.case for one in done.report.cases], seed)


def test_an_answer_that_changes_is_told_with_its_case_and_not_met(again: TinyHost) -> None:
    again.engine.container = writing_the_time()
    done = again.validate(engines={"runc": other(again)})
    found = rows(done.report)["twice"]
    assert (found.agreement, found.same) == ("different", 1)  # the refusal was the same again
    assert all("volumes" in line for pair in found.pairs for line in pair.differences)
    values = {one.row.case: one.row.values["same_twice"] for one in done.report.cases}
    assert values == {"cube-2": 0.0, "cube-3": 0.0, "told-to-refuse": 1.0}
    assert verdicts(done.report)["same_twice_overall"] == "not met"
    assert recheck(again.registry, done.record)


def test_an_engine_on_which_the_answer_is_another_is_found(again: TinyHost) -> None:
    def smaller(spec: ContainerSpec) -> Ending:
        ended = tiny_adapter(spec)
        path = spec.outputs / "volumes.json"
        if path.is_file():
            path.write_text(path.read_text().replace("8.0", "7.0"))
        return ended

    engine = other(again)
    engine.container = smaller
    done = again.validate(engines={"runc": engine})
    assert verdicts(done.report) | {"same_elsewhere_overall": "not met"} == verdicts(done.report)
    assert verdicts(done.report)["same_twice_overall"] == "met"
    assert recheck(again.registry, done.record)


def test_an_engine_that_is_not_here_leaves_its_criterion_without_evidence_and_is_told_before_any_case(
    again: TinyHost,
) -> None:
    said: list[str] = []
    done = again.validate(told=said.append)
    found = rows(done.report)["elsewhere"]
    assert found.not_made == "runc cannot be used on this machine: no runc here"
    assert (found.cases, found.pairs, found.agreement) == (0, (), "not comparable")
    assert verdicts(done.report)["same_elsewhere_overall"] == "insufficient evidence"
    assert done.report.verdict.verdict == "insufficient evidence"
    assert any(line.startswith("sameness elsewhere will not be compared") for line in said[:3])
    assert recheck(again.registry, done.record)


def test_an_engine_is_not_compared_with_itself(again: TinyHost) -> None:
    again.engine.name = "runc"
    done = again.validate(engines={"runc": other(again)})
    assert rows(done.report)["elsewhere"].not_made == "the cases that are judged run on runc themselves"
    assert recheck(again.registry, done.record)


def test_an_engine_that_holds_another_image_stops_the_validation(again: TinyHost) -> None:
    engine = other(again)
    engine.tampered.add(again.release.image)
    with pytest.raises(ImageTamperedError):
        again.validate(engines={"runc": engine})
    assert again.engine.ran == engine.ran == []


def test_a_case_that_fails_counts_as_its_metric_says_however_alike_it_fails_again(again: TinyHost) -> None:
    def container(spec: ContainerSpec) -> Ending:
        return Ending(139) if case_of(spec) == "cube-3" else tiny_adapter(spec)

    again.engine.container = container
    done = again.validate(engines={"runc": other(again)})
    row = next(one.row for one in done.report.cases if one.row.case == "cube-3")
    assert row.values["same_twice"] is None and row.never_met == ("same_twice", "same_shuffled")
    assert verdicts(done.report)["same_twice_overall"] == "not met"
    assert recheck(again.registry, done.record)


def test_a_case_that_fails_the_second_time_is_not_the_same(again: TinyHost) -> None:
    runs: Iterator[int] = count()

    def container(spec: ContainerSpec) -> Ending:
        return Ending(139) if next(runs) >= 3 else tiny_adapter(spec)

    again.engine.container = container
    done = again.validate(engines={"runc": other(again)})
    assert rows(done.report)["twice"].pairs[0].differences == ("ended ok and failed crashed",)
    assert recheck(again.registry, done.record)


def test_a_plugin_that_claims_nothing_has_nothing_compared(tmp_path: Path) -> None:
    host = tiny_host(
        tmp_path,
        planned=planned(sameness("twice", "repeat")),
        declared=lambda text: text.replace('claim = "bitwise"', 'claim = "stochastic"'),
    )
    done = host.validate()
    assert rows(done.report)["twice"].agreement == "not comparable"
    assert verdicts(done.report)["same_twice_overall"] == "insufficient evidence"
    assert recheck(host.registry, done.record)


def test_perturbed_copies_do_not_run_again(tmp_path: Path) -> None:
    host = tiny_host(tmp_path, planned=planned(*ROBUST, sameness("twice", "repeat")))
    host.engine.container = bearing()
    done = host.validate()
    assert [pair.case for pair in rows(done.report)["twice"].pairs] == ["cube-2", "cube-3", "told-to-refuse"]
    copy = next(one.row for one in done.report.cases if one.row.case == "cube-2--fine")
    assert copy.values["same_twice"] is None
    assert verdicts(done.report)["same_twice_overall"] == "met"
    assert recheck(host.registry, done.record)


def test_a_comparison_of_a_case_that_is_not_there_is_refused_when_the_kit_is_read(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="sameness twice: there is no case cube-9"):
        tiny_host(tmp_path, planned=planned(sameness("twice", "repeat", cases=["cube-9"])))


def lie_about(done: Validated, name: str, **changes: object) -> tuple[SamenessRow, ...]:
    return tuple(one.model_copy(update=changes) if one.id == name else one for one in done.report.sameness)


def test_no_lie_about_a_comparison_is_believed(again: TinyHost) -> None:
    again.engine.container = writing_the_time()
    done = again.validate(engines={"runc": other(again)})
    twice = rows(done.report)["twice"]
    honest = tuple(one.model_copy(update={"differences": ()}) for one in twice.pairs)
    lies = [
        lie_about(done, "twice", agreement="equal"),
        lie_about(done, "twice", pairs=honest, agreement="equal", same=3),
        lie_about(done, "twice", pairs=twice.pairs[1:]),
        lie_about(done, "twice", pairs=(), cases=0, same=0, not_made="no time"),
        lie_about(done, "elsewhere", pairs=(), cases=0, same=0, not_made="not here"),
        lie_about(done, "elsewhere", engine="runc 2"),
        lie_about(done, "shuffled", seed=1),
        tuple(one for one in done.report.sameness if one.id != "twice"),
        (*done.report.sameness, twice.model_copy(update={"id": "thrice", "asked": True})),
    ]
    for lie in lies:
        with pytest.raises(ReportMismatchError):
            recheck(again.registry, forged(again, done, sameness=lie))
    assert recheck(again.registry, forged(again, done))


def test_warm_containers_are_compared_case_by_case_and_recorded_as_warm(serving: TinyHost) -> None:
    done = serving.validate(warm=True, jobs=2)
    warm = rows(done.report)["warm"]
    assert (warm.agreement, warm.asked) == ("equal", True)
    assert [one.case for one in warm.pairs] == [one.row.case for one in done.report.cases]
    started = begun(serving)
    assert sorted(one.container for one in started) == ["fresh"] * 3 + ["warm"] * 3
    assert {one.run for one in started if one.container == "warm"} == {one.run for one in warm.pairs}
    assert done.record.statement.read(ValidationReport).warm == "equal"
    assert recheck(serving.registry, done.record)


def test_a_declared_comparison_with_warm_containers_needs_no_asking(tmp_path: Path) -> None:
    host = tiny_host(tmp_path, mode="serve", planned=planned(sameness("kept", "warm")))
    done = host.validate(warm=True)
    assert [(one.id, one.asked, one.agreement) for one in done.report.sameness] == [("kept", False, "equal")]
    assert done.record.statement.read(ValidationReport).warm == "equal"
    assert recheck(host.registry, done.record)


def test_warm_containers_on_some_cases_permit_no_lock(tmp_path: Path) -> None:
    host = tiny_host(tmp_path, mode="serve", planned=planned(sameness("some", "warm", cases=["cube-2"])))
    done = host.validate()
    assert rows(done.report)["some"].agreement == "equal"
    assert done.record.statement.read(ValidationReport).warm is None
    assert recheck(host.registry, done.record)


def test_a_plugin_that_remembers_its_last_case_is_told_and_the_verdict_stays_with_the_fresh_runs(
    serving: TinyHost,
) -> None:
    serving.engine.server = REMEMBERS
    done = serving.validate(warm=True)
    assert rows(done.report)["warm"].agreement == "different"
    assert done.report.verdict.verdict == "met"
    assert recheck(serving.registry, done.record)


@pytest.mark.parametrize("forgery", ["the word alone", "the differences too"])
def test_a_report_cannot_call_warm_containers_equal_that_were_not(forgery: str, serving: TinyHost) -> None:
    serving.engine.server = REMEMBERS
    done = serving.validate(warm=True)
    warm = rows(done.report)["warm"]
    changes: dict[str, object] = {"agreement": "equal"}
    if forgery == "the differences too":
        pairs = tuple(one.model_copy(update={"differences": ()}) for one in warm.pairs)
        changes |= {"pairs": pairs, "same": 3}
    with pytest.raises(ReportMismatchError, match="warm"):
        recheck(serving.registry, forged(serving, done, sameness=lie_about(done, "warm", **changes)))


def test_cases_that_all_failed_alike_are_no_sign_that_warm_containers_are_equal(serving: TinyHost) -> None:
    serving.engine.container = writing(
        20, outcome="failed", reason_code="plugin-error", message="told to fail"
    )
    serving.engine.server = FAILS
    done = serving.validate(warm=True)
    warm = rows(done.report)["warm"]
    assert (warm.agreement, warm.same) == ("not comparable", 3)
    assert recheck(serving.registry, done.record)
    with pytest.raises(ReportMismatchError, match="warm"):
        recheck(serving.registry, forged(serving, done, sameness=lie_about(done, "warm", agreement="equal")))


def test_a_report_cannot_leave_its_warm_runs_out(serving: TinyHost) -> None:
    serving.engine.server = REMEMBERS
    done = serving.validate(warm=True)
    with pytest.raises(ReportMismatchError, match="comparisons"):
        recheck(serving.registry, forged(serving, done, sameness=()))


def test_a_plugin_that_does_not_declare_it_is_not_run_warm(host: TinyHost) -> None:
    with pytest.raises(WarmUndeclaredError):
        host.validate(warm=True)
    assert host.engine.ran == []


def test_a_report_without_comparisons_has_no_section_on_them(host: TinyHost) -> None:
    assert b'"sameness"' not in report_bytes(host.validate().report)


def as_it_was(done: Validated, **changes: object) -> WarmSection:
    """The section on warm containers as reports had it before comparisons were declared."""
    row = rows(done.report)["warm"]
    runs = tuple(WarmRun(case=one.case, run=one.run, differences=one.differences) for one in row.pairs)
    section = WarmSection(seed=row.seed or 0, claim=row.rule, agreement=row.agreement, runs=runs)
    return section.model_copy(update=changes)


def test_a_section_on_warm_containers_from_before_is_still_checked(serving: TinyHost) -> None:
    serving.engine.server = REMEMBERS
    done = serving.validate(warm=True)
    section = as_it_was(done)
    assert recheck(serving.registry, forged(serving, done, sameness=(), warm=section))
    honest = tuple(one.model_copy(update={"differences": ()}) for one in section.runs)
    for lie in (
        as_it_was(done, agreement="equal"),
        as_it_was(done, agreement="equal", runs=honest),
        as_it_was(done, runs=section.runs[1:]),
    ):
        with pytest.raises(ReportMismatchError, match="warm"):
            recheck(serving.registry, forged(serving, done, sameness=(), warm=lie))
