"""Whether a run is the locked one: site, engine, image, manifest, weights, parameters, container and GPU. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from registry.canonical import Digest, short
from registry.errors import (
    EngineNotAllowedError,
    ImageMismatchError,
    LockMismatchError,
    LockNotSignedError,
    SiteNotEnrolledError,
    WarmNotLockedError,
)
from registry.lock_terms import check_gpus
from registry.statements import Container, FileRef, GpuRef, LockSlot, RunStarted
from registry.trials import LockView


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a site is about to run, as found on its engine and disk, never as the lock says."""

    site: str
    engine: str
    plugin: str
    image: Digest
    manifest: Digest
    weights: tuple[FileRef, ...]
    parameters: Mapping[str, bool | int | float | str]
    container: Container = "fresh"
    # None while no GPU was given out yet: a run's record says which it was.
    gpus: tuple[GpuRef, ...] | None = None

    @classmethod
    def recorded(cls, act: RunStarted, plugin: str) -> "RunRequest":
        """What a run's record says was run."""
        return cls(
            act.actor,
            act.engine,
            plugin,
            act.image,
            act.manifest,
            act.weights,
            act.parameters,
            act.container,
            act.gpu_devices,
        )


def check_run_allowed(view: LockView | None, request: RunRequest) -> LockSlot:
    """Return the slot that a run uses, or refuse the run.

    Raises
    ------
    LockNotSignedError, SiteNotEnrolledError, EngineNotAllowedError
        No lock in force, or it does not name this site or this engine.
    ImageMismatchError, LockMismatchError
        The plugin, image, manifest, weights or parameters are not the locked ones.
    WarmNotLockedError
        A warm container, which the slot does not permit.
    GpuNotAllowedError
        A GPU, or none, that the lock does not list.
    """
    if view is None or not view.holds:
        raise LockNotSignedError(
            "no lock of this trial carries all its signatures", hint="assay trial status"
        )
    lock = view.lock
    if request.site not in lock.sites:
        raise SiteNotEnrolledError(
            f"trial {lock.trial} does not name site {request.site}", subject=request.site
        )
    if request.engine not in lock.engines:
        raise EngineNotAllowedError(
            f"trial {lock.trial} allows {', '.join(lock.engines)}, not {request.engine}",
            subject=request.engine,
        )
    slot = next((one for one in lock.slots if one.plugin == request.plugin), None)
    if slot is None:
        raise LockMismatchError(f"trial {lock.trial} locks no {request.plugin}", subject=request.plugin)
    if request.image != slot.image:
        raise ImageMismatchError(
            f"trial {lock.trial} locks {slot.plugin} at {short(slot.image)}, "
            f"but this engine holds {short(request.image)}",
            subject=slot.plugin,
            hint=f"load the locked image, or amend the lock: assay trial lock {lock.trial}",
        )
    for what, found, locked in (
        ("manifest", request.manifest, slot.manifest),
        ("weights", _named(request.weights), _named(slot.weights)),
        ("parameters", _typed(request.parameters), _typed(slot.parameters)),
    ):
        if found != locked:
            raise LockMismatchError(
                f"trial {lock.trial}: the {what} of {slot.plugin} are not the locked ones",
                subject=slot.plugin,
            )
    if request.container == "warm" and not slot.warm:
        raise WarmNotLockedError(
            f"trial {lock.trial} locks {slot.plugin} to a fresh container for each case",
            subject=slot.plugin,
            hint="leave --warm out, or propose a lock that permits it: assay trial lock --warm SLOT",
        )
    if request.gpus is not None:
        check_gpus(lock.trial, lock.terms, request.gpus)
    return slot


def _named(files: Iterable[FileRef]) -> dict[str, Digest]:
    return {file.name: file.digest for file in files}


def _typed(parameters: Mapping[str, bool | int | float | str]) -> dict[str, tuple[bool, object]]:
    """Tell True from 1, which Python compares equal."""
    return {name: (isinstance(value, bool), value) for name, value in parameters.items()}
