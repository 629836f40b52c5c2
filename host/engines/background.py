"""Work beside the run: on threads that do not keep the process alive."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


def in_background(work: Callable[[], _T]) -> "Future[_T]":
    """Start ``work`` on a thread that does not keep the process alive, as an executor's would."""
    future: Future[_T] = Future()

    def deliver() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=deliver, daemon=True).start()
    return future
