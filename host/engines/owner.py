"""Labels that say which host process owns a container, to tell the leftovers of a killed one."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PREFIX: Final = "assay.owner."
_PROC: Final = Path("/proc")


def owner_labels() -> dict[str, str]:
    """Return labels that name this process: machine, boot, pid namespace, pid and start time."""
    pid = os.getpid()
    return {
        f"{PREFIX}node": platform.node(),
        f"{PREFIX}boot": _boot_id(),
        f"{PREFIX}pid_namespace": _pid_namespace(),
        f"{PREFIX}pid": str(pid),
        f"{PREFIX}start_ticks": _start_ticks(pid) or "",
    }


def owner_alive(labels: Mapping[str, str]) -> bool:
    """Whether the process named by ``labels`` may still run. What cannot be seen counts as alive."""
    if labels.get(f"{PREFIX}node") != platform.node():
        return True
    if labels.get(f"{PREFIX}boot") != _boot_id():
        return False
    if labels.get(f"{PREFIX}pid_namespace") != _pid_namespace():
        return True
    pid = labels.get(f"{PREFIX}pid", "")
    # The start time tells the process from a later one that was given the same pid.
    return pid.isdecimal() and _start_ticks(int(pid)) == labels.get(f"{PREFIX}start_ticks")


def _boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _pid_namespace() -> str:
    return os.readlink(_PROC / "self/ns/pid")


def _start_ticks(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The second field is the command's name in parentheses and may hold blanks; start time is field 22.
    fields = stat.rpartition(")")[2].split()
    # One that has ended and that its parent has not asked about yet runs no more: all it held is free.
    return None if fields[0] in {"Z", "X"} else fields[19]
