"""A report made again from itself, and from the stored outputs where they are at hand: the same bytes, or where not.

What follows from the results table and the protocol (verdict, case flow, analyses, sensitivity) is made again from the
report alone. The table itself is made again from the outputs of its runs and the kit's reference files, where a
registry holds them. Nothing is run.
"""

from dataclasses import dataclass

from host.reports.analyses import analyse
from host.reports.model import FlowSection, Report
from host.reports.observed import observed_rows
from host.reports.recheck.cases import cases_are_registered, runs_are_recorded
from host.reports.recheck.evidence import Evidence
from host.reports.recheck.values import rescored
from host.reports.sensitivity import sensitivity
from host.reports.version_delta import EarlierRelease, version_delta
from host.reports.write import parse_report, report_bytes
from host.validation.differences import Difference, differences
from host.validation.verdict import evaluate
from registry.canonical import Digest, digest

WITHOUT_OUTPUTS = (
    "figures of the cases, whose outputs are not in report.json: name the validation, in its home"
)


@dataclass(frozen=True)
class Replay:
    """What was made again, and where it differs.

    Attributes
    ----------
    told, again : Digest
        Of the report's bytes, and of those made again with everything that follows from its table.
    replayed, not_replayed : tuple of str
        In words; why not.
    differences : tuple of Difference
        Every field that differs, rounding included.
    """

    validation: str
    verdict: str
    told: Digest
    again: Digest
    replayed: tuple[str, ...]
    not_replayed: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs but for the last digits of figures that were computed from files."""
        return self.told == self.again and all(one.is_rounding for one in self.differences)


def replay(data: bytes, evidence: Evidence | None = None) -> Replay:
    """Make a report again.

    Parameters
    ----------
    data : bytes
        ``report.json``.
    evidence : Evidence, optional
        The report as it is logged, in whose registry the outputs are.

    Raises
    ------
    ReportMalformedError
        It cannot be read as a report.
    ReportMismatchError
        Its cases or runs are not those that were registered and recorded.
    """
    report = parse_report(data)
    made = made_again(report)
    found = list(differences(report.model_dump(mode="json"), made.model_dump(mode="json")))
    replayed = [
        f"verdict, case flow, analyses, sensitivity and version delta, from {len(report.cases)} rows and the protocol"
    ]
    missing = [] if evidence else [WITHOUT_OUTPUTS]
    if evidence is not None:
        cases_are_registered(evidence)
        runs_are_recorded(evidence)
        obstacles = []
        for section, again, obstacle in rescored(evidence):
            rows = section.row.model_dump(mode="json"), again.model_dump(mode="json")
            found += differences(*rows, field=f"cases[{section.row.case}].row")
            obstacles += [f"masks and findings of {section.row.case}: {obstacle}"] if obstacle else []
        whole = len(report.cases) - len(obstacles)
        replayed.append(f"the rows of {whole} cases, from their stored outputs and the kit's files")
        missing += obstacles
    return Replay(
        validation=report.validation,
        verdict=made.verdict.verdict,
        told=digest(data),
        again=digest(report_bytes(made)),
        replayed=tuple(replayed),
        not_replayed=tuple(missing),
        differences=tuple(found),
    )


def made_again(report: Report) -> Report:
    """The report with everything that follows from its table and its protocol made again."""
    rows = [section.row for section in report.cases]
    verdict = evaluate(report.protocol, rows)
    made = report.model_copy(update={"verdict": verdict, "flow": FlowSection.of(rows)})
    if report.contract == "assay.report/1":
        return made
    observed = observed_rows(report.protocol, report.cases)
    told = report.version_delta
    delta = version_delta(report.protocol, report.cases, verdict, EarlierRelease.told(told)) if told else None
    return made.model_copy(
        update={
            "version_delta": delta,
            "analyses": analyse(report.protocol, observed),
            "sensitivity": sensitivity(report.protocol, observed, verdict),
        }
    )
