"""Runs case after case in a warm container, and replaces it when a case breaks it.

Invariants
----------
* A crash, a time-out or a passed limit is charged to the case under way and to no other; the next one gets a new
  container.
* What a case leaves behind is taken out by copy before it is checked: a process that still has a file open, or comes
  back to it, changes nothing that was looked at.
* An engine that fails, or an operator who cancels, raises; everything a container does is an answer.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.engines.interface import ContainerExit, Engine, Limits
from host.engines.output_usage import passes_limits
from host.errors import CaseFailureError
from host.gpu.request import GpuRequest
from host.home import now, random_bytes
from host.releases import InstalledRelease
from host.staging import RunFolder, work_errors
from host.warm.case_log import take_case_log
from host.warm.memory import MemoryProbe, peer_memory
from host.warm.session import Session, SessionBrokeError, WarmPlan, clear_folder
from plugin_spec.case import Request, request_bytes
from plugin_spec.hookspecs import Context

_KILLED: Final = 137
_REQUEST: Final = "request.json"


@dataclass(frozen=True)
class WarmCase:
    """A staged case on its way into a warm container."""

    release: InstalledRelease
    request: Request
    context: Context
    folder: RunFolder
    limits: Limits
    gpu: GpuRequest | None
    labels: Mapping[str, str]


@dataclass(frozen=True)
class WarmAnswer:
    """How a case ended, as a fresh container's end would tell it.

    Attributes
    ----------
    exit : ContainerExit
        Times by the host's clock. ``memory_peak_bytes`` is the container's highest use since its start, set-up and
        earlier cases included: this case's own peak where it is higher than all before it, else a bound of it.
    outputs : Path
        What the case wrote, until the next one comes.
    fault : CaseFailureError or None
        What the container did wrong beside what the exit's flags say.
    note : str
        For the operator: why the container was, or will be, replaced.
    """

    exit: ContainerExit
    outputs: Path
    fault: CaseFailureError | None
    note: str


def _any_room(limits: Limits, cancelled: Callable[[], bool]) -> AbstractContextManager[object]:
    return nullcontext()


class WarmContainer:
    """One place for warm containers of one release, one after another. Use it as a context, from one thread.

    Parameters
    ----------
    engine : Engine
    runs : Path
        Where folders of runs are made.
    room : callable, optional
        Holds the machine's room for a container of these limits as long as it lives.
    probe : callable, optional
        Reads the memory of the container behind a process.
    """

    def __init__(
        self,
        engine: Engine,
        runs: Path,
        *,
        room: Callable[[Limits, Callable[[], bool]], AbstractContextManager[object]] = _any_room,
        probe: MemoryProbe = peer_memory,
    ) -> None:
        self._engine = engine
        self._runs = runs
        self._room = room
        self._probe = probe
        self._session: Session | None = None
        self._folder: RunFolder | None = None
        self._held: AbstractContextManager[object] | None = None

    @property
    def alive(self) -> bool:
        """Whether a container is at hand."""
        return self._session is not None

    def __enter__(self) -> "WarmContainer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the container, if there is one, and remove its folder."""
        session, folder, held = self._session, self._folder, self._held
        self._session = self._folder = self._held = None
        # Last in, first out; what raises does not keep the rest from being given back.
        with ExitStack() as left:
            if held is not None:
                left.callback(held.__exit__, None, None, None)
            if folder is not None:
                left.callback(folder.remove)
            if session is not None:
                left.callback(session.stop)

    def run(self, case: WarmCase, *, cancelled: Callable[[], bool]) -> WarmAnswer:
        """Run one case.

        Raises
        ------
        EngineError, RunCancelledError, WeightsError
            Nothing can be said about the case; the container is gone.
        """
        try:
            return self._run(case, cancelled)
        except BaseException:
            self.close()
            raise

    def _run(self, case: WarmCase, cancelled: Callable[[], bool]) -> WarmAnswer:
        began, began_s = now(), time.monotonic()
        session, note = self._usable(case, cancelled)
        broke, order, exit_code = None, None, _KILLED
        try:
            if session.cases == 0:
                session.start()
            with _laid_in(case, session.folder):
                word = random_bytes(16).hex()
                done = session.order(word)
            order, exit_code = word, done.exit_code
            if done.left:
                session.spent = note = f"{done.left} process(es) outlived the case"
        except SessionBrokeError as error:
            broke, session.spent = error, "it broke"
        duration_s = time.monotonic() - began_s
        state = _state(session, broke)
        if broke is not None:
            session.stop()
        log = take_case_log(
            session.folder.log, session.log_end, case.folder.log, order=order, bytes_max=case.limits.log_bytes
        )
        session.log_end = log.end
        limits = session.plan.limits
        exit_ = ContainerExit(
            exit_code=exit_code if state.exit_code is None else state.exit_code,
            timed_out=broke is not None and broke.reason == "timeout",
            oom_killed=state.oom_killed,
            output_overflow=state.output_overflow,
            log_truncated=log.truncated,
            memory_peak_bytes=limits.memory_bytes if state.oom_killed else state.peak_bytes,
            memory_limit_bytes=limits.memory_bytes,
            started_at=began,
            finished_at=now(),
            duration_s=duration_s,
            log_path=case.folder.log,
            container_id=session.id,
        )
        if state.oom_killed or state.output_overflow:
            session.spent, broke = "it passed a limit", None  # the flags say why it ended
        fault = None if broke is None else CaseFailureError(broke.message, reason=broke.reason)
        return WarmAnswer(exit_, session.folder.outputs, fault, note)

    def _usable(self, case: WarmCase, cancelled: Callable[[], bool]) -> tuple[Session, str]:
        """The container at hand where it can take the case, else a new one that is not started yet, and why."""
        note = ""
        if self._session is not None:
            why = self._session.why_not_again(case.limits)
            if not why and case.gpu != self._session.plan.gpu:
                why = "the case was given another GPU"
            if not why and not clear_folder(self._session.folder.outputs):
                why = "its output folder could not be emptied"
            if not why:
                self._session.channel.cancelled = cancelled
                return self._session, ""
            note = f"the container before was replaced: {why}"
            self.close()
        need = case.release.manifest.resources
        plan = WarmPlan(
            release=case.release,
            context=case.context,
            limits=case.limits,
            gpu=case.gpu,
            labels=case.labels,
            start_timeout_s=float(need.start_timeout_s),
            case_timeout_s=float(need.case_timeout_s),
        )
        held = self._room(case.limits, cancelled)
        held.__enter__()
        self._held = held
        self._folder = RunFolder.create(self._runs / f"warm-{random_bytes(8).hex()}")
        self._session = Session(self._engine, plan, self._folder, probe=self._probe, cancelled=cancelled)
        return self._session, note


@dataclass(frozen=True)
class _State:
    """What a case has made of its container; ``exit_code`` only where the container has ended of itself."""

    exit_code: int | None
    oom_killed: bool
    output_overflow: bool
    peak_bytes: int | None


def _state(session: Session, broke: SessionBrokeError | None) -> _State:
    """Look at a container after a case, before anything is done to it."""
    limits = session.plan.limits
    overflow = passes_limits(
        session.folder.outputs, bytes_max=limits.output_bytes, files_max=limits.output_files
    )
    use = None if broke is not None and broke.ended else session.memory_now()
    if use is not None:
        killed, session.oom_kills = use.oom_kills > session.oom_kills, use.oom_kills
        return _State(None, killed, overflow, use.peak_bytes)
    end = session.ended()
    if end is not None:
        return _State(
            end.exit_code if broke is not None else None,
            end.oom_killed,
            overflow or end.output_overflow,
            end.memory_peak_bytes,
        )
    if broke is None:
        raise session.unwatched()
    return _State(None, False, overflow, None)


@contextmanager
def _laid_in(case: WarmCase, folder: RunFolder) -> Iterator[None]:
    """Lay a case's inputs and its request into a container's folder, and take them out again; nothing is copied."""
    names = sorted(os.listdir(case.folder.inputs))
    request = folder.inputs / _REQUEST
    with work_errors(request):
        for name in names:
            os.rename(case.folder.inputs / name, folder.inputs / name)
        request.write_bytes(request_bytes(case.request))
        request.chmod(0o444)
    try:
        yield
    finally:
        with work_errors(request):
            request.unlink()
            for name in names:
                os.rename(folder.inputs / name, case.folder.inputs / name)
