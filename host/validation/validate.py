"""Validate a release against a registered kit: every case, failures counted, one report.

Invariants
----------
* Nothing runs unless the protocol's bytes were logged before, under a checkpoint that somebody other than the
  executor cosigned.
* Each attempt is logged when it starts; one that never ends stays in the ledger and in later reports.
* The verdict is computed from the results table and the registered protocol alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from host import __version__
from host.case_size import require_room
from host.crew import Crew
from host.engines.interface import Engine, EngineInfo
from host.errors import KitFitError
from host.gpu.grant import require_gpu
from host.home import Home, now
from host.images.load import have_image
from host.kits.cases import KitCase
from host.kits.data import ensure_data
from host.kits.identifiers import dicom_uids
from host.kits.kit import KitFolder
from host.kits.leak import find_leaks, require_no_leak
from host.kits.readers import reader_section
from host.machine import Room, this_machine
from host.records import RunContext
from host.releases import InstalledRelease
from host.reports.compose import ReportParts, compose
from host.reports.model import WarmSection
from host.reports.pdf.render import require_pdf
from host.reports.sections import LeakSection
from host.run_ledger import RunLedger
from host.validation.attempt import Attempt, Executor, Plan, Validated, begin, publish
from host.validation.fit import check_fit
from host.validation.installation import examine
from host.validation.preregistration import find_protocol
from host.validation.session import KitSession, Progress
from host.validation.verdict import evaluate
from host.warm.declared import require_declared
from host.warm.memory import MemoryProbe, peer_memory
from registry.registry import Registry


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
    pdf: bool = True,
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
    pdf : bool, optional
        Whether to print the report as PDF too, which its e-signatures are then shown in.
    probe : callable, optional
        Reads the memory of warm containers.

    Raises
    ------
    KitFitError, KitDigestError, NotPreregisteredError, GpuUnsuitableError, MachineTooSmallError, WarmUndeclaredError
        Before anything runs.
    KitLeakError
        The release declares that it learnt from what the kit holds; nothing ran.
    ImageTamperedError
        What the engine holds was edited; nothing ran.
    ReportPdfError
        Pages cannot be printed on this machine; nothing ran.
    EngineError
        The engine failed; the attempt stays in the ledger without a report.
    """
    if pdf:
        require_pdf()
    with registry.refusals_logged("validation-started", executor.person):
        cases = _fitting_cases(release, folder, smoke=smoke)
        require_gpu(release.manifest.resources.gpu)
        have_image(engine, release, registry.blobs, work=home.runs, say=progress.say)
        room = Room(this_machine())
        installation = examine(home, registry, engine, release=release, room=room, say=progress.say)
        if warm:
            require_declared(release.manifest)
        protocol, checkpoint = find_protocol(registry, folder, executor=executor.person)
        data = ensure_data(home, folder, engine, say=progress.say)
        leak = find_leaks(folder, release.manifest, dicom_uids(folder, data))
        require_no_leak(folder, release.manifest, leak)
    plan = Plan(protocol, checkpoint, "smoke" if smoke else "whole kit", cases)
    attempt = begin(registry, release, folder, executor, plan)
    began = now()
    context = _context(registry, engine, attempt)
    session = KitSession(folder, release, data, RunLedger(home, registry, engine, context, say=progress.say))
    crew = Crew(engine, home.runs, release, room, jobs=jobs, say=progress.say, probe=probe)
    for case in cases:
        require_room(room, release.manifest, case.case_id, session.request(case).files)
    with registry.log.database.kept_open():
        session.run_all(crew, cases, progress)
        equality = session.compare_warm(crew, registry, progress) if warm else None
    parts = _parts(session, attempt, executor, began=began, engine=context.engine, warm=equality, leak=leak)
    readers = reader_section(folder, data)
    parts = replace(parts, checks=installation.checks, self_test=installation.self_test, readers=readers)
    progress.say("draw the figures and write the report")
    return publish(registry, compose(registry, parts), session.images(registry), attempt, executor, pdf=pdf)


def _fitting_cases(release: InstalledRelease, folder: KitFolder, *, smoke: bool) -> Sequence[KitCase]:
    """The cases to run, of a kit that the release fits."""
    check_fit(release.manifest, folder)
    cases = folder.selected(smoke=smoke)
    if not cases:
        raise KitFitError(f"{folder.path / 'cases.csv'}: no case is marked smoke", subject=folder.kit.id)
    return cases


def _context(registry: Registry, engine: Engine, attempt: Attempt) -> RunContext:
    return RunContext(
        actor=registry.node_id,
        role="log",
        purpose="validation",
        reason=f"validation {attempt.id}, attempt {attempt.number}",
        engine=engine.describe(),
        host_version=__version__,
        validation=attempt.id,
    )


def _parts(
    session: KitSession,
    attempt: Attempt,
    executor: Executor,
    *,
    began: datetime,
    engine: EngineInfo,
    warm: WarmSection | None,
    leak: LeakSection,
) -> ReportParts:
    """What the report is composed of, once every case has run."""
    return ReportParts(
        validation=attempt.id,
        subset=attempt.plan.subset,
        started_at=began.isoformat(timespec="seconds"),
        finished_at=now().isoformat(timespec="seconds"),
        executed_by=executor.person,
        release=session.release,
        folder=session.folder,
        engine=engine,
        environment=session.environment(),
        gpus=session.gpus(),
        cases=tuple(session.sections),
        verdict=evaluate(session.folder.protocol, [section.row for section in session.sections]),
        warm=warm,
        leak=leak,
    )
