"""The report's bytes: canonical JSON out, strict JSON in.

Invariants
----------
* Reading a report computes its verdict and its case flow again; a report that contradicts itself is refused.
"""

from pydantic import ValidationError

from host.errors import ReportMalformedError, ReportMismatchError
from host.reports.model import FlowSection, Report
from host.validation.verdict import evaluate
from plugin_spec.model import first_fault
from registry.canonical import canonical_json, digest, parse_json
from registry.errors import MalformedJsonError


def report_bytes(report: Report) -> bytes:
    """Serialise a report as the canonical JSON that is digested and signed."""
    return canonical_json(report.model_dump(mode="json"))


def content_bytes(report: Report) -> bytes:
    """Serialise a report without its renderings, which a rendering can hold or name."""
    return report_bytes(report.model_copy(update={"renderings": ()}))


def content_digest(report: Report) -> str:
    """Name a report by its content without its renderings, so that a rendering can carry the name."""
    return digest(content_bytes(report))


def parse_report(data: bytes) -> Report:
    """Read a report as it stands; whether it follows from its own rows is not looked at.

    Raises
    ------
    ReportMalformedError
        Not strict JSON, or a field that does not fit; the field is named.
    """
    try:
        parse_json(data, where="report")
        return Report.model_validate_json(data)
    except MalformedJsonError as error:
        raise ReportMalformedError(error.message, subject="report") from error
    except ValidationError as error:
        raise ReportMalformedError(f"report: {first_fault(error)}", subject="report") from error


def read_report(data: bytes) -> Report:
    """Read a report and check that it follows from its own rows.

    Raises
    ------
    ReportMalformedError
        As `parse_report`.
    ReportMismatchError
        The verdict or the case flow is not what the rows and the protocol give.
    """
    report = parse_report(data)
    rows = [case.row for case in report.cases]
    if evaluate(report.protocol, rows) != report.verdict:
        raise ReportMismatchError(
            "report: verdict: does not follow from the cases and the protocol", subject=report.validation
        )
    if FlowSection.of(rows) != report.flow:
        raise ReportMismatchError(
            "report: flow: does not count the cases it stands with", subject=report.validation
        )
    return report
