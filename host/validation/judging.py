"""One criterion in one scope, judged: the word, why, and the figures behind it. Pure.

Invariants
----------
* The verdict is the worst of those with the failed cases counted, in every direction, and of the one without them: a
  failed case never helps.
* An interval is judged over patients only, one subject counting once. Below the declared number of subjects the
  evidence is insufficient; also where no interval can be computed, unless the estimate itself misses the bound, which
  no interval around it could mend.
* What is compared with a bound is what is stored: a number with twelve significant digits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from host.statistics.estimate import Estimate
from host.statistics.registration import StatisticRegistration
from host.statistics.registrations import statistics
from host.validation.criterion import Criterion
from host.validation.estimate_row import SIGNIFICANT_DIGITS
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.sample import Sample, directions, failed, with_failed, without_failed

VerdictWord = Literal["met", "not met", "insufficient evidence"]
SEVERITY: Final[tuple[VerdictWord, ...]] = ("met", "insufficient evidence", "not met")


@dataclass(frozen=True)
class Judged:
    """What is said of a criterion.

    Attributes
    ----------
    word, reason : str
    estimate : Estimate
        With failed cases counted as declared; of several directions, the worst.
    complete_case : Estimate
        Without them.
    """

    word: VerdictWord
    reason: str
    estimate: Estimate
    complete_case: Estimate


def judge(protocol: Protocol, criterion: Criterion, rows: Sequence[CaseRow], *, share: float = 1.0) -> Judged:
    """Judge a criterion on a statistic in one scope.

    Parameters
    ----------
    protocol : Protocol
    criterion : Criterion
        On a registered statistic.
    rows : sequence of CaseRow
        The denominator, patients' rows alone where there are any.
    share : float, optional
        Of the error probability, 1 - level, that is left to this criterion, where several claims divide it.
    """
    metric, statistic = protocol.metric(criterion.metric), statistics()[criterion.statistic]
    patients = frozenset(row.subject for row in rows if row.evidence == "patient")
    computing = _Computing(protocol, criterion, statistic, share, patients)
    complete = computing.answer(without_failed(metric, statistic, rows))
    if not failed(metric, rows):
        return Judged(complete.word, complete.reason, complete.estimate, complete.estimate)
    at = criterion.options.get("horizon")
    horizon = None if at is None else float(at)
    counted = [
        computing.answer(with_failed(metric, statistic, rows, way, horizon=horizon))
        for way in directions(metric, rows)
    ]
    shown = max(counted, key=_severity)
    worst = max((*counted, complete), key=_severity)
    word, reason = worst.word, worst.reason
    if worst is complete and complete.word != shown.word:
        reason = f"without the failed cases, {reason}"
    if never := [row.case for row in rows if metric.id in row.never_met]:
        word, reason = "not met", f"case {min(never)} did not answer, which counts as not met"
    return Judged(word, reason, shown.estimate, complete.estimate)


@dataclass(frozen=True)
class _Answer:
    """What one sample says of a criterion."""

    word: VerdictWord
    reason: str
    estimate: Estimate


def _severity(answer: _Answer) -> int:
    return SEVERITY.index(answer.word)


@dataclass(frozen=True)
class _Computing:
    """A criterion's statistic, computed as its protocol says.

    ``patients`` are the subjects who are some; without any, there is no interval, and nobody to be counted.
    """

    protocol: Protocol
    criterion: Criterion
    statistic: StatisticRegistration
    share: float
    patients: frozenset[str]

    def answer(self, sample: Sample) -> _Answer:
        """The estimate of a sample, and what it says."""
        found = _as_stored(self._estimate(sample))
        word, reason = _word(self.criterion, found)
        if shortage := self._shortage(sample, found):
            word, reason = "insufficient evidence", shortage
        if sample.without:
            reason += f"; {len(sample.without)} cases cannot be evaluated"
        return _Answer(word, reason, found)

    def _estimate(self, sample: Sample) -> Estimate:
        from host.statistics.estimation import Plan, estimate, point

        if not self.patients:
            return point(self.statistic, sample.cases, self.criterion.options)
        plan = Plan(
            level=two_sided(self.protocol, self.criterion, self.share),
            method=self.criterion.method,
            seed=self.protocol.seed,
            resamples=self.protocol.resamples,
            within=self.protocol.resample_within,
            options=self.criterion.options,
        )
        return estimate(self.statistic, sample.cases, plan)

    def _shortage(self, sample: Sample, found: Estimate) -> str:
        """Why there are too few cases to say anything; empty where there are enough."""
        criterion, cases = self.criterion, len(sample.cases)
        if criterion.judges_interval and not self.patients:
            return "no case is a patient's, and an interval is judged over patients only"
        if cases < criterion.min_cases:
            return f"{cases} cases, and the protocol asks for {criterion.min_cases}"
        subjects = min(found.n, len(self.patients))
        if criterion.min_subjects is not None and subjects < criterion.min_subjects:
            return f"{subjects} independent subjects, and the protocol asks for {criterion.min_subjects}"
        return ""


def two_sided(protocol: Protocol, criterion: Criterion, share: float = 1.0) -> float:
    """Coverage of the two-sided interval that a criterion is judged by: 2p - 1 for a one-sided statement at p."""
    level = criterion.level if criterion.level is not None else protocol.level
    sides = criterion.sides if criterion.sides is not None else protocol.sides
    error = (1 - level) * share
    return 1 - error * (2 if sides == 1 else 1)


def _word(criterion: Criterion, found: Estimate) -> tuple[VerdictWord, str]:
    """What an estimate says, whatever the number of subjects."""
    allowed = _allowed(criterion)
    if math.isnan(found.value):
        return "insufficient evidence", f"it cannot be computed: {found.reason}"
    if math.isinf(found.value) or not criterion.holds(found.value):
        return "not met", f"the estimate {found.value:.6g} is not {allowed}"
    ends = _ends(criterion, found)
    if any(math.isnan(value) for value in ends.values()):
        return "insufficient evidence", f"there is no interval: {found.reason}"
    for name, value in ends.items():
        if not criterion.holds(value):
            return "not met", f"the {name} end {value:.6g} is not {allowed}"
    shown = " and ".join(f"the {name} end {value:.6g}" for name, value in ends.items())
    return "met", f"{shown or f'the estimate {found.value:.6g}'}: {allowed}"


def _ends(criterion: Criterion, found: Estimate) -> dict[str, float]:
    both = {"lower": found.low, "upper": found.high}
    named = {"ci_low": ("lower",), "ci_high": ("upper",), "interval": ("lower", "upper")}
    return {name: both[name] for name in named.get(criterion.judged or "", ())}


def _allowed(criterion: Criterion) -> str:
    low, high = criterion.allowed
    if math.isinf(high):
        return f"{low:g} or more"
    return f"{high:g} or less" if math.isinf(low) else f"within {low:g} and {high:g}"


def _as_stored(found: Estimate) -> Estimate:
    """Twelve significant digits, as the verdict keeps them; infinities stay."""
    value, low, high, level = (
        float(f"{one:.{SIGNIFICANT_DIGITS}g}") for one in (found.value, found.low, found.high, found.level)
    )
    return replace(found, value=value, low=low, high=high, level=level)
