"""A measured number against its reference, or by itself."""

import math
from collections.abc import Sequence

from host.errors import KitFitError
from host.kits.cases import KitCase
from host.validation.metric import Metric
from host.validation.scorers.case_files import CaseFiles
from host.validation.scorers.scorer import Scorer, function_of, registration_of, unit_of_column
from plugin_spec.host_hooks import Observed
from plugin_spec.manifest import Manifest


def _check(metric: Metric, manifest: Manifest, cases: Sequence[KitCase]) -> None:
    registered = registration_of(metric) if metric.function is not None else None
    unit = unit_of_column(metric, manifest, metric.port or "", metric.column or "")
    in_unit_of_column = registered is None or not registered.unit
    if in_unit_of_column and metric.unit != unit:
        raise KitFitError(
            f"metric {metric.id}: {metric.port}.{metric.column} is in {unit}, not {metric.unit}"
        )
    if (
        metric.failed_case_counts_as == "adverse"
        and registered is not None
        and registered.unit not in {"", "%"}
    ):
        raise KitFitError(f"metric {metric.id}: {registered.name} is no difference that could be adverse")


def _observe(metric: Metric, files: CaseFiles) -> Observed:
    predicted = float(files.found(metric.port or "", metric.column or ""))
    reference = files.case.values.get(metric.column or "")
    value = predicted if metric.function is None else float(function_of(metric)(predicted, reference))
    both = {} if reference is None else {"reference": (reference,)}
    return Observed(value=value, observations={"predicted": (predicted,), **both})


def _impute(metric: Metric, files: CaseFiles) -> Observed:
    """Measured by ``adverse_by`` too little and too much; without a reference only the differences are known."""
    by = metric.adverse_by or math.nan
    reference = files.case.values.get(metric.column or "")
    observations: dict[str, tuple[float, ...]] = {"value_low": (-by,), "value_high": (by,)}
    if reference is None:
        return Observed(value=math.nan, observations=observations)
    step = by * abs(reference) / 100 if registration_of(metric).unit == "%" else by
    for way, predicted in (("low", reference - step), ("high", reference + step)):
        value = float(function_of(metric)(predicted, reference))
        observations[f"predicted_{way}"] = (predicted,)
        if math.isfinite(value):
            observations[f"value_{way}"] = (value,)
    return Observed(value=math.nan, observations={**observations, "reference": (reference,)})


NUMBERS = Scorer(_check, _observe, _impute)
