"""The verdict: a pure function of the results table and the protocol.

Invariants
----------
* The same table and protocol give the same bytes.
* A failed, timed-out or missing case keeps its place in the denominator with the value its metric declares.
* Cases and independent subjects are counted apart; cases derived from one scan are one subject, and get no
  interval.
* A criterion that concerns no case is not met by that: it is left open. So is one on a comparison with the locked
  release where none was named: what was registered is never left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from host.added_fields import added
from host.kits.cases import EVIDENCE_ORDER
from host.statistics.registrations import statistics
from host.validation.denominator import concerned, scopes, was_compared
from host.validation.estimate_row import EstimateRow, rounded
from host.validation.judging import SEVERITY, VerdictWord, judge, two_sided
from host.validation.protocol import EVERY_CASE, Criterion, Protocol
from host.validation.rows import CaseRow
from host.validation.sample import failed, values_of
from plugin_spec.model import StrictModel
from registry.statements import Evidence

__all__ = ["CaseRow", "CriterionVerdict", "Verdict", "VerdictWord", "evaluate", "worst_of"]


NOT_COMPARED: Final = "no locked release was compared: validate with --against"


class CriterionVerdict(StrictModel):
    """One criterion in one scope.

    Attributes
    ----------
    verdict, reason : str
        The word, and in one sentence why.
    worst_value, worst_case : float, str or None
        The case furthest to the wrong side, where the metric has a value per case.
    cases, subjects : int
        The denominator. Under the second version ``subjects`` counts patients' only: derived cases and phantoms are
        nobody.
    complete_case_worst_value : float or None
        As ``worst_value``, without the cases that failed.
    evidence : str or None
        The weakest kind of data among the cases; rows of the first version do not say.
    estimate : EstimateRow or None
        What was judged, failed cases counted as the protocol says; in the worse direction, where there are two.
    complete_case : EstimateRow or None
        The same without the cases that failed, for comparison.
    failed : int
        Cases of the denominator that failed and were counted as the protocol says.
    adjusted_level : float or None
        Under Holm's procedure, the two-sided level at which this criterion was judged in the end.
    """

    criterion: str
    scope: str
    verdict: VerdictWord
    worst_value: float | None
    worst_case: str | None
    cases: int
    subjects: int
    complete_case_worst_value: float | None
    evidence: Evidence | None = added(None)
    reason: str = added("")
    estimate: EstimateRow | None = added(None)
    complete_case: EstimateRow | None = added(None)
    failed: int = added(0)
    adjusted_level: float | None = added(None)


class Verdict(StrictModel):
    """All criteria, and the whole."""

    verdict: VerdictWord
    criteria: tuple[CriterionVerdict, ...]


def evaluate(protocol: Protocol, rows: Sequence[CaseRow]) -> Verdict:
    """Judge a results table by a protocol.

    Parameters
    ----------
    protocol : Protocol
        Metrics and criteria as they were registered.
    rows : sequence of CaseRow
        Every case of the kit, failed ones included.

    Returns
    -------
    Verdict
        ``not met`` when any criterion is not met; else ``insufficient evidence`` when any lacks it; else ``met``.
    """
    parts = [
        _Part(protocol, criterion, scope, members, was_compared(protocol, criterion, rows))
        for criterion in protocol.criteria
        for scope, members in scopes(criterion, concerned(protocol, criterion, rows))
    ]
    judged = _holm(parts) if protocol.multiplicity == "holm" else [part.verdict() for part in parts]
    words: list[VerdictWord] = [one.verdict for one in judged] or ["insufficient evidence"]
    whole = max(words, key=SEVERITY.index)
    return Verdict(verdict=whole, criteria=tuple(judged))


@dataclass(frozen=True)
class _Part:
    """One criterion in one scope, the rows of its denominator, and whether there was what it compares with."""

    protocol: Protocol
    criterion: Criterion
    scope: str
    rows: Sequence[CaseRow]
    was_compared: bool = True

    def verdict(self, share: float = 1.0) -> CriterionVerdict:
        """Judge it; ``share`` of the error probability is left to it."""
        criterion, metric = self.criterion, self.protocol.metric(self.criterion.metric)
        if self.protocol.contract == "assay.protocol/1":
            return self._worst_case(self.rows)
        patients = [row for row in self.rows if row.evidence == "patient"]
        rows = patients if patients and criterion.judges_interval else self.rows
        found = self._every_case(rows) if criterion.statistic == EVERY_CASE else self._together(rows, share)
        if not self.was_compared:
            found = found.model_copy(update={"verdict": "insufficient evidence", "reason": NOT_COMPARED})
        return found.model_copy(
            update={
                "subjects": len({row.subject for row in rows if row.evidence == "patient"}),
                "evidence": _weakest(rows),
                "failed": len(failed(metric, rows)),
            }
        )

    def _worst_case(self, rows: Sequence[CaseRow]) -> CriterionVerdict:
        """A case that failed for good decides at once, a figure nobody could evaluate leaves it open."""
        criterion, metric = self.criterion, self.protocol.metric(self.criterion.metric)
        valued = [(value, row) for row in rows for value in values_of(metric, row)]
        lost = next((row for row in rows if metric.id in row.never_met), None)
        worst_value, worst_row = (None, lost) if lost else worst_of(criterion, valued)
        complete, _ = worst_of(criterion, [(v, row) for v, row in valued if metric.id not in row.imputed])
        evaluated = len({row.case for _, row in valued})
        word: VerdictWord = "met"
        if lost is not None or (worst_value is not None and not criterion.holds(worst_value)):
            word = "not met"
        elif evaluated < max(len(rows), criterion.min_cases):
            word = "insufficient evidence"
        return CriterionVerdict(
            criterion=criterion.id,
            scope=self.scope,
            verdict=word,
            worst_value=worst_value,
            worst_case=worst_row.case if worst_row is not None else None,
            cases=len(rows),
            subjects=len({row.subject for row in rows}),
            complete_case_worst_value=complete,
        )

    def _every_case(self, rows: Sequence[CaseRow]) -> CriterionVerdict:
        """The worst case decides, and its verdict says why."""
        metric, least = self.protocol.metric(self.criterion.metric), self.criterion.min_subjects
        gone = {row.case for row in failed(metric, rows)}
        kept = rows
        if metric.failed_case_counts_as == "complete_case":
            kept = [row for row in rows if row.case not in gone]
        found = self._worst_case(kept).model_copy(update={"cases": len(rows)})
        subjects = len({row.subject for row in kept if row.evidence == "patient" and row.case not in gone})
        if least is not None and subjects < least and found.verdict == "met":
            reason = f"{subjects} independent subjects answered, and the protocol asks for {least}"
            return found.model_copy(update={"verdict": "insufficient evidence", "reason": reason})
        return found.model_copy(update={"reason": _why(self.criterion, found, len(kept))})

    def _together(self, rows: Sequence[CaseRow], share: float) -> CriterionVerdict:
        """A statistic of all cases decides; the worst value is shown where it is on the same scale."""
        criterion, statistic = self.criterion, statistics()[self.criterion.statistic]
        judged = judge(self.protocol, criterion, rows, share=share)
        found = self._worst_case(rows)
        if statistic.columns != ("value",):
            alone = {"worst_value": None, "worst_case": None, "complete_case_worst_value": None}
            found = found.model_copy(update=alone)
        return found.model_copy(
            update={
                "verdict": judged.word,
                "reason": judged.reason,
                "estimate": EstimateRow.of(judged.estimate),
                "complete_case": EstimateRow.of(judged.complete_case),
            }
        )


def _why(criterion: Criterion, found: CriterionVerdict, kept: int) -> str:
    if found.worst_case is not None and found.worst_value is None:
        return f"case {found.worst_case} did not answer, which counts as not met"
    if found.verdict == "insufficient evidence":
        return f"fewer cases than {max(kept, criterion.min_cases)} could be evaluated"
    return f"the worst case is {found.worst_case}"


def _weakest(rows: Sequence[CaseRow]) -> Evidence | None:
    """The weakest kind of data among the rows; ``None`` where there is none, or one does not say."""
    found = [row.evidence for row in rows]
    if None in found or not found:
        return None
    return max((one for one in found if one is not None), key=EVIDENCE_ORDER.index)


def _holm(parts: Sequence[_Part]) -> list[CriterionVerdict]:
    """Judge by Holm's step-down procedure (Holm 1979), through intervals.

    A claim whose p-value is at most error/k is one whose interval at level 1 - error/k excludes the bound. So all
    claims are judged with an equal share of the error; those met leave more for each of the rest, until none is added.
    """
    found = {
        number: part.verdict() for number, part in enumerate(parts) if not part.criterion.judges_interval
    }
    left = [number for number in range(len(parts)) if number not in found]
    while left:
        share = 1 / len(left)
        judged = {number: parts[number].verdict(share) for number in left}
        met = [number for number in left if judged[number].verdict == "met"]
        for number in met or left:
            part = parts[number]
            level = rounded(two_sided(part.protocol, part.criterion, share))
            found[number] = judged[number].model_copy(update={"adjusted_level": level})
        left = [number for number in left if number not in found]
    return [found[number] for number in range(len(parts))]


def worst_of(
    criterion: Criterion, valued: Sequence[tuple[float, CaseRow]]
) -> tuple[float, CaseRow] | tuple[None, None]:
    """The value furthest to the wrong side of a criterion, and its case; ties go to the first case by name."""
    if not valued:
        return None, None
    by_name = sorted(valued, key=lambda pair: pair[1].case)
    if criterion.comparator == ">=":
        return min(by_name, key=lambda pair: pair[0])
    if criterion.comparator == "<=":
        return max(by_name, key=lambda pair: pair[0])
    middle = sum(criterion.allowed) / 2
    return max(by_name, key=lambda pair: abs(pair[0] - middle))
