"""Who may have written a record: the actor's own key signed it, in a role that allows it. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from registry import esignature
from registry.access import PassphraseChanged
from registry.activation import SiteActivated
from registry.errors import ActionDeniedError, RoleError, WrongActorError
from registry.plans import ProtocolDeviation
from registry.policy import ALLOWED, Action
from registry.record import Record
from registry.reviews import AuditReview
from registry.roots import RootHistory
from registry.standing import ReleaseRecalled, ReleaseReinstated, ReleaseRetired, ReleaseSuspended
from registry.statements import (
    Act,
    CatalogueDecision,
    ESignature,
    Protocol,
    RecordsTakenIn,
    Refusal,
    Release,
    RunFinished,
    RunStarted,
    Statement,
    TrialCreated,
    TrialLock,
    ValidationReport,
    ValidationStarted,
)
from registry.trust_root import Person, Role, TrustRoot

ACTIONS: Mapping[type[Act], frozenset[Action]] = MappingProxyType(
    {
        TrustRoot: frozenset({Action.TRUST_ENROL}),
        Release: frozenset({Action.PLUGIN_SUBMIT}),
        Protocol: frozenset({Action.KIT_REGISTER}),
        ProtocolDeviation: frozenset({Action.KIT_DEVIATE}),
        ValidationStarted: frozenset({Action.VALIDATION_RUN}),
        ValidationReport: frozenset({Action.VALIDATION_RUN}),
        ESignature: frozenset({Action.REPORT_SIGN, Action.TRIAL_SIGN}),
        CatalogueDecision: frozenset({Action.CATALOGUE_APPROVE}),
        ReleaseSuspended: frozenset({Action.CATALOGUE_SUSPEND}),
        ReleaseReinstated: frozenset({Action.CATALOGUE_REINSTATE}),
        ReleaseRecalled: frozenset({Action.CATALOGUE_RECALL}),
        ReleaseRetired: frozenset({Action.CATALOGUE_RETIRE}),
        TrialCreated: frozenset({Action.TRIAL_CREATE}),
        TrialLock: frozenset({Action.TRIAL_LOCK}),
        SiteActivated: frozenset({Action.TRIAL_ACTIVATE}),
        RecordsTakenIn: frozenset({Action.TRIAL_TAKE_IN}),
        PassphraseChanged: frozenset({Action.PASSPHRASE_CHANGE}),
        AuditReview: frozenset({Action.AUDIT_REVIEW}),
    }
)
# A node (log or site) signs what its machine did or refused to do, unattended.
NODE_ACTS: frozenset[type[Act]] = frozenset({RunStarted, RunFinished, Refusal})
NODE_ROLES = frozenset({Role.LOG, Role.SITE})
MODELS: Mapping[str, type[Act]] = MappingProxyType(
    {one.predicate_type: one for one in (*ACTIONS, *NODE_ACTS)}
)


def read_act(statement: Statement) -> Act:
    """Read a statement as the act it is. Raises `ActionDeniedError` for a kind this version does not know."""
    model = MODELS.get(statement.predicate_type)
    if model is None:
        raise ActionDeniedError(
            f"no rule for records of type {statement.predicate_type!r}", subject=statement.payload_digest
        )
    return statement.read(model)


def allowed_roles(kind: type[Act]) -> frozenset[Role]:
    """The roles in which this kind of act may be done; none unless listed."""
    if kind in NODE_ACTS:
        return NODE_ROLES
    return frozenset(
        role for action in ACTIONS.get(kind, frozenset()) for role in ALLOWED.get(action, frozenset())
    )


def check_authority(act: Act, signers: frozenset[str], root: TrustRoot) -> Person:
    """Return the actor where they signed, hold the role they claim, and the role allows the act.

    Raises
    ------
    RoleError
        Nobody of this id, a role they do not hold, or one that does not allow it.
    WrongActorError
        None of the actor's keys signed.
    """
    person = root.person(act.actor)
    kind = act.predicate_type.rpartition("attestation/")[2]
    if act.role not in person.roles:
        held = ", ".join(sorted(person.roles))
        raise RoleError(f"{person.id} acts as {act.role!r} but is enrolled as {held}", subject=person.id)
    if act.role not in allowed_roles(type(act)):
        allowed = ", ".join(sorted(allowed_roles(type(act)))) or "nobody"
        raise RoleError(f"a record of type {kind} is for {allowed}, not for {act.role}", subject=person.id)
    if not any(key.keyid in signers for key in person.keys):
        raise WrongActorError(
            f"a {kind} in the name of {person.id} is not signed by {person.id}", subject=person.id
        )
    return person


def check_record(record: Record, roots: RootHistory) -> Act:
    """Check a logged record against the trust root of its time and return its act."""
    act = read_act(record.statement)
    if not isinstance(act, TrustRoot):  # a root's own thresholds were verified with its chain
        check_authority(act, record.signers, roots.at(record.sequence))
        if isinstance(act, ESignature):
            esignature.check(act, roots.at(record.sequence))
    elif record.digest not in {version.digest for version in roots.versions}:
        raise WrongActorError("a trust root outside the verified chain", subject=record.digest)
    return act
