"""Watches one running container, whichever engine runs it, and stops it at the first bound it passes.

Bounds that the kernel enforces need no watching. Left over are run time, cancellation and the output folder's
total size, which is sampled: a container can write past that bound for the length of one sample.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Final

from host.engines.cgroup import MemoryUse, read_memory
from host.engines.interface import ContainerExit, Limits
from host.engines.output_usage import passes_limits
from host.errors import EngineDiedError

POLL_S: Final = 0.1
# A killed container is gone in milliseconds; processes in uninterruptible disk waits take longer.
KILL_TIMEOUT_S: Final = 30.0
# Measuring a folder of many files may take at most about a tenth of the time.
_SCAN_REST: Final = 10


class StopReason(Enum):
    """Why the host stopped a container."""

    CANCELLED = auto()
    TIMED_OUT = auto()
    OUTPUT_OVERFLOW = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the host saw of a container that has ended; ``memory`` is ``None`` if it could not be read."""

    stopped: StopReason | None
    output_overflow: bool
    memory: MemoryUse | None


class Stopwatch:
    """Start and end of a container, by a clock that nobody can set back."""

    def __init__(self) -> None:
        self._started_at, self._began_s = datetime.now(UTC), time.monotonic()

    def times(self) -> tuple[datetime, datetime]:
        """When it started by the wall clock, and that much later by the other."""
        return self._started_at, self._started_at + timedelta(seconds=time.monotonic() - self._began_s)


class Supervisor:
    """Watches one container.

    Parameters
    ----------
    limits : Limits
        Its bounds.
    outputs : Path
        Its output folder on the host.
    memory_folder : Path, optional
        Its memory controller, see `host.engines.cgroup`.
    cancelled : callable
        Whether the operator wants it stopped.
    """

    def __init__(
        self, *, limits: Limits, outputs: Path, memory_folder: Path | None, cancelled: Callable[[], bool]
    ) -> None:
        self._limits = limits
        self._outputs = outputs
        self._memory_folder = memory_folder
        self._cancelled = cancelled
        self._memory: MemoryUse | None = None
        self._next_scan_s = 0.0

    def watch(self, ended: "Future[None]", kill: Callable[[], None]) -> Observed:
        """Return once the container has ended, by itself or because ``kill`` was called for a passed bound.

        Parameters
        ----------
        ended : Future
            Done when the container has ended; its exception, if any, is raised.
        kill : callable
            Kills the container's processes; does nothing if they are gone.
        """
        now_s = time.monotonic()
        deadline_s = now_s + self._limits.timeout_s
        while True:
            self._sample_memory()
            wait([ended], timeout=max(0.0, min(POLL_S, deadline_s - now_s)))
            if ended.done():
                ended.result()
                return self._observed(None)
            now_s = time.monotonic()
            if stopped := self._reason_to_stop(now_s, deadline_s):
                break
        self._sample_memory()
        kill()
        if not wait([ended], timeout=KILL_TIMEOUT_S).done:
            raise EngineDiedError(
                f"the container was killed and still runs after {KILL_TIMEOUT_S:.0f} s",
                hint="look for a hung disk or network file system under the outputs",
            )
        ended.result()
        return self._observed(stopped)

    def _reason_to_stop(self, now_s: float, deadline_s: float) -> StopReason | None:
        if self._cancelled():
            return StopReason.CANCELLED
        if now_s >= deadline_s:
            return StopReason.TIMED_OUT
        if now_s < self._next_scan_s:
            return None
        overflow = self._outputs_overflow()
        scanned_s = time.monotonic()
        self._next_scan_s = scanned_s + _SCAN_REST * (scanned_s - now_s)
        return StopReason.OUTPUT_OVERFLOW if overflow else None

    def _observed(self, stopped: StopReason | None) -> Observed:
        return Observed(
            stopped=stopped,
            # The last scan may have missed what was written at the end.
            output_overflow=stopped is StopReason.OUTPUT_OVERFLOW or self._outputs_overflow(),
            memory=self._memory,
        )

    def _outputs_overflow(self) -> bool:
        return passes_limits(
            self._outputs, bytes_max=self._limits.output_bytes, files_max=self._limits.output_files
        )

    def _sample_memory(self) -> None:
        if self._memory_folder is None or (now := read_memory(self._memory_folder)) is None:
            return
        before = self._memory or now
        self._memory = MemoryUse(max(before.peak_bytes, now.peak_bytes), max(before.oom_kills, now.oom_kills))


def container_exit(
    limits: Limits,
    observed: Observed,
    *,
    exit_code: int,
    oom_killed: bool,
    times: tuple[datetime, datetime],
    log_path: Path,
    log_truncated: bool,
    container_id: str,
) -> ContainerExit:
    """Put together what a run's end says, from the engine's answer and what the host saw.

    Parameters
    ----------
    oom_killed : bool
        The engine's own flag; what the host saw in the control group is added.
    times : tuple of datetime
        Start and end, aware, UTC.
    """
    seen = observed.memory
    oom_killed = oom_killed or (seen is not None and seen.oom_kills > 0)
    # The kernel kills for memory at the limit, and the last sample can have been too early to see it.
    peak_bytes = limits.memory_bytes if oom_killed else None if seen is None else seen.peak_bytes
    started_at, finished_at = times
    return ContainerExit(
        exit_code=exit_code,
        timed_out=observed.stopped is StopReason.TIMED_OUT,
        oom_killed=oom_killed,
        output_overflow=observed.output_overflow,
        log_truncated=log_truncated,
        memory_peak_bytes=peak_bytes,
        memory_limit_bytes=limits.memory_bytes,
        started_at=started_at,
        finished_at=finished_at,
        duration_s=(finished_at - started_at).total_seconds(),
        log_path=log_path,
        container_id=container_id,
    )
