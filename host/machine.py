"""What this machine has, and the room on it that running containers hold."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from host.engines.interface import Limits
from host.errors import MachineTooSmallError, RunCancelledError
from host.scheduling import NOTHING, Share, lacking, may_start, need_of

_ASK_S: Final = 0.1


def this_machine() -> Share:
    """The CPUs this process may use, and the memory of the machine."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Share(float(len(os.sched_getaffinity(0))), total)


class Room:
    """The room on a machine, held container by container; safe for threads."""

    def __init__(self, there: Share) -> None:
        self._there = there
        self._used = NOTHING
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()

    def require(self, limits: Limits, what: str) -> None:
        """Refuse at once what can never fit.

        Raises
        ------
        MachineTooSmallError
            Even an idle machine would not have it.
        """
        fault = lacking(need_of(limits, self._there), self._there)
        if fault:
            raise MachineTooSmallError(
                f"{what} needs {fault} on this machine",
                subject=what,
                hint="run it on a larger machine, or lower what plugin.toml declares under [resources]",
            )

    @contextmanager
    def held(self, limits: Limits, what: str, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Wait for room, first come first served, and hold it inside the block.

        Raises
        ------
        MachineTooSmallError
            It can never fit.
        RunCancelledError
            The operator stopped while it waited.
        """
        self.require(limits, what)
        need = need_of(limits, self._there)
        self._enter(need, cancelled)
        try:
            yield
        finally:
            with self._changed:
                self._used = self._used - need
                self._changed.notify_all()

    def _enter(self, need: Share, cancelled: Callable[[], bool]) -> None:
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                while not may_start(
                    need, waiting_before=self._queue.index(ticket), used=self._used, there=self._there
                ):
                    if cancelled():
                        raise RunCancelledError("the operator stopped the run before it started")
                    self._changed.wait(_ASK_S)
                self._used = self._used + need
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
