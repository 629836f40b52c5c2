"""What one run has of a GPU: leased devices for as long as it lasts, or the declared way without."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from host import extensions
from host.engines.interface import Engine
from host.engines.owner import owner_alive
from host.errors import GpuLeaseError
from host.gpu.device import GpuDevice
from host.gpu.inventory import take_inventory
from host.gpu.lease import Lease, Wanted, lease
from host.gpu.lease_files import Holder
from host.gpu.preflight import CpuFallback, preflight, request_of, untested
from host.gpu.request import GpuRequest
from plugin_spec.errors import EngineError
from plugin_spec.resources import Gpu


@dataclass(frozen=True, slots=True)
class GpuGrant:
    """What goes into the request and the record of a run.

    Attributes
    ----------
    devices : tuple of GpuDevice
        Held for the run.
    request : GpuRequest, optional
        The same devices, as the engine is asked for them.
    fallback : str
        Why the run goes without a GPU that its manifest asks for; empty otherwise.
    notes : tuple of str
        What the operator should know of the devices.
    """

    devices: tuple[GpuDevice, ...] = ()
    request: GpuRequest | None = None
    fallback: str = ""
    notes: tuple[str, ...] = ()

    @property
    def uuids(self) -> tuple[str, ...]:
        """Names of the devices."""
        return tuple(device.uuid for device in self.devices)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line each, for the operator and the record."""
        return (self.fallback, *self.notes) if self.fallback else self.notes


NO_GPU = GpuGrant()


def require_gpu(need: Gpu | None) -> None:
    """Refuse work for which this machine has no GPU and the manifest no other way, before any of it is started.

    Raises
    ------
    GpuUnsuitableError
        The message says what is missing.
    """
    if need is not None:
        preflight(need, take_inventory())


@contextmanager
def granted(
    need: Gpu | None,
    engine: Engine,
    *,
    run_id: str,
    say: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> Iterator[GpuGrant]:
    """Hold what the manifest asks for until the block ends.

    Parameters
    ----------
    need : Gpu, optional
        The manifest's ``resources.gpu``.
    engine : Engine
        What will run the container. Containers that a dead host left on it are removed before a device is used.
    run_id : str
        Told to those who wait for the devices.
    say : callable
        Told when the run has to wait.
    cancelled : callable
        Asked while it waits.

    Raises
    ------
    GpuUnsuitableError
        Nothing fits and no fallback is declared.
    RunCancelledError, GpuLeaseError
        As from `host.gpu.lease.lease`.
    EngineError
        A dead host's containers cannot be removed. Those of this engine stop every run; another engine's only the
        first one, which tells the operator of them.
    """
    if need is None:
        yield NO_GPU
        return
    decision = preflight(need, take_inventory())
    if isinstance(decision, CpuFallback):
        say(decision.why)
        yield GpuGrant(fallback=decision.why)
        return
    wanted = Wanted(candidates=decision.candidates, count=decision.count, shared=decision.shared)
    holder = Holder(pid=os.getpid(), run=run_id, engine=engine.name)
    with lease(wanted, holder, waiting=say, cancelled=cancelled) as held:
        _clear_devices(held, engine)
        notes = tuple(note for device in held.devices if (note := untested(need, device)))
        yield GpuGrant(held.devices, request_of(held.devices, need), notes=notes)


def _clear_devices(held: Lease, engine: Engine) -> None:
    """Remove the containers of dead hosts: a lease ends with its holder, a container does not."""
    engine.reap(owner_alive)
    for holder in held.left_by:
        if holder.engine == engine.name:
            continue
        try:
            with closing(extensions.connect(holder.engine)) as other:
                other.reap(owner_alive)
        except EngineError as error:
            raise GpuLeaseError(
                f"{holder} ended without letting go of its GPU, and its containers cannot be removed: {error.message}",
                subject=holder.engine,
                hint="see that none of them runs any more (assay doctor looks at the engines), then run this again",
            ) from error
