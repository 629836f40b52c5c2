"""What must hold before each kind of act is logged: one rule per kind, denied where there is none.

A rule reads the registry inside the transaction that will write, so nothing changes between the check and
the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from registry import esignature
from registry.access import PassphraseChanged, check_passphrase_change
from registry.activation import SiteActivated, check_activation, check_active
from registry.bridging import check_bridging, check_impact
from registry.canonical import Digest, short
from registry.catalogue import (
    check_change,
    check_context,
    check_decision,
    check_preregistered,
    check_report,
)
from registry.errors import (
    ActionDeniedError,
    ChainGapError,
    DuplicateRecordError,
    ImpactChangedError,
    LockChainError,
    LockMismatchError,
    RoleError,
    WrongStateError,
)
from registry.impact import affected
from registry.locked_run import RunRequest, check_run_allowed
from registry.phi import require_pseudonym
from registry.plans import (
    ProtocolDeviation,
    check_approvers,
    check_deviation,
    check_in_force,
    deviations_before,
    find_plan,
    plans_of,
)
from registry.policy import ALLOWED, Action, require_independent
from registry.record import run_key
from registry.results import RUN_TYPES, check_conduct, trial_runs
from registry.reviews import AuditReview, check_review
from registry.standing import (
    Change,
    ReleaseRecalled,
    ReleaseReinstated,
    ReleaseRetired,
    ReleaseSuspended,
    changes_of,
    check_lockable,
    check_runnable,
)
from registry.statements import (
    Act,
    CatalogueDecision,
    ESignature,
    Protocol,
    Release,
    RunFinished,
    RunStarted,
    TrialCreated,
    TrialLock,
    ValidationReport,
    ValidationStarted,
)
from registry.trials import check_new_lock

if TYPE_CHECKING:
    from registry.registry import Registry


def check(act: Act, registry: Registry) -> None:
    """Apply the rule for this kind of act. Raises the named error of the first thing that forbids it."""
    rule = RULES.get(type(act))
    if rule is None:
        raise ActionDeniedError(
            f"records of type {act.predicate_type} are not written this way", subject=act.actor
        )
    rule(act, registry)


def _release(act: Release, registry: Registry) -> None:
    for record in registry.records(Release.predicate_type):
        known = record.statement.read(Release)
        if (known.plugin, known.version) == (act.plugin, act.version):
            raise DuplicateRecordError(
                f"{act.plugin} {act.version} was submitted before",
                subject=act.plugin,
                hint="raise the version",
            )


def _protocol(act: Protocol, registry: Registry) -> None:
    for record in registry.records(Protocol.predicate_type):
        known = record.statement.read(Protocol)
        if (known.kit, known.version) == (act.kit, act.version):
            raise DuplicateRecordError(f"kit {act.kit} {act.version} is registered already", subject=act.kit)


def _validation_started(act: ValidationStarted, registry: Registry) -> None:
    _, release = registry.find(act.release, Release)
    planned, plan = find_plan(registry, act.protocol)
    plans = plans_of(registry, plan.kit, plan.version)
    check_in_force(planned, plans)
    deviations = deviations_before(planned.digest, {one.digest: one for one in plans})
    check_approvers(deviations, executor=act.actor, author=release.actor)
    registry.log.open_own(act.checkpoint)
    check_preregistered(act, registry.log.size, planned, registry.root)
    before = [record.statement.read(ValidationStarted) for record in registry.records(act.predicate_type)]
    if any(one.validation == act.validation for one in before):
        raise DuplicateRecordError(f"validation {act.validation} was started before", subject=act.validation)
    due = 1 + sum((one.release, one.protocol) == (act.release, act.protocol) for one in before)
    if act.attempt != due:
        raise WrongStateError(
            f"attempt {due} of this protocol is due, not {act.attempt}", subject=act.validation
        )


def _validation_report(act: ValidationReport, registry: Registry) -> None:
    _, started = registry.find(act.started, ValidationStarted)
    check_report(act, started, find_plan(registry, act.protocol)[1])
    if any(registry.records(act.predicate_type, subject=act.started)):
        raise DuplicateRecordError(
            f"validation {act.validation} has its report already", subject=act.validation
        )


def _esignature(act: ESignature, registry: Registry) -> None:
    esignature.check(act, registry.root)
    target = registry.log.record(act.target)
    match target.statement.predicate_type:
        case ValidationReport.predicate_type:
            _sign_report(act, target.statement.read(ValidationReport), registry)
        case TrialLock.predicate_type:
            _sign_lock(act, target.statement.read(TrialLock), registry)
        case other:
            raise ActionDeniedError(f"no rule for signing records of type {other}", subject=act.target)
    for record in registry.records(act.predicate_type, subject=act.target):
        made = record.statement.read(ESignature)
        if (made.actor, made.meaning, made.role) == (act.actor, act.meaning, act.role):
            raise DuplicateRecordError(
                f"{act.actor} signed this for {act.meaning} already", subject=act.target
            )


def _sign_report(act: ESignature, report: ValidationReport, registry: Registry) -> None:
    _require_role(act, Action.REPORT_SIGN)
    if act.meaning != "authorship":
        _, release = registry.find(report.release, Release)
        require_independent(
            act.actor, {report.actor: "ran the validation", release.actor: "submitted the release"}
        )
    _check_copy(act, report, registry)


def _check_copy(act: ESignature, report: ValidationReport, registry: Registry) -> None:
    """A signature on a report that has a PDF adds to the newest copy of it; what the copy holds is not seen here."""
    before = [
        one.statement.read(ESignature) for one in registry.records(act.predicate_type, subject=act.target)
    ]
    extended = act.signed_copy.extends if act.signed_copy else None
    if extended != esignature.newest_copy(report, before):
        raise WrongStateError(
            "the signature does not add to the newest copy of the report's PDF",
            subject=act.target,
            hint="somebody else signed meanwhile; sign again: assay report sign",
        )


def _sign_lock(act: ESignature, lock: TrialLock, registry: Registry) -> None:
    _require_role(act, Action.TRIAL_SIGN)
    newest = registry.trial(lock.trial).locks[-1]
    if newest.digest != act.target:
        raise LockChainError(
            f"lock {lock.sequence} of trial {lock.trial} was superseded by lock {newest.lock.sequence}",
            subject=lock.trial,
        )
    for slot in lock.slots:
        check_lockable(f"{slot.plugin} {slot.version}", slot.release, changes_of(registry, slot.release))


def _require_role(act: ESignature, action: Action) -> None:
    if act.role not in ALLOWED[action]:
        raise RoleError(
            f"{action} is for {', '.join(sorted(ALLOWED[action]))}, not for {act.role}", subject=act.actor
        )


def _decision(act: CatalogueDecision, registry: Registry) -> None:
    check_decision(registry.catalogue().get(act.release), act)
    check_context(act)


def _change(act: Change, registry: Registry) -> None:
    check_change(registry.catalogue().get(act.release), act)


def _recall(act: ReleaseRecalled, registry: Registry) -> None:
    _change(act, registry)
    found = affected(registry, act.release).digest
    if act.impact != found:
        raise ImpactChangedError(
            f"the recall is signed for the list {short(act.impact)}, but what is affected is {short(found)}",
            subject=act.release,
            hint="read it again: assay catalogue impact PLUGIN@VERSION",
        )


def _trial_created(act: TrialCreated, registry: Registry) -> None:
    for record in registry.records(act.predicate_type):
        if record.statement.read(TrialCreated).trial == act.trial:
            raise DuplicateRecordError(f"trial {act.trial} exists already", subject=act.trial)


def _trial_lock(act: TrialLock, registry: Registry) -> None:
    registry.log.open_own(act.checkpoint)
    known = registry.trial(act.trial)
    check_new_lock(act, known, registry.catalogue(), registry.roots)
    if act.amendment is not None and act.conduct:
        check_impact(act, act.amendment, trial_runs(registry.records(RUN_TYPES), known.locks))
        check_bridging(act, act.amendment, known.locks, registry)


def _run_started(act: RunStarted, registry: Registry) -> None:
    _check_link(act, registry)
    same = registry.records(act.predicate_type, subject=run_key(act.run))
    if any(one.statement.read(RunStarted).run == act.run for one in same):
        raise DuplicateRecordError(f"run {act.run} was started before", subject=act.run)
    _, release = registry.find(act.release, Release)
    for field in ("image", "manifest", "weights"):
        if getattr(act, field) != getattr(release, field):
            raise LockMismatchError(f"run {act.run}: the {field} is not the release's", subject=act.run)
    if act.purpose == "validation":
        _check_validation_run(act, registry)
    else:
        check_trial_run(act, release, registry)


def _check_validation_run(act: RunStarted, registry: Registry) -> None:
    for record in registry.records(ValidationStarted.predicate_type, subject=act.release):
        if record.statement.read(ValidationStarted).validation == act.validation:
            return
    raise WrongStateError(f"run {act.run} belongs to no started validation of its release", subject=act.run)


def check_trial_run(act: RunStarted, release: Release, registry: Registry) -> None:
    """Refuse a run that is not what the trial's lock in force allows."""
    if act.trial is None:
        raise WrongStateError(f"run {act.run} names no trial", subject=act.run)
    known = registry.trial(act.trial)
    view = known.effective
    require_pseudonym(act.subject)
    view = registry.trial(act.trial).effective
    slot = check_run_allowed(view, RunRequest.recorded(act, release.plugin))
    if view is None or act.lock != view.digest or act.release != slot.release:
        raise LockMismatchError(f"run {act.run} is not under the lock in force", subject=act.run)
    check_runnable(registry, slot)
    check_active(known, view, act.actor)
    if view.lock.conduct:
        check_conduct(act, view, slot, trial_runs(registry.records(RUN_TYPES), known.locks))


def _run_finished(act: RunFinished, registry: Registry) -> None:
    _check_link(act, registry)
    _, started = registry.find(act.started, RunStarted)
    if (started.run, started.actor) != (act.run, act.actor):
        raise WrongStateError(f"run {act.run} does not end the run it names", subject=act.run)
    # Another run that was under way may name this run's start as the record before its own end.
    named = registry.records(act.predicate_type, subject=act.started)
    if any(one.statement.read(RunFinished).started == act.started for one in named):
        raise DuplicateRecordError(f"run {act.run} has ended already", subject=act.run)


def _check_link(act: RunStarted | RunFinished, registry: Registry) -> None:
    if act.actor != registry.node_id:
        raise ActionDeniedError(
            f"runs here are recorded by {registry.node_id}, not {act.actor}", subject=act.actor
        )
    due: tuple[int, Digest | None] = registry.next_link()
    if (act.chain, act.previous) != due:
        raise ChainGapError(f"run record {due[0]} is due, not {act.chain}", subject=act.run)


# Any: each rule takes its own kind of act, which a mapping's type cannot say.
RULES: Mapping[type[Act], Callable[[Any, Registry], None]] = MappingProxyType(
    {
        Release: _release,
        Protocol: _protocol,
        ProtocolDeviation: check_deviation,
        ValidationStarted: _validation_started,
        ValidationReport: _validation_report,
        ESignature: _esignature,
        CatalogueDecision: _decision,
        ReleaseSuspended: _change,
        ReleaseReinstated: _change,
        ReleaseRecalled: _recall,
        ReleaseRetired: _change,
        TrialCreated: _trial_created,
        TrialLock: _trial_lock,
        SiteActivated: check_activation,
        RunStarted: _run_started,
        RunFinished: _run_finished,
        PassphraseChanged: check_passphrase_change,
        AuditReview: check_review,
    }
)
