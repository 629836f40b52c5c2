"""Whether each case's figures follow from what its run left, and the verdict from the figures."""

from collections import Counter

from host.installed import read_stored_manifest
from host.reports.recheck.cases import recorded_runs
from host.reports.recheck.evidence import Evidence
from host.validation.rescoring import Rescorer, differing
from host.validation.verdict import evaluate


def values_follow(evidence: Evidence) -> str:
    """Score every case again, from its stored outputs and the kit's reference files where both are in this home."""
    rescorer = rescorer_of(evidence)
    begun, ended = recorded_runs(evidence)
    kept: Counter[str] = Counter()
    selected = evidence.kit.selected(smoke=evidence.logged.subset == "smoke")
    for case, section in zip(selected, evidence.report.cases, strict=True):
        obstacle = rescorer.obstacle(case, ended[section.run])
        kept[obstacle] += 1
        if obstacle:
            again = rescorer.row_of_numbers(case, ended[section.run], section.row)
        else:
            again = rescorer.row(case, begun[section.run], ended[section.run])
        field = differing(section.row, again)
        if field:
            raise evidence.fault(
                f"the row of {case.case_id} in the report is not what its run gives: {field} differs"
            )
    scored, missing = kept.pop("", 0), "; ".join(f"{count} not, as {why}" for why, count in kept.items())
    return (
        f"what each case counts as follows from its run, scored again from its files ({scored}"
        f"{'; of masks and findings ' + missing if missing else ''})"
    )


def verdict_follows(evidence: Evidence) -> str:
    """Judge the results table again by the registered protocol."""
    again = evaluate(evidence.kit.protocol, [section.row for section in evidence.report.cases])
    evidence.same("verdict", (evidence.report.verdict, again.verdict), (again, evidence.logged.verdict))
    return (
        f"the verdict ({evidence.logged.verdict}) follows from the results table and the registered protocol"
    )


def rescorer_of(evidence: Evidence) -> Rescorer:
    """What scores the report's cases again."""
    manifest = read_stored_manifest(evidence.registry, evidence.report.release.manifest)
    return Rescorer(evidence.registry.blobs, manifest, evidence.kit, evidence.data)
