"""Whether a folder that a container writes to has passed its limits, trusting nothing in it."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

# No tool nests its results this deep; the bound keeps the walk, its open descriptors and its stack small.
DEPTH_MAX: Final = 32
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_VANISHED: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


def passes_limits(folder: Path, *, bytes_max: int, files_max: int) -> bool:
    """Whether ``folder`` holds more than it may.

    Entries are sized through descriptors of their folders, so nothing swapped for a symbolic link during
    the walk leads out of ``folder``. The walk ends at the first limit passed. Entries that vanish on the
    way do not count. A folder that cannot be opened, or lies deeper than `DEPTH_MAX`, is a passed limit:
    what it holds is unbounded.

    Parameters
    ----------
    folder : Path
        The output folder.
    bytes_max : int
        For the sum of the files' sizes, or of what they take on the disk where that is more.
    files_max : int
        For the number of entries of any kind.
    """
    walk = _Walk(bytes_max, files_max)
    try:
        return walk.passes(os.open(folder, _FOLDER), DEPTH_MAX)
    except OSError:
        return True


class _Walk:
    def __init__(self, bytes_max: int, files_max: int) -> None:
        self.bytes_left = bytes_max
        self.files_left = files_max

    def passes(self, descriptor: int, depth_left: int) -> bool:
        """Take over ``descriptor`` of an open folder and count what is below it."""
        try:
            with os.scandir(descriptor) as entries:
                return any(self._entry_passes(entry, descriptor, depth_left) for entry in entries)
        finally:
            os.close(descriptor)

    def _entry_passes(self, entry: os.DirEntry[str], parent: int, depth_left: int) -> bool:
        try:
            status = entry.stat(follow_symlinks=False)
            self.files_left -= 1
            if stat.S_ISREG(status.st_mode):
                # A file can hold disk blocks past its end, and a size it has no blocks for.
                self.bytes_left -= max(status.st_size, status.st_blocks * 512)
            if self.files_left < 0 or self.bytes_left < 0:
                return True
            if not stat.S_ISDIR(status.st_mode):
                return False
            return depth_left == 0 or self.passes(os.open(entry.name, _FOLDER, dir_fd=parent), depth_left - 1)
        except OSError as error:
            return error.errno not in _VANISHED
