"""What a protocol may not ask for: combinations that make no sense, or under which a failed case would help. Pure.

Each rule yields a fault in one line. They hold for the second version; what the first could say stays readable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.perturbations.declared import STRATUM
from host.statistics.registration import StatisticRegistration
from host.statistics.registrations import statistics
from host.validation.criterion import EVERY_CASE, Criterion
from host.validation.metric import Metric

if TYPE_CHECKING:
    from host.validation.protocol import Protocol

# In the unit of the measurement, as a difference is.
_OF_DIFFERENCES = frozenset({"bias", "loa_low", "loa_high"})


def plan_faults(protocol: Protocol) -> Iterator[str]:
    """Everything wrong with a plan of the second version, one line each."""
    yield from _multiplicity(protocol)
    for criterion in protocol.criteria:
        metric = protocol.metric(criterion.metric)
        faults = _every_case(criterion, metric)
        if criterion.statistic != EVERY_CASE:
            statistic = statistics().get(criterion.statistic)
            if statistic is None:
                known = ", ".join([EVERY_CASE, *statistics()])
                yield f"criterion {criterion.id}: no statistic {criterion.statistic!r}; there are: {known}"
                continue
            faults = _on_statistic(criterion, metric, statistic)
        for fault in (*faults, *_failures(protocol, criterion, metric)):
            yield f"criterion {criterion.id}: {fault}"


def _multiplicity(protocol: Protocol) -> Iterator[str]:
    by_stratum = any(one.scope.startswith("each:") for one in protocol.criteria)
    if protocol.multiplicity == "all_strata_must_pass" and not by_stratum:
        yield "multiplicity: all_strata_must_pass, and no criterion has a scope each:STRATUM"
    if protocol.multiplicity == "holm":
        claims = [one for one in protocol.criteria if one.judges_interval]
        errors = {(one.level or protocol.level, one.sides or protocol.sides) for one in claims}
        if len(errors) != 1:
            yield "multiplicity: holm divides one error among criteria that judge intervals at one level and sides"


def _every_case(criterion: Criterion, metric: Metric) -> Iterator[str]:
    if criterion.statistic == EVERY_CASE and metric.kind == "survival":
        yield "a survival metric has no value per case; name a statistic"


def _on_statistic(criterion: Criterion, metric: Metric, statistic: StatisticRegistration) -> Iterator[str]:
    yield from _operands(metric, statistic)
    yield from _horizon(criterion, metric, statistic)
    yield from _interval(criterion, metric, statistic)
    try:
        statistic.complete(criterion.options)
    except ValueError as error:
        yield str(error)
    low, high = criterion.allowed
    if low <= statistic.least and high >= statistic.most:
        yield f"bound: {statistic.name} can be nothing else"
    elif high < statistic.least or low > statistic.most:
        yield f"bound: {statistic.name} cannot be there; it lies between {statistic.least:g} and {statistic.most:g}"


def _operands(metric: Metric, statistic: StatisticRegistration) -> Iterator[str]:
    """Whether the metric leaves what the statistic reads."""
    if statistic.kinds and metric.kind not in statistic.kinds:
        yield f"{statistic.name} is a statistic of {' and '.join(statistic.kinds)}, and {metric.id} is of {metric.kind}"
        return
    if not statistic.kinds and metric.kind == "survival":
        yield f"{statistic.name} needs a value per case, which a survival metric has not"
    if metric.kind == "numbers" and metric.function is None and "reference" in statistic.columns:
        yield f"{statistic.name} needs a reference, and {metric.id} names no function that compares with one"
    for column, field in (("positive", "positive"), ("probability", "probabilities")):
        if column in statistic.columns and getattr(metric, field) is None:
            yield f"{statistic.name} needs {field} of metric {metric.id}"


def _horizon(criterion: Criterion, metric: Metric, statistic: StatisticRegistration) -> Iterator[str]:
    """A risk is judged at a horizon it was predicted for; an integral needs two."""
    horizons = [one.horizon for one in metric.probabilities or ()]
    if "probability" not in statistic.columns or not horizons:
        return
    asked = criterion.options.get("horizon")
    if asked is None and len(horizons) < 2:
        yield f"{statistic.name} needs probabilities of metric {metric.id} for two horizons"
    if asked is not None and asked not in horizons:
        told = ", ".join(f"{one:g}" for one in horizons)
        yield f"options: horizon: metric {metric.id} has probabilities for {told}, not for {asked}"


def _interval(criterion: Criterion, metric: Metric, statistic: StatisticRegistration) -> Iterator[str]:
    if criterion.method is not None and criterion.method not in statistic.offered:
        yield f"method: {statistic.name} has no {criterion.method!r}; it has: {', '.join(statistic.offered)}"
    if not criterion.judges_interval:
        return
    if criterion.min_subjects is None:
        yield "min_subjects: say on how many independent subjects the interval must rest"
    if metric.against == "unperturbed" or criterion.stratum == STRATUM:
        yield "judged: perturbed copies are no patients, and get no interval; judge every_case or the estimate"


def _failures(protocol: Protocol, criterion: Criterion, metric: Metric) -> Iterator[str]:
    """Whether a failed case could help, or leave nothing to compute from."""
    counted, statistic = metric.failed_case_counts_as, statistics().get(criterion.statistic)
    columns = statistic.columns if statistic is not None else ("value",)
    if counted == "complete_case" and not _bounds_failures(protocol, criterion, metric):
        yield (
            f"{metric.id} leaves failed cases out, and no criterion on an outcome metric bounds how many those are "
            f"{_where(protocol, criterion, metric)}"
        )
    if columns != ("value",) and (not isinstance(counted, str) or counted == "image_diagonal"):
        shown = counted if isinstance(counted, str) else f"{counted:g}"
        yield f"{criterion.statistic} cannot be computed from a case that counts as {shown}"
    if counted == "image_diagonal" and (criterion.comparator == ">=" or criterion.allowed[0] > 0):
        yield "a failed case, which counts as the largest distance, would help"
    if metric.adverse_by is not None:
        yield from _adverse(protocol, criterion, metric, is_difference=columns == ("value",))
    if statistic is not None and statistic.counts_false_positives and counted == "all_missed":
        yield from _false_positives(criterion, metric)


def _adverse(
    protocol: Protocol, criterion: Criterion, metric: Metric, *, is_difference: bool
) -> Iterator[str]:
    """An error of a declared size must lie outside what is accepted; on another scale, failures are bounded."""
    by = metric.adverse_by or 0.0
    in_percent = metric.kind == "numbers" and metric.unit == "%"
    if is_difference or (criterion.statistic in _OF_DIFFERENCES and not in_percent):
        if criterion.holds(by) and criterion.holds(-by):
            yield f"a failed case would satisfy it, as {by:g} does either way; raise adverse_by"
    elif not _bounds_failures(protocol, criterion, metric):
        yield (
            f"{criterion.statistic} cannot be held against adverse_by of {metric.id}, and no criterion on an outcome "
            f"metric bounds how many cases fail {_where(protocol, criterion, metric)}"
        )


def _false_positives(criterion: Criterion, metric: Metric) -> Iterator[str]:
    """A failed case says nothing, and would win where saying too much is what loses."""
    counted = metric.failed_false_positives
    if counted is None:
        yield f"a failed case would win by saying nothing; give {metric.id} failed_false_positives"
    elif criterion.statistic == "false_positives_per_case" and criterion.holds(counted):
        yield f"a failed case would satisfy it, as {counted} false positives do; raise failed_false_positives"


def _bounds_failures(protocol: Protocol, criterion: Criterion, metric: Metric) -> bool:
    """Whether another criterion bounds the failures among the very cases that a criterion counts."""
    copies = _counts_copies(protocol, criterion, metric)
    for one in protocol.criteria:
        of = protocol.metric(one.metric)
        covers = one.scope in {"overall", criterion.scope} or one.scope.startswith("each:")
        if (
            of.kind == "outcome"
            and covers
            and one.allowed[0] > 0
            and _counts_copies(protocol, one, of) == copies
        ):
            return True
    return False


def _counts_copies(protocol: Protocol, criterion: Criterion, metric: Metric) -> bool:
    """Whether perturbed copies, and they alone, are counted (as `host.validation.denominator` has it)."""
    return bool(protocol.perturbations) and (criterion.stratum == STRATUM or metric.against == "unperturbed")


def _where(protocol: Protocol, criterion: Criterion, metric: Metric) -> str:
    if _counts_copies(protocol, criterion, metric):
        return "among the perturbed copies"
    return f"in scope {criterion.scope}"
