"""From a case's outputs to its row in the results table."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from host import extensions
from host.cases.geometry import same_grid
from host.cases.nifti import read_label_map
from host.errors import KitError, KitFitError
from host.execution import Execution
from host.kits.cases import KitCase
from host.kits.kit import KitFolder
from host.kits.request import case_parameters
from host.metrics.mask_pair import MaskPair
from host.metrics.parameters import complete
from host.planning import check_ports
from host.validation.protocol import Metric, Protocol
from host.validation.sample import UNBOUNDED
from host.validation.verdict import CaseRow
from plugin_spec.errors import InputError
from plugin_spec.host_hooks import MetricRegistration
from plugin_spec.manifest import Manifest
from plugin_spec.ports import DicomSeriesPort, LabelMapPort, MeasurementsPort, OutputPort, ScorePort
from registry.statements import Measured

LabelMapPair = tuple[NDArray[Any], NDArray[Any], tuple[float, float, float]]
GRID_TOLERANCE_MM = 0.01


def check_fit(manifest: Manifest, folder: KitFolder) -> None:
    """Refuse a kit whose metrics ask for what this plugin does not put out.

    Raises
    ------
    KitFitError
        A port, label, column or unit that the plugin lacks, or an input the kit does not have.
    """
    if folder.protocol.perturbations or folder.protocol.sameness:
        raise KitFitError(f"{folder.kit.id}: this version cannot run perturbations and sameness yet")
    _check_inputs(manifest, folder)
    for metric in folder.protocol.metrics:
        if not metric.is_first_version:
            raise KitFitError(f"metric {metric.id}: this version cannot score it yet")
        if metric.function is not None:
            _check_function(metric, extensions.metric(metric.function))
        if metric.kind != "outcome":
            _check_is_given(manifest, metric)
        if metric.kind == "masks":
            _label_value(manifest, metric)
        elif metric.kind == "numbers":
            _check_column(manifest, metric)
    for measurand in folder.kit.measurands:
        units = {
            units_of(port)[measurand.column]
            for port in manifest.outputs
            if measurand.column in units_of(port)
        }
        if units != {measurand.unit}:
            raise KitFitError(
                f"measurand {measurand.column} is in {measurand.unit}, {manifest.id} puts out {sorted(units)}"
            )


def _check_inputs(manifest: Manifest, folder: KitFolder) -> None:
    """Refuse a kit whose cases do not give what the plugin takes: its files, series and parameters."""
    series = {port.name for port in manifest.inputs if isinstance(port, DicomSeriesPort)}
    for case in folder.cases:
        try:
            check_ports(manifest, {port: len(files) for port, files in case.inputs.items()})
        except InputError as error:
            raise KitFitError(f"case {case.case_id}: {error.message}", subject=case.case_id) from error
        for port, files in case.inputs.items():
            if any(file.is_folder != (port in series) for file in files):
                takes = "a folder, whose path ends in /," if port in series else "a file"
                raise KitFitError(f"case {case.case_id}: {manifest.id} takes {takes} for {port}")
        case_parameters(case, manifest)


def _check_is_given(manifest: Manifest, metric: Metric) -> None:
    """Refuse a metric on an output that may be left out: an answer could dodge it."""
    port = manifest.output(metric.port or "")
    if port is not None and port.at_least == 0:
        raise KitFitError(
            f"metric {metric.id}: the output {port.name} of {manifest.id} is optional, and cannot be judged"
        )


def units_of(port: OutputPort) -> dict[str, str]:
    """What a numbers metric can look at in a port, and in which unit: one value per case."""
    if isinstance(port, MeasurementsPort):
        return {column.name: column.unit for column in port.columns}
    return {"value": port.unit} if isinstance(port, ScorePort) else {}


def _check_function(metric: Metric, registered: MetricRegistration) -> None:
    """A metric is used as it is registered: on its kind of operands, in its unit, with its worst value."""
    complete(registered, metric.parameters)
    if registered.operands != metric.kind:
        raise KitFitError(
            f"metric {metric.id}: {registered.name} compares {registered.operands}, not {metric.kind}"
        )
    if registered.unit not in (metric.unit, ""):  # none of its own: the column's
        raise KitFitError(f"metric {metric.id}: {registered.name} is in {registered.unit}, not {metric.unit}")
    allowed: set[float | str] = {"not met"}
    if isinstance(registered.worst, float) and math.isfinite(registered.worst):
        allowed.add(registered.worst)
    if metric.failed_case_counts_as not in allowed:
        raise KitFitError(
            f"metric {metric.id}: a failed case counts as {metric.failed_case_counts_as}; "
            f"for {registered.name} that is {' or '.join(str(one) for one in sorted(allowed, key=str))}"
        )


def _check_column(manifest: Manifest, metric: Metric) -> None:
    port = manifest.output(metric.port or "")
    units = units_of(port) if port is not None else {}
    if port is not None and not units:
        raise KitFitError(
            f"metric {metric.id}: {metric.port} is of kind {port.kind}; numbers are compared in measurements and scores"
        )
    if port is None or metric.column not in units:
        raise KitFitError(f"metric {metric.id}: {manifest.id} has no column {metric.port}.{metric.column}")
    if isinstance(port, MeasurementsPort) and port.rows_per != "case":
        raise KitFitError(
            f"metric {metric.id}: {port.name} has rows per {port.rows_per}; one per case is compared"
        )
    unit = units[metric.column]
    if not extensions.metric(metric.function or "").unit and metric.unit != unit:
        raise KitFitError(f"metric {metric.id}: {port.name}.{metric.column} is in {unit}, not {metric.unit}")


def score(
    case: KitCase,
    execution: Execution,
    *,
    manifest: Manifest,
    protocol: Protocol,
    measured: tuple[Measured, ...],
    references: Mapping[str, Path],
) -> CaseRow:
    """Compute a case's row.

    Parameters
    ----------
    case : KitCase
        What was expected of it.
    execution : Execution
        How it ended.
    manifest, protocol
        Which label or column each metric looks at.
    measured : tuple of Measured
        Numbers of its measurements outputs.
    references : mapping of str to Path
        Port name to reference label map.

    Returns
    -------
    CaseRow
        A case expected to answer that did not is imputed as each metric declares; an expected refusal has only its
        outcome.
    """
    values: dict[str, float | None] = {}
    pairs: dict[tuple[str, int, int], MaskPair] = {}
    imputed: list[str] = []
    never_met: list[str] = []
    answered = case.expected == execution.outcome == "ok"
    maps = _read_maps(execution, references, protocol) if answered else {}
    for metric in protocol.metrics:
        if metric.kind == "outcome":
            values[metric.id] = 1.0 if execution.outcome == case.expected else 0.0
        elif case.expected == "refused":
            values[metric.id] = None
        elif execution.outcome == "ok":
            values[metric.id] = _value(metric, case, measured, lambda one: _pair(one, manifest, maps, pairs))
        elif metric.failed_case_counts_as == "not met":
            values[metric.id] = None
            never_met.append(metric.id)
        else:
            values[metric.id] = float(metric.failed_case_counts_as)
            imputed.append(metric.id)
    return CaseRow(
        case=case.case_id,
        subject=case.subject_id,
        expected=case.expected,
        outcome=execution.outcome,
        reason_code=execution.reason_code,
        strata=dict(case.strata),
        values=values,
        imputed=tuple(imputed),
        never_met=tuple(never_met),
    )


def _read_maps(
    execution: Execution, references: Mapping[str, Path], protocol: Protocol
) -> dict[str, LabelMapPair]:
    """Read predicted and reference label map of every port that a mask metric looks at, once each."""
    ports = {metric.port for metric in protocol.metrics if metric.kind == "masks" and metric.port is not None}
    maps = {}
    for output in execution.outputs:
        if output.port in ports:
            predicted, reference = read_label_map(output.path), read_label_map(references[output.port])
            if not same_grid(predicted.grid, reference.grid, tolerance_mm=GRID_TOLERANCE_MM):
                raise KitError(f"reference {references[output.port].name} is on another grid than its input")
            maps[output.port] = (predicted.data, reference.data, predicted.grid.spacing_mm)
    return maps


def _value(
    metric: Metric, case: KitCase, measured: tuple[Measured, ...], pair_of: Callable[[Metric], MaskPair]
) -> float | None:
    registered = extensions.metric(metric.function or "")
    function, parameters = registered.load(), complete(registered, metric.parameters)
    if metric.kind == "masks":
        value = function(pair_of(metric), **parameters)
    else:
        found = next(one.value for one in measured if (one.port, one.column) == (metric.port, metric.column))
        value = function(float(found), case.values[metric.column or ""], **parameters)
    if math.isnan(value):
        return None
    return min(max(float(value), -UNBOUNDED), UNBOUNDED)


def _pair(
    metric: Metric,
    manifest: Manifest,
    maps: Mapping[str, LabelMapPair],
    pairs: dict[tuple[str, int, int], MaskPair],
) -> MaskPair:
    """The masks a metric looks at; metrics of one port, label and reference value share one pair."""
    key = (metric.port or "", _label_value(manifest, metric), metric.reference_value or 0)
    if key not in pairs:
        predicted, reference, spacing_mm = maps[key[0]]
        pairs[key] = MaskPair.of(predicted == key[1], reference == key[2], spacing_mm=spacing_mm)
    return pairs[key]


def _label_value(manifest: Manifest, metric: Metric) -> int:
    port = manifest.output(metric.port or "")
    if port is not None and not isinstance(port, LabelMapPort):
        raise KitFitError(
            f"metric {metric.id}: {metric.port} is of kind {port.kind}; masks are compared in label maps"
        )
    labels = port.labels if port is not None else ()
    value = next((label.value for label in labels if label.name == metric.label), None)
    if value is None:
        raise KitFitError(f"metric {metric.id}: {manifest.id} has no label {metric.port}.{metric.label}")
    return value
