"""Lesions of a label map, counted case by case."""

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
    found: Observed = function_of(metric)(files.pair(metric))
    return found


def _impute(metric: Metric, files: CaseFiles) -> Observed:
    """No lesion predicted, and as many false ones as declared."""
    found: Observed = function_of(metric)(files.pair_without_answer(metric))
    false = float(metric.failed_false_positives or 0)
    predicted = (found.observations["predicted"][0] + false,)
    return Observed(
        value=missed_value(metric, found.value, false),
        observations={**found.observations, "predicted": predicted},
    )


def missed_value(metric: Metric, without_answer: float, false: float) -> float:
    """The value of a case in which everything was missed, and so many were said falsely."""
    worst = registration_of(metric).worst
    if not isinstance(worst, float) or math.isinf(worst):  # a number of false ones
        return without_answer + false
    return worst if false or not math.isnan(without_answer) else math.nan


LESIONS = Scorer(_check, _observe, _impute)
