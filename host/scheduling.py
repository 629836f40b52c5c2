"""Which cases may run side by side on a machine: decided from declared needs alone. Pure.

Invariants
----------
* What runs together never needs more than the machine has; limits count, not what is used at the moment.
* Cases start in their order: none waits for ever because smaller ones slip past it.

GPUs are not counted here: which run has which device is settled by leases (`host.gpu.lease`), across all processes.
"""

from dataclasses import dataclass

from host.engines.interface import Limits
from plugin_spec.resources import MIB


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a machine: what a container may use, or what there is."""

    cpus: float
    memory_bytes: int

    def __add__(self, other: "Share") -> "Share":
        return Share(self.cpus + other.cpus, self.memory_bytes + other.memory_bytes)

    def __sub__(self, other: "Share") -> "Share":
        return Share(self.cpus - other.cpus, self.memory_bytes - other.memory_bytes)

    def holds(self, other: "Share") -> bool:
        """Whether the other share fits into this one."""
        return self.cpus >= other.cpus and self.memory_bytes >= other.memory_bytes


NOTHING = Share(0.0, 0)


def need_of(limits: Limits, there: Share) -> Share:
    """What a container of these limits takes up.

    CPUs beyond those of the machine are none: a container that may use more than there are uses all of them.
    """
    return Share(min(limits.cpus, there.cpus), limits.memory_bytes)


def lacking(need: Share, there: Share) -> str:
    """What even an idle machine does not have enough of, in words; empty when the need fits."""
    if need.memory_bytes > there.memory_bytes:
        return (
            f"{need.memory_bytes / MIB:.0f} MiB of memory, of which there are {there.memory_bytes / MIB:.0f}"
        )
    return ""


def may_start(need: Share, *, waiting_before: int, used: Share, there: Share) -> bool:
    """Whether a container may start now.

    Parameters
    ----------
    need : Share
        What it takes up.
    waiting_before : int
        How many have waited longer; while there are any, nobody else starts.
    used, there : Share
        What runs now, and what the machine has.
    """
    return waiting_before == 0 and there.holds(used + need)
