"""Whether a report's bytes are the signed ones, and whether it is of the validation that was logged."""

from host import __version__
from host.reports.marks import check_agreement
from host.reports.page_texts import check_says_no_more
from host.reports.pdf.agreement import check_pdf
from host.reports.recheck.evidence import Evidence
from host.reports.subject import kit_section, limitations, release_section


def bytes_are_signed(evidence: Evidence) -> str:
    """Check page and PDF against the report, and all of them against the digests in the signed record."""
    report, logged, path = evidence.report, evidence.logged, evidence.registry.blobs.path
    page = path(logged.report_html.digest).read_bytes()
    check_agreement(report, page)
    if report.contract != "assay.report/1" and report.environment.host_version == __version__:
        check_says_no_more(report, page)
    evidence.same("rendering", report.renderings, logged.renderings)
    if logged.report_pdf is None:
        return "report.json and report.html are the signed bytes, and every marked figure of the page agrees"
    check_pdf(report, page, path(logged.report_pdf.digest).read_bytes())
    return (
        "report.json, report.html and report.pdf are the signed bytes; every marked figure of the page agrees, and "
        "every text of it stands in the PDF"
    )


def identity_is_logged(evidence: Evidence) -> str:
    """Check validation, release and kit in every word, evidence class, subset and host version."""
    logged, report = evidence.logged, evidence.report
    evidence.same("validation", report.validation, logged.validation)
    release = release_section(evidence.registry, logged.release, evidence.release, evidence.manifest)
    evidence.same("release", report.release, release)
    evidence.same("kit", report.kit, kit_section(evidence.kit))
    evidence.same("evidence", report.kit.evidence, logged.evidence)
    evidence.same("subset", (report.subset, len(report.cases)), (logged.subset, logged.cases))
    evidence.same("host version", report.environment.host_version, logged.host_version)
    return f"it is the report of validation {logged.validation}: {logged.subset}, {logged.cases} cases"


def limits_are_told(evidence: Evidence) -> str:
    """Check that no limitation is left out, and that the statistics were tested and came out as they say."""
    report = evidence.report
    if report.contract == "assay.report/1":
        return "it is of the first contract, which held no self-test of the statistics"
    if report.environment.host_version == __version__:  # another version may have put them in other words
        rows = [section.row for section in report.cases]
        told = limitations(evidence.kit, rows, smoke=evidence.logged.subset == "smoke")
        evidence.same("list of limitations", report.limitations, told)
    if report.self_test is None or not report.installation_checks:
        raise evidence.fault("the report has no installation checks, or no self-test of the statistics")
    for one in report.self_test.oracles:
        within = one.found is not None and abs(one.found - one.expected) <= one.tolerance
        evidence.same(f"self-test {one.id}", one.passed, within)
    return f"its limitations are all told, and {len(report.self_test.oracles)} published figures were computed again"
