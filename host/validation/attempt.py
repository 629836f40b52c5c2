"""An attempt at a validation: logged before its first case, and ended by a logged report.

Invariants
----------
* An attempt keeps its number in the ledger, whether it ever ends or not.
* The signed record of a report names all of its renderings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from host import __version__
from host.home import now, random_bytes
from host.kits.cases import KitCase
from host.kits.kit import KitFolder
from host.releases import InstalledRelease
from host.reports.html import render
from host.reports.model import Report
from host.reports.pdf.agreement import print_page
from host.reports.pictures import draw
from host.reports.write import report_bytes
from host.sameness.declared import Sameness
from host.validation.locked import LockedRelease
from host.validation.resume import Stopped
from host.validation.session import CaseImagesOf
from registry.keys import Signer
from registry.log import Record
from registry.registry import Registry
from registry.statements import Agreement, FileRef, Subset, ValidationReport, ValidationStarted


@dataclass(frozen=True)
class Executor:
    """The person who runs the validation: enrolled id, the role they act in, and their key."""

    person: str
    role: str
    signer: Signer


@dataclass(frozen=True)
class Plan:
    """What will run.

    Attributes
    ----------
    protocol, checkpoint
        The registered protocol, and the cosigned checkpoint over it.
    cases : sequence of KitCase
        Perturbed copies included.
    compared : sequence of Sameness
        Comparisons, declared or asked for.
    warm : bool
        Whether warm containers were asked for beside the protocol.
    locked : LockedRelease or None
        The release to compare with.
    """

    protocol: Record
    checkpoint: str
    subset: Subset
    cases: Sequence[KitCase]
    compared: Sequence[Sameness] = ()
    warm: bool = False
    locked: LockedRelease | None = None


@dataclass(frozen=True)
class Attempt:
    """A validation under way: what was logged before its first case."""

    id: str
    number: int
    started: Record
    plan: Plan


@dataclass(frozen=True)
class Validated:
    """A finished validation: the report and the record that pins it."""

    report: Report
    record: Record


def begin(
    registry: Registry, release: InstalledRelease, folder: KitFolder, executor: Executor, plan: Plan
) -> Attempt:
    """Log that a validation starts, and which attempt at this protocol it is."""
    earlier = [
        r.statement.read(ValidationStarted) for r in registry.records(ValidationStarted.predicate_type)
    ]
    number = 1 + sum((one.release, one.protocol) == (release.record, plan.protocol.digest) for one in earlier)
    validation = random_bytes(8).hex()
    started = registry.act(
        ValidationStarted(
            actor=executor.person,
            role=executor.role,
            at=now().isoformat(timespec="milliseconds"),
            reason=f"validate {release.title} on {folder.kit.id} {folder.kit.version}",
            validation=validation,
            release=release.record,
            protocol=plan.protocol.digest,
            attempt=number,
            subset=plan.subset,
            cases=len(plan.cases),
            checkpoint=plan.checkpoint,
            warm=plan.warm,
            against=plan.locked.record.digest if plan.locked is not None else None,
        ),
        executor.signer,
    )
    return Attempt(validation, number, started, plan)


def go_on(stopped: Stopped, plan: Plan) -> Attempt:
    """The attempt that was stopped, under its own number."""
    return Attempt(stopped.started.validation, stopped.started.attempt, stopped.record, plan)


def publish(
    registry: Registry,
    report: Report,
    images: CaseImagesOf,
    attempt: Attempt,
    executor: Executor,
    *,
    warm: Agreement | None,
    pdf: bool,
) -> Validated:
    """Render, store and log the report; the signed record names every rendering.

    Parameters
    ----------
    warm : Agreement or None
        What was found of warm containers, where every case ran in one.
    pdf : bool
        Whether to print the report as PDF too.
    """
    page = render(report, draw(report, images))
    html = _stored(registry, "report.html", page)
    printed = _stored(registry, "report.pdf", print_page(report, page)) if pdf else None
    final = report.model_copy(update={"renderings": (html, printed) if printed else (html,)})
    json_file = _stored(registry, "report.json", report_bytes(final))
    record = registry.act(
        ValidationReport(
            actor=executor.person,
            role=executor.role,
            at=now().isoformat(timespec="milliseconds"),
            reason=f"report of validation {attempt.id}",
            validation=attempt.id,
            started=attempt.started.digest,
            release=report.release.record,
            protocol=attempt.plan.protocol.digest,
            report_json=json_file,
            report_html=html,
            report_pdf=printed,
            verdict=report.verdict.verdict,
            evidence=report.kit.evidence,
            subset=attempt.plan.subset,
            cases=len(attempt.plan.cases),
            host_version=__version__,
            warm=warm,
        ),
        executor.signer,
        [
            ("release", report.release.record),
            *((file.name, file.digest) for file in (json_file, html, printed) if file),
        ],
    )
    return Validated(final, record)


def _stored(registry: Registry, name: str, data: bytes) -> FileRef:
    stored = registry.blobs.put_bytes(data)
    return FileRef(name=name, digest=stored.digest, bytes=stored.bytes)
