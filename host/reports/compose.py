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
from host.reports.ledger import KitLedger, counted, deviation_sections
from host.reports.model import (
    CaseSection,
    EnvironmentSection,
    FlowSection,
    KitSection,
    RegistrationSection,
    ReleaseSection,
    Report,
)
from host.reports.observed import observed_rows
from host.reports.order import prove
from host.reports.sections import (
    InstallationCheck,
    InterruptedRun,
    LeakSection,
    ReaderSection,
    SamenessRow,
    SelfTestSection,
)
from host.reports.sensitivity import sensitivity
from host.reports.version_delta import EarlierRelease, version_delta
from host.validation.verdict import Verdict
from registry.order import KINDS, Order, order_of
from registry.plans import read_plan
from registry.registry import Registry
from registry.statements import Release, RunStarted, ValidationStarted
from registry.witness import cosigners


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
    engine: EngineInfo
    environment: dict[str, str]
    gpus: tuple[str, ...]
    cases: tuple[CaseSection, ...]
    verdict: Verdict
    leak: LeakSection | None = None
    readers: ReaderSection | None = None
    checks: tuple[InstallationCheck, ...] = ()
    self_test: SelfTestSection | None = None
    sameness: tuple[SamenessRow, ...] = ()
    interruptions: tuple[InterruptedRun, ...] = ()
    earlier: EarlierRelease | None = None


def compose(registry: Registry, parts: ReportParts) -> Report:
    """Write the report as data; the renderings follow from it."""
    rows = observed_rows(parts.folder.protocol, parts.cases)
    order = order_of(registry.records(KINDS), registry.roots, parts.validation)
    ledger = KitLedger(registry, parts.folder.kit.id)
    return Report(
        validation=parts.validation,
        subset=parts.subset,
        started_at=parts.started_at,
        finished_at=parts.finished_at,
        executed_by=parts.executed_by,
        release=_release(registry, parts.release),
        kit=_kit(parts.folder),
        protocol=parts.folder.protocol,
        registration=_registration(registry, order),
        environment=_environment(parts),
        flow=FlowSection.of([section.row for section in parts.cases]),
        cases=parts.cases,
        verdict=parts.verdict,
        attempts=ledger.attempts(up_to=order.started, verdict=parts.verdict.verdict),
        limitations=_limitations(parts),
        leak=parts.leak,
        readers=parts.readers,
        analyses=analyse(parts.folder.protocol, rows),
        sensitivity=sensitivity(parts.folder.protocol, rows, parts.verdict),
        installation_checks=parts.checks,
        self_test=parts.self_test,
        order_proof=prove(registry, order, parts.folder.contents["protocol.toml"], ledger.first_runs[:1]),
        deviations=deviation_sections(order, parts.folder.protocol, counted(ledger.first_runs)),
        sameness=parts.sameness,
        interruptions=parts.interruptions,
        version_delta=version_delta(parts.folder.protocol, parts.cases, parts.verdict, parts.earlier)
        if parts.earlier is not None
        else None,
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


def _registration(registry: Registry, order: Order) -> RegistrationSection:
    plan, started = order.plans[-1], order.started.statement.read(ValidationStarted)
    root = registry.roots.at(order.started.sequence)
    return RegistrationSection(
        record=plan.digest,
        sequence=plan.sequence,
        logged_at=plan.logged_at,
        registered_by=read_plan(plan.statement).actor,
        cosigned_by=tuple(sorted(cosigners(started.checkpoint, root))),
        cosigned_checkpoint_size=order.covered,
        first_run_started_at=order.first_run.statement.read(RunStarted).at,
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
