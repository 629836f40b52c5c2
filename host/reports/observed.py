"""What statistics over cases are computed from, whichever version of the row holds it."""

from collections.abc import Iterable, Sequence

from host.perturbations.declared import STRATUM
from host.reports.model import CaseSection
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow


def observed_rows(protocol: Protocol, cases: Iterable[CaseSection]) -> list[CaseRow]:
    """The results table with observations of ``numbers`` metrics also where a row of the first version has none."""
    numbers = [metric for metric in protocol.metrics if metric.kind == "numbers"]
    return [_filled(case, numbers) for case in cases]


def answered(protocol: Protocol, metric: Metric, rows: Sequence[CaseRow]) -> list[CaseRow]:
    """The cases that a metric is about and that answered: patients' alone, where there are any.

    Perturbed copies only where the metric compares with the unperturbed answer, and then only they.
    """
    copies = {one.id for one in protocol.perturbations}
    about_copies = metric.against == "unperturbed"
    found = [
        row
        for row in rows
        if row.expected == row.outcome == "ok"
        and metric.id not in row.imputed
        and (row.strata.get(STRATUM, "") in copies) == about_copies
    ]
    patients = [row for row in found if row.evidence == "patient"]
    return patients or found


def _filled(case: CaseSection, numbers: Sequence[Metric]) -> CaseRow:
    row = case.row
    if row.observations or row.outcome != "ok" or row.expected != "ok":
        return row
    found = {metric.id: pair for metric in numbers if (pair := _pair(case, metric))}
    return row.model_copy(update={"observations": found}) if found else row


def _pair(case: CaseSection, metric: Metric) -> dict[str, tuple[float, ...]]:
    """What a case of the first version measured beside its reference."""
    measured = next(
        (one.value for one in case.measured if (one.port, one.column) == (metric.port, metric.column)), None
    )
    reference = case.references.get(metric.column or "")
    if reference is None or not isinstance(measured, float):
        return {}
    return {"predicted": (measured,), "reference": (reference,)}
