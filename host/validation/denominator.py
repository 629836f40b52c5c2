"""Which cases a criterion counts: a pure function of the plan and the rows.

Invariants
----------
* A perturbed copy is counted by criteria on the stratum ``perturbation`` and on metrics against the unperturbed
  answer, and by no other.
* A case that was to answer and did not is never left out here.
"""

from collections.abc import Sequence

from host.perturbations.declared import STRATUM
from host.validation.criterion import Criterion
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow


def was_compared(protocol: Protocol, criterion: Criterion, rows: Sequence[CaseRow]) -> bool:
    """Whether there was what a criterion compares with.

    One on a comparison with the locked release needs a validation that named that release: then every row has the
    metric, with or without a value.
    """
    metric = protocol.metric(criterion.metric)
    return metric.against != "locked_release" or any(metric.id in row.values for row in rows)


def concerned(protocol: Protocol, criterion: Criterion, rows: Sequence[CaseRow]) -> list[CaseRow]:
    """The denominator of a criterion.

    How a case ended concerns every case; sameness every case that was to run again; any other figure every case that
    was to answer.
    """
    metric = protocol.metric(criterion.metric)
    perturbed = counts_perturbed(protocol, criterion)
    copies = {one.id for one in protocol.perturbations}
    rows = [row for row in rows if (row.strata.get(STRATUM, "") in copies) == perturbed]
    if metric.kind == "outcome":
        return rows
    if metric.kind == "sameness":
        return [row for row in rows if _runs_again(protocol, metric, row.case)]
    return [row for row in rows if row.expected == "ok"]


def scopes(criterion: Criterion, rows: Sequence[CaseRow]) -> list[tuple[str, list[CaseRow]]]:
    """Split the rows of a criterion's denominator into its scopes, each with its name."""
    if criterion.scope == "overall":
        return [("overall", list(rows))]
    stratum, _, only = criterion.scope.removeprefix("each:").partition("=")
    levels = [only] if only else sorted({row.strata.get(stratum, "") for row in rows})
    return [
        (f"{stratum}={level}", [r for r in rows if r.strata.get(stratum, "") == level])
        for level in levels or [""]  # no case is no evidence
    ]


def counts_perturbed(protocol: Protocol, criterion: Criterion) -> bool:
    """Whether a criterion counts perturbed copies, and they alone."""
    if not protocol.perturbations:
        return False
    return criterion.stratum == STRATUM or protocol.metric(criterion.metric).against == "unperturbed"


def _runs_again(protocol: Protocol, metric: Metric, case_id: str) -> bool:
    return any(one.id == metric.sameness and one.concerns(case_id) for one in protocol.sameness)
