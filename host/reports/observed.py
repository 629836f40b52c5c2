"""What statistics over cases are computed from, whichever version of the row holds it."""

from host.reports.model import CaseSection
from host.validation.metric import Metric


def observed(case: CaseSection, metric: Metric) -> dict[str, tuple[float, ...]]:
    """The observations of a metric in a case that answered; empty where it has none or stands for a failure.

    A row of the first version has none: for ``numbers`` they are read from what was measured.
    """
    row = case.row
    if row.outcome != "ok" or row.expected != "ok" or metric.id in row.imputed:
        return {}
    if metric.id in row.observations or metric.kind != "numbers":
        return row.observations.get(metric.id, {})
    measured = next(
        (one.value for one in case.measured if (one.port, one.column) == (metric.port, metric.column)), None
    )
    reference = case.references.get(metric.column or "")
    if reference is None or not isinstance(measured, float):
        return {}
    return {"predicted": (measured,), "reference": (reference,)}
