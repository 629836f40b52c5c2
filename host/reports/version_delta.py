"""The section on what another release answered to the same cases, made from the results table. Pure.

It decides nothing: criteria on metrics ``against = "locked_release"`` do, and their worst verdict is repeated here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from host.reports.analyses import estimate_of
from host.reports.model import CaseSection
from host.reports.observed import answered, observed_rows
from host.reports.sections import VersionDeltaRow, VersionDeltaSection
from host.statistics.registrations import statistics
from host.validation.criterion import EVERY_CASE
from host.validation.estimate_row import EstimateRow
from host.validation.judging import SEVERITY
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.verdict import Verdict

AGAINST: Final = "locked_release"


@dataclass(frozen=True)
class EarlierRelease:
    """Which release is compared with, and by which report.

    Attributes
    ----------
    release, report : str
        Digests of their records.
    trial : str
        Whose lock names it; empty where the report was named itself.
    """

    release: str
    version: str
    report: str
    validation: str
    trial: str = ""

    @classmethod
    def told(cls, section: VersionDeltaSection) -> "EarlierRelease":
        """As a report names it."""
        return cls(section.release, section.version, section.report, section.validation, section.trial)


def version_delta(
    protocol: Protocol, cases: Sequence[CaseSection], verdict: Verdict, earlier: EarlierRelease
) -> VersionDeltaSection:
    """Compare the release with an earlier one, metric by metric."""
    rows = observed_rows(protocol, cases)
    units = {(one.port, one.column): one.unit for case in cases for one in case.measured}
    compared = [one for one in protocol.metrics if one.against == AGAINST]
    return VersionDeltaSection(
        release=earlier.release,
        version=earlier.version,
        report=earlier.report,
        validation=earlier.validation,
        trial=earlier.trial,
        cases=sum(any(row.values.get(one.id) is not None for one in compared) for row in rows),
        rows=tuple(
            _row(protocol, one, rows, verdict, units.get((one.port or "", one.column or "")) or "")
            for one in compared
            if one.kind == "numbers"
        ),
    )


def _row(
    protocol: Protocol, metric: Metric, rows: Sequence[CaseRow], verdict: Verdict, unit: str
) -> VersionDeltaRow:
    members = answered(protocol, metric, rows)
    criteria = {one.id: one for one in protocol.criteria if one.metric == metric.id}
    visit = next((one.options["visit"] for one in criteria.values() if "visit" in one.options), None)
    ends = [
        one.allowed
        for one in criteria.values()
        if one.comparator in {"abs<=", "within"} and _in_unit_of_column(one.statistic)
    ]
    words = [one.verdict for one in verdict.criteria if one.criterion in criteria]

    def found(name: str, level: float = protocol.level, **options: str | float) -> EstimateRow:
        return estimate_of(protocol, metric, members, statistics()[name], level=level, options=options)

    patients = any(row.evidence == "patient" for row in members)
    return VersionDeltaRow(
        metric=metric.id,
        unit=unit,
        difference=found("bias", 2 * protocol.level - 1),
        margin=min((max(-low, high) for low, high in ends), default=None),
        loa_low=found("loa_low") if patients else None,
        loa_high=found("loa_high") if patients else None,
        repeatability=found("rc_between") if patients else None,
        change=found("change_bias", 2 * protocol.level - 1, visit=visit) if visit is not None else None,
        verdict=max(words, key=SEVERITY.index, default="insufficient evidence"),
    )


def _in_unit_of_column(statistic: str) -> bool:
    return statistic != EVERY_CASE and statistics()[statistic].unit == "measured"
