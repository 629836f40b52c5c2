"""A recorded case scored again, from its stored outputs and the kit's reference files.

What a run left is in the blob store under the digests that its record names, and the reference files are under those
of ``cases.csv``: whoever holds both can compute every figure of a results table anew, without running anything.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from host.execution import Execution
from host.kits.cases import KitCase
from host.kits.kit import KitFolder
from host.kits.places import PlacedCase
from host.perturbations.cases import PerturbedCase
from host.records import measured
from host.run_ledger import RecordedRun
from host.stored_outputs import StoredOutputs
from host.validation.comparing import CaseAnswer, EarlierAnswer, is_scored, score_case
from host.validation.differences import Difference, differences
from host.validation.earlier import EarlierSource
from host.validation.locked_answers import locked_answers
from host.validation.metric import Against, Metric
from host.validation.recorded_runs import RunRecords, ValidationRuns
from host.validation.rows import CaseRow
from host.validation.scoring import follows_from_records
from plugin_spec.manifest import Manifest
from registry.canonical import Digest
from registry.registry import Registry

Outcome = Literal["ok", "refused", "failed"]


@dataclass(frozen=True)
class Rescorer:
    """Scores recorded runs of one validation against its kit.

    Attributes
    ----------
    placed : mapping of str to PlacedCase
        The cases whose files are in this home, digests checked; perturbed copies too.
    locked : mapping of str to EarlierAnswer, or None
        By case, what the locked release answered, where the validation names that release.
    links : Path
        Folder for links to stored outputs.
    """

    stored: StoredOutputs
    manifest: Manifest
    kit: KitFolder
    runs: ValidationRuns
    placed: Mapping[str, PlacedCase]
    locked: Mapping[str, EarlierAnswer] | None
    links: Path
    _read: dict[str, RecordedRun] = field(default_factory=dict)

    def obstacle(self, case: KitCase) -> str:
        """Why a case's figures cannot all be computed again; empty where they can."""
        needed = self._of_files(case)
        runs = [self.runs.own[case.case_id]]
        if isinstance(case, PerturbedCase):
            runs.append(self.runs.own[case.original.case_id])
        if not all(self.stored.has(one) for run in runs for one in run.ended.outputs):
            return "its outputs are not stored in this home"
        if needed and case.case_id not in self.placed:
            return "the kit's case files are not in this home"
        if any(self._lacks_locked(case, metric) for metric in needed):
            return "what the earlier release answered is not stored in this home"
        return ""

    def _lacks_locked(self, case: KitCase, metric: Metric) -> bool:
        answer = self.locked.get(case.case_id) if self.locked is not None else None
        return (
            metric.against == "locked_release" and answer is not None and metric.port not in answer.label_maps
        )

    def _of_files(self, case: KitCase) -> list[Metric]:
        """The metrics that need a file of this case."""
        if case.expected != "ok":
            return []
        outcome = self.runs.own[case.case_id].ended.outcome
        return [
            one
            for one in self.kit.protocol.metrics
            if is_scored(one, case, locked=self.locked is not None) and not follows_from_records(one, outcome)
        ]

    def row(self, case: KitCase) -> CaseRow:
        """Compute a case's row from its files, but for sameness.

        Raises
        ------
        BlobMismatchError
            A stored output is not what its record names.
        """
        run = self._run(case.case_id)
        source = EarlierSource(self.manifest, self.kit.protocol, self._run, self.locked, self.links)
        placed = self.placed.get(case.case_id)
        references = placed.references if placed is not None else {}
        numbers = measured(self.manifest, run.execution)
        answer = CaseAnswer(case, run.execution, self.manifest, numbers, references)
        return score_case(answer, self.kit.protocol, source.of(case))

    def row_of_numbers(self, case: KitCase, found: CaseRow) -> CaseRow:
        """Compute a case's row from the recorded numbers; what needs files is taken over from ``found``."""
        ended = self.runs.own[case.case_id].ended
        taken = {one.id for one in self._of_files(case)}
        left = tuple(one for one in self.kit.protocol.metrics if one.id not in taken)
        plan = self.kit.protocol.model_copy(update={"metrics": left})
        execution = Execution(ended.outcome, ended.reason_code, "")
        answer = CaseAnswer(case, execution, self.manifest, ended.measured, {})
        again = score_case(answer, plan, self._earlier_numbers(case))
        imputed = {*again.imputed, *(taken if ended.outcome != "ok" else ())}
        values = {name: found.values.get(name) for name in taken}
        observations = {name: found.observations[name] for name in taken & found.observations.keys()}
        return again.model_copy(
            update={
                "values": {**again.values, **values},
                "observations": {**again.observations, **observations},
                "imputed": tuple(one.id for one in self.kit.protocol.metrics if one.id in imputed),
            }
        )

    def _earlier_numbers(self, case: KitCase) -> dict[Against, EarlierAnswer | None]:
        """Earlier answers without their files."""
        answers: dict[Against, EarlierAnswer | None] = {}
        if isinstance(case, PerturbedCase):
            original = self.runs.own[case.original.case_id].ended
            answered = original.outcome == "ok"
            answers["unperturbed"] = EarlierAnswer(self.manifest, original.measured) if answered else None
        if self.locked is not None:
            answers["locked_release"] = self.locked.get(case.case_id)
        return answers

    def _run(self, case_id: str) -> RecordedRun:
        if case_id not in self._read:
            records: RunRecords = self.runs.own[case_id]
            self._read[case_id] = self.stored.recorded(records.started, records.finished)
        return self._read[case_id]


@contextmanager
def rescoring(
    registry: Registry,
    kit: KitFolder,
    manifest: Manifest,
    runs: ValidationRuns,
    *,
    placed: Mapping[str, PlacedCase],
    against: Digest | None,
) -> Iterator[Rescorer]:
    """What scores a validation's cases again, until the block ends.

    Parameters
    ----------
    placed : mapping of str to PlacedCase
        The cases whose files are in this home.
    against : str or None
        The record of the earlier report that the validation names.
    """
    with TemporaryDirectory() as folder:
        links = Path(folder)
        locked = locked_answers(registry, against, links) if against is not None else None
        stored = StoredOutputs(registry.blobs, manifest, links)
        yield Rescorer(stored, manifest, kit, runs, placed, locked, links)


def differing(found: CaseRow, again: CaseRow) -> list[Difference]:
    """Where two rows differ by more than rounding."""
    every = differences(found.model_dump(), again.model_dump())
    return [one for one in every if not one.is_rounding]
