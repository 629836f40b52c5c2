"""Two masks of a case: an overlap, a distance, a difference of volumes."""

import math
from collections.abc import Sequence

from host.kits.cases import KitCase
from host.validation.metric import Metric
from host.validation.scorers.case_files import CaseFiles, label_value
from host.validation.scorers.scorer import Scorer, function_of, registration_of
from plugin_spec.host_hooks import Observed
from plugin_spec.manifest import Manifest


def _check(metric: Metric, manifest: Manifest, cases: Sequence[KitCase]) -> None:
    registration_of(metric)
    label_value(metric, manifest)


def _observe(metric: Metric, files: CaseFiles) -> Observed:
    """A distance that is infinite, since one mask is empty, counts as the diagonal where a failed case does."""
    pair = files.pair(metric)
    value = float(function_of(metric)(pair))
    if metric.failed_case_counts_as == "image_diagonal" and math.isinf(value):
        value = pair.image_diagonal_mm
    return Observed(value=value, observations={})


def _impute(metric: Metric, files: CaseFiles) -> Observed:
    if metric.failed_case_counts_as == "image_diagonal":
        grid = files.reference_map(metric.port or "").grid
        diagonal_mm = math.hypot(*(n * mm for n, mm in zip(grid.shape, grid.spacing_mm, strict=True)))
        return Observed(value=diagonal_mm, observations={})
    by = metric.adverse_by or math.nan
    return Observed(value=math.nan, observations={"value_low": (-by,), "value_high": (by,)})


MASKS = Scorer(_check, _observe, _impute)
