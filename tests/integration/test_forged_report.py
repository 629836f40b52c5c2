"""A report that does not follow from the registered kit and the recorded runs is neither verified nor signed.

The forger is the executor: an enrolled person with a real key, who logs a consistent report of their own making.
"""

from collections.abc import Callable

import pytest

from host.home import now
from host.reports.html import render
from host.reports.model import CaseSection, FlowSection, Report
from host.reports.write import read_report, report_bytes
from host.validation.protocol import Protocol
from host.validation.verdict import evaluate
from registry.keys import load_private
from registry.registry import Registry
from registry.statements import FileRef, ValidationReport, ValidationStarted
from tests.support.cli import PASSPHRASE
from tests.support.tiny import TinyWorld

pytestmark = pytest.mark.docker
FORGED = "0123456789abcdef"


def consistent(
    report: Report, *, protocol: Protocol | None = None, cases: tuple[CaseSection, ...] | None = None
) -> Report:
    """The report with other content, its verdict and flow computed anew."""
    protocol, cases = protocol or report.protocol, cases or report.cases
    rows = [section.row for section in cases]
    return report.model_copy(
        update={
            "protocol": protocol,
            "cases": cases,
            "flow": FlowSection.of(rows),
            "verdict": evaluate(protocol, rows),
        }
    )


def untouched(report: Report) -> Report:
    return report


def without_a_case(report: Report) -> Report:
    return consistent(report, cases=report.cases[1:])


def with_another_value(report: Report) -> Report:
    first = report.cases[0]
    measured = tuple(one.model_copy(update={"value": 99.0}) for one in first.measured)
    return consistent(report, cases=(first.model_copy(update={"measured": measured}), *report.cases[1:]))


def with_other_bounds(report: Report) -> Report:
    criteria = tuple(one.model_copy(update={"bound": one.bound + 0.25}) for one in report.protocol.criteria)
    return consistent(report, protocol=report.protocol.model_copy(update={"criteria": criteria}))


def of_another_release(report: Report) -> Report:
    release = report.release.model_copy(update={"record": "sha256:" + "0" * 64})
    return report.model_copy(update={"release": release})


def log_report(tiny: TinyWorld, forge: Callable[[Report], Report], *, validation: str) -> None:
    """As the executor: start an attempt, run nothing, and log a report made from the honest one."""
    registry = Registry.open(tiny.sponsor.home, now)
    key = load_private(tiny.sponsor.home / "keys" / "ada.key", PASSPHRASE)
    (record,) = registry.records(ValidationReport.predicate_type)
    honest = record.statement.read(ValidationReport)
    report = read_report(registry.blobs.path(honest.report_json.digest).read_bytes())
    _, begun = registry.find(honest.started, ValidationStarted)
    at = now().isoformat(timespec="milliseconds")
    started = registry.act(begun.model_copy(update={"validation": validation, "attempt": 2, "at": at}), key)
    forged = forge(report).model_copy(update={"validation": validation, "renderings": ()})
    page = registry.blobs.put_bytes(render(forged, ()))
    html = FileRef(name="report.html", digest=page.digest, bytes=page.bytes)
    data = registry.blobs.put_bytes(report_bytes(forged.model_copy(update={"renderings": (html,)})))
    registry.act(
        honest.model_copy(
            update={
                "validation": validation,
                "started": started.digest,
                "report_json": FileRef(name="report.json", digest=data.digest, bytes=data.bytes),
                "report_html": html,
                "report_pdf": None,
                "verdict": forged.verdict.verdict,
                "at": at,
            }
        ),
        key,
    )


def test_the_honest_report_is_verified(tiny: TinyWorld) -> None:
    checks = tiny.sponsor.read("report", "verify", tiny.validation)["checks"]
    assert any("registered" in line for line in checks)


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        (untouched, "order-not-shown"),  # no run of this validation was ever recorded
        (with_another_value, "order-not-shown"),
        (without_a_case, "report-mismatch"),
        (with_other_bounds, "report-mismatch"),
        (of_another_release, "report-mismatch"),
    ],
)
def test_a_report_without_its_own_runs_and_plan_is_neither_verified_nor_signed(
    tiny: TinyWorld, forge: Callable[[Report], Report], code: str
) -> None:
    before = len(tiny.sponsor.predicates("esignature"))
    log_report(tiny, forge, validation=FORGED)
    verified = tiny.sponsor("report", "verify", FORGED).refused()
    assert (verified.exit_code, verified.code) == (4, code)
    signed = tiny.sponsor("report", "sign", FORGED, "--as", "quentin", "--meaning", "approval")
    assert signed.exit_code == 4
    assert len(tiny.sponsor.predicates("esignature")) == before


def test_bytes_that_are_no_report_are_not_signed(tiny: TinyWorld) -> None:
    log_report(tiny, untouched, validation=FORGED)
    registry = Registry.open(tiny.sponsor.home, now)
    *_, record = registry.records(ValidationReport.predicate_type)
    path = registry.blobs.path(record.statement.read(ValidationReport).report_json.digest)
    path.unlink()
    path.write_bytes(b"garbage")
    refused = tiny.sponsor("report", "sign", FORGED, "--as", "quentin", "--meaning", "approval").refused()
    assert refused.exit_code == 4
