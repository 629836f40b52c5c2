"""How much memory a running container has used, read from its control group (v1 and v2).

The files vanish with the container, so they must be read while it runs. The kernel keeps the peak in them,
except for cgroup v2 before Linux 5.19, where the highest sample stands in for it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_CGROUPS: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Highest use so far, page cache included, and how many processes the kernel has killed for memory."""

    peak_bytes: int
    oom_kills: int


def memory_folder(
    container_id: str, pid: int, *, proc: Path = _PROC, cgroups: Path = _CGROUPS
) -> Path | None:
    """Find the folder of a container's memory controller.

    Parameters
    ----------
    container_id : str
        Must be part of the folder's path: with a remote engine, ``pid`` is an unrelated process of this
        machine.
    pid : int
        Its main process as this machine sees it; 0 if it has ended.
    proc, cgroups : Path, optional
        Where the two kernel file systems are mounted.

    Returns
    -------
    Path or None
        ``None`` if it cannot be seen from here.
    """
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    unified = None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if container_id not in path:
            continue
        if "memory" in controllers.split(","):
            return cgroups / "memory" / path.lstrip("/")
        if not controllers:
            unified = cgroups / path.lstrip("/")
    return unified


def read_memory(folder: Path) -> MemoryUse | None:
    """Read a memory controller's folder, ``None`` if it is gone or not readable."""
    for peak_file, events_file in (
        ("memory.max_usage_in_bytes", "memory.oom_control"),
        ("memory.peak", "memory.events"),
        ("memory.current", "memory.events"),
    ):
        try:
            peak_bytes = int((folder / peak_file).read_text())
            return MemoryUse(peak_bytes, _oom_kills((folder / events_file).read_text()))
        except (OSError, ValueError):
            continue
    return None


def _oom_kills(events: str) -> int:
    for line in events.splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return 0
