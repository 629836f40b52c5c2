"""Faults of the disk, said in one line: a full one as such, every other one as whoever writes there says it."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from plugin_spec.errors import AssayError
from registry.errors import StorageFullError

FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_errors(target: Path, other: Callable[[OSError], AssayError]) -> Iterator[None]:
    """Name what keeps ``target`` from being written; ``other`` says what a fault is that no full disk explains."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFullError(
                f"{target.parent}: {error.strerror}", subject=str(target.parent), hint="free some disk space"
            ) from error
        raise other(error) from error
