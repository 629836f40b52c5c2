"""Bring what a validation saw into the report's sections."""

import os
import platform
from dataclasses import dataclass
from typing import Literal

from host import __version__
from host.engines.interface import EngineInfo
from host.kits.kit import KitFolder
from host.releases import InstalledRelease
from host.reports.analyses import analyse
from host.reports.model import (
    AttemptSection,
    CaseSection,
    EnvironmentSection,
    FlowSection,
    KitSection,
    RegistrationSection,
    ReleaseSection,
    Report,
    WarmSection,
)
from host.reports.observed import observed_rows
from host.reports.sections import InstallationCheck, LeakSection, ReaderSection, SelfTestSection
from host.reports.sensitivity import sensitivity
from host.validation.verdict import Verdict
from registry.log import Record
from registry.registry import Registry
from registry.statements import Protocol, Release, RunStarted, ValidationReport, ValidationStarted
from registry.witness import cosigners, open_enrolled


@dataclass(frozen=True)
class ReportParts:
    """Everything a finished validation knows."""

    validation: str
    subset: Literal["whole kit", "smoke"]
    started_at: str
    finished_at: str
    executed_by: str
    release: InstalledRelease
    folder: KitFolder
    protocol_record: Record
    checkpoint: str
    first_run: RunStarted
    engine: EngineInfo
    environment: dict[str, str]
    gpus: tuple[str, ...]
    cases: tuple[CaseSection, ...]
    verdict: Verdict
    warm: WarmSection | None = None
    leak: LeakSection | None = None
    readers: ReaderSection | None = None
    checks: tuple[InstallationCheck, ...] = ()
    self_test: SelfTestSection | None = None


def compose(registry: Registry, parts: ReportParts) -> Report:
    """Write the report as data; the renderings follow from it."""
    rows = observed_rows(parts.folder.protocol, parts.cases)
    return Report(
        validation=parts.validation,
        subset=parts.subset,
        started_at=parts.started_at,
        finished_at=parts.finished_at,
        executed_by=parts.executed_by,
        release=_release(registry, parts.release),
        kit=_kit(parts.folder),
        protocol=parts.folder.protocol,
        registration=_registration(registry, parts),
        environment=_environment(parts),
        flow=FlowSection.of([section.row for section in parts.cases]),
        cases=parts.cases,
        verdict=parts.verdict,
        attempts=_attempts(registry, parts),
        limitations=_limitations(parts),
        warm=parts.warm,
        leak=parts.leak,
        readers=parts.readers,
        analyses=analyse(parts.folder.protocol, rows),
        sensitivity=sensitivity(parts.folder.protocol, rows, parts.verdict),
        installation_checks=parts.checks,
        self_test=parts.self_test,
    )


def _release(registry: Registry, release: InstalledRelease) -> ReleaseSection:
    signed = registry.log.record(release.record).statement.read(Release)
    about = release.manifest.attribution
    return ReleaseSection(
        record=release.record,
        plugin=release.manifest.id,
        version=release.manifest.version,
        title=release.manifest.title,
        image=release.image,
        manifest=release.manifest_digest,
        weights=release.weight_refs,
        intended_use=about.intended_use,
        not_for=about.not_for,
        known_failure_modes=about.known_failure_modes,
        citations=tuple(f"{one.text} doi:{one.doi}" for one in about.citations),
        author=registry.root.person(signed.actor).name,
    )


def _kit(folder: KitFolder) -> KitSection:
    kit = folder.kit
    return KitSection(
        id=kit.id,
        version=kit.version,
        title=kit.title,
        summary=kit.summary,
        evidence=kit.evidence,
        kit_digest=folder.kit_digest,
        protocol_digest=folder.protocol_digest,
        dataset=kit.dataset.title,
        dataset_doi=kit.dataset.doi,
        dataset_licence=kit.dataset.licence,
        provenance=kit.dataset.provenance,
        reference_standard=f"{kit.reference_standard.kind}: {kit.reference_standard.description}",
        operating_range=tuple(
            f"{one.title}: {one.operating_min:g} to {one.operating_max:g} {one.unit}"
            for one in kit.measurands
        ),
    )


def _registration(registry: Registry, parts: ReportParts) -> RegistrationSection:
    record = parts.protocol_record
    registered = record.statement.read(Protocol)
    return RegistrationSection(
        record=record.digest,
        sequence=record.sequence,
        logged_at=record.logged_at,
        registered_by=registered.actor,
        cosigned_by=tuple(sorted(cosigners(parts.checkpoint, registry.root))),
        cosigned_checkpoint_size=open_enrolled(parts.checkpoint, registry.root).size,
        first_run_started_at=parts.first_run.at,
    )


def _environment(parts: ReportParts) -> EnvironmentSection:
    return EnvironmentSection(
        host_version=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cpus=os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        engine=f"{parts.engine.name} {parts.engine.version}",
        plugin_environment=parts.environment,
        gpus=parts.gpus,
    )


def _attempts(registry: Registry, parts: ReportParts) -> tuple[AttemptSection, ...]:
    """Every execution against this kit in this registry, of any release, the present one included."""
    verdicts = {
        report.validation: report.verdict
        for record in registry.records(ValidationReport.predicate_type)
        for report in [record.statement.read(ValidationReport)]
    }
    verdicts[parts.validation] = parts.verdict.verdict
    found = []
    for record in registry.records(ValidationStarted.predicate_type):
        started = record.statement.read(ValidationStarted)
        kit = registry.log.record(started.protocol).statement.read(Protocol)
        if kit.kit != parts.folder.kit.id:
            continue
        release = registry.log.record(started.release).statement.read(Release)
        found.append(
            AttemptSection(
                validation=started.validation,
                attempt=started.attempt,
                plugin=release.plugin,
                version=release.version,
                started_at=started.at,
                finished=started.validation in verdicts,
                verdict=verdicts.get(started.validation, "no report"),
            )
        )
    return tuple(found)


def _limitations(parts: ReportParts) -> tuple[str, ...]:
    """What the numbers do not show, said in the report itself."""
    subjects = len({section.row.subject for section in parts.cases})
    lines = [
        "Runs of this kit that were not recorded here (elsewhere, or by an author on a bench) cannot be excluded.",
        "A performance qualification at the customer's own site is not part of this report.",
    ]
    if parts.folder.kit.evidence != "patient":
        lines.insert(
            0,
            f"All cases are {parts.folder.kit.evidence} from {subjects} independent subject(s): they show how the "
            "algorithm answers to known changes of one image, not how it performs in patients. No interval is given.",
        )
    if parts.subset == "smoke":
        lines.insert(
            0, "Only the kit's smoke subset ran: this report proves the path, and supports no claim."
        )
    return tuple(lines)
