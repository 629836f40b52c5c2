"""Workers that run cases side by side, and stop together.

Invariants
----------
* Results come in the order of the cases, whatever order they end in.
* The first failure, or Ctrl-C, stops all workers; what had ended by then has been told, and no container is left.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from host.engines.interface import Engine, Limits
from host.errors import RunCancelledError
from host.gpu.grant import GpuGrant, granted
from host.machine import Room
from host.releases import InstalledRelease
from host.staging import RunFolder
from host.sweeper import Sweeper, sweeping
from host.warm.container import WarmContainer
from host.warm.memory import MemoryProbe, peer_memory

ItemT = TypeVar("ItemT")
DoneT = TypeVar("DoneT")
Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class Place:
    """Where one worker runs its cases: a fresh container each, or one warm container for all of them.

    Attributes
    ----------
    grant : GpuGrant or None
        The GPU of a warm container, held as long as the worker is there; a fresh container leases its own.
    """

    room: Room
    what: str
    warm: WarmContainer | None = None
    grant: GpuGrant | None = None
    sweeper: Sweeper | None = None

    def remove(self, folder: RunFolder) -> None:
        """Remove a run's folder, beside the next case's work where there is a sweeper for it."""
        if self.sweeper is None:
            folder.remove()
        else:
            self.sweeper.remove(folder)

    def reserved(self, limits: Limits, cancelled: Cancelled) -> AbstractContextManager[None]:
        """Room for the next case's container; a warm container holds its own as long as it lives."""
        return nullcontext() if self.warm is not None else self.room.held(limits, self.what, cancelled)


@dataclass(frozen=True)
class Crew:
    """So many workers for one release.

    Attributes
    ----------
    warm : bool
        Whether each worker has one warm container instead of a fresh one per case.
    """

    engine: Engine
    runs: Path
    release: InstalledRelease
    room: Room
    jobs: int = 1
    warm: bool = False
    say: Callable[[str], None] = lambda line: None
    probe: MemoryProbe = peer_memory

    @contextmanager
    def place(self, cancelled: Cancelled) -> Iterator[Place]:
        """One worker's place, until the block ends."""
        if self.warm:
            with self.warm_place(cancelled) as place:
                yield place
        else:
            with sweeping() as sweeper:
                yield replace(self.fresh_place(), sweeper=sweeper)

    def fresh_place(self) -> Place:
        """A place where each case gets a container of its own."""
        return Place(self.room, self.release.title)

    @contextmanager
    def warm_place(self, cancelled: Cancelled) -> Iterator[Place]:
        """A place with one warm container; it, and the GPU it holds between cases, are let go with the block."""
        what, need = self.release.title, self.release.manifest.resources.gpu
        with ExitStack() as held:
            sweeper = held.enter_context(sweeping())
            grant = held.enter_context(
                granted(need, self.engine, run_id="warm", say=self.say, cancelled=cancelled)
            )
            warm = held.enter_context(
                WarmContainer(
                    self.engine,
                    self.runs,
                    room=lambda limits, stop: self.room.held(limits, what, stop),
                    probe=self.probe,
                )
            )
            yield Place(self.room, what, warm, grant, sweeper)

    def work(
        self,
        items: Sequence[ItemT],
        run: Callable[[ItemT, Place, Cancelled], DoneT],
        *,
        done: Callable[[int, DoneT], None],
        cancelled: Cancelled = lambda: False,
    ) -> list[DoneT]:
        """Run every item and return the results in the items' order.

        Parameters
        ----------
        items : sequence
            The cases.
        run : callable
            Runs one, on a worker's thread; asks its last argument whether to stop.
        done : callable
            Told each result, with the number of its item, on the caller's thread as it comes.
        cancelled : callable, optional
            The operator's wish to stop.

        Raises
        ------
        BaseException
            The first thing that a worker, or ``done``, raised, and Ctrl-C; all workers have ended by then.
        """
        shift = _Shift(self, items, run, cancelled)
        return shift.work(min(self.jobs, len(items)), done)


class _Shift(Generic[ItemT, DoneT]):
    """One batch of items on its way through the workers."""

    def __init__(
        self,
        crew: Crew,
        items: Sequence[ItemT],
        run: Callable[[ItemT, Place, Cancelled], DoneT],
        cancelled: Cancelled,
    ) -> None:
        self._crew = crew
        self._items = items
        self._run = run
        self._stop = threading.Event()
        self._cancelled: Cancelled = lambda: self._stop.is_set() or cancelled()
        self._next = iter(range(len(items)))
        self._lock = threading.Lock()
        self._news: queue.SimpleQueue[tuple[int, DoneT] | BaseException | None] = queue.SimpleQueue()

    def work(self, workers: int, done: Callable[[int, DoneT], None]) -> list[DoneT]:
        results: dict[int, DoneT] = {}
        threads = [
            threading.Thread(target=self._worker, name="case-worker", daemon=True) for _ in range(workers)
        ]
        failure: BaseException | None = None
        ended = 0
        while True:
            try:
                for thread in threads:
                    if thread.ident is None and not self._stop.is_set():
                        thread.start()
                if ended == sum(thread.ident is not None for thread in threads):
                    break
                news = self._news.get()
                if news is None:
                    ended += 1
                elif isinstance(news, BaseException):
                    failure = failure or news
                    self._stop.set()
                else:
                    number, result = news
                    results[number] = result
                    done(number, result)
            except BaseException as error:  # noqa: BLE001 - raised again once every worker has cleared up
                failure = failure or error
                self._stop.set()
        if failure is not None:
            raise failure
        if len(results) < len(self._items):
            raise RunCancelledError("the operator stopped the run")
        return [results[number] for number in range(len(self._items))]

    def _worker(self) -> None:
        try:
            with self._crew.place(self._cancelled) as place:
                while not self._cancelled():
                    with self._lock:
                        number = next(self._next, None)
                    if number is None:
                        break
                    self._news.put((number, self._run(self._items[number], place, self._cancelled)))
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            self._news.put(error)
        finally:
            self._news.put(None)
