"""A case's part of a warm container's log: from the end of the case before it to the lines that end it."""

import time
from pathlib import Path
from typing import Final, NamedTuple

from host.engines.container_log import new_log, write_bounded
from plugin_spec.runtime.serve import end_of_case

# The log comes by another way than the answer, and so may come a little later.
_END_TIMEOUT_S: Final = 1.0
_LOOK_AGAIN_S: Final = 0.001
_STREAMS: Final = 2


class CaseLog(NamedTuple):
    """Where a case's part ends in the container's log, and whether it was cut."""

    end: int
    truncated: bool


def take_case_log(log: Path, start: int, target: Path, *, order: str | None, bytes_max: int) -> CaseLog:
    """Copy a case's part of the log; untrusted bytes, like the log itself.

    Parameters
    ----------
    log : Path
        The running container's log.
    start : int
        Where the part before ends.
    target : Path
        File to create, cut after ``bytes_max`` with a marker line.
    order : str or None
        The order that was answered: wait a little for the lines that end its log, which both streams carry.
        ``None`` once the container has ended: what is there is all there is.
    """
    deadline_s = time.monotonic() + _END_TIMEOUT_S
    end_line = end_of_case(order) if order else b""
    data = _read(log, start)
    while order and data.count(end_line) < _STREAMS and time.monotonic() < deadline_s:
        time.sleep(_LOOK_AGAIN_S)
        data += _read(log, start + len(data))
    end = start + len(data)
    if order and data.count(end_line) >= _STREAMS:
        last = data.index(end_line, data.index(end_line) + 1) + len(end_line)
        data, end = data[:last].replace(end_line, b""), start + last
    with new_log(target) as stream:
        truncated = write_bounded([data], stream, bytes_max=bytes_max)
    return CaseLog(end, truncated)


def _read(log: Path, start: int) -> bytes:
    try:
        with log.open("rb") as stream:
            stream.seek(start)
            return stream.read()
    except FileNotFoundError:
        return b""  # the engine has not come to create it
