"""The control group of one runc container, in cgroup v1 (a folder per controller) and v2 (one folder)."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")
_NEEDED: Final = ("cpu", "memory", "pids")


class ControlGroup:
    """One container's group.

    Parameters
    ----------
    path : str
        Its place below the root of every hierarchy, ``/assay/<id>``.
    cgroups : Path, optional
        Where the kernel's hierarchies are mounted.
    """

    def __init__(self, path: str, *, cgroups: Path = _CGROUPS) -> None:
        self.path = path
        self._cgroups = cgroups

    @property
    def memory_folder(self) -> Path:
        """The folder of the memory controller; it exists while the container does."""
        return self._folder("memory")

    def pids(self) -> list[int]:
        """Its processes, as this machine numbers them."""
        try:
            return [int(line) for line in (self._folder("pids") / "cgroup.procs").read_text().split()]
        except OSError:
            return []

    def kill(self) -> None:
        """Send SIGKILL to every process; those being born meanwhile need a second call."""
        with suppress(OSError):
            # Since Linux 5.14, version 2 only: all at once.
            (self._folder("pids") / "cgroup.kill").write_text("1")
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        """Take the group's folders away; its processes must be gone."""
        for folder in self._folders():
            with suppress(FileNotFoundError):
                folder.rmdir()

    def exists(self) -> bool:
        """Whether any of its folders is there."""
        return any(folder.is_dir() for folder in self._folders())

    def _folder(self, controller: str) -> Path:
        hierarchy = self._cgroups if is_unified(self._cgroups) else self._cgroups / controller
        return hierarchy / self.path.lstrip("/")

    def _folders(self) -> Iterator[Path]:
        hierarchies = [self._cgroups] if is_unified(self._cgroups) else sorted(self._cgroups.iterdir())
        return (hierarchy / self.path.lstrip("/") for hierarchy in hierarchies)


def is_unified(cgroups: Path = _CGROUPS) -> bool:
    """Whether controllers live in one hierarchy (cgroup v2). A hybrid machine, with v1 controllers, is v1."""
    return (cgroups / "cgroup.controllers").is_file()


def unenforced_limits(cgroups: Path = _CGROUPS) -> list[str]:
    """Return the limits that this machine's control groups cannot enforce."""
    if is_unified(cgroups):
        offered = (cgroups / "cgroup.controllers").read_text().split()
    else:
        offered = [name for name in _NEEDED if (cgroups / name / "cgroup.procs").is_file()]
    return [name for name in _NEEDED if name not in offered]


def swap_is_limited(cgroups: Path = _CGROUPS) -> bool:
    """Whether a group's swap can be bounded. In v2 it can, or there is no swap at all."""
    return is_unified(cgroups) or (cgroups / "memory" / "memory.memsw.limit_in_bytes").is_file()
