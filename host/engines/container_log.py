"""A container's output on its way to a file of bounded size."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from host.errors import LogFileError


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
    """
    left, dropped = bytes_max, 0
    for chunk in chunks:
        stream.write(chunk[:left])
        dropped += max(0, len(chunk) - left)
        left = max(0, left - len(chunk))
    if dropped:
        stream.write(b"\n[assay: log cut after %d bytes; %d more were dropped]\n" % (bytes_max, dropped))
    return dropped > 0
