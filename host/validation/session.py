"""The cases of one validation as they come in: run or found recorded, scored, and kept in the kit's order.

Invariants
----------
* A case has one run that is judged, in a fresh container; runs of comparisons are recorded as such, and judge nothing.
* Rows are computed from stored outputs, whether the run was this command's or an earlier one's, and once every case has
  run: a perturbed copy may be held against the answer to its original.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from host.crew import Cancelled, Crew, Place
from host.execution import CaseRequest
from host.kits.cases import KitCase
from host.kits.kit import KitFolder
from host.kits.places import PlacedCase
from host.perturbations.cases import PerturbedCase
from host.releases import InstalledRelease
from host.reports.model import CaseSection
from host.reports.pictures import CaseImages
from host.reports.sections import SamenessRow
from host.run_ledger import RecordedRun, RunLedger
from host.sameness.comparison import JudgedRun
from host.sameness.values import with_sameness
from host.side_by_side import side_by_side
from host.stored_outputs import StoredOutputs
from host.validation.case_images import case_images
from host.validation.comparing import CaseAnswer, EarlierAnswer, score_case
from host.validation.earlier import EarlierSource
from host.validation.scorers.case_files import CaseFiles
from host.validation.verdict import CaseRow
from registry.statements import RunStarted

# Given a case: the images its figures are drawn from.
CaseImagesOf = Callable[[str], CaseImages | None]


@dataclass(frozen=True)
class Progress:
    """What a validation tells while it runs."""

    say: Callable[[str], None]
    case_done: Callable[[KitCase, RecordedRun, int, int], None]
    told: Callable[[str, int, int], None]
    cancelled: Callable[[], bool]


@dataclass(frozen=True)
class SessionParts:
    """What a session works with.

    Attributes
    ----------
    placed : mapping of str to PlacedCase
        Every case, perturbed copies too, with its files.
    locked : mapping of str to EarlierAnswer, or None
        By case, what the locked release answered, where the validation names that release.
    recorded : mapping of str to RecordedRun
        The judged runs that an earlier command recorded before it was stopped.
    """

    folder: KitFolder
    release: InstalledRelease
    ledger: RunLedger
    stored: StoredOutputs
    links: Path
    placed: Mapping[str, PlacedCase]
    locked: Mapping[str, EarlierAnswer] | None
    recorded: Mapping[str, RecordedRun]


class KitSession:
    """The cases of one validation as they come in."""

    def __init__(self, parts: SessionParts) -> None:
        self._parts = parts
        self.folder = parts.folder
        self.release = parts.release
        self.runs: dict[str, RecordedRun] = {}
        self._earlier = EarlierSource(
            parts.release.manifest,
            parts.folder.protocol,
            lambda case_id: self.runs[case_id],
            parts.locked,
            parts.links,
        )
        self._rows: dict[str, CaseRow] = {}

    def run_all(self, crew: Crew, progress: Progress) -> None:
        """Run the cases that were not run yet, in fresh containers, and score all of them on all CPUs."""
        cases = [one.case for one in self._parts.placed.values()]
        ended: list[str] = []

        def done(number: int, run: RecordedRun) -> None:
            ended.append(cases[number].case_id)
            progress.case_done(cases[number], run, len(ended), len(cases))

        runs = crew.work(cases, self._run, done=done, cancelled=progress.cancelled)
        self.runs = {case.case_id: run for case, run in zip(cases, runs, strict=True)}
        progress.say(f"score {len(cases)} cases")
        for row in side_by_side(self._row, cases):
            self._rows[row.case] = row

    def request(self, case_id: str) -> CaseRequest:
        """What a case asks to be run."""
        return self._parts.placed[case_id].request(self.release.manifest)

    def judged(self, concerns: Callable[[str], bool]) -> list[JudgedRun]:
        """The cases of the kit, without perturbed copies, that a comparison concerns, with their runs."""
        return [
            JudgedRun(self.request(case_id), one.case.subject_id, self.runs[case_id])
            for case_id, one in self._parts.placed.items()
            if not isinstance(one.case, PerturbedCase) and concerns(case_id)
        ]

    def sections(self, comparisons: Sequence[SamenessRow]) -> tuple[CaseSection, ...]:
        """What is known of every case, in the kit's order."""
        return tuple(
            self._section(one.case, self.runs[case_id], comparisons)
            for case_id, one in self._parts.placed.items()
        )

    def _run(self, case: KitCase, place: Place, cancelled: Cancelled) -> RecordedRun:
        parts = self._parts
        run = parts.recorded.get(case.case_id)
        if run is None:
            run = parts.stored.kept(
                parts.ledger.run(
                    self.release,
                    self.request(case.case_id),
                    subject=case.subject_id,
                    visit="kit",
                    cancelled=cancelled,
                    place=place,
                )
            )
        return run

    def _row(self, case: KitCase) -> CaseRow:
        parts, run = self._parts, self.runs[case.case_id]
        references = parts.placed[case.case_id].references
        answer = CaseAnswer(case, run.execution, self.release.manifest, run.record.measured, references)
        return score_case(answer, self.folder.protocol, self._earlier.of(case))

    def _section(self, case: KitCase, done: RecordedRun, comparisons: Sequence[SamenessRow]) -> CaseSection:
        record, answered = done.record, done.execution.result
        return CaseSection(
            row=with_sameness(self.folder.protocol, self._rows[case.case_id], comparisons),
            run=record.run,
            message=record.message,
            measured=record.measured,
            references=case.values,
            duration_s=record.duration_s,
            memory_peak_bytes=record.memory_peak_bytes,
            memory_limit_bytes=record.memory_limit_bytes,
            qc=answered.qc if answered else (),
            warnings=record.warnings,
        )

    def gpus(self) -> tuple[str, ...]:
        """The kinds of GPU that cases ran on, and why some ran without one."""
        started = [run.started.statement.read(RunStarted) for run in self.runs.values()]
        used = {
            f"{one.model}, compute capability {one.compute_capability}, driver {one.driver}"
            for act in started
            for one in act.gpu_devices
        }
        return (*sorted(used), *sorted({act.gpu_fallback for act in started if act.gpu_fallback}))

    def environment(self) -> dict[str, str]:
        """Tool versions as the containers measured them."""
        found = (dict(run.record.environment) for run in self.runs.values() if run.record.environment)
        return next(found, {})

    def images(self, case_id: str) -> CaseImages | None:
        """The images that a case's figures are drawn from; ``None`` where there is nothing to draw."""
        placed, run = self._parts.placed[case_id], self.runs[case_id]
        files = CaseFiles(
            placed.case, run.execution, self.release.manifest, run.record.measured, placed.references
        )
        return case_images(self.folder.protocol, self._rows[case_id], placed, files)
