"""Reports that agree with themselves and are signed with a valid key, and say what did not happen."""

from collections.abc import Callable

from host.reports.html import render
from host.reports.model import CaseSection, FlowSection, Report
from host.reports.write import report_bytes
from host.validation.attempt import Validated
from host.validation.verdict import evaluate
from registry.record import Record
from registry.statements import ValidationReport
from tests.support.tiny_host import TinyHost


def forged(
    host: TinyHost, done: Validated, write: Callable[[bytes], bytes] = lambda page: page, **changes: object
) -> Record:
    """A report that agrees with itself in JSON, page and verdict, logged by an executor with a valid key.

    ``write`` may change the page once more.
    """
    report: Report = done.report.model_copy(update={"renderings": (), **changes})
    rows = [one.row for one in report.cases]
    verdict = evaluate(report.protocol, rows)
    attempts = tuple(
        one.model_copy(update={"verdict": verdict.verdict}) if one.validation == report.validation else one
        for one in report.attempts
    )
    again = {"flow": FlowSection.of(rows), "verdict": verdict, "attempts": attempts}
    report = report.model_copy(update=again)
    page = host.file("report.html", write(render(report, [])))
    data = report_bytes(report.model_copy(update={"renderings": (page,)}))
    said = {
        "report_json": host.file("report.json", data),
        "report_html": page,
        "verdict": report.verdict.verdict,
        "cases": len(rows),
        "warm": report.warm.agreement
        if report.warm
        else next((one.agreement for one in report.sameness if one.kind == "warm"), None),
        "reason": "a second one",
    }
    logged = done.record.statement.read(ValidationReport).model_copy(update=said)
    return host.registry.log_act(logged, [host.keys["ada"]], [])


def with_case(
    done: Validated, case: str, row: dict[str, object], **section: object
) -> tuple[CaseSection, ...]:
    """The cases of a report, one of them changed."""
    return tuple(
        one.model_copy(update={"row": one.row.model_copy(update=row), **section})
        if one.row.case == case
        else one
        for one in done.report.cases
    )
