"""A container's output on its way to a file of bounded size."""

from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import BinaryIO, Final

from host.errors import LogFileError

# The log's end arrives with the container's; more than this means that somebody holds the other end.
_END_TIMEOUT_S: Final = 10


def new_log(path: Path) -> BinaryIO:
    """Create the log file, unbuffered so that a running container can be read along with.

    Raises
    ------
    LogFileError
        It exists already or its folder does not.
    """
    try:
        return path.open("xb", buffering=0)
    except OSError as error:
        raise LogFileError(
            f"the log {path} cannot be created: {error.strerror}", subject=str(path)
        ) from error


def write_bounded(chunks: Iterable[bytes], stream: BinaryIO, *, bytes_max: int) -> bool:
    """Write ``chunks`` until ``bytes_max``, then read on without keeping anything.

    Reading on matters: a container whose output nobody takes stands still. A cut log ends with a marker line.

    Returns
    -------
    bool
        Whether something was left out.

    Raises
    ------
    OSError
        The file takes no more, a full disk for one; raised when the container has said everything.
    """
    left, dropped, fault = bytes_max, 0, None
    for chunk in chunks:
        try:
            if fault is None:
                _write_all(chunk[:left], stream)
        except OSError as error:
            fault = error
        dropped += max(0, len(chunk) - left)
        left = max(0, left - len(chunk))
    if fault is not None:
        raise fault
    if dropped:
        stream.write(b"\n[assay: log cut after %d bytes; %d more were dropped]\n" % (bytes_max, dropped))
    return dropped > 0


def _write_all(data: bytes, stream: BinaryIO) -> None:
    """Write all of it: an unbuffered file may take a part and say so."""
    while data:
        data = data[stream.write(data) :]


def log_truncated(log: "Future[bool]", path: Path) -> bool:
    """Wait for the end of a log that `write_bounded` writes beside the run; return whether it was cut.

    Raises
    ------
    LogFileError
        It could not be written.
    """
    try:
        return log.result(timeout=_END_TIMEOUT_S)
    except TimeoutError:
        # The container is gone but the end of its output never came.
        return True
    except OSError as error:
        raise LogFileError(
            f"the log {path} cannot be written: {error.strerror}", subject=str(path)
        ) from error
