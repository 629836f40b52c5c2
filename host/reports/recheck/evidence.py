"""What a report is checked against: its signed record, and the plan and kit that were registered."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from host.errors import ReportMismatchError
from host.home import Home
from host.installed import read_stored_manifest
from host.kits.cases import KitCase
from host.kits.data import check_data, data_folder
from host.kits.kit import KitFolder
from host.kits.places import PlacedCase, place
from host.kits.stored import stored_kit
from host.perturbations.cases import PerturbedCase
from host.perturbations.copies import CopyMaker
from host.reports.model import Report
from host.reports.write import parse_report
from host.validation.recorded_runs import ValidationRuns, runs_of
from plugin_spec.manifest import Manifest
from registry.plans import find_plan
from registry.record import Record
from registry.registry import Registry
from registry.statements import Protocol, Release, ValidationReport, ValidationStarted


@dataclass(frozen=True)
class Evidence:
    """A logged report, and what there is to check it against.

    Attributes
    ----------
    record : Record
        The signed record that names the report's files.
    planned, plan
        The protocol, or deviation, that it says it was validated by.
    kit : KitFolder
        As registered with that plan.
    """

    registry: Registry
    record: Record
    logged: ValidationReport
    report: Report
    planned: Record
    plan: Protocol
    kit: KitFolder

    @classmethod
    def of(cls, registry: Registry, record: Record) -> "Evidence":
        """Read a report and its kit from the registry, the bytes of both hashed first."""
        logged = record.statement.read(ValidationReport)
        for file in logged.files:
            registry.blobs.verify(file.digest)
        report = parse_report(registry.blobs.path(logged.report_json.digest).read_bytes())
        planned, plan = find_plan(registry, logged.protocol)
        return cls(registry, record, logged, report, planned, plan, stored_kit(registry, plan))

    @cached_property
    def data(self) -> Path | None:
        """The kit's case files, where they were made or fetched in this home; their digests are checked.

        Raises
        ------
        KitDigestError
            A case file is not the declared one.
        """
        home = Home(self.registry.home, self.registry.home)  # nothing of the cache is looked at
        if not data_folder(home, self.kit).is_dir():
            return None
        check_data(home, self.kit)
        return data_folder(home, self.kit)

    @cached_property
    def release(self) -> Release:
        """What was signed of the release that the log says was tested."""
        return self.registry.log.record(self.logged.release).statement.read(Release)

    @cached_property
    def manifest(self) -> Manifest:
        """Of that release, whatever the report says; its bytes are hashed first."""
        return read_stored_manifest(self.registry, self.release.manifest)

    @cached_property
    def runs(self) -> ValidationRuns:
        """Every run of the validation, from the log.

        Raises
        ------
        ValidationRunsError
            A run has no end, or a case was answered twice.
        """
        return runs_of(self.registry, self.logged.validation)

    @cached_property
    def started(self) -> ValidationStarted:
        """The record of the validation's start."""
        return self.registry.log.record(self.logged.started).statement.read(ValidationStarted)

    def placed(self, cases: Sequence[KitCase]) -> dict[str, PlacedCase]:
        """The cases whose files are in this home, perturbed copies too; their digests are checked."""
        if self.data is None:
            return {}
        home = Home(self.registry.home, self.registry.home)
        maker = CopyMaker(home, self.manifest, self.data, lambda line: None)
        found = {
            one.case_id: maker.kept(one) if isinstance(one, PerturbedCase) else place(one, self.data)
            for one in cases
        }
        return {name: placed for name, placed in found.items() if placed is not None}

    def same(self, what: str, found: object, expected: object) -> None:
        """Refuse the report where it says something else than is known. Raises `ReportMismatchError`."""
        if found != expected:
            raise self.fault(f"the {what} in the report is not what was registered and recorded")

    def fault(self, message: str) -> ReportMismatchError:
        """Make the error of a report that does not check out."""
        return ReportMismatchError(message, subject=self.record.digest, hint="do not sign it; validate again")
