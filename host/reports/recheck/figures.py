"""Whether the analyses beside the criteria follow from the report's cases."""

from host.reports.analyses import analyse
from host.reports.observed import observed_rows
from host.reports.recheck.evidence import Evidence
from host.reports.sensitivity import sensitivity


def figures_follow(evidence: Evidence) -> str:
    """Make the analyses and sensitivity rows again; reports of the first contract have none."""
    report, protocol = evidence.report, evidence.kit.protocol
    if report.contract == "assay.report/1":
        return "it is a report of the first contract, and has no analyses beside its criteria"
    rows = observed_rows(protocol, report.cases)
    evidence.same("analyses", report.analyses, analyse(protocol, rows))
    evidence.same("sensitivity", report.sensitivity, sensitivity(protocol, rows, report.verdict))
    shown = f"{len(report.analyses)} analyses and {len(report.sensitivity)} sensitivity rows"
    return f"its {shown} follow from its cases"
