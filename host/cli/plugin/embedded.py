"""``assay plugin test``: the embedded tests of a build, repeated, and its claim on repeated runs measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli.answer import JsonFlag, conclude, say, show, table
from host.cli.engines import EngineOption, connected
from host.cli.options import JobsOption
from host.cli.plugin.options import FolderArgument

if TYPE_CHECKING:
    from host.embedded.determinism import Finding
    from host.embedded.runs import TestOutcome, TestReport
    from plugin_spec.errors import AssayError


def test(
    folder: FolderArgument,
    repeats: Annotated[
        int,
        typer.Option(
            min=1, max=100, help="Runs of each test in fresh containers; as many warm, if declared."
        ),
    ] = 3,
    seed: Annotated[int, typer.Option(help="Of the shuffled order of the repeats.")] = 0,
    jobs: JobsOption = 1,
    engine: EngineOption = "auto",
    json: JsonFlag = False,
) -> int:
    """Run the manifest's embedded tests, repeated and shuffled, and measure the claim on repeated runs."""
    from host.embedded.runs import TestOrder, run_tests
    from host.home import Home

    connection = connected(engine)
    order = TestOrder(folder, repeats=repeats, seed=seed, jobs=jobs)
    report = run_tests(Home.from_environment(), connection, order, say=say)
    where = {"engine": connection.name, "processor": _processor(), "repeats": repeats, "seed": seed}
    finding = report.determinism
    lines = _lines(report.tests)
    if finding is not None:
        lines += _claim_lines(finding, where)
    show(
        {
            "tests": [_document(one) for one in report.tests],
            "failed": len(report.failed),
            "determinism": None if finding is None else _claim(finding, where),
        },
        lines,
        as_json=json,
    )
    fault = _fault(report)
    if fault is None:
        if finding is not None and finding.hint:
            say(f"hint: {finding.hint}")
        if not json:
            say(f"next: {next_command(folder)}")
        return 0
    for line in _explained(report):
        say(line)
    return conclude(fault)


def next_command(folder: Path) -> str:
    """Submission, unless a human has something left to type: then the list of it."""
    from host.check.plugin import inspect_plugin
    from plugin_spec.review import WAITS_FOR_A_HUMAN

    waits = any(one.rule == WAITS_FOR_A_HUMAN for one in inspect_plugin(folder).faults)
    return f"assay plugin check {folder}" if waits else f"assay plugin submit {folder} --as PERSON"


def _fault(report: "TestReport") -> "AssayError | None":
    from host.errors import DeterminismError, EmbeddedTestError

    if report.failed:
        first = report.failed[0]
        message = f"{len(report.failed)} of {len(report.tests)} embedded tests do not hold: {first.name}: {first.fault}"
        return EmbeddedTestError(message, subject=first.name, hint=first.explanation.hint)
    finding = report.determinism
    if finding is not None and finding.fault:
        return DeterminismError(finding.fault, subject=finding.claim, hint=finding.hint)
    return None


def _explained(report: "TestReport") -> list[str]:
    """What is to be read of the failed tests; tests that failed alike are told once."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for one in report.failed:
        if one.explanation.lines:
            alike.setdefault(one.explanation.lines, []).append(one.name)
    return [line for lines, names in alike.items() for line in (f"--- {', '.join(names)}", *lines)]


def _lines(outcomes: "tuple[TestOutcome, ...]") -> list[str]:
    rows = [
        (
            one.name,
            one.expected,
            one.outcome,
            ", ".join(f"{count} {kind}" for kind, count in one.runs.items() if count),
            one.fault or "holds",
        )
        for one in outcomes
    ]
    return table(("test", "expected", "outcome", "runs", "result"), rows)


def _claim_lines(finding: "Finding", where: dict[str, object]) -> list[str]:
    """One line on the claim, and the spread of what differs."""
    here = f"{where['engine']}, {where['processor']}"
    if finding.verdict == "not measured":
        return [
            f"determinism: {finding.claim} not measured: no test answered twice; give --repeats 2 or more"
        ]
    measured = "the same bytes" if finding.identical else "answers that differ"
    line = f"determinism: {finding.claim} {finding.verdict}: {finding.compared} runs gave {measured} ({here})"
    return [line, *[f"  {one}" for one in finding.spread]]


def _claim(finding: "Finding", where: dict[str, object]) -> dict[str, object]:
    differences = [vars(one) for one in finding.differences]
    return {**vars(finding), **where, "differences": differences, "fault": finding.fault}


def _document(outcome: "TestOutcome") -> dict[str, object]:
    fields = ("name", "expected", "outcome", "runs", "fault")
    return {**{field: getattr(outcome, field) for field in fields}, "hint": outcome.explanation.hint}


def _processor() -> str:
    """What the processor is called, since the last digits of a number may depend on it."""
    import platform
    from pathlib import Path

    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
