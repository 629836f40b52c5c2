"""From comparisons of runs to the figures that criteria judge: 1 the same again, 0 not, nothing where none can be said.

Pure: the same comparisons give the same rows.
"""

from collections.abc import Sequence

from host.perturbations.declared import STRATUM
from host.reports.sections import SamenessRow
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow


def with_sameness(protocol: Protocol, row: CaseRow, comparisons: Sequence[SamenessRow]) -> CaseRow:
    """A row with the figure of every ``sameness`` metric.

    A case that failed counts as its metric declares: that it fails again is no agreement. A case that is to be refused
    counts like any other. There is no figure where the comparison was not made or compared nothing (the
    plugin claims nothing, or no case answered), and for cases that were not to run again.
    """
    values, imputed, never_met = dict(row.values), list(row.imputed), list(row.never_met)
    by_id = {one.id: one for one in comparisons}
    for metric in protocol.metrics:
        if metric.kind != "sameness":
            continue
        values[metric.id] = None
        if not _runs_again(protocol, metric, row):
            continue
        if row.outcome != "failed":
            values[metric.id] = _value(row.case, by_id.get(metric.sameness or ""))
        elif isinstance(metric.failed_case_counts_as, str):
            never_met.append(metric.id)
        else:
            values[metric.id] = float(metric.failed_case_counts_as)
            imputed.append(metric.id)
    ordered = {metric.id: values[metric.id] for metric in protocol.metrics if metric.id in values}
    return row.model_copy(
        update={"values": ordered, "imputed": tuple(imputed), "never_met": tuple(never_met)}
    )


def _runs_again(protocol: Protocol, metric: Metric, row: CaseRow) -> bool:
    is_copy = row.strata.get(STRATUM) in {one.id for one in protocol.perturbations}
    return not is_copy and any(
        one.id == metric.sameness and one.concerns(row.case) for one in protocol.sameness
    )


def _value(case: str, comparison: SamenessRow | None) -> float | None:
    pairs = [one for one in comparison.pairs if one.case == case] if comparison is not None else []
    if any(one.differences for one in pairs):
        return 0.0
    made = comparison is not None and comparison.agreement != "not comparable"
    return 1.0 if pairs and made else None
