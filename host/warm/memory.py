"""How much memory the container behind a connection uses, read from its control group by the host."""

from collections.abc import Callable

from host.engines.cgroup import MemoryUse, memory_folder, read_memory

# Given a process of the container: what its container has used so far, ``None`` where that cannot be seen.
MemoryProbe = Callable[[int], Callable[[], MemoryUse | None]]


def peer_memory(pid: int) -> Callable[[], MemoryUse | None]:
    """Find the control group of a process, once, and return what reads it.

    The kernel names the process at the other end of a unix socket, so no container can name another's. Only the group
    is kept: the process may end, and its number may come to be another's.
    """
    folder = memory_folder("", pid) if pid > 0 else None
    return lambda: None if folder is None else read_memory(folder)
