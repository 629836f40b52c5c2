"""Removes the folders of finished runs beside the work: taking a folder off the disk is mostly waiting."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from host.staging import RunFolder

# So many folders may lie about; more, and whoever brings the next one waits.
_WAITING_MAX: Final = 8


class Sweeper:
    """A thread that removes run folders; get it from `sweeping`."""

    def __init__(self) -> None:
        self._folders: queue.Queue[RunFolder | None] = queue.Queue(_WAITING_MAX)
        self._thread = threading.Thread(target=self._work, name="sweeper", daemon=True)
        self._fault: BaseException | None = None

    def remove(self, folder: RunFolder) -> None:
        """Have a folder removed soon; nothing in it may be used any more."""
        self._folders.put(folder)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Return once every folder is gone; raises what kept the first one from going."""
        self._folders.put(None)
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _work(self) -> None:
        while (folder := self._folders.get()) is not None:
            try:
                folder.remove()
            except BaseException as error:  # noqa: BLE001 - raised by stop; workers wait for this thread meanwhile
                self._fault = self._fault or error


@contextmanager
def sweeping() -> Iterator[Sweeper]:
    """A sweeper for as long as the block; at its end every folder it was given is gone."""
    sweeper = Sweeper()
    sweeper.start()
    try:
        yield sweeper
    finally:
        sweeper.stop()
