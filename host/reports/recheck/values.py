"""Whether each case's figures follow from what its run left, and the verdict from the figures."""

from collections import Counter
from collections.abc import Iterator

from host.kits.cases import KitCase
from host.reports.model import CaseSection, FlowSection
from host.reports.recheck.evidence import Evidence
from host.sameness.values import with_sameness
from host.side_by_side import side_by_side
from host.validation.rescoring import differing, rescoring
from host.validation.rows import CaseRow
from host.validation.verdict import evaluate


def values_follow(evidence: Evidence) -> str:
    """Score every case again, from its stored outputs and the kit's reference files where both are in this home."""
    kept: Counter[str] = Counter()
    for section, again, obstacle in rescored(evidence):
        kept[obstacle] += 1
        for one in differing(section.row, again):
            raise evidence.fault(
                f"the row of {section.row.case} in the report is not what its run gives: {one}"
            )
    scored, missing = kept.pop("", 0), "; ".join(f"{count} not, as {why}" for why, count in kept.items())
    return (
        f"what each case counts as follows from its run, scored again from its files ({scored}"
        f"{'; of masks and findings ' + missing if missing else ''})"
    )


def rescored(evidence: Evidence) -> Iterator[tuple[CaseSection, CaseRow, str]]:
    """Each case of the report with its row made again, and why figures of files had to be taken over from it."""
    selected = evidence.kit.selected(smoke=evidence.logged.subset == "smoke")
    with rescoring(
        evidence.registry,
        evidence.kit,
        evidence.manifest,
        evidence.runs,
        placed=evidence.placed(selected),
        against=evidence.started.against,
    ) as rescorer:
        sections = {section.row.case: section for section in evidence.report.cases}

        def again(case: KitCase) -> tuple[CaseSection, CaseRow, str]:
            section, obstacle = sections[case.case_id], rescorer.obstacle(case)
            row = rescorer.row_of_numbers(case, section.row) if obstacle else rescorer.row(case)
            return section, with_sameness(evidence.kit.protocol, row, evidence.report.sameness), obstacle

        yield from side_by_side(again, selected)


def verdict_follows(evidence: Evidence) -> str:
    """Judge the results table again by the registered protocol."""
    rows = [section.row for section in evidence.report.cases]
    again = evaluate(evidence.kit.protocol, rows)
    evidence.same("verdict", (evidence.report.verdict, again.verdict), (again, evidence.logged.verdict))
    evidence.same("case flow", evidence.report.flow, FlowSection.of(rows))
    return (
        f"the verdict ({evidence.logged.verdict}) follows from the results table and the registered protocol"
    )
