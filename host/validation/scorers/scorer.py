"""A scorer: one kind of metric, checked against a manifest, observed in a case, imputed where the case failed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from host import extensions
from host.errors import KitFitError
from host.kits.cases import KitCase
from host.metrics.parameters import complete
from host.validation.metric import Metric
from host.validation.scorers.case_files import CaseFiles
from plugin_spec.host_hooks import MetricRegistration, Observed
from plugin_spec.manifest import Manifest
from plugin_spec.ports import MeasurementsPort, OutputPort, ScorePort


@dataclass(frozen=True)
class Scorer:
    """How one kind of metric is scored.

    Attributes
    ----------
    check : callable
        Raises `KitFitError` where a metric asks for what the plugin, or a case of the kit, does not have.
    observe : callable
        What a case that answered says; a value of NaN cannot be evaluated.
    impute : callable
        What a case that failed counts as, where the metric does not say it with a number.
    """

    check: Callable[[Metric, Manifest, Sequence[KitCase]], None]
    observe: Callable[[Metric, CaseFiles], Observed]
    impute: Callable[[Metric, CaseFiles], Observed]


def function_of(metric: Metric) -> Callable[..., Any]:
    """The registered function of a metric, with its parameters."""
    registered = extensions.metric(metric.function or "")
    function, parameters = registered.load(), complete(registered, metric.parameters)
    return lambda *operands: function(*operands, **parameters)


def registration_of(metric: Metric) -> MetricRegistration:
    """What is registered under a metric's function.

    Raises
    ------
    KitFitError
        It is used on another kind of operands, in another unit, or with a parameter it does not have.
    """
    registered = extensions.metric(metric.function or "")
    if registered.operands != metric.kind:
        raise KitFitError(
            f"metric {metric.id}: {registered.name} compares {registered.operands}, not {metric.kind}"
        )
    complete(registered, metric.parameters)
    if registered.unit not in (metric.unit, ""):  # none of its own: the column's
        raise KitFitError(f"metric {metric.id}: {registered.name} is in {registered.unit}, not {metric.unit}")
    return registered


def units_of(port: OutputPort) -> dict[str, str]:
    """The numbers a port gives once per case, and their units."""
    if isinstance(port, MeasurementsPort):
        return {column.name: column.unit for column in port.columns}
    return {"value": port.unit} if isinstance(port, ScorePort) else {}


def unit_of_column(metric: Metric, manifest: Manifest, port_name: str, column: str) -> str:
    """The unit of a number that a plugin puts out once per case.

    Raises
    ------
    KitFitError
        There is no such number, or it stands in several rows.
    """
    port = manifest.output(port_name)
    units = units_of(port) if port is not None else {}
    if port is not None and not units:
        raise KitFitError(
            f"metric {metric.id}: {port_name} is of kind {port.kind}; numbers are compared in measurements and scores"
        )
    if column not in units:
        raise KitFitError(f"metric {metric.id}: {manifest.id} has no column {port_name}.{column}")
    if isinstance(port, MeasurementsPort) and port.rows_per != "case":
        raise KitFitError(
            f"metric {metric.id}: {port_name} has rows per {port.rows_per}; one per case is compared"
        )
    return units[column]
