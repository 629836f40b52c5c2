"""What a case's answer is held against beside the reference standard: the unperturbed answer, the locked release's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from host.kits.cases import KitCase
from host.perturbations.cases import PerturbedCase
from host.perturbations.images import perturb_labels
from host.run_ledger import RecordedRun
from host.validation.comparing import EarlierAnswer, EarlierAnswers
from host.validation.metric import Against
from host.validation.protocol import Protocol
from plugin_spec.manifest import Manifest
from plugin_spec.ports import LabelMapPort


@dataclass(frozen=True)
class EarlierSource:
    """Finds the earlier answers of a validation's cases.

    Attributes
    ----------
    run_of : callable
        From a case's id to its run that is judged, its outputs as files.
    locked : mapping of str to EarlierAnswer, or None
        By case, what the locked release answered, where the validation names that release.
    work : Path
        Folder for label maps that are moved; it stays as long as the answers.
    """

    manifest: Manifest
    protocol: Protocol
    run_of: Callable[[str], RecordedRun]
    locked: Mapping[str, EarlierAnswer] | None
    work: Path

    def of(self, case: KitCase) -> EarlierAnswers:
        """What a case's answer can be held against."""
        answers: dict[Against, EarlierAnswer | None] = {}
        if isinstance(case, PerturbedCase):
            answers["unperturbed"] = self._unperturbed(case)
        if self.locked is not None:
            answers["locked_release"] = self.locked.get(case.case_id)
        return answers

    def _unperturbed(self, case: PerturbedCase) -> EarlierAnswer | None:
        original = self.run_of(case.original.case_id)
        if original.record.outcome != "ok":
            return None
        compared = {one.port for one in self.protocol.metrics if one.against == "unperturbed"}
        maps = {
            output.port: self._moved(case, output.port, output.path)
            for output in original.execution.outputs
            if output.port in compared and isinstance(self.manifest.output(output.port), LabelMapPort)
        }
        return EarlierAnswer(self.manifest, original.record.measured, maps)

    def _moved(self, case: PerturbedCase, port: str, answer: Path) -> Path:
        """The unperturbed label map where the perturbed image has what it marks."""
        if not case.perturbation.moves:
            return answer
        target = self.work / f"moved-{case.case_id}-{answer.name}"
        perturb_labels(answer, target, case.perturbation, case_id=case.case_id, port=port, may_leave=True)
        return target
