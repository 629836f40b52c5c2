"""The control group of one runc container, in cgroup v1 (a folder per controller) and v2 (one folder)."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_CGROUPS: Final = Path("/sys/fs/cgroup")
_HOST_LEAF: Final = "/assay-host"
OWN_SCOPE: Final = "systemd-run --user --scope -p Delegate=yes COMMAND"
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


class Delegation:
    """The control groups that a user who is not root may make groups in.

    In version 1 an administrator makes a folder ``assay-<uid>`` for the user in every hierarchy. In version 2 it is
    the group this process was started in, if it was given to the user with its controllers and holds no other
    process, as systemd gives a scope of the user's own away.

    Parameters
    ----------
    uid : int
    proc, cgroups : Path, optional
        Where the two kernel file systems are mounted.
    """

    def __init__(self, uid: int, *, proc: Path = _PROC, cgroups: Path = _CGROUPS) -> None:
        self._uid = uid
        self._cgroups = cgroups
        self._unified = is_unified(cgroups)
        self._own = "" if not self._unified else _own_group(proc).removesuffix(_HOST_LEAF)

    def parent(self) -> str | None:
        """The group in which containers' groups are made, ``None`` if nothing was given to the user."""
        if self._unified:
            control = self._cgroups / self._own.lstrip("/") / "cgroup.subtree_control"
            return f"{self._own}/assay" if self._own and self._is_users(control) else None
        hierarchies = [one for one in self._cgroups.iterdir() if (one / "cgroup.procs").is_file()]
        given = all(self._is_users(one / f"assay-{self._uid}" / "cgroup.procs") for one in hierarchies)
        return f"/assay-{self._uid}" if hierarchies and given else None

    def unenforced_limits(self) -> list[str]:
        """Return the limits that the user's groups cannot enforce."""
        return unenforced_limits(self._cgroups / self._own.lstrip("/") if self._unified else self._cgroups)

    def settle(self) -> None:
        """Make room for containers' groups: version 2 lets no group with processes of its own bound its children."""
        if not self._unified:
            return
        own = self._cgroups / self._own.lstrip("/")
        leaf = own / _HOST_LEAF.lstrip("/")
        leaf.mkdir(exist_ok=True)
        (leaf / "cgroup.procs").write_text(str(os.getpid()))
        (own / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in _NEEDED))

    def _is_users(self, path: Path) -> bool:
        try:
            return path.stat().st_uid == self._uid
        except OSError:
            return False


def _own_group(proc: Path) -> str:
    """Where this process is in the one hierarchy of version 2."""
    lines = (proc / "self" / "cgroup").read_text().splitlines()
    return next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "").rstrip("/")


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
