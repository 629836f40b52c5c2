"""Whether a report's cases are those of the registered kit, each with the one run that was recorded, none hidden."""

from host.reports.model import CaseSection
from host.reports.recheck.evidence import Evidence
from host.sameness.recheck import ComparisonCheck
from host.validation.recorded_runs import RunRecords, interruptions


def cases_are_registered(evidence: Evidence) -> str:
    """Check that no case of the registered kit is left out, and what was expected of each."""
    expected = [
        (one.case_id, one.subject_id, one.expected, one.strata)
        for one in evidence.kit.selected(smoke=evidence.logged.subset == "smoke")
    ]
    rows = [section.row for section in evidence.report.cases]
    evidence.same("cases", [(r.case, r.subject, r.expected, r.strata) for r in rows], expected)
    return f"its {len(rows)} cases are those of the registered kit, none left out"


def runs_are_recorded(evidence: Evidence) -> str:
    """Check that each case is one recorded run, with the same end and numbers, and that every other run is told."""
    runs, report = evidence.runs, evidence.report
    evidence.same("interrupted runs", report.interruptions, interruptions(runs))
    evidence.same("runs", sorted(runs.own), sorted(section.row.case for section in report.cases))
    engines = {f"{one.begun.engine} {one.begun.engine_version}" for one in runs.own.values()}
    evidence.same("engine", {report.environment.engine}, engines)
    for section in report.cases:
        evidence.same("run", _told(section), _recorded(runs.own[section.row.case]))
    ComparisonCheck(report, runs, evidence.manifest, evidence.logged.warm, evidence.same).all()
    again = sum(len(one) for one in runs.again.values())
    others = f"; {again} more were made for comparisons, {len(runs.cut_short)} cut short, all told"
    return (
        f"each case has one recorded run of this validation, with the same end and numbers ({len(runs.own)})"
        f"{others if again or runs.cut_short else ''}"
    )


def _told(section: CaseSection) -> tuple[object, ...]:
    row = section.row
    outcome = (section.run, row.case, row.subject, row.outcome, row.reason_code, section.measured)
    qc = tuple(f"{check.id}: {check.verdict} ({check.value})" for check in section.qc)
    memory = (section.memory_peak_bytes, section.memory_limit_bytes)
    return *outcome, section.message, section.warnings, qc, section.duration_s, memory


def _recorded(run: RunRecords) -> tuple[object, ...]:
    begun, ended = run.begun, run.ended
    outcome = (begun.run, begun.case, begun.subject, ended.outcome, ended.reason_code, ended.measured)
    memory = (ended.memory_peak_bytes, ended.memory_limit_bytes)
    return *outcome, ended.message, ended.warnings, ended.qc, ended.duration_s, memory
