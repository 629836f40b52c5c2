"""The earlier report that a new release is compared with: found, verified, and turned into answers case by case.

Invariants
----------
* The report was signed by QA and checks out against the log; its kit is the same to the byte.
* What is compared are the numbers and outputs that the earlier runs recorded, never what the report says of them alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from host.errors import EarlierReportError
from host.kits.kit import KitFolder
from host.releases import InstalledRelease
from host.reports.recheck import recheck
from host.reports.version_delta import EarlierRelease
from host.validation.comparing import EarlierAnswer
from host.validation.locked_answers import locked_answers
from registry.canonical import Digest, short
from registry.catalogue import Evaluation
from registry.log import Record
from registry.plans import find_plan
from registry.registry import Registry
from registry.statements import Release, ValidationReport


@dataclass(frozen=True)
class LockedRelease:
    """The release to compare with, by its report.

    Attributes
    ----------
    record : Record
        Of its report.
    trial : str
        Whose lock names it; empty where the report was named itself.
    """

    registry: Registry
    record: Record
    report: ValidationReport
    release: Release
    trial: str = ""

    @property
    def described(self) -> EarlierRelease:
        """As the report names it."""
        return EarlierRelease(
            release=self.report.release,
            version=self.release.version,
            report=self.record.digest,
            validation=self.report.validation,
            trial=self.trial,
        )

    def answers(self, links: Path) -> Mapping[str, EarlierAnswer]:
        """By case, what it answered; faults as in `host.validation.locked_answers`."""
        return locked_answers(self.registry, self.record.digest, links)


def find_locked(
    registry: Registry, folder: KitFolder, release: InstalledRelease, *, report: str = "", trial: str = ""
) -> LockedRelease:
    """Find the earlier report, and verify it.

    Parameters
    ----------
    report : str, optional
        A validation's id, or the digest of its report's record.
    trial : str, optional
        A trial whose lock in force holds a release of the same plugin; its report on this kit is taken.

    Raises
    ------
    EarlierReportError
        There is none, it is not signed, or it is of another kit, plugin, or of this very release.
    ReportMismatchError, BlobMismatchError
        It does not check out.
    """
    if not any(one.against == "locked_release" for one in folder.protocol.metrics):
        raise EarlierReportError(
            f"the protocol of {folder.kit.id} {folder.kit.version} declares no metric against the locked release",
            subject=folder.kit.id,
            hint='declare one with against = "locked_release" in a new version of the kit, and register it',
        )
    record = _named(registry, report) if report else _of_trial(registry, folder, release, trial)
    logged = record.statement.read(ValidationReport)
    _check(registry, folder, release, record, logged)
    recheck(registry, record)
    earlier = registry.log.record(logged.release).statement.read(Release)
    return LockedRelease(registry, record, logged, earlier, trial)


def _named(registry: Registry, report: str) -> Record:
    for record in registry.records(ValidationReport.predicate_type):
        if report in (record.digest, record.statement.read(ValidationReport).validation):
            return record
    raise EarlierReportError(f"there is no report {report!r}", subject=report, hint="assay audit log")


def _of_trial(registry: Registry, folder: KitFolder, release: InstalledRelease, trial: str) -> Record:
    view = registry.trial(trial).effective
    slots = [one for one in view.lock.slots if one.plugin == release.manifest.id] if view is not None else []
    if not slots:
        raise EarlierReportError(
            f"no lock of trial {trial} that holds names a release of {release.manifest.id}",
            subject=trial,
            hint=f"assay trial status {trial}",
        )
    for slot in slots:
        for evaluation in _evaluations(registry, slot.release):
            if evaluation.protocol.kit_digest == folder.kit_digest:
                return registry.log.record(evaluation.digest)
    raise EarlierReportError(
        f"{slots[0].plugin} {slots[0].version}, which trial {trial} locks, has no signed report on this "
        f"{folder.kit.id} {folder.kit.version}",
        subject=trial,
        hint=f"assay validate {slots[0].plugin}@{slots[0].version} --kit {folder.path}, and have QA sign the report",
    )


def _check(
    registry: Registry, folder: KitFolder, release: InstalledRelease, record: Record, logged: ValidationReport
) -> None:
    earlier = registry.log.record(logged.release).statement.read(Release)
    _, planned = find_plan(registry, logged.protocol)
    signed = {one.digest for one in _evaluations(registry, logged.release)}
    faults: list[tuple[bool, str]] = [
        (logged.release == release.record, "it is the report of this very release"),
        (earlier.plugin != release.manifest.id, f"it is of {earlier.plugin}"),
        (
            planned.kit_digest != folder.kit_digest,
            f"it is on {planned.kit} {planned.version} {short(planned.kit_digest)}, not on this kit",
        ),
        (logged.subset != "whole kit", "only the smoke subset of the kit ran"),
        (record.digest not in signed, "QA did not sign it: assay report sign"),
    ]
    for is_so, why in faults:
        if is_so:
            raise EarlierReportError(
                f"report {logged.validation} cannot be compared with: {why}", subject=logged.validation
            )


def _evaluations(registry: Registry, release: Digest) -> tuple[Evaluation, ...]:
    """The reports of a release that count."""
    entry = registry.catalogue().get(release)
    return entry.evaluations if entry is not None else ()
