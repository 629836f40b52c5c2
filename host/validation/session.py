"""The cases of one validation as they come in: run, scored, and kept in the kit's order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from host.crew import Cancelled, Crew, Place
from host.execution import CaseRequest, Execution, PreparedRun
from host.home import random_bytes
from host.kits.cases import KitCase
from host.kits.kit import KitFolder
from host.kits.request import case_request
from host.records import measured
from host.releases import InstalledRelease
from host.reports.model import CaseSection, WarmSection
from host.reports.pictures import CaseImages
from host.run_ledger import RecordedRun, RunLedger
from host.validation.scoring import score
from host.validation.verdict import CaseRow
from host.warm.on_kit import FreshRun, compare_on_kit
from plugin_spec.ports import LabelMapPort
from registry.registry import Registry
from registry.statements import RunStarted

# Given a case and a folder for links: the images its figures are drawn from.
CaseImagesOf = Callable[[str, Path], CaseImages | None]


@dataclass(frozen=True)
class Progress:
    """What a validation tells while it runs."""

    say: Callable[[str], None]
    case_done: Callable[[KitCase, RecordedRun, int, int], None]
    told: Callable[[str, int, int], None]
    cancelled: Callable[[], bool]


class KitSession:
    """The cases of one validation as they come in."""

    def __init__(self, folder: KitFolder, release: InstalledRelease, data: Path, ledger: RunLedger) -> None:
        self.folder = folder
        self.release = release
        self._data = data
        self._ledger = ledger
        self._rows: dict[str, CaseRow] = {}
        self.runs: list[RecordedRun] = []
        self.sections: list[CaseSection] = []
        self._cases: Sequence[KitCase] = ()

    def run_all(self, crew: Crew, cases: Sequence[KitCase], progress: Progress) -> None:
        """Run the cases, in fresh containers, and keep what is known of them in the kit's order."""
        ended: list[int] = []

        def done(number: int, run: RecordedRun) -> None:
            ended.append(number)
            progress.case_done(cases[number], run, len(ended), len(cases))

        self.runs = crew.work(cases, self._run, done=done, cancelled=progress.cancelled)
        self.sections = [self._section(case, run) for case, run in zip(cases, self.runs, strict=True)]
        self._cases = cases

    def compare_warm(self, crew: Crew, registry: Registry, progress: Progress) -> WarmSection:
        """Run the cases once more in warm containers, and say how they agree."""
        progress.say("run every case once more in warm containers, in shuffled order")
        return compare_on_kit(
            self._ledger,
            replace(crew, warm=True),
            [
                FreshRun(self.request(case), case.subject_id, run)
                for case, run in zip(self._cases, self.runs, strict=True)
            ],
            blobs=registry.blobs,
            seed=int.from_bytes(random_bytes(4), "big"),
            told=progress.told,
            cancelled=progress.cancelled,
        )

    def request(self, case: KitCase) -> CaseRequest:
        """What a case of the kit asks to be run."""
        return case_request(case, self.release.manifest, self._data)

    def _run(self, case: KitCase, place: Place, cancelled: Cancelled) -> RecordedRun:
        return self._ledger.run(
            self.release,
            self.request(case),
            subject=case.subject_id,
            visit="kit",
            cancelled=cancelled,
            place=place,
            inspect=lambda prepared, execution: self._score(case, prepared, execution),
        )

    def _section(self, case: KitCase, done: RecordedRun) -> CaseSection:
        record, answered = done.record, done.execution.result
        return CaseSection(
            row=self._rows[case.case_id],
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

    def _score(self, case: KitCase, prepared: PreparedRun, execution: Execution) -> None:
        self._rows[case.case_id] = score(
            case,
            execution,
            manifest=self.release.manifest,
            protocol=self.folder.protocol,
            measured=measured(prepared.release.manifest, execution),
            references={port: self._data / file.path for port, file in case.references.items()},
        )

    def gpus(self) -> tuple[str, ...]:
        """The kinds of GPU that cases ran on, and why some ran without one."""
        started = [run.started.statement.read(RunStarted) for run in self.runs]
        used = {
            f"{one.model}, compute capability {one.compute_capability}, driver {one.driver}"
            for act in started
            for one in act.gpu_devices
        }
        return (*sorted(used), *sorted({act.gpu_fallback for act in started if act.gpu_fallback}))

    def environment(self) -> dict[str, str]:
        """Tool versions as the containers measured them."""
        return next((dict(run.record.environment) for run in self.runs if run.record.environment), {})

    def images(self, registry: Registry) -> CaseImagesOf:
        """Where the figures find the images of a case; a blob gets its file name back through a link."""
        cases = {case.case_id: case for case in self.folder.cases}
        runs = {section.row.case: run for section, run in zip(self.sections, self.runs, strict=True)}
        ports = {one.port for one in self.folder.protocol.metrics if one.kind == "masks"}

        def of(case_id: str, links: Path) -> CaseImages | None:
            predicted = next((o for o in runs[case_id].record.outputs if o.port in ports), None)
            if predicted is None:
                return None
            port = next(one for one in self.release.manifest.outputs if one.name == predicted.port)
            assert isinstance(port, LabelMapPort)  # noqa: S101 - check_fit has looked
            shown = cases[case_id].inputs.get(port.grid_of or "")
            if shown is None or shown[0].is_folder:
                return None  # no image lies on the same grid, so there is nothing to draw the masks on
            values = {label.name: label.value for label in port.labels}
            masks = [
                one for one in self.folder.protocol.metrics if one.port == port.name and one.label in values
            ]
            return CaseImages(
                image=self._data / shown[0].path,
                predicted=_named(
                    registry.blobs.path(predicted.digest), links / f"{case_id}-{predicted.name}"
                ),
                reference=self._data / cases[case_id].references[port.name].path,
                codes={values[one.label or ""]: one.reference_value or 0 for one in masks},
                labels={one.reference_value or 0: one.label or "" for one in masks},
            )

        return of


def _named(blob: Path, link: Path) -> Path:
    link.symlink_to(blob)
    return link
