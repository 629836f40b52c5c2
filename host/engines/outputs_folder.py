"""The one folder a container may write to, made ready so that nobody else on the host can reach into it."""

import os
import stat
from pathlib import Path

from host.errors import OutputFolderError


def open_for_container(folder: Path) -> None:
    """Let the container's user write to ``folder``, which only this process can reach through its parent.

    Raises
    ------
    OutputFolderError
        ``folder`` is not an empty real folder, or its parent is not this user's alone.
    """
    try:
        parent = folder.parent.stat()
        if parent.st_uid != os.geteuid() or parent.st_mode & 0o077:
            raise OutputFolderError(
                f"the folder around {folder} is open to other users of this machine",
                subject=str(folder.parent),
                hint="its owner must be the user who runs assay, its mode 0700",
            )
        if not stat.S_ISDIR(folder.lstat().st_mode) or any(folder.iterdir()):
            raise OutputFolderError(f"the output folder {folder} is not an empty folder", subject=str(folder))
        folder.chmod(0o777)
    except OSError as error:
        raise OutputFolderError(
            f"the output folder {folder} cannot be prepared: {error.strerror}", subject=str(folder)
        ) from error
