"""From a case's outputs to its row in the results table."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from host.execution import Execution
from host.kits.cases import KitCase
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow, Observations
from host.validation.sample import UNBOUNDED
from host.validation.scorers.case_files import CaseFiles
from host.validation.scorers.table import SCORERS
from plugin_spec.host_hooks import Observed
from plugin_spec.manifest import Manifest
from registry.statements import Measured


def score(
    case: KitCase,
    execution: Execution,
    *,
    manifest: Manifest,
    protocol: Protocol,
    measured: tuple[Measured, ...],
    references: Mapping[str, Path],
) -> CaseRow:
    """Compute a case's row; ``sameness`` has no figure here, since it needs further runs.

    Parameters
    ----------
    case : KitCase
        What was expected of it.
    execution : Execution
        How it ended.
    manifest, protocol
        Which label or column each metric looks at.
    measured : tuple of Measured
        Numbers and calls of its outputs.
    references : mapping of str to Path
        Port name to reference file.

    Returns
    -------
    CaseRow
        A case expected to answer that did not counts as each metric declares; an expected refusal has only its outcome.
    """
    scoring = _Scoring(CaseFiles(case, execution, manifest, measured, references))
    for metric in protocol.metrics:
        scoring.add(metric)
    row = CaseRow(
        case=case.case_id,
        subject=case.subject_id,
        expected=case.expected,
        outcome=execution.outcome,
        reason_code=execution.reason_code,
        strata=dict(case.strata),
        values=scoring.values,
        imputed=tuple(scoring.imputed),
        never_met=tuple(scoring.never_met),
    )
    if protocol.contract == "assay.protocol/1":
        return row
    return row.model_copy(update={"observations": scoring.observations, "evidence": case.evidence})


def follows_from_records(metric: Metric, outcome: Literal["ok", "refused", "failed"]) -> bool:
    """Whether a case's figures follow from the recorded numbers and the kit's table, without any image or document."""
    if outcome == "ok":
        return metric.kind not in {"masks", "lesions", "findings"}
    return metric.failed_case_counts_as not in {"image_diagonal", "all_missed"}


class _Scoring:
    """A row while it is filled, metric by metric."""

    def __init__(self, files: CaseFiles) -> None:
        self._files = files
        self.values: dict[str, float | None] = {}
        self.observations: Observations = {}
        self.imputed: list[str] = []
        self.never_met: list[str] = []

    def add(self, metric: Metric) -> None:
        """Score one metric."""
        expected, outcome = self._files.case.expected, self._files.execution.outcome
        counted = metric.failed_case_counts_as
        self.values[metric.id] = None
        if metric.kind == "outcome":
            self.values[metric.id] = 1.0 if outcome == expected else 0.0
        elif expected == "refused" or metric.kind == "sameness":
            return
        elif outcome == "ok":
            self._keep(metric, SCORERS[metric.kind].observe(metric, self._files))
        elif counted == "not met":
            self.never_met.append(metric.id)
        elif counted != "complete_case":
            self.imputed.append(metric.id)
            if isinstance(counted, str):
                self._keep(metric, SCORERS[metric.kind].impute(metric, self._files))
            else:
                self.values[metric.id] = float(counted)

    def _keep(self, metric: Metric, found: Observed) -> None:
        if not math.isnan(found.value):
            self.values[metric.id] = min(max(float(found.value), -UNBOUNDED), UNBOUNDED)
        if found.observations:
            self.observations[metric.id] = {
                name: tuple(map(float, each)) for name, each in found.observations.items()
            }
