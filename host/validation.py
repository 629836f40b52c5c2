"""Validate a release against a registered kit: every case, failures counted, one report.

Invariants
----------
* Nothing runs unless the protocol's bytes were logged before, under a checkpoint that somebody other than the
  executor cosigned.
* Each attempt is logged when it starts; one that never ends stays in the ledger and in later reports.
* The verdict is computed from the results table and the registered protocol alone.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from host import __version__
from host.case_size import require_room
from host.crew import Crew
from host.engines.interface import Engine
from host.errors import KitDigestError, KitFitError
from host.gpu.grant import require_gpu
from host.home import Home, now, random_bytes
from host.kit_data import ensure_data
from host.kit_session import CaseImagesOf, KitSession, Progress
from host.kits import KitFolder
from host.machine import Room, this_machine
from host.planning import plan_limits
from host.records import RunContext
from host.releases import InstalledRelease
from host.reports.compose import ReportParts, compose
from host.reports.html import render
from host.reports.model import Report
from host.reports.pictures import draw
from host.reports.write import report_bytes
from host.run_ledger import RunLedger
from host.scoring import check_fit
from host.verdict import evaluate
from host.warm.declared import require_declared
from host.warm.memory import MemoryProbe, peer_memory
from registry.errors import NotPreregisteredError, UnknownRecordError
from registry.keys import Signer
from registry.log import Record
from registry.registry import Registry
from registry.statements import FileRef, Protocol, RunStarted, Subset, ValidationReport, ValidationStarted


@dataclass(frozen=True)
class Executor:
    """The person who runs the validation: enrolled id, the role they act in, and their key."""

    person: str
    role: str
    signer: Signer


@dataclass(frozen=True)
class Plan:
    """What will run: the registered protocol, the cosigned checkpoint over it, and how many cases."""

    protocol: Record
    checkpoint: str
    subset: Subset
    cases: int


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


def find_protocol(registry: Registry, folder: KitFolder, *, executor: str) -> tuple[Record, str]:
    """The registered protocol with this kit's digests, and a checkpoint over it that somebody else cosigned.

    Raises
    ------
    NotPreregisteredError
        The kit as it lies on disk was never registered, or nobody but the executor cosigned.
    """
    for record in registry.records(Protocol.predicate_type):
        protocol = record.statement.read(Protocol)
        same_files = (protocol.kit_digest, protocol.protocol_digest) == (
            folder.kit_digest,
            folder.protocol_digest,
        )
        if (protocol.kit, protocol.version) == (folder.kit.id, folder.kit.version) and not same_files:
            raise KitDigestError(
                f"{folder.path} is not the {folder.kit.id} {folder.kit.version} that was registered: "
                f"its files were changed after {record.logged_at}",
                subject=folder.kit.id,
                hint="restore the registered files, or raise the kit's version and register it",
            )
        if same_files:
            return record, _cosigned(registry, record, executor)
    raise NotPreregisteredError(
        f"the protocol of {folder.kit.id} {folder.kit.version} is not registered as it lies in {folder.path}",
        subject=folder.kit.id,
        hint=f"assay kit register {folder.path} --as PERSON, where PERSON is not who runs the validation",
    )


def _cosigned(registry: Registry, protocol: Record, executor: str) -> str:
    try:
        return registry.checkpoint_covering(protocol.digest, cosigned_by_other_than=executor)
    except UnknownRecordError as error:
        raise NotPreregisteredError(
            f"nobody but {executor} cosigned the log since the protocol was registered",
            subject=protocol.digest,
            hint="somebody other than who runs the validation registers the kit: assay kit register",
        ) from error


def validate(
    home: Home,
    registry: Registry,
    engine: Engine,
    *,
    release: InstalledRelease,
    folder: KitFolder,
    executor: Executor,
    smoke: bool,
    progress: Progress,
    jobs: int = 1,
    warm: bool = False,
    probe: MemoryProbe = peer_memory,
) -> Validated:
    """Run every case of a kit and log the report.

    Parameters
    ----------
    jobs : int, optional
        How many cases at a time, where the machine has room for them.
    warm : bool, optional
        Whether to run every case in warm containers too, and to report how they agree with the fresh ones. The verdict
        rests on the fresh runs.
    probe : callable, optional
        Reads the memory of warm containers.

    Raises
    ------
    KitFitError, KitDigestError, NotPreregisteredError, GpuUnsuitableError, MachineTooSmallError, WarmUndeclaredError
        Before anything runs.
    ImageTamperedError
        What the engine holds was edited; nothing ran.
    EngineError
        The engine failed; the attempt stays in the ledger without a report.
    """
    selected = folder.selected(smoke=smoke)
    subset: Subset = "smoke" if smoke else "whole kit"
    with registry.refusals_logged("validation-started", executor.person):
        check_fit(release.manifest, folder)
        if not selected:
            raise KitFitError(f"{folder.path / 'cases.csv'}: no case is marked smoke", subject=folder.kit.id)
        require_gpu(release.manifest.resources.gpu)
        engine.verify(release.image, registry.blobs.path)
        room = Room(this_machine())
        room.require(plan_limits(release.manifest, 0), release.title)
        if warm:
            require_declared(release.manifest)
        protocol, checkpoint = find_protocol(registry, folder, executor=executor.person)
    attempt = _begin(registry, release, folder, executor, Plan(protocol, checkpoint, subset, len(selected)))
    began = now()
    data = ensure_data(home, folder, engine, say=progress.say)
    context = RunContext(
        actor=registry.node_id,
        role="log",
        purpose="validation",
        reason=f"validation {attempt.id}, attempt {attempt.number}",
        engine=engine.describe(),
        host_version=__version__,
        validation=attempt.id,
    )
    session = KitSession(folder, release, data, RunLedger(home, registry, engine, context, say=progress.say))
    crew = Crew(engine, home.runs, release, room, jobs=jobs, say=progress.say, probe=probe)
    for case in selected:
        require_room(room, release.manifest, case.case_id, session.request(case).files)
    with registry.log.database.kept_open():
        session.run_all(crew, selected, progress)
        equality = session.compare_warm(crew, registry, progress) if warm else None
    parts = ReportParts(
        validation=attempt.id,
        subset=subset,
        started_at=began.isoformat(timespec="seconds"),
        finished_at=now().isoformat(timespec="seconds"),
        executed_by=executor.person,
        release=release,
        folder=folder,
        protocol_record=attempt.plan.protocol,
        checkpoint=attempt.plan.checkpoint,
        first_run=session.runs[0].started.statement.read(RunStarted),
        engine=context.engine,
        environment=session.environment(),
        gpus=session.gpus(),
        cases=tuple(session.sections),
        verdict=evaluate(folder.protocol, [section.row for section in session.sections]),
        warm=equality,
    )
    progress.say("draw the figures and write the report")
    return _publish(registry, compose(registry, parts), session.images(registry), attempt, executor)


def _begin(
    registry: Registry, release: InstalledRelease, folder: KitFolder, executor: Executor, plan: Plan
) -> Attempt:
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
            cases=plan.cases,
            checkpoint=plan.checkpoint,
        ),
        executor.signer,
    )
    return Attempt(validation, number, started, plan)


def _publish(
    registry: Registry, report: Report, images: CaseImagesOf, attempt: Attempt, executor: Executor
) -> Validated:
    """Render, store and log the report; the signed record names both renderings."""
    with TemporaryDirectory() as links:
        figures = draw(report, lambda case_id: images(case_id, Path(links)))
    html = _stored(registry, "report.html", render(report, figures))
    final = report.model_copy(update={"renderings": (html,)})
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
            verdict=report.verdict.verdict,
            evidence=report.kit.evidence,
            subset=attempt.plan.subset,
            cases=attempt.plan.cases,
            host_version=__version__,
            warm=report.warm.agreement if report.warm else None,
        ),
        executor.signer,
        [("release", report.release.record), ("report.json", json_file.digest), ("report.html", html.digest)],
    )
    return Validated(final, record)


def _stored(registry: Registry, name: str, data: bytes) -> FileRef:
    stored = registry.blobs.put_bytes(data)
    return FileRef(name=name, digest=stored.digest, bytes=stored.bytes)
