"""Whether a plugin can be judged on a kit: its inputs are there, and it puts out what the metrics look at."""

import math

from host.errors import KitFitError
from host.kits.kit import KitFolder
from host.kits.request import case_parameters
from host.planning import check_ports
from host.validation.metric import Metric
from host.validation.scorers.scorer import registration_of, units_of
from host.validation.scorers.table import SCORERS
from plugin_spec.errors import InputError
from plugin_spec.manifest import Manifest
from plugin_spec.ports import DicomSeriesPort


def check_fit(manifest: Manifest, folder: KitFolder) -> None:
    """Refuse a kit whose metrics ask for what this plugin does not put out.

    Raises
    ------
    KitFitError
        A port, label, class, column or unit that the plugin lacks, or an input the kit does not have.
    """
    _check_inputs(manifest, folder)
    for metric in folder.protocol.metrics:
        scorer = SCORERS.get(metric.kind)
        if scorer is None:
            continue
        _check_failed_as(metric)
        _check_is_given(manifest, metric)
        scorer.check(metric, manifest, folder.cases)
    _check_measurands(manifest, folder)


def _check_measurands(manifest: Manifest, folder: KitFolder) -> None:
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


def _check_failed_as(metric: Metric) -> None:
    """What a failed case counts as is what the function's registration says is worst, or a rule of the protocol."""
    if metric.function is None:
        return
    registered = registration_of(metric)
    allowed: set[float | str] = {"not met"}
    if registered.worst == "image_diagonal" or math.isfinite(registered.worst):
        allowed.add(registered.worst)
    if not metric.is_first_version:
        allowed |= {"complete_case"} | ({"all_missed"} if metric.kind in {"lesions", "findings"} else set())
        allowed |= {"adverse"} if registered.better == "zero" else set()
    if metric.failed_case_counts_as not in allowed:
        raise KitFitError(
            f"metric {metric.id}: a failed case counts as {metric.failed_case_counts_as}; "
            f"for {registered.name} that is {' or '.join(str(one) for one in sorted(allowed, key=str))}"
        )
