"""The verdict: a pure function of the results table and the protocol.

Invariants
----------
* The same table and protocol give the same bytes.
* A failed, timed-out or missing case keeps its place in the denominator with the value its metric declares.
* Cases and independent subjects are counted apart; cases derived from one scan are one subject, and get no
  interval.
* A criterion that concerns no case is not met by that: it is left open.
"""

from collections.abc import Sequence
from typing import Literal

from host.added_fields import added
from host.validation.denominator import concerned, is_judged
from host.validation.estimate_row import EstimateRow
from host.validation.protocol import EVERY_CASE, Criterion, Protocol
from host.validation.rows import CaseRow
from plugin_spec.model import StrictModel
from registry.statements import Evidence

__all__ = ["CaseRow", "CriterionVerdict", "Verdict", "VerdictWord", "evaluate", "worst_of"]

VerdictWord = Literal["met", "not met", "insufficient evidence"]


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
        Under Holm's procedure, the level at which this criterion was judged in the end.
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
    judged = [
        _judge(criterion, scope, members)
        for criterion in protocol.criteria
        if is_judged(protocol, criterion, rows)
        for scope, members in _scopes(criterion, concerned(protocol, criterion, rows))
    ]
    words = {one.verdict for one in judged}
    whole: VerdictWord = "met"
    if "not met" in words:
        whole = "not met"
    elif "insufficient evidence" in words:
        whole = "insufficient evidence"
    return Verdict(verdict=whole, criteria=tuple(judged))


def _scopes(criterion: Criterion, rows: Sequence[CaseRow]) -> list[tuple[str, list[CaseRow]]]:
    if criterion.scope == "overall":
        return [("overall", list(rows))]
    stratum = criterion.scope.removeprefix("each:")
    levels = sorted({row.strata.get(stratum, "") for row in rows}) or [""]  # no case is no evidence
    return [
        (f"{stratum}={level}", [r for r in rows if r.strata.get(stratum, "") == level]) for level in levels
    ]


def _judge(criterion: Criterion, scope: str, rows: Sequence[CaseRow]) -> CriterionVerdict:
    """Judge one scope: a case that failed for good decides at once, a figure nobody could evaluate leaves it open."""
    metric = criterion.metric
    valued = [(value, row) for row in rows if (value := row.values.get(metric)) is not None]
    failed = next((row for row in rows if metric in row.never_met), None)
    worst_value, worst_row = (None, failed) if failed else worst_of(criterion, valued)
    complete, _ = worst_of(criterion, [(value, row) for value, row in valued if metric not in row.imputed])
    verdict: VerdictWord = "met"
    if failed is not None or (worst_value is not None and not criterion.holds(worst_value)):
        verdict = "not met"
    elif criterion.statistic != EVERY_CASE or len(valued) < max(len(rows), criterion.min_cases):
        verdict = "insufficient evidence"
    return CriterionVerdict(
        criterion=criterion.id,
        scope=scope,
        verdict=verdict,
        worst_value=worst_value,
        worst_case=worst_row.case if worst_row is not None else None,
        cases=len(rows),
        subjects=len({row.subject for row in rows}),
        complete_case_worst_value=complete,
    )


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
    return max(by_name, key=lambda pair: abs(pair[0]))
