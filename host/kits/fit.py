"""Whether a kit's cases give what its protocol compares with."""

from collections.abc import Mapping
from pathlib import Path

from host.errors import KitError
from host.kits.cases import KitCase
from host.perturbations.declared import STRATUM
from host.statistics.registrations import statistics
from host.validation.protocol import Metric, Protocol


def check_fit(path: Path, protocol: Protocol, cases: tuple[KitCase, ...]) -> None:
    """Every case has what the metrics that concern it compare with, and a place in every stratum judged.

    Raises
    ------
    KitError
        One line with the case, the column and the metric that needs it.
    """
    for case in cases:
        for metric in protocol.metrics:
            if case.expected == "refused" and metric.kind != "outcome":
                continue
            missing = missing_columns(metric, case, protocol)
            missing += [f"stratum.{name}" for name in sorted(strata_of(metric, protocol) - set(case.strata))]
            if missing:
                raise KitError(f"{path}: case {case.case_id} has no {missing[0]}, which {metric.id} needs")
    known = {case.case_id for case in cases}
    for one in protocol.sameness:
        strange = [] if one.cases == "all" else sorted(set(one.cases) - known)
        if strange:
            raise KitError(f"{path}: sameness {one.id}: there is no case {strange[0]}")


def strata_of(metric: Metric, protocol: Protocol) -> set[str]:
    """The strata that every case has to be in; that of perturbations is the host's own where there are any."""
    return protocol.strata_of(metric.id) - ({STRATUM} if protocol.perturbations else set())


def missing_columns(metric: Metric, case: KitCase, protocol: Protocol) -> list[str]:
    """The columns that a metric compares with and that a case does not fill."""
    if metric.against != "reference":
        return []
    given: dict[str, tuple[str, Mapping[str, object]]] = {
        "masks": (f"ref.{metric.port}", case.references),
        "lesions": (f"ref.{metric.port}", case.references),
        "findings": (f"ref.{metric.port}", case.references),
        "classes": (f"class.{metric.port}", case.classes),
        "survival": (f"time.{metric.port}", case.times),
    }
    if metric.kind == "numbers":
        absent = metric.function is not None and metric.column not in case.values
        return [f"value.{metric.column}"] if absent else []
    port = metric.port or ""
    column, held = given.get(metric.kind, ("", {port: None}))
    missing = [column] if port not in held else []
    if port not in case.baselines and _needs_baseline(metric, protocol):
        missing.append(f"baseline.{port}")
    return missing


def _needs_baseline(metric: Metric, protocol: Protocol) -> bool:
    """Whether a criterion compares the metric with the kit's comparator."""
    named = [one.statistic for one in protocol.criteria if one.metric == metric.id]
    return any("baseline" in statistics()[name].columns for name in named if name in statistics())
