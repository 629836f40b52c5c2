"""Whether a report's bytes are the signed ones, and whether it is of the validation that was logged."""

from host.reports.marks import check_agreement
from host.reports.recheck.evidence import Evidence


def bytes_are_signed(evidence: Evidence) -> str:
    """Check the page against the report, and both against the digests in the signed record."""
    page = evidence.registry.blobs.path(evidence.logged.report_html.digest).read_bytes()
    check_agreement(evidence.report, page)
    evidence.same("rendering", evidence.report.renderings, (evidence.logged.report_html,))
    return "report.json and report.html are the signed bytes, and every marked figure of the page agrees"


def identity_is_logged(evidence: Evidence) -> str:
    """Check validation, release, evidence class and subset."""
    logged, report, kit = evidence.logged, evidence.report, evidence.kit.kit
    evidence.same("validation", report.validation, logged.validation)
    evidence.same("release", report.release.record, logged.release)
    evidence.same("evidence", (report.kit.evidence, kit.evidence), (logged.evidence, logged.evidence))
    evidence.same("subset", (report.subset, len(report.cases)), (logged.subset, logged.cases))
    return f"it is the report of validation {logged.validation}: {logged.subset}, {logged.cases} cases"
