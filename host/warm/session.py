"""One warm container while it lives: its thread, its folders, its connection, its log.

Invariants
----------
* It is a container like any other: the same image, walls and limits; only its socket is more.
* One case is in its folders at a time, and nothing of a case is in them when the next one comes.
* However a session ends, its container, thread, socket and folders are gone when `stop` returns.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from host.emptying import empty_folder
from host.engines.cgroup import MemoryUse
from host.engines.interface import CONTROL_TARGET, ContainerExit, ContainerSpec, Engine, Limits
from host.errors import RunCancelledError
from host.gpu.request import GpuRequest
from host.releases import InstalledRelease
from host.staging import RunFolder
from host.warm.channel import SOCKET_NAME, Channel, Silence
from host.warm.errors import WarmUnwatchedError
from host.warm.memory import MemoryProbe
from host.weights import weights_folder
from plugin_spec.errors import ContractError
from plugin_spec.hookspecs import Context
from plugin_spec.runtime.protocol import SERVE_VARIABLE
from plugin_spec.serving import CaseOrder, Done, Ready, SetupFailed, SetupOrder

# A container is replaced after so many cases, so that no leak grows without end.
CASES_MAX: Final = 1000
# Its log may hold so many full logs of cases before it is replaced.
LOGS_MAX: Final = 8
# Between the end of a container's connection and its own end, as the engine tells it.
_END_GRACE_S: Final = 10.0


@dataclass(frozen=True)
class WarmPlan:
    """What a warm container is made of; the same for all its cases."""

    release: InstalledRelease
    context: Context
    limits: Limits
    gpu: GpuRequest | None
    labels: Mapping[str, str]
    start_timeout_s: float
    case_timeout_s: float


class SessionBrokeError(Exception):
    """A session cannot go on: what the container did, in words, and the reason code for the case it did it to."""

    def __init__(self, reason: str, message: str, *, ended: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.ended = ended


class Session:
    """A warm container; `start` it, `order` cases one after another, `stop` it whatever happened."""

    def __init__(
        self,
        engine: Engine,
        plan: WarmPlan,
        folder: RunFolder,
        *,
        probe: MemoryProbe,
        cancelled: Callable[[], bool],
    ) -> None:
        control = folder.path / "control"
        control.mkdir(mode=0o755)
        control.chmod(0o755)
        self.plan = plan
        self.folder = folder
        self.channel = Channel(control, cancelled)
        self.log_end = 0
        self.cases = 0
        self.oom_kills = 0
        self.spent = ""
        self._engine = engine
        self._control = control
        self._probe = probe
        self._weights: Path | None = None
        self.memory_now: Callable[[], MemoryUse | None] = lambda: None
        self._stopping = threading.Event()
        self._ended: Future[ContainerExit] = Future()
        self._thread = threading.Thread(target=self._run, name="warm-container", daemon=True)
        self._held = ExitStack()

    @property
    def id(self) -> str:
        """The name of its folder: what records of its cases call the container."""
        return self.folder.path.name

    def start(self) -> None:
        """Start the container and have it set itself up.

        Raises
        ------
        SessionBrokeError
            It does not come up in time, ends, or breaks the contract.
        EngineError, RunCancelledError, WeightsError
            Not the container's doing.
        """
        deadline_s = time.monotonic() + self.plan.start_timeout_s
        release = self.plan.release
        self._weights = self._held.enter_context(weights_folder(release, self.folder))
        self._thread.start()
        pid = self.channel.accept(deadline_s)
        if isinstance(pid, Silence):
            raise self._broke(pid, "before it reached the host", "start_timeout_s", self.plan.start_timeout_s)
        self.memory_now = self._probe(pid)
        context = self.plan.context
        order = SetupOrder(
            seed=context.seed,
            threads=context.threads,
            gpu=context.gpu,
            weights={name: name for name in release.weights},
        )
        self.channel.send(order)
        answer = self._receive(deadline_s, "during setup", "start_timeout_s", self.plan.start_timeout_s)
        if isinstance(answer, SetupFailed):
            raise SessionBrokeError(answer.reason_code, answer.message)
        if not isinstance(answer, Ready):
            raise SessionBrokeError(
                "contract-violation", "the container answered for a case before its set-up"
            )

    def order(self, word: str) -> Done:
        """Have the case run that lies in the folders.

        Parameters
        ----------
        word : str
            Random, so that nobody can have answered before it was asked.

        Raises
        ------
        SessionBrokeError
            As for `start`; what the container did is charged to this case.
        """
        deadline_s = time.monotonic() + self.plan.case_timeout_s
        self.cases += 1
        self.channel.send(CaseOrder(order=word))
        answer = self._receive(deadline_s, "during the case", "case_timeout_s", self.plan.case_timeout_s)
        if not isinstance(answer, Done) or answer.order != word:
            raise SessionBrokeError(
                "contract-violation", "the container answered for another case than the one it has"
            )
        return answer

    def unwatched(self) -> WarmUnwatchedError:
        """What to raise where a container runs and cannot be seen."""
        return WarmUnwatchedError(
            "the memory of a warm container cannot be read from this process",
            subject=self._engine.name,
            hint="run its cases in fresh containers: leave --warm out",
        )

    def why_not_again(self, limits: Limits) -> str:
        """Why the container cannot take a case of these limits; empty when it can."""
        if self.spent:
            return self.spent
        if self._ended.done():
            return "it ended after its last case"
        if not self.channel.is_quiet():
            return "it spoke without being asked after its last case"
        if limits.memory_bytes > self.plan.limits.memory_bytes:
            return "the case may use more memory than the container"
        if self.cases >= CASES_MAX:
            return f"it has run {CASES_MAX} cases"
        if self.log_end > (LOGS_MAX - 1) * self.plan.limits.log_bytes:
            return "its log is full"
        return ""

    def stop(self) -> ContainerExit | None:
        """End the container and clear up; how it ended, ``None`` if it had to be killed for it.

        Raises
        ------
        EngineError
            The engine failed while it ran the container, or could not remove it.
        """
        self._stopping.set()
        self.channel.close()
        try:
            return self._ended.result() if self._thread.ident is not None else None
        except RunCancelledError:
            return None
        finally:
            if self._thread.ident is not None:
                self._thread.join()
            self.channel.dispose()
            self._held.close()

    def ended(self) -> ContainerExit | None:
        """How it ended, once its connection did; ``None`` if it goes on without one.

        Raises
        ------
        EngineError
            The engine failed.
        """
        try:
            return self._ended.result(timeout=_END_GRACE_S)
        except TimeoutError:
            return None

    def _receive(
        self, deadline_s: float, when: str, bound: str, bound_s: float
    ) -> Ready | SetupFailed | Done:
        try:
            answer = self.channel.receive(deadline_s)
        except ContractError as error:
            raise SessionBrokeError("contract-violation", error.message) from error
        if isinstance(answer, Silence):
            raise self._broke(answer, when, bound, bound_s)
        return answer

    def _broke(self, silence: Silence, when: str, bound: str, bound_s: float) -> SessionBrokeError:
        if silence is Silence.LATE:
            return SessionBrokeError(
                "timeout", f"still running {when} after {bound_s:.0f} s; the limit is resources.{bound}"
            )
        ended = self.ended()
        if ended is None:
            return SessionBrokeError("contract-violation", f"the container hung up {when}")
        return SessionBrokeError(
            "crashed", f"the container ended {when} with exit code {ended.exit_code}", ended=True
        )

    def _run(self) -> None:
        plan = self.plan
        limits = replace(
            plan.limits,
            # The host watches over each case; this is the bound if the host itself forgets.
            timeout_s=plan.start_timeout_s + CASES_MAX * plan.case_timeout_s,
            log_bytes=LOGS_MAX * plan.limits.log_bytes,
        )
        spec = ContainerSpec(
            image_id=plan.release.image,
            argv=None,
            inputs=self.folder.inputs,
            outputs=self.folder.outputs,
            weights=self._weights,
            control=self._control,
            limits=limits,
            gpu=plan.gpu,
            environment={
                **plan.release.manifest.runtime.environment,
                SERVE_VARIABLE: f"{CONTROL_TARGET}/{SOCKET_NAME}",
            },
            labels=plan.labels,
        )
        try:
            ended = self._engine.run(spec, log_path=self.folder.log, cancelled=self._stopping.is_set)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the container gets it
            self._ended.set_exception(error)
        else:
            self._ended.set_result(ended)
        self.channel.wake()


def clear_folder(folder: Path) -> bool:
    """Empty a folder that a container wrote to, following no link; ``False`` where something does not go.

    Folders of the container's own user stay where this process is not root: then the container is replaced.
    """
    try:
        empty_folder(folder)
    except OSError:
        return False
    return True
