"""Folders that a container wrote to are emptied, however they were filled.

Invariants
----------
* No link is followed, and nothing but a folder is ever opened: a pipe would wait for its other end.
* Folders may be nested without bound, and be closed to their owner: what lies below a folder is moved up before the
  folder goes, so that no call is nested, and two folders are open at a time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Final

_FOLDER: Final = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Somebody who goes on filling the folder must not keep the host here.
_ROUNDS_MAX: Final = 1_000_000


def empty_folder(folder: Path) -> None:
    """Remove everything below ``folder``.

    Raises
    ------
    OSError
        Something cannot be removed, as where its folder belongs to another user: the first such fault. All else is
        gone.
    """
    # Random, so that no container can have taken it.
    names = (f".{token_hex(16)}" for _ in count())
    fault: OSError | None = None
    stuck: set[str] = set()
    with _opened(str(folder), None) as top:
        for _ in range(_ROUNDS_MAX):
            found = [entry for entry in _entries(top) if entry[0] not in stuck]
            for name, is_folder in found:
                try:
                    if is_folder:
                        _flatten(top, name, names)
                    else:
                        os.unlink(name, dir_fd=top)
                except OSError as error:
                    fault = fault or error
                    stuck.add(name)
            if not found:
                break
    if fault is not None:
        raise fault


def remove_folder(folder: Path) -> None:
    """Remove ``folder`` and everything below it; raises as `empty_folder`."""
    empty_folder(folder)
    folder.rmdir()


def _flatten(top: int, name: str, names: Iterator[str]) -> None:
    """Remove a folder of ``top``; its own folders become folders of ``top``."""
    with _opened(name, top) as inner:
        for inside, is_folder in _entries(inner):
            if not is_folder:
                os.unlink(inside, dir_fd=inner)
                continue
            with _opened(inside, inner):
                os.rename(inside, next(names), src_dir_fd=inner, dst_dir_fd=top)
    os.rmdir(name, dir_fd=top)


def _entries(folder: int) -> list[tuple[str, bool]]:
    with os.scandir(folder) as entries:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]


@contextmanager
def _opened(name: str, parent: int | None) -> Iterator[int]:
    """A folder opened for reading, and to its owner if it was closed to them."""
    handle = os.open(name, os.O_PATH | _FOLDER, dir_fd=parent)
    try:
        if os.fstat(handle).st_mode & 0o700 != 0o700:
            # Through the handle: the name may be a link by now.
            os.chmod(f"/proc/self/fd/{handle}", 0o700)
        descriptor = os.open(".", os.O_RDONLY | _FOLDER, dir_fd=handle)
    finally:
        os.close(handle)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
