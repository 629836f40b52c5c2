"""Whether a report's bytes are the signed ones, and whether it is of the validation that was logged."""

from host.reports.marks import check_agreement
from host.reports.pdf.agreement import check_pdf
from host.reports.recheck.evidence import Evidence


def bytes_are_signed(evidence: Evidence) -> str:
    """Check page and PDF against the report, and all of them against the digests in the signed record."""
    report, logged, path = evidence.report, evidence.logged, evidence.registry.blobs.path
    page = path(logged.report_html.digest).read_bytes()
    check_agreement(report, page)
    evidence.same("rendering", report.renderings, logged.renderings)
    if logged.report_pdf is None:
        return "report.json and report.html are the signed bytes, and every marked figure of the page agrees"
    check_pdf(report, page, path(logged.report_pdf.digest).read_bytes())
    return (
        "report.json, report.html and report.pdf are the signed bytes; every marked figure of the page agrees, and "
        "every text of it stands in the PDF"
    )


def identity_is_logged(evidence: Evidence) -> str:
    """Check validation, release, evidence class and subset."""
    logged, report, kit = evidence.logged, evidence.report, evidence.kit.kit
    evidence.same("validation", report.validation, logged.validation)
    evidence.same("release", report.release.record, logged.release)
    evidence.same("evidence", (report.kit.evidence, kit.evidence), (logged.evidence, logged.evidence))
    evidence.same("subset", (report.subset, len(report.cases)), (logged.subset, logged.cases))
    return f"it is the report of validation {logged.validation}: {logged.subset}, {logged.cases} cases"
