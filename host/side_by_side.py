"""Work that needs no container, on all CPUs of this process: results in order, little of it ahead, stopped at once.

Threads, because what takes time when a case is scored (reading, counting, distances) lets go of the interpreter, while
processes of their own would each load what this one has loaded already. Measured in ``host/docs/benchmarks.md``.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from host.machine import this_machine

ItemT = TypeVar("ItemT")
DoneT = TypeVar("DoneT")
# Items taken per worker before the first result is asked for: one in work, one waiting.
AHEAD: Final = 2


def side_by_side(
    work: Callable[[ItemT], DoneT], items: Iterable[ItemT], *, workers: int | None = None
) -> Iterator[DoneT]:
    """Work on items in parallel and yield what comes of each, in the items' order.

    Parameters
    ----------
    work : callable
        Safe for threads.
    items : iterable
        Taken as they are needed; no more than twice as many as there are workers are under way or done ahead.
    workers : int, optional
        By default one per CPU.

    Raises
    ------
    BaseException
        What the first item in order raised; those that had not begun never do.
    """
    count = workers if workers is not None else max(1, int(this_machine().cpus))
    if count == 1:
        yield from map(work, items)
        return
    ahead: deque[Future[DoneT]] = deque()
    with ThreadPoolExecutor(count, thread_name_prefix="side-by-side") as pool:
        try:
            for item in items:
                ahead.append(pool.submit(work, item))
                if len(ahead) == AHEAD * count:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
