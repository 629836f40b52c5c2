"""What a site does: take in a trial's bundle, and run the locked release on scans.

Invariants
----------
* Nothing runs that differs from the lock in force: image, manifest, weights, parameters, engine and site are
  compared as they are found here, never as the lock says they should be.
* What the engine holds under the image's digest is compared with the image's own layers before it runs.
* A refusal is logged like a run.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import model_validator

from host import __version__
from host.crew import Crew
from host.engines.interface import Engine
from host.errors import ImageSwappedError, ImageTamperedError, OptionError, TargetError
from host.execution import CaseRequest, fault_of
from host.home import Home
from host.images.load import load_image
from host.images.stored import stored_image
from host.installed import install_slot
from host.leftovers import clear_dead
from host.locking import check_tightens
from host.machine import Room, this_machine
from host.planning import complete_parameters
from host.records import RunContext
from host.releases import InstalledRelease
from host.run_ledger import RecordedRun, RunLedger, close_interrupted
from host.warm.memory import MemoryProbe, peer_memory
from plugin_spec.errors import AssayError
from plugin_spec.model import Identifier, StrictModel
from registry.activation import check_active
from registry.bundle import import_trial
from registry.errors import UnknownRecordError
from registry.locked_run import RunRequest, check_run_allowed
from registry.log import Record
from registry.registry import Registry
from registry.standing import check_runnable, told
from registry.statements import CaseIdentifier, LockSlot, RerunReason, RunFinished, RunIdentifier
from registry.trials import STATUS_TYPES, LockView, effective_lock, status

Say = Callable[[str], None]
MAX_CASE_LENGTH = 63


@dataclass(frozen=True)
class Imported:
    """A trial's bundle that was verified and taken in."""

    trial: str
    lock: LockView
    images: tuple[str, ...]


class RunOrder(StrictModel):
    """What an operator asks for."""

    trial: Identifier
    slot: str | None
    inputs: dict[str, Path | tuple[Path, ...]]
    subject: CaseIdentifier
    visit: CaseIdentifier
    out: Path | None
    warm: bool = False
    rerun_of: RunIdentifier | None = None
    rerun_reason: RerunReason | None = None

    @model_validator(mode="after")
    def _case_is_no_longer_than_a_case_may_be(self) -> "RunOrder":
        if len(self.case) > MAX_CASE_LENGTH:
            raise ValueError(f"subject and visit together have at most {MAX_CASE_LENGTH - 1} characters")
        return self

    @property
    def case(self) -> str:
        """The case identifier: subject and visit."""
        return f"{self.subject}.{self.visit}"


@dataclass(frozen=True)
class LockedRun:
    """A finished run under a lock."""

    record: RunFinished
    finished: Record
    hint: str

    def fault(self) -> AssayError | None:
        """What the command ends with, unless the outcome is ok."""
        ended = self.record
        return fault_of(ended.outcome, reason=ended.reason_code, message=ended.message, hint=self.hint)


def import_trial_bundle(
    home: Home,
    registry: Registry,
    bundle: Path,
    *,
    pin: str | None,
    engine_for: Callable[[Sequence[str]], Engine],
    say: Say,
) -> Imported:
    """Verify a trial's bundle offline, keep it, and load its images.

    Parameters
    ----------
    engine_for : callable
        Asked once the bundle is verified: the engine to load the images into, of those the lock allows.

    Raises
    ------
    TrustError
        Anything in the bundle does not verify; nothing is kept.
    """
    if pin is None:
        raise OptionError(
            "a site imports a trial only under a pinned trust root: --trust-root sha256:…",
            subject="--trust-root",
            hint="ask the sponsor for the digest by another way than the bundle",
        )
    say(f"verify {bundle} offline, from trust root {pin[:19]}…")
    verified = import_trial(registry, bundle, pin=pin)
    lock = verified.lock
    if lock is None:
        raise OptionError(f"{bundle} is not a trial's bundle", subject=str(bundle))
    for line in told(registry, lock.lock.slots):
        say(line)
    engine = engine_for(lock.lock.engines)
    with home.running():
        clear_dead(home, engine)
        for slot in lock.lock.slots:
            if engine.holds(slot.image) and not _is_sound(engine, registry, slot):
                say(f"what {engine.name} holds as {slot.plugin} {slot.version} was edited: removed")
                engine.remove(slot.image)
            if not engine.holds(slot.image):
                say(f"load the image of {slot.plugin} {slot.version} into {engine.name}")
                load_image(engine, slot.image, stored_image(registry.blobs, slot.image), home.runs)
            engine.tag(slot.image, slot.image_name)
    return Imported(verified.trial, lock, tuple(slot.image for slot in lock.lock.slots))


def _is_sound(engine: Engine, registry: Registry, slot: LockSlot) -> bool:
    try:
        engine.verify(slot.image, registry.blobs.path)
    except ImageTamperedError:
        return False
    return True


def engines_allowed(registry: Registry, trial: str) -> tuple[str, ...] | None:
    """The engines that the lock in force allows, ``None`` where there is no lock."""
    try:
        view = effective_lock(registry.records(), trial, registry.roots)
    except UnknownRecordError:
        return None  # for `run_locked` to refuse, which logs it
    return None if view is None else view.lock.engines


def run_locked(
    home: Home,
    registry: Registry,
    engine: Engine,
    order: RunOrder,
    *,
    say: Say,
    probe: MemoryProbe = peer_memory,
) -> LockedRun:
    """Run the locked release on one scan.

    Parameters
    ----------
    probe : callable, optional
        Reads the memory of a warm container.

    Raises
    ------
    TrustError, PolicyError
        Something differs from the lock; the refusal is logged.
    InputError
        The order itself cannot be used; the refusal is logged.
    """
    if order.out is not None and order.out.exists():
        raise TargetError(f"{order.out}: exists already", subject=str(order.out), hint="name a new folder")
    with home.running(), registry.log.database.kept_open():
        for closed in close_interrupted(home, registry, engine, role="site"):
            say(f"found run {closed.run} of {closed.at} without an end; logged as interrupted")
        with registry.refusals_logged("trial-run", registry.node_id):
            view, slot, release = _check(registry, engine, order)
        for line in told(registry, [slot]):
            say(line)
        crew = Crew(engine, home.runs, release, Room(this_machine()), warm=order.warm, say=say, probe=probe)
        done = _run(home, registry, crew, order, view=view, slot=slot)
    if order.out is not None:
        order.out.mkdir(parents=True)
        for output in done.record.outputs:
            shutil.copyfile(registry.blobs.path(output.digest), order.out / output.name)
    return LockedRun(done.record, done.finished, done.execution.hint)


def _check(
    registry: Registry, engine: Engine, order: RunOrder
) -> tuple[LockView, LockSlot, InstalledRelease]:
    known = status(registry.records(STATUS_TYPES), order.trial, registry.roots)
    view = known.effective
    slot = _choose_slot(view, order)
    check_runnable(registry, slot)
    release = install_slot(registry, slot)
    named = engine.resolve(slot.image_name)
    if named != slot.image:
        raise ImageSwappedError(
            f"{slot.image_name} names {named[:19] + '…' if named else 'no image'} in {engine.name}, "
            f"the lock of {order.trial} names {slot.image[:19]}…",
            subject=slot.image_name,
            hint="import the trial's bundle again: assay trial import",
        )
    parameters = complete_parameters(release.manifest, slot.parameters)
    check_tightens(release.manifest, slot.domain)
    found = RunRequest(
        site=registry.node_id,
        engine=engine.name,
        plugin=release.manifest.id,
        image=named,
        manifest=release.manifest_digest,
        weights=release.weight_refs,
        parameters=parameters,
        container="warm" if order.warm else "fresh",
    )
    check_run_allowed(view, found)
    check_active(known, view, registry.node_id)
    engine.verify(slot.image, registry.blobs.path)
    assert view is not None  # noqa: S101 - check_run_allowed refuses a missing lock
    return view, slot, tightened(release, slot)


def tightened(release: InstalledRelease, slot: LockSlot) -> InstalledRelease:
    """The release with the lock's rules beside the manifest's own: a case must satisfy both."""
    manifest = release.manifest
    return replace(release, manifest=manifest.model_copy(update={"domain": (*manifest.domain, *slot.domain)}))


def _choose_slot(view: LockView | None, order: RunOrder) -> LockSlot:
    slots = view.lock.slots if view else ()
    if order.slot is None and len(slots) == 1:
        return slots[0]
    for slot in slots:
        if slot.slot == order.slot:
            return slot
    raise OptionError(
        f"trial {order.trial} has no slot {order.slot!r} here",
        subject=order.slot or "",
        hint=f"slots: {', '.join(one.slot for one in slots) or 'none: import the bundle first'}",
    )


def _run(
    home: Home, registry: Registry, crew: Crew, order: RunOrder, *, view: LockView, slot: LockSlot
) -> RecordedRun:
    context = RunContext(
        actor=registry.node_id,
        role="site",
        purpose="trial",
        reason=f"trial {order.trial}, slot {slot.slot}",
        engine=crew.engine.describe(),
        host_version=__version__,
        trial=order.trial,
        lock=view.digest,
        rerun_of=order.rerun_of,
        rerun_reason=order.rerun_reason,
    )
    with crew.place(_never) as place:
        return RunLedger(home, registry, crew.engine, context, say=crew.say).run(
            crew.release,
            CaseRequest(order.case, order.inputs, dict(slot.parameters)),
            subject=order.subject,
            visit=order.visit,
            cancelled=_never,
            place=place if order.warm else None,
        )


def _never() -> bool:
    return False
