"""Runs as the log sees them: started before the container starts, finished whatever happens, never half.

Invariants
----------
* A run-started record is durable before its container exists; a run without an end is visible and is closed, as
  interrupted, by the next command that runs cases in the same home.
* The records of one node form a chain (``chain``, ``previous``) without gaps, however many runs are under way: one is
  written at a time.
* Outputs and log are in the blob store before the record that names them.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Lock

from host.crew import Place
from host.engines.interface import Engine
from host.engines.owner import owner_labels
from host.errors import GpuUnsuitableError, MachineTooSmallError, RunCancelledError
from host.execution import CaseRequest, Execution, PreparedRun, execute, prepare, with_gpu
from host.home import Home, now, random_bytes
from host.leftovers import clear_dead
from host.plugins import PluginCatalogue
from host.records import Again, ChainLink, RunContext, run_finished, run_interrupted, run_started
from host.releases import InstalledRelease
from host.staging import RunFolder
from plugin_spec.errors import AssayError, EngineError, InputError, TrustError
from registry.blobs import chunks
from registry.canonical import Digest
from registry.log import Record
from registry.registry import Registry
from registry.statements import Container, RunFinished, RunStarted


@dataclass(frozen=True)
class RecordedRun:
    """A finished run: its records, and what it left."""

    started: Record
    finished: Record
    record: RunFinished
    execution: Execution


class RunLedger:
    """Runs cases of one command and keeps their records. Hold ``Home.running`` while using it; safe for threads."""

    def __init__(
        self,
        home: Home,
        registry: Registry,
        engine: Engine,
        context: RunContext,
        *,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._say = say
        self._home = home
        self._registry = registry
        self._engine = engine
        self._context = context
        self._catalogue = PluginCatalogue()
        self._writing = Lock()

    def on(self, engine: Engine, context: RunContext) -> "RunLedger":
        """The ledger of the same command for runs on another engine; records still come one at a time."""
        other = RunLedger(self._home, self._registry, engine, context, say=self._say)
        other._writing = self._writing
        return other

    def run(
        self,
        release: InstalledRelease,
        request: CaseRequest,
        *,
        subject: str,
        visit: str,
        cancelled: Callable[[], bool],
        place: Place | None = None,
        again: Again | None = None,
    ) -> RecordedRun:
        """Run one case and log its start and its end.

        Parameters
        ----------
        release, request
            What to run, and on what.
        subject, visit : str
            Pseudonymous identifiers.
        cancelled : callable
            Asked while the container runs.
        place : Place, optional
            Where a worker of a crew runs its cases: it has room for them, and may hold a warm container and a GPU. By
            default the case runs in a fresh container, whatever else runs.
        again : Again, optional
            The comparison that it is made for; by default the run is the case's own.

        Raises
        ------
        InputError
            The request does not fit the manifest, or a file is missing; the refusal is logged, without the path.
        GpuUnsuitableError, MachineTooSmallError
            Nothing of this machine fits; the refusal is logged, the run is not.
        EngineError
            The engine failed; the run is logged as failed with the reason ``engine-failed``.
        """
        run_id = random_bytes(8).hex()
        folder = RunFolder.create(self._home.runs / run_id)
        try:
            staged = self._prepare(release, request, folder, run_id)
            for listing in staged.listings:
                self._registry.blobs.put_bytes(listing)
            with self._machine(staged, cancelled, place) as prepared:
                started = self._log_start(prepared, subject=subject, visit=visit, place=place, again=again)
                execution = self._execute(prepared, started, cancelled, place)
            return self._finish(prepared, execution, started)
        finally:
            folder.remove() if place is None else place.remove(folder)

    def _prepare(
        self, release: InstalledRelease, request: CaseRequest, folder: RunFolder, run_id: str
    ) -> PreparedRun:
        try:
            return prepare(release, request, folder, run_id=run_id)
        except InputError as error:
            # A path may hold a name: the operator sees it, the record does not.
            scrubbed = type(error)("an input cannot be used; its path is not kept", subject=request.case_id)
            self._refuse(scrubbed, request.case_id)
            raise

    @contextmanager
    def _machine(
        self, staged: PreparedRun, cancelled: Callable[[], bool], place: Place | None
    ) -> Iterator[PreparedRun]:
        """Hold the run's room and GPU; what is refused here was never started, and the refusal is logged."""
        with ExitStack() as held:
            try:
                if place is not None:
                    held.enter_context(place.reserved(staged.limits, cancelled))
                grant = place.grant if place else None
                prepared = held.enter_context(
                    with_gpu(staged, self._engine, say=self._say, cancelled=cancelled, held=grant)
                )
            except (GpuUnsuitableError, MachineTooSmallError) as error:
                self._refuse(error, staged.request.case_id)
                raise
            yield prepared

    def _execute(
        self, prepared: PreparedRun, started: Record, cancelled: Callable[[], bool], place: Place | None
    ) -> Execution:
        """Run the case; a run that the host cannot bring to its end is logged as ended all the same."""
        try:
            return execute(
                prepared,
                catalogue=self._catalogue,
                engine=self._engine,
                labels={**owner_labels(), "assay.run": prepared.run_id},
                cancelled=cancelled,
                warm=place.warm if place else None,
            )
        except BaseException as stopped:
            self._finish(prepared, _stopped(stopped), started)
            raise

    def _refuse(self, error: AssayError, case_id: str) -> None:
        with self._writing:
            self._registry.refuse(error, attempted="run-started", subject=case_id, by=self._context.actor)

    def _finish(self, prepared: PreparedRun, execution: Execution, started: Record) -> RecordedRun:
        blobs = self._registry.blobs
        for output in execution.outputs:
            with output.path.open("rb") as stream:
                blobs.put_stream(chunks(stream), expected=output.digest)
        log = blobs.put_file(prepared.folder.log).digest if prepared.folder.log.is_file() else None
        at = _now()

        def make(chain: int, previous: Digest | None) -> RunFinished:
            return run_finished(
                prepared,
                execution,
                self._context,
                ChainLink(chain, previous),
                started=started.statement.payload_digest,
                log=log,
                at=at,
            )

        with self._writing:
            record = self._registry.record_run(RunFinished, make)
        return RecordedRun(started, record, record.statement.read(RunFinished), execution)

    def _log_start(
        self,
        prepared: PreparedRun,
        *,
        subject: str,
        visit: str,
        place: Place | None,
        again: Again | None,
    ) -> Record:
        container: Container = "warm" if place and place.warm else "fresh"
        at = _now()

        def make(chain: int, previous: Digest | None) -> RunStarted:
            link = ChainLink(chain, previous)
            return run_started(
                prepared,
                self._context,
                link,
                subject=subject,
                visit=visit,
                container=container,
                again=again,
                at=at,
            )

        with self._writing:
            return self._registry.record_run(RunStarted, make)


def close_interrupted(home: Home, registry: Registry, engine: Engine, *, role: str) -> tuple[RunStarted, ...]:
    """Find runs that have no end, remove their containers, and log that they were interrupted.

    Hold ``Home.running``: then no run is under way.

    Returns
    -------
    tuple of RunStarted
        The runs that were closed, for the operator to see.
    """
    ended = {r.statement.read(RunFinished).run for r in registry.records(RunFinished.predicate_type)}
    closed = []
    clear_dead(home, engine)
    for record in list(registry.records(RunStarted.predicate_type)):
        started = record.statement.read(RunStarted)
        if started.run in ended or started.actor != registry.node_id:
            continue
        interrupted = run_interrupted(
            started,
            started_digest=record.statement.payload_digest,
            node=registry.node_id,
            role=role,
            at=_now(),
            link=ChainLink(*registry.next_link()),
        )
        registry.act(interrupted, registry.node)
        closed.append(started)
    return tuple(closed)


def _stopped(error: BaseException) -> Execution:
    """What the record says of a run that the host could not bring to its end."""
    if isinstance(error, (KeyboardInterrupt, RunCancelledError)):
        return Execution("failed", "cancelled", "the operator stopped the run")
    if isinstance(error, EngineError):
        return Execution("failed", "engine-failed", error.message)
    if isinstance(error, TrustError):
        return Execution("failed", error.code, error.message)
    return Execution("failed", "host-error", f"the host could not go on: {type(error).__name__}")


def _now() -> str:
    return now().isoformat(timespec="milliseconds")
