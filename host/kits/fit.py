"""Whether a kit's cases give what its protocol compares with."""

from pathlib import Path

from host.errors import KitError
from host.kits.cases import KitCase
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
            missing = missing_columns(metric, case)
            missing += [
                f"stratum.{name}" for name in sorted(protocol.strata_of(metric.id) - set(case.strata))
            ]
            if missing:
                raise KitError(f"{path}: case {case.case_id} has no {missing[0]}, which {metric.id} needs")


def missing_columns(metric: Metric, case: KitCase) -> list[str]:
    """The columns that a metric compares with and that a case does not fill."""
    if metric.kind == "masks" and metric.port not in case.references:
        return [f"ref.{metric.port}"]
    if metric.kind == "numbers" and metric.column not in case.values:
        return [f"value.{metric.column}"]
    return []
