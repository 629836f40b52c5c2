"""Trial locks: what may be locked, and when a lock holds. Pure decisions.

Invariants
----------
* A trial's locks are one chain: numbers 1, 2, 3 …, each naming the payload digest of the one before.
* A lock holds once distinct persons of the policy's roles have e-signed its payload digest; a later trust
  root does not undo that. The newest lock that holds is in force; earlier ones stay readable.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from plugin_spec.domain import DomainRule
from registry.activation import SiteActivated
from registry.canonical import Digest, short
from registry.catalogue import REACH, CatalogueEntry
from registry.errors import (
    LockChainError,
    LockForkError,
    LockMismatchError,
    NotApprovedError,
    SignerThresholdError,
    SiteNotEnrolledError,
    UnknownRecordError,
    WrongStateError,
)
from registry.lock_terms import check_amendment, check_least, context_faults, covering_approval
from registry.policy import distinct_persons
from registry.record import Record
from registry.roots import RootHistory
from registry.standing import check_lockable
from registry.statements import (
    ContextOfUse,
    ESignature,
    LockSlot,
    Threshold,
    TrialCreated,
    TrialLock,
    ValidationReport,
)
from registry.terms import LeastAccepted
from registry.trust_root import Role, TrustRoot
from registry.values import named_faults

COUNTING_MEANINGS = frozenset({"approval", "responsibility"})
# The kinds of record that `status` reads; it passes over any other.
STATUS_TYPES = (
    TrialCreated.predicate_type,
    TrialLock.predicate_type,
    ESignature.predicate_type,
    SiteActivated.predicate_type,
)
LEAST_POLICY: tuple[Threshold, ...] = (Threshold(role="sponsor", count=1), Threshold(role="qa", count=1))


@dataclass(frozen=True, slots=True)
class LockView:
    """One lock of a trial, who signed it, and the places still empty."""

    digest: Digest
    lock: TrialLock
    record: Record
    signatures: tuple[ESignature, ...]
    missing: tuple[Threshold, ...]

    @property
    def holds(self) -> bool:
        """Every place is filled by a person of its own."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """A trial, all its locks oldest first, the one in force, and the sites that may run."""

    trial: TrialCreated
    locks: tuple[LockView, ...]
    activated: frozenset[str] = frozenset()

    @property
    def effective(self) -> LockView | None:
        """The newest lock that holds."""
        return next((view for view in reversed(self.locks) if view.holds), None)


def status(records: Iterable[Record], trial: str, roots: RootHistory) -> TrialStatus:
    """Read everything about one trial from a log.

    Raises
    ------
    UnknownRecordError
        The trial was never opened.
    LockForkError, LockChainError
        Its locks are not one chain.
    """
    opened: TrialCreated | None = None
    locks: list[tuple[Record, TrialLock]] = []
    signatures: list[Record] = []
    activated: set[str] = set()
    for record in records:
        kind = record.statement.predicate_type
        if kind == TrialCreated.predicate_type and record.statement.read(TrialCreated).trial == trial:
            opened = record.statement.read(TrialCreated)
        elif kind == TrialLock.predicate_type and (lock := record.statement.read(TrialLock)).trial == trial:
            locks.append((record, lock))
        elif kind == ESignature.predicate_type:
            signatures.append(record)
        elif kind == SiteActivated.predicate_type:
            activation = record.statement.read(SiteActivated)
            activated |= {activation.site} if activation.trial == trial else set()
    if opened is None:
        raise UnknownRecordError(
            f"no trial {trial!r}",
            subject=trial,
            hint="assay trial create (a sponsor), or assay trial import (a site)",
        )
    _check_chain(locks)
    views = tuple(_view(record, lock, signatures, roots) for record, lock in locks)
    return TrialStatus(opened, views, frozenset(activated))


def effective_lock(records: Iterable[Record], trial: str, roots: RootHistory) -> LockView | None:
    """The newest lock that holds; None while none is fully signed."""
    return status(records, trial, roots).effective


def _check_chain(locks: Sequence[tuple[Record, TrialLock]]) -> None:
    before: tuple[Record, TrialLock] | None = None
    for record, lock in locks:
        check_continues(lock, None if before is None else (before[0].digest, before[1]))
        before = (record, lock)


def check_continues(lock: TrialLock, last: tuple[Digest, TrialLock] | None) -> None:
    """Refuse a lock that does not directly follow the last one. Raises `LockForkError`, `LockChainError`."""
    digest, due = (None, 1) if last is None else (last[0], last[1].sequence + 1)
    if lock.sequence < due:
        raise LockForkError(
            f"trial {lock.trial} has a lock {lock.sequence} already",
            subject=lock.trial,
            hint=f"lock {due} is due",
        )
    if lock.sequence > due:
        raise LockChainError(f"trial {lock.trial}: lock {lock.sequence} skips lock {due}", subject=lock.trial)
    if lock.previous != digest:
        raise LockChainError(
            f"trial {lock.trial}: lock {lock.sequence} does not name the lock before it", subject=lock.trial
        )


def _view(record: Record, lock: TrialLock, signatures: Sequence[Record], roots: RootHistory) -> LockView:
    made = [(one, one.statement.read(ESignature)) for one in signatures]
    on_lock = [(one, said) for one, said in made if said.target == record.digest]
    keys: set[str] = set()
    missing = lock.policy
    for one, said in on_lock:
        root = roots.at(one.sequence)
        if missing and said.meaning in COUNTING_MEANINGS:
            keys |= {key.keyid for key in root.person(said.actor).keys} & one.signers
            missing = empty_places(root, keys, lock.policy)
    return LockView(record.digest, lock, record, tuple(said for _, said in on_lock), missing)


def empty_places(root: TrustRoot, keys: Iterable[str], policy: Sequence[Threshold]) -> tuple[Threshold, ...]:
    """The places of a policy that the owners of ``keys`` leave empty, each person filling one at most."""
    signed = frozenset(keys)
    filled: Counter[Role] = Counter()
    empty: Counter[str] = Counter()
    for threshold in policy:
        for _ in range(threshold.count):
            try:
                distinct_persons(
                    root, signed, {**filled, Role(threshold.role): filled[Role(threshold.role)] + 1}
                )
                filled[Role(threshold.role)] += 1
            except SignerThresholdError:
                empty[threshold.role] += 1
    return tuple(Threshold(role=role, count=count) for role, count in empty.items())


def slot_from(
    entry: CatalogueEntry,
    slot: str,
    scope: str,
    parameters: Mapping[str, bool | int | float | str],
    *,
    warm: bool = False,
    context: ContextOfUse | None = None,
    domain: tuple[DomainRule, ...] = (),
) -> LockSlot:
    """Fill a slot from a release's newest approval that reaches ``scope`` and covers ``context``.

    Parameters
    ----------
    warm : bool, optional
        Whether the slot is to permit warm containers; see `require_warm_equal`.
    context : ContextOfUse, optional
        What the trial uses the release for.
    domain : tuple of DomainRule, optional
        Rules that tighten the manifest's acceptance domain.

    Raises
    ------
    NotApprovedError, ScopeError, ContextExceededError
    RecalledError, SuspendedError, RetiredError
        The release is out of use.
    """
    release = entry.release
    if not entry.approvals:
        raise NotApprovedError(
            f"{release.plugin} {release.version} is {entry.state}, not approved", subject=entry.digest
        )
    check_lockable(entry.name, entry.digest, entry.changes)
    approval = covering_approval(entry, scope, context)
    report = entry.evaluation(approval.report).report
    with named_faults(slot):
        return LockSlot(
            slot=slot,
            release=entry.digest,
            plugin=release.plugin,
            version=release.version,
            image=release.image,
            image_name=release.image_name,
            manifest=release.manifest,
            weights=release.weights,
            parameters=dict(parameters),
            report=approval.report,
            verdict=report.verdict,
            evidence=report.evidence,
            warm=warm,
            context=context,
            domain=domain,
        )


def require_warm_equal(slot: LockSlot, report: ValidationReport) -> None:
    """Refuse a slot that permits warm containers on a report which did not find them equal to fresh ones.

    Raises
    ------
    WrongStateError
    """
    if slot.warm and report.warm != "equal":
        found = "did not compare them" if report.warm is None else f"found them {report.warm}"
        raise WrongStateError(
            f"slot {slot.slot}: permits warm containers, but its report {found} with fresh ones",
            subject=slot.report,
            hint="assay validate PLUGIN@VERSION --kit KIT --warm, and approve on that report",
        )


def check_new_lock(
    lock: TrialLock, known: TrialStatus, catalogue: Mapping[Digest, CatalogueEntry], roots: RootHistory
) -> None:
    """Refuse a lock that does not continue the trial's chain, or locks what is not approved for its use.

    Raises
    ------
    LockForkError, LockChainError
        Not the next lock.
    NotApprovedError, ScopeError, ContextExceededError, EvidenceTooWeakError, LockMismatchError
        A slot that no approval covers or whose evidence is too weak, or that differs from the approved release.
    AmendmentReasonError, AmendmentThresholdError
        A later lock that does not say why, or asks for fewer signatures.
    SiteNotEnrolledError
        A site that the trust root does not list.
    WrongStateError
        Slots or plugins named twice, a policy below sponsor 1 + QA 1, or an old trust root.
    """
    last = known.locks[-1] if known.locks else None
    check_continues(lock, None if last is None else (last.digest, last.lock))
    for names in ([one.slot for one in lock.slots], [one.plugin for one in lock.slots], lock.sites):
        if len(set(names)) != len(names):
            raise WrongStateError(
                f"trial {lock.trial}: a slot, a plugin or a site is listed twice", subject=lock.trial
            )
    check_slots(lock, known.trial.scope, catalogue)
    _check_terms(lock, roots)
    in_force = known.effective or last
    check_amendment(lock, in_force.lock if in_force else None)


def check_slots(lock: TrialLock, scope: str, catalogue: Mapping[Digest, CatalogueEntry]) -> None:
    """Refuse a slot that no approval covers for ``scope``, or that differs from the approved release.

    Raises
    ------
    NotApprovedError, ScopeError, ContextExceededError, EvidenceTooWeakError, LockMismatchError
    """
    for slot in lock.slots:
        _check_slot(slot, scope, catalogue, lock.terms.least if lock.terms else None)


def _check_slot(
    slot: LockSlot, scope: str, catalogue: Mapping[Digest, CatalogueEntry], least: LeastAccepted | None
) -> None:
    entry = catalogue.get(slot.release)
    if entry is None:
        raise NotApprovedError(
            f"slot {slot.slot}: release {short(slot.release)} is unknown", subject=slot.release
        )
    approved = {
        one.report: one
        for one in entry.approvals
        if REACH[one.scope] >= REACH[scope] and not context_faults(one.context, slot.context)
    }
    expected = slot_from(
        entry, slot.slot, scope, slot.parameters, warm=slot.warm, context=slot.context, domain=slot.domain
    )
    if slot.report not in approved:
        raise LockMismatchError(
            f"slot {slot.slot}: report {short(slot.report)} carries no approval", subject=slot.report
        )
    report = entry.evaluation(slot.report).report
    require_warm_equal(slot, report)
    expected = expected.model_copy(
        update={"report": slot.report, "verdict": report.verdict, "evidence": report.evidence}
    )
    for field in LockSlot.model_fields:
        if getattr(slot, field) != getattr(expected, field):
            raise LockMismatchError(
                f"slot {slot.slot}: {field} differs from the approved release", subject=slot.release
            )
    if least is not None:
        check_least(slot, approved[slot.report], least)


def _check_terms(lock: TrialLock, roots: RootHistory) -> None:
    root = roots.current
    for site in lock.sites:
        held = [person for person in root.people if person.id == site and Role.SITE in person.roles]
        if not held:
            raise SiteNotEnrolledError(
                f"{site} is not enrolled as a site", subject=site, hint="assay trust enrol"
            )
    check_policy(lock)
    if lock.trust_root != roots.latest.digest:
        raise WrongStateError(f"trial {lock.trial}: the lock names an older trust root", subject=lock.trial)


def check_policy(lock: TrialLock) -> None:
    """Refuse a lock that asks for fewer signatures than sponsor 1 and QA 1. Raises `WrongStateError`."""
    asked = Counter({threshold.role: threshold.count for threshold in lock.policy})
    if len(asked) != len(lock.policy) or not set(asked) <= set(Role):
        raise WrongStateError(
            f"trial {lock.trial}: the policy names a role twice or an unknown one", subject=lock.trial
        )
    if any(asked[least.role] < least.count for least in LEAST_POLICY):
        raise WrongStateError(
            f"trial {lock.trial}: a lock needs at least sponsor 1 and qa 1", subject=lock.trial
        )
