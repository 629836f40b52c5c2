"""Propose a trial lock from what is approved, and sign it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from host.errors import DomainWidenedError, OptionError, ParameterError
from host.home import now
from host.installed import find_release, read_stored_manifest
from host.lock_file import SlotTerms
from host.planning import complete_parameters
from host.signing import typed
from host.warm.declared import require_declared
from plugin_spec.case import Scalar
from plugin_spec.domain import DomainRule, widening
from plugin_spec.manifest import Manifest
from registry.activation import SiteActivated
from registry.errors import LockNotSignedError, WrongStateError
from registry.esignature import Signing, compose
from registry.log import Record
from registry.registry import Registry
from registry.results import RUN_TYPES, affected_digest, trial_runs
from registry.statements import LockSlot, SignatureMeaning, Threshold, TrialLock
from registry.terms import Amendment, LockTerms
from registry.trials import LockView, slot_from
from registry.trust_root import Role

if TYPE_CHECKING:
    from host.cli.session import Actor

POLICY = (Threshold(role="qa", count=1), Threshold(role="sponsor", count=1))


@dataclass(frozen=True)
class Wanted:
    """What the next lock of a trial is to hold.

    Attributes
    ----------
    slots : mapping of slot name to PLUGIN@VERSION, or to a release's digest
    sites, engines : tuples of str
        Who may run it, and on what.
    warm : frozenset of str
        Slots that permit warm containers; their reports must have found them equal to fresh ones.
    slot_terms : mapping of slot name to SlotTerms
        Parameter values other than the manifest's defaults, the context of use, a tighter acceptance domain.
    terms, amendment
        As the lock will say them.
    policy : tuple of Threshold
        Who must sign, each another person.
    """

    slots: Mapping[str, str]
    sites: tuple[str, ...]
    engines: tuple[str, ...]
    warm: frozenset[str] = frozenset()
    slot_terms: Mapping[str, SlotTerms] = field(default_factory=dict)
    terms: LockTerms | None = None
    policy: tuple[Threshold, ...] = POLICY
    amendment: Amendment = Amendment(kind="initiation")

    @classmethod
    def again(cls, lock: TrialLock, amendment: Amendment) -> "Wanted":
        """The same as a lock, for an amendment to differ in something."""
        slot_terms = {
            one.slot: SlotTerms(parameters=one.parameters, context=one.context, domain=one.domain)
            for one in lock.slots
        }
        return cls(
            slots={one.slot: one.release for one in lock.slots},
            sites=lock.sites,
            engines=lock.engines,
            warm=frozenset(one.slot for one in lock.slots if one.warm),
            slot_terms=slot_terms,
            terms=lock.terms,
            policy=lock.policy,
            amendment=amendment,
        )


def propose_lock(registry: Registry, actor: "Actor", trial: str, wanted: Wanted, *, reason: str) -> Record:
    """Log the next lock of a trial; parameters that are not given are frozen at the manifest's defaults.

    Raises
    ------
    OptionError, ParameterError, DomainWidenedError
        A slot that the lock has not, a value that the manifest does not allow, a rule wider than the manifest's.
    TrustError, PolicyError
        The rules for locks refuse it. Either way the refusal is logged.
    """
    with registry.refusals_logged("trial-lock/v1", actor.person):
        lock = _draft(registry, actor, trial, wanted, reason=reason)
    return registry.act(lock, actor.signer, [(f"release-{one.slot}", one.release) for one in lock.slots])


def _draft(registry: Registry, actor: "Actor", trial: str, wanted: Wanted, *, reason: str) -> TrialLock:
    for option, named in (("--warm", wanted.warm), ("terms for slot", wanted.slot_terms)):
        for unknown in sorted(set(named) - set(wanted.slots)):
            raise OptionError(
                f"{option} {unknown}: the lock has no such slot", subject=unknown, hint="name it with --slot"
            )
    known = registry.trial(trial)
    last = known.locks[-1] if known.locks else None
    amendment = wanted.amendment
    if amendment.kind != "initiation" and amendment.affected is None:
        runs = trial_runs(registry.records(RUN_TYPES), known.locks)
        amendment = amendment.model_copy(update={"affected": affected_digest(runs)})
    return typed(
        TrialLock,
        actor=actor.person,
        role=actor.role,
        at=now().isoformat(timespec="milliseconds"),
        reason=reason,
        trial=trial,
        sequence=last.lock.sequence + 1 if last else 1,
        previous=last.digest if last else None,
        slots=tuple(_slot(registry, name, known.trial.scope, wanted=wanted) for name in sorted(wanted.slots)),
        sites=tuple(sorted(wanted.sites)),
        engines=tuple(sorted(wanted.engines)),
        policy=wanted.policy,
        trust_root=registry.root_digest,
        checkpoint=registry.log.checkpoint(),
        terms=wanted.terms,
        amendment=amendment,
        conduct=True,
    )


def _slot(registry: Registry, name: str, scope: str, *, wanted: Wanted) -> LockSlot:
    record = find_release(registry, wanted.slots[name])
    entry = registry.catalogue()[record.digest]
    manifest = read_stored_manifest(registry, entry.release.manifest)
    terms, warm = wanted.slot_terms.get(name, SlotTerms()), name in wanted.warm
    if warm:
        require_declared(manifest)
    check_lockable_parameters(manifest, terms.parameters)
    check_tightens(manifest, terms.domain)
    return slot_from(
        entry,
        name,
        scope,
        complete_parameters(manifest, terms.parameters),
        warm=warm,
        context=terms.context,
        domain=terms.domain,
    )


def check_lockable_parameters(manifest: Manifest, given: Mapping[str, Scalar]) -> None:
    """Refuse a value for a parameter that its author lets no lock freeze. Raises `ParameterError`."""
    for parameter in manifest.parameters:
        if parameter.name in given and not parameter.lockable and given[parameter.name] != parameter.default:
            raise ParameterError(
                f"parameter {parameter.name}: {manifest.id} lets no lock set it", subject=parameter.name
            )


def check_tightens(manifest: Manifest, domain: Iterable[DomainRule]) -> None:
    """Refuse a lock's rule that is wider than the manifest's acceptance domain. Raises `DomainWidenedError`."""
    ports = {port.name for port in manifest.inputs}
    for rule in domain:
        fault = widening(rule, manifest.domain) if rule.port in ports else "the plugin has no such input"
        if fault:
            raise DomainWidenedError(
                f"domain rule on {rule.port} {rule.tag}: {fault}",
                subject=manifest.id,
                hint="a lock may only narrow what the evidence holds on",
            )


def last_lock(registry: Registry, trial: str) -> LockView:
    """The newest lock of a trial, in force or not. Raises `WrongStateError` where there is none."""
    known = registry.trial(trial)
    if not known.locks:
        raise WrongStateError(
            f"trial {trial} has no lock yet", subject=trial, hint=f"assay trial lock {trial}"
        )
    return known.locks[-1]


def lock_in_force(registry: Registry, trial: str) -> LockView:
    """The newest lock that holds. Raises `LockNotSignedError` where none does."""
    view = registry.trial(trial).effective
    if view is None:
        raise LockNotSignedError(
            f"trial {trial} has no lock with all its signatures", subject=trial, hint="assay trial sign"
        )
    return view


def newest_lock(registry: Registry, trial: str, *, named: str) -> Record:
    """The newest lock of a trial, if it is the one that was named: nobody signs a lock they did not read.

    Raises
    ------
    WrongStateError
        There is no lock, or a newer one than the one named.
    """
    newest = last_lock(registry, trial)
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
        Signing(target=lock.digest, meaning=meaning, reason=reason, authentication=actor.authentication),
        at=now(),
    )
    return registry.act(signature, actor.signer, [("trial-lock", lock.digest)])


def activate(registry: Registry, actor: "Actor", trial: str, site: str, *, reason: str) -> Record:
    """Log that a site may run a trial from now on, under the lock in force.

    Raises
    ------
    PolicyError, TrustError
        No lock holds, it does not name the site, or the site is active already; the refusal is logged.
    """
    view = registry.trial(trial).effective
    act = typed(
        SiteActivated,
        actor=actor.person,
        role=actor.role,
        at=now().isoformat(timespec="milliseconds"),
        reason=reason,
        trial=trial,
        site=site,
        # Without a lock in force, the rule refuses whatever is named here.
        lock=view.digest if view else registry.root_digest,
    )
    return registry.act(act, actor.signer, [("trial-lock", act.lock)])
