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
from host.reports.subject import kit_section, limitations, release_section
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
        kit=kit_section(parts.folder),
        protocol=parts.folder.protocol,
        registration=_registration(registry, order),
        environment=_environment(parts),
        flow=FlowSection.of([section.row for section in parts.cases]),
        cases=parts.cases,
        verdict=parts.verdict,
        attempts=ledger.attempts(up_to=order.started, verdict=parts.verdict.verdict),
        limitations=limitations(
            parts.folder, [section.row for section in parts.cases], smoke=parts.subset == "smoke"
        ),
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
    return release_section(registry, release.record, signed, release.manifest)


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
