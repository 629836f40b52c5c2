"""How much memory the container behind a connection uses, read from its control group by the host."""

from collections.abc import Callable

from host.engines.cgroup import MemoryUse, memory_folder, read_memory

MemoryProbe = Callable[[int], MemoryUse | None]


def peer_memory(pid: int) -> MemoryUse | None:
    """What the control group of a process has used so far; ``None`` where it cannot be seen.

    The kernel names the process at the other end of a unix socket, so no container can name another's.
    """
    folder = memory_folder("", pid) if pid > 0 else None
    return None if folder is None else read_memory(folder)
