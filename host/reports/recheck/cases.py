"""Whether a report's cases are those of the registered kit, and each has the one run that was recorded."""

from collections.abc import Mapping

from host.agreement import visibly_differ
from host.installed import read_stored_manifest
from host.reports.model import CaseSection
from host.reports.recheck.evidence import Evidence
from host.warm.equality import agreement_of, claimed
from registry.statements import RunFinished, RunStarted


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
    """Check that each case is one recorded run of this validation, with the same end and numbers."""
    begun, ended = recorded_runs(evidence)
    fresh = {run: one for run, one in begun.items() if one.container == "fresh"}
    evidence.same("runs", sorted(fresh), sorted(section.run for section in evidence.report.cases))
    for section in evidence.report.cases:
        evidence.same("run", _told(section), _recorded(begun[section.run], ended.get(section.run)))
    _warm_runs_are_recorded(evidence, begun, ended)
    return f"each case has one recorded run of this validation, with the same end and numbers ({len(fresh)})"


def recorded_runs(evidence: Evidence) -> tuple[dict[str, RunStarted], dict[str, RunFinished]]:
    """The starts and ends of the validation's runs, by run."""
    records = evidence.registry.records
    starts = [one.statement.read(RunStarted) for one in records(RunStarted.predicate_type)]
    ends = [one.statement.read(RunFinished) for one in records(RunFinished.predicate_type)]
    begun = {one.run: one for one in starts if one.validation == evidence.logged.validation}
    return begun, {one.run: one for one in ends if one.run in begun}


def _warm_runs_are_recorded(
    evidence: Evidence, begun: Mapping[str, RunStarted], ended: Mapping[str, RunFinished]
) -> None:
    """Check the comparison with warm containers: all cases, and no difference left out that the records show."""
    warm = evidence.report.warm
    evidence.same("warm agreement", warm.agreement if warm else None, evidence.logged.warm)
    recorded = sorted(run for run, one in begun.items() if one.container == "warm")
    evidence.same("warm runs", recorded, sorted(one.run for one in warm.runs) if warm else [])
    if warm is None:
        return
    manifest = read_stored_manifest(evidence.registry, evidence.report.release.manifest)
    fresh = {section.row.case: ended[section.run] for section in evidence.report.cases}
    evidence.same("warm cases", sorted(one.case for one in warm.runs), sorted(fresh))
    for one in warm.runs:
        evidence.same("warm case", begun[one.run].case, one.case)
        shown = visibly_differ(manifest, fresh[one.case], ended[one.run])
        evidence.same(f"warm run of {one.case}", bool(one.differences) or not shown, True)
    found = agreement_of(
        claimed(manifest),
        [one.differences for one in warm.runs],
        answered=any(one.outcome == "ok" for one in fresh.values()),
    )
    evidence.same("warm agreement", warm.agreement, found)


def _told(section: CaseSection) -> tuple[object, ...]:
    row = section.row
    return row.case, row.subject, row.outcome, row.reason_code, section.measured


def _recorded(begun: RunStarted, ended: RunFinished | None) -> tuple[object, ...]:
    if ended is None:
        return (begun.case,)
    return begun.case, begun.subject, ended.outcome, ended.reason_code, ended.measured
