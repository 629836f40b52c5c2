"""Check a logged report again: bytes, agreement of its renderings, signatures, and the verdict from its own table."""

from host.errors import ReportMismatchError
from host.reports.write import check_agreement, read_report
from host.verdict import evaluate
from registry.esignature import check as check_signature
from registry.esignature import describe
from registry.log import Record
from registry.registry import Registry
from registry.statements import ESignature, Protocol, ValidationReport


def recheck(registry: Registry, record: Record) -> tuple[str, ...]:
    """Verify a report and say in one line each what was verified.

    Raises
    ------
    BlobMismatchError
        A stored rendering is not what was signed.
    ReportMismatchError
        The JSON, the page, the protocol and the verdict do not agree.
    """
    logged = record.statement.read(ValidationReport)
    for file in (logged.report_json, logged.report_html):
        registry.blobs.verify(file.digest)
    done = ["report.json and report.html are the bytes that the record names"]
    report = read_report(registry.blobs.path(logged.report_json.digest).read_bytes())
    check_agreement(report, registry.blobs.path(logged.report_html.digest).read_bytes())
    done.append("the page says what the JSON says")
    again = evaluate(report.protocol, [section.row for section in report.cases])
    if again != report.verdict or report.verdict.verdict != logged.verdict:
        raise ReportMismatchError(
            "the verdict does not follow from the report's own results table", subject=record.digest
        )
    done.append(f"the verdict ({logged.verdict}) follows from the results table and the protocol in it")
    protocol = registry.log.record(logged.protocol)
    if protocol.statement.read(Protocol).protocol_digest != report.kit.protocol_digest:
        raise ReportMismatchError(
            "the report was judged by another protocol than the registered one", subject=record.digest
        )
    if protocol.sequence >= registry.log.record(logged.started).sequence:
        raise ReportMismatchError(
            "the protocol was logged after the validation started", subject=record.digest
        )
    done.append(f"the protocol is log entry {protocol.sequence}, before the first run")
    for found in registry.records(ESignature.predicate_type, subject=record.digest):
        signature = found.statement.read(ESignature)
        check_signature(signature, registry.roots.at(found.sequence))
        done.append(f"signed: {describe(signature)}")
    return tuple(done)
