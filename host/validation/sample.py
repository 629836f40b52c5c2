"""The sample a statistic is computed from: the rows of a scope, with failed cases left out or counted as declared.

Invariants
----------
* Rows are taken in the order of their cases' names, so that a seeded bootstrap does not depend on the table's order.
* A failed case is never simply dropped: it is imputed, or the criterion is not met by it, or its metric is declared to
  be judged on complete cases beside a criterion on failures.
* A predicted risk has no worst value of its own: the highest is perfect for an early event, the lowest for a late one.
  So a failed prediction is judged as wrong as its follow-up allows, as the highest, and as the lowest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from host.statistics.registration import StatisticRegistration
from host.validation.metric import Metric
from host.validation.rows import CaseRow

if TYPE_CHECKING:
    from host.statistics.cases import Cases

# "wrong": as wrong as can be for its case. "far": of several classes, the farthest one.
Direction = Literal["high", "low", "wrong", "far"]
UNBOUNDED = 1e308  # a distance to an empty mask is infinite; JSON has no infinity, and no bound is this far


@dataclass(frozen=True)
class Sample:
    """Cases ready for a statistic.

    Attributes
    ----------
    cases : Cases
        Those with every column that the statistic reads.
    without : tuple of str
        Cases that answered and whose figure cannot be evaluated.
    """

    cases: "Cases"
    without: tuple[str, ...]


def failed(metric: Metric, rows: Sequence[CaseRow]) -> list[CaseRow]:
    """The rows of cases that were to answer and did not, as far as the metric is concerned."""
    if metric.kind == "outcome":
        return []
    return [
        row
        for row in rows
        if metric.id in row.imputed
        or metric.id in row.never_met
        or (metric.kind != "sameness" and row.expected == "ok" and row.outcome != "ok")
    ]


def without_failed(metric: Metric, statistic: StatisticRegistration, rows: Sequence[CaseRow]) -> Sample:
    """The complete cases: what answered."""
    gone = {row.case for row in failed(metric, rows)}
    return _sample(metric, statistic, [row for row in rows if row.case not in gone])


def with_failed(
    metric: Metric,
    statistic: StatisticRegistration,
    rows: Sequence[CaseRow],
    direction: Direction,
    *,
    horizon: float | None = None,
) -> Sample:
    """All cases, failed ones with what they count as, in one of the directions where there are several.

    Parameters
    ----------
    horizon : float, optional
        At which a prediction is judged, where it is.
    """
    counted = [row for row in rows if metric.id not in row.never_met]
    if metric.failed_case_counts_as == "complete_case":
        return without_failed(metric, statistic, counted)
    if metric.kind == "survival":
        counted = _worst_ranked(metric, counted, direction, horizon)
    return _sample(metric, statistic, counted, direction)


def directions(metric: Metric, rows: Sequence[CaseRow]) -> tuple[Direction, ...]:
    """In how many ways the failed cases count: the worst verdict stands."""
    imputed = [row for row in rows if metric.id in row.imputed]
    if imputed and metric.failed_case_counts_as == "adverse":
        return ("high", "low")
    if imputed and metric.kind == "survival":
        return ("wrong", "high", "low")
    if any("predicted_far" in row.observations.get(metric.id, {}) for row in imputed):
        return ("wrong", "far")
    return ("wrong",)


def values_of(metric: Metric, row: CaseRow) -> tuple[float, ...]:
    """The values that a criterion on every case looks at: one; none where it cannot be evaluated; two where imputed."""
    observed = row.observations.get(metric.id, {})
    if metric.id in row.imputed and metric.failed_case_counts_as == "adverse":
        return observed.get("value_low", ()) + observed.get("value_high", ())
    value = row.values.get(metric.id)
    return () if value is None else (value,)


def _sample(
    metric: Metric,
    statistic: StatisticRegistration,
    rows: Sequence[CaseRow],
    direction: Direction = "high",
) -> Sample:
    from host.statistics.cases import Cases

    fixed = _fixed(metric)
    columns: dict[str, list[tuple[float, ...]]] = {name: [] for name in statistic.columns}
    kept, without = [], []
    for row in sorted(rows, key=lambda one: one.case):
        found = {name: fixed.get(name) or _column(metric, row, name, direction) for name in columns}
        if any(one is None for one in found.values()):
            without.append(row.case)
            continue
        kept.append(row)
        for name, numbers in found.items():
            columns[name].append(numbers or ())
    cases = Cases.of([row.subject for row in kept], columns, [row.strata for row in kept])
    return Sample(cases, tuple(without))


def _fixed(metric: Metric) -> dict[str, tuple[float, ...]]:
    """Columns that are the same in every case, since the metric declares them."""
    classes = metric.classes or ()
    positive = classes.index(metric.positive) if metric.positive in classes else 0
    horizons = tuple(one.horizon for one in metric.probabilities or ())
    return {
        **({"positive": (float(positive),), "classes": (float(len(classes)),)} if classes else {}),
        **({"horizon": horizons} if horizons else {}),
    }


def _column(metric: Metric, row: CaseRow, name: str, direction: Direction) -> tuple[float, ...] | None:
    """A case's numbers in a column; ``None`` where it has none."""
    observed = row.observations.get(metric.id, {})
    imputed = observed.get(f"{name}_{direction}") if metric.id in row.imputed else None
    if imputed is not None:
        return imputed
    if name == "value":
        value = row.values.get(metric.id)
        return None if value is None else (_unbounded(value),)
    found = observed.get(name)
    if found is not None and name in {"score", "baseline"} and metric.higher_score_means == "later event":
        return tuple(0.0 - one for one in found)  # statistics take a higher score for an earlier event
    return found


def _unbounded(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) >= UNBOUNDED else value


def _worst_ranked(
    metric: Metric, rows: Sequence[CaseRow], direction: Direction, horizon: float | None
) -> list[CaseRow]:
    """Failed cases ranked beyond all others, as asked for or as wrongly as can be; the later of them higher."""
    observed = [row.observations.get(metric.id, {}) for row in rows]
    gone = [metric.id in row.imputed and "event" in one for row, one in zip(rows, observed, strict=True)]
    scores = [score for one in observed for score in one.get("score", ())]
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    spread = max(high - low, 1.0)
    late = metric.higher_score_means == "later event"
    followed = [(one["time"][0], one["event"] == (1.0,)) for one in observed if "event" in one]
    times = sorted(one["time"][0] for one, is_gone in zip(observed, gone, strict=True) if is_gone)
    ranked = []
    for row, one, is_gone in zip(rows, observed, gone, strict=True):
        if not is_gone:
            ranked.append(row)
            continue
        time, had_event = one["time"][0], one["event"] == (1.0,)
        above = direction == "high"
        if direction == "wrong":
            above = _wins_as_lowest(time, had_event, followed, horizon)
        place = spread * times.index(time) / len(times)  # a risk that rises with the time is wrong
        score = high + spread + place if above else low - 2 * spread + place
        score = low + high - score if late else score
        changed = {**row.observations, metric.id: {**one, "score": (score,)}}
        ranked.append(row.model_copy(update={"observations": changed}))
    return ranked


def _wins_as_lowest(
    time: float, had_event: bool, followed: Sequence[tuple[float, bool]], horizon: float | None
) -> bool:
    """Whether the lowest risk would be the better answer of a case, so that the highest is the wrong one.

    At a horizon, where the event had not come by then; otherwise where more events came before it than cases outlasted
    its own event.
    """
    if horizon is not None:
        return not (had_event and time <= horizon)
    earlier = sum(event and at < time for at, event in followed)
    later = sum(at > time for at, _ in followed) if had_event else 0
    return earlier > later or not had_event
