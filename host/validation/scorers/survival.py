"""A predicted risk against the time and event of the case, and against a comparator's."""

import math
from collections.abc import Sequence

from host.kits.cases import KitCase
from host.validation.metric import Metric
from host.validation.scorers.case_files import CaseFiles
from host.validation.scorers.scorer import Scorer, unit_of_column
from plugin_spec.host_hooks import Observed
from plugin_spec.manifest import Manifest


def _check(metric: Metric, manifest: Manifest, cases: Sequence[KitCase]) -> None:
    unit_of_column(metric, manifest, metric.port or "", metric.column or "")
    for risk in metric.probabilities or ():
        unit_of_column(metric, manifest, risk.port or metric.port or "", risk.column)


def _observe(metric: Metric, files: CaseFiles) -> Observed:
    port = metric.port or ""
    score = float(files.found(port, metric.column or ""))
    observations = {"score": (score,), **_followed(metric, files)}
    if metric.probabilities is not None:
        observations["probability"] = tuple(
            float(files.found(risk.port or port, risk.column)) for risk in metric.probabilities
        )
    return Observed(value=math.nan, observations=observations)


def _impute(metric: Metric, files: CaseFiles) -> Observed:
    """Certain of the opposite of what had come by each horizon, and both extremes.

    Where the case was censored before a horizon nobody knows; there it has the higher risk, and the extremes have both.
    Where a score ranks depends on the others, and is found with them.
    """
    observations = _followed(metric, files)
    if metric.probabilities is not None:
        time, had_event = observations["time"][0], observations["event"] == (1.0,)
        come = [had_event and time <= one.horizon for one in metric.probabilities]
        observations |= {
            "probability": tuple(0.0 if one else 1.0 for one in come),
            "probability_low": (0.0,) * len(come),
            "probability_high": (1.0,) * len(come),
        }
    return Observed(value=math.nan, observations=observations)


def _followed(metric: Metric, files: CaseFiles) -> dict[str, tuple[float, ...]]:
    case, port = files.case, metric.port or ""
    baseline = case.baselines.get(port)
    return {
        "time": (case.times[port],),
        "event": (float(case.events[port]),),
        **({} if baseline is None else {"baseline": (baseline,)}),
    }


SURVIVAL = Scorer(_check, _observe, _impute)
