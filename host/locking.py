"""Propose a trial lock from what is approved, and sign it."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from host.errors import OptionError
from host.home import now
from host.installed import find_release, read_stored_manifest
from host.planning import complete_parameters
from host.signing import typed
from host.warm.declared import require_declared
from registry.errors import WrongStateError
from registry.esignature import Signing, compose
from registry.log import Record
from registry.registry import Registry
from registry.statements import LockSlot, SignatureMeaning, Threshold, TrialLock
from registry.trials import slot_from
from registry.trust_root import Role

if TYPE_CHECKING:
    from host.cli.session import Actor

POLICY = (Threshold(role="qa", count=1), Threshold(role="sponsor", count=1))


def propose_lock(
    registry: Registry,
    actor: "Actor",
    trial: str,
    *,
    slots: Mapping[str, str],
    sites: Sequence[str],
    engines: Sequence[str],
    reason: str,
    warm: Collection[str] = (),
) -> Record:
    """Log the next lock of a trial; parameters are frozen at the manifest's defaults.

    Parameters
    ----------
    slots : mapping of slot name to PLUGIN@VERSION
    sites, engines : sequences of str
        Who may run it, and on what.
    warm : collection of str, optional
        Slots that permit warm containers; their reports must have found them equal to fresh ones.

    Raises
    ------
    OptionError
        ``warm`` names no slot of the lock.
    """
    unknown = sorted(set(warm) - set(slots))
    if unknown:
        raise OptionError(
            f"--warm {unknown[0]}: the lock has no such slot", subject=unknown[0], hint="name it with --slot"
        )
    known = registry.trial(trial)
    last = known.locks[-1] if known.locks else None
    lock = typed(
        TrialLock,
        actor=actor.person,
        role=actor.role,
        at=now().isoformat(timespec="milliseconds"),
        reason=reason,
        trial=trial,
        sequence=last.lock.sequence + 1 if last else 1,
        previous=last.digest if last else None,
        slots=tuple(
            _slot(registry, name, release, known.trial.scope, warm=name in warm)
            for name, release in sorted(slots.items())
        ),
        sites=tuple(sorted(sites)),
        engines=tuple(sorted(engines)),
        policy=POLICY,
        trust_root=registry.root_digest,
        checkpoint=registry.log.checkpoint(),
    )
    return registry.act(lock, actor.signer, [(f"release-{one.slot}", one.release) for one in lock.slots])


def _slot(registry: Registry, name: str, release: str, scope: str, *, warm: bool) -> LockSlot:
    record = find_release(registry, release)
    entry = registry.catalogue()[record.digest]
    manifest = read_stored_manifest(registry, entry.release.manifest)
    if warm:
        require_declared(manifest)
    return slot_from(entry, name, scope, complete_parameters(manifest, {}), warm=warm)


def newest_lock(registry: Registry, trial: str, *, named: str) -> Record:
    """The newest lock of a trial, if it is the one that was named: nobody signs a lock they did not read.

    Raises
    ------
    WrongStateError
        There is no lock, or a newer one than the one named.
    """
    known = registry.trial(trial)
    if not known.locks:
        raise WrongStateError(
            f"trial {trial} has no lock yet", subject=trial, hint=f"assay trial lock {trial}"
        )
    newest = known.locks[-1]
    if newest.digest != named:
        raise WrongStateError(
            f"the newest lock of {trial} is {newest.digest}, not {named}",
            subject=trial,
            hint=f"read it first: assay trial status {trial}",
        )
    return newest.record


def sign_lock(
    registry: Registry, actor: "Actor", lock: Record, *, meaning: SignatureMeaning, reason: str
) -> Record:
    """Sign a lock; the signature is bound to its payload digest."""
    signature = compose(
        registry.root.person(actor.person),
        Role(actor.role),
        Signing(target=lock.digest, meaning=meaning, reason=reason),
        at=now(),
    )
    return registry.act(signature, actor.signer, [("trial-lock", lock.digest)])
