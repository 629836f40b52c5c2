"""Files and folders a command is asked to write: looked at before the work, written after it."""

import os
from pathlib import Path

from host.errors import TargetError
from plugin_spec.files import write_atomic


def check_target(path: Path, option: str, *, new: bool = False) -> None:
    """Refuse a path that could not be written later.

    Parameters
    ----------
    path : Path
        File or folder to make.
    option : str
        What to name in the error.
    new : bool, optional
        It must not exist.

    Raises
    ------
    TargetError
        Its folder is missing or closed, or it is a folder, or it exists.
    """
    parent = path.absolute().parent
    if new and path.exists():
        raise TargetError(f"{option} {path}: exists already", subject=str(path), hint="name a new one")
    if not new and path.is_dir():
        raise TargetError(f"{option} {path}: is a folder", subject=str(path), hint="name a file")
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise TargetError(
            f"{option} {path}: {parent} is no folder that can be written",
            subject=str(path),
            hint="make it first",
        )


def write_target(path: Path, data: bytes) -> None:
    """Write a file that `check_target` has accepted."""
    try:
        write_atomic(path, data)
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}", subject=str(path)) from error
