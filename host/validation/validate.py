"""Validate a release against a registered kit: every case, failures counted, one report.

Invariants
----------
* Nothing runs unless the protocol's bytes were logged before, under a checkpoint that somebody other than the
  executor cosigned.
* Each attempt is logged when it starts; one that never ends stays in the ledger and in later reports, and may go on
  under its own number.
* The verdict is computed from the results table and the registered protocol alone.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from host import __version__, extensions
from host.case_size import require_room
from host.crew import Crew
from host.engines.interface import Engine
from host.errors import KitFitError
from host.gpu.grant import require_gpu
from host.home import Home, now
from host.images.load import have_image
from host.kits.cases import KitCase
from host.kits.data import ensure_data
from host.kits.identifiers import dicom_uids
from host.kits.kit import KitFolder
from host.kits.leak import find_leaks, require_no_leak
from host.kits.places import PlacedCase, place
from host.kits.readers import reader_section
from host.machine import Room, this_machine
from host.perturbations.cases import PerturbedCase
from host.perturbations.copies import CopyMaker
from host.perturbations.fit import check_perturbations
from host.records import RunContext
from host.releases import InstalledRelease
from host.reports.compose import ReportParts, compose
from host.reports.pdf.render import require_pdf
from host.reports.sections import LeakSection, ReaderSection, SamenessRow
from host.run_ledger import RunLedger
from host.sameness.engines import Connect, EngineFinder
from host.stored_outputs import StoredOutputs
from host.validation.attempt import Attempt, Executor, Plan, Validated, begin, go_on, publish
from host.validation.comparisons import Comparing, wanted, warm_agreement
from host.validation.fit import check_fit
from host.validation.installation import Installation, examine
from host.validation.locked import find_locked
from host.validation.preregistration import find_protocol
from host.validation.recorded_runs import ValidationRuns, interruptions
from host.validation.resume import NO_RUNS, Conditions, Stopped, require_unchanged
from host.validation.session import KitSession, Progress, SessionParts
from host.validation.verdict import evaluate
from host.warm.declared import require_declared
from host.warm.memory import MemoryProbe, peer_memory
from registry.registry import Registry
from registry.statements import Subset


@dataclass(frozen=True)
class Asked:
    """What somebody asks of a validation.

    Attributes
    ----------
    smoke : bool
        Only the kit's smoke subset.
    jobs : int
        How many cases at a time, where the machine has room for them.
    warm : bool
        Every case in warm containers too, to report how they agree with the fresh ones. The verdict rests on the fresh
        runs.
    against, trial : str
        The earlier report to compare with, or the trial whose lock names its release.
    stopped : Stopped or None
        A validation to go on with; what was asked then is asked again.
    pdf : bool
        The report printed as PDF too, which its e-signatures are then shown in.
    """

    smoke: bool = False
    jobs: int = 1
    warm: bool = False
    against: str = ""
    trial: str = ""
    stopped: Stopped | None = None
    pdf: bool = True

    @classmethod
    def again(cls, stopped: Stopped, *, jobs: int = 1, pdf: bool = True) -> "Asked":
        """What was asked when a validation began."""
        started = stopped.started
        return cls(stopped.smoke, jobs, started.warm, started.against or "", "", stopped, pdf)


def validate(
    home: Home,
    registry: Registry,
    engine: Engine,
    *,
    release: InstalledRelease,
    folder: KitFolder,
    executor: Executor,
    asked: Asked,
    progress: Progress,
    probe: MemoryProbe = peer_memory,
    connect: Connect = extensions.connect,
) -> Validated:
    """Run every case of a kit and log the report.

    Parameters
    ----------
    asked : Asked
        Which cases, how many at a time, and what is compared.
    probe : callable, optional
        Reads the memory of warm containers.
    connect : callable, optional
        From a name to the other engine that a protocol wants cases to run on.

    Raises
    ------
    KitFitError, KitDigestError, NotPreregisteredError, GpuUnsuitableError, MachineTooSmallError, WarmUndeclaredError,
    EarlierReportError, ResumeError
        Before anything runs.
    KitLeakError
        The release declares that it learnt from what the kit holds; nothing ran.
    ImageTamperedError
        What an engine holds was edited; nothing ran.
    ReportPdfError
        Pages cannot be printed on this machine; nothing ran.
    EngineError
        The engine failed; the attempt stays in the ledger without a report, and may go on.
    """
    if asked.pdf:
        require_pdf()
    ground = _Ground(home, registry, engine, release, folder, executor, asked, progress)
    with registry.refusals_logged("validation-started", executor.person):
        room = Room(this_machine())
        plan, installation = _plan(ground, room)
        data = ensure_data(home, folder, engine, say=progress.say)
        leak = find_leaks(folder, release.manifest, dicom_uids(folder, data))
        require_no_leak(folder, release.manifest, leak)
    placed = _placed(ground, plan.cases, data, room)
    stopped = asked.stopped
    attempt = (
        go_on(stopped, plan) if stopped is not None else begin(registry, release, folder, executor, plan)
    )
    crew = Crew(engine, home.runs, release, room, jobs=asked.jobs, say=progress.say, probe=probe)
    try:
        with ExitStack() as held:
            work = _Work.begun(ground, attempt, crew, placed, connect=connect, held=held)
            return work.reported(installation, leak, reader_section(folder, data))
    except BaseException:
        progress.say(f"not finished; go on with: assay validate --resume {attempt.id} --as {executor.person}")
        raise


@dataclass(frozen=True)
class _Ground:
    """What a validation stands on."""

    home: Home
    registry: Registry
    engine: Engine
    release: InstalledRelease
    folder: KitFolder
    executor: Executor
    asked: Asked
    progress: Progress


def _plan(ground: _Ground, room: Room) -> tuple[Plan, Installation]:
    """What will run, once everything was looked at that can refuse it."""
    registry, release, folder, asked = ground.registry, ground.release, ground.folder, ground.asked
    check_fit(release.manifest, folder)
    check_perturbations(release.manifest, folder)
    cases = folder.selected(smoke=asked.smoke)
    if not cases:
        raise KitFitError(f"{folder.path / 'cases.csv'}: no case is marked smoke", subject=folder.kit.id)
    require_gpu(release.manifest.resources.gpu)
    have_image(ground.engine, release, registry.blobs, work=ground.home.runs, say=ground.progress.say)
    installation = examine(
        ground.home, registry, ground.engine, release=release, room=room, say=ground.progress.say
    )
    compared = wanted(folder, warm=asked.warm)
    if any(one.kind == "warm" for one in compared):
        require_declared(release.manifest)
    protocol, checkpoint = find_protocol(registry, folder, executor=ground.executor.person)
    locked = None
    if asked.against or asked.trial:
        locked = find_locked(registry, folder, release, report=asked.against, trial=asked.trial)
    if asked.stopped is not None:
        info = ground.engine.describe()
        engine = f"{info.name} {info.version}"
        conditions = Conditions(ground.executor.person, release.record, protocol.digest, engine)
        require_unchanged(registry, asked.stopped, conditions)
    subset: Subset = "smoke" if asked.smoke else "whole kit"
    return Plan(protocol, checkpoint, subset, cases, compared, asked.warm, locked), installation


def _placed(ground: _Ground, cases: Sequence[KitCase], data: Path, room: Room) -> dict[str, PlacedCase]:
    """Every case with its files, perturbed copies made: a kit at fault is no attempt of the release."""
    manifest, progress = ground.release.manifest, ground.progress
    maker = CopyMaker(ground.home, manifest, data, progress.say, progress.cancelled)
    copies = maker.make([one for one in cases if isinstance(one, PerturbedCase)])
    placed = {one.case_id: copies.get(one.case_id) or place(one, data) for one in cases}
    for case_id, one in placed.items():
        require_room(room, manifest, case_id, one.request(manifest).files)
    return placed


@dataclass(frozen=True)
class _Work:
    """A validation under way: what runs its cases and comparisons."""

    ground: _Ground
    attempt: Attempt
    session: KitSession
    comparing: Comparing
    crew: Crew
    runs: ValidationRuns
    began: datetime

    @classmethod
    def begun(
        cls,
        ground: _Ground,
        attempt: Attempt,
        crew: Crew,
        placed: Mapping[str, PlacedCase],
        *,
        connect: Connect,
        held: ExitStack,
    ) -> "_Work":
        """Set everything up that the runs need; it is let go with ``held``."""
        registry, release, plan, say = ground.registry, ground.release, attempt.plan, ground.progress.say
        runs = ground.asked.stopped.runs(registry) if ground.asked.stopped is not None else NO_RUNS
        context = _context(registry, ground.engine, attempt)
        ledger = RunLedger(ground.home, registry, ground.engine, context, say=say)
        links = Path(held.enter_context(TemporaryDirectory(dir=ground.home.runs)))
        stored = StoredOutputs(registry.blobs, release.manifest, links)
        finder = EngineFinder(ground.engine, release, registry.blobs, ground.home.runs, connect, say)
        others = held.enter_context(finder.found(plan.compared))
        held.enter_context(registry.log.database.kept_open())
        parts = SessionParts(
            folder=ground.folder,
            release=release,
            ledger=ledger,
            stored=stored,
            links=links,
            placed=placed,
            locked=plan.locked.answers(links) if plan.locked is not None else None,
            recorded={case: stored.recorded(run.started, run.finished) for case, run in runs.own.items()},
        )
        session = KitSession(parts)
        comparing = Comparing(session, crew, ledger, context, stored, others, runs)
        return cls(ground, attempt, session, comparing, crew, runs, now())

    def reported(
        self, installation: Installation, leak: LeakSection, readers: ReaderSection | None
    ) -> Validated:
        """Run what has not run yet, and log the report."""
        ground, plan = self.ground, self.attempt.plan
        self.session.run_all(self.crew, ground.progress)
        rows = self.comparing.all(plan.compared, ground.progress)
        ground.progress.say("draw the figures and write the report")
        parts = replace(
            self._parts(rows),
            leak=leak,
            readers=readers,
            checks=installation.checks,
            self_test=installation.self_test,
        )
        report = compose(ground.registry, parts)
        warm = warm_agreement(plan.compared, rows)
        return publish(
            ground.registry,
            report,
            self.session.images,
            self.attempt,
            ground.executor,
            warm=warm,
            pdf=ground.asked.pdf,
        )

    def _parts(self, comparisons: Sequence[SamenessRow]) -> ReportParts:
        """What the report is composed of, once every case has run."""
        session, attempt = self.session, self.attempt
        sections = session.sections(comparisons)
        return ReportParts(
            validation=attempt.id,
            subset=attempt.plan.subset,
            started_at=self.began.isoformat(timespec="seconds"),
            finished_at=now().isoformat(timespec="seconds"),
            executed_by=self.ground.executor.person,
            release=session.release,
            folder=session.folder,
            engine=self.ground.engine.describe(),
            environment=session.environment(),
            gpus=session.gpus(),
            cases=sections,
            verdict=evaluate(session.folder.protocol, [section.row for section in sections]),
            sameness=tuple(comparisons),
            interruptions=interruptions(self.runs),
            earlier=attempt.plan.locked.described if attempt.plan.locked is not None else None,
        )


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
