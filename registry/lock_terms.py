"""Whether a lock's terms hold: approvals that cover the trial's use, the least evidence, amendments. Pure decisions.

Invariants
----------
* A slot rests on an approval that reaches the trial's scope and covers the slot's context of use.
* An amendment asks for no fewer signatures than the lock in force, and says its reason and its impact.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from registry.catalogue import REACH, CatalogueEntry, missing_evidence
from registry.errors import (
    AmendmentReasonError,
    AmendmentThresholdError,
    ContextExceededError,
    EvidenceTooWeakError,
    GpuNotAllowedError,
    ScopeError,
)
from registry.statements import CatalogueDecision, ContextOfUse, GpuRef, LockSlot, TrialLock
from registry.terms import NO_GPU, LeastAccepted, LockTerms

VERDICTS: Mapping[str, int] = MappingProxyType({"not met": 0, "insufficient evidence": 1, "met": 2})
EVIDENCE: Mapping[str, int] = MappingProxyType({"phantom": 0, "derived": 1, "patient": 2})
ENDPOINTS: Mapping[str, int] = MappingProxyType({"none": 0, "exploratory": 1, "secondary": 2, "primary": 3})


def covering_approval(entry: CatalogueEntry, scope: str, context: ContextOfUse | None) -> CatalogueDecision:
    """The newest approval of a release that reaches a scope and covers a context of use.

    Parameters
    ----------
    entry : CatalogueEntry
        Of a release with at least one approval.
    scope : str
        The trial's.
    context : ContextOfUse or None
        The slot's; None where the lock states none.

    Raises
    ------
    ScopeError, ContextExceededError
        The use exceeds every approval; the message names what is missing.
    """
    reaching = [one for one in entry.approvals if REACH[one.scope] >= REACH[scope]]
    name = f"{entry.release.plugin} {entry.release.version}"
    if not reaching:
        newest = entry.approvals[-1]
        found = entry.evaluation(newest.report)
        lacks = missing_evidence(found.report, found.protocol, scope) or "nobody approved it for that"
        raise ScopeError(
            f"{name} is approved for {newest.scope}, not {scope}: {lacks}",
            subject=entry.digest,
            hint="validate it with what is missing, and approve it: assay catalogue approve",
        )
    faults = {one.report: context_faults(one.context, context) for one in reaching}
    covering = [one for one in reaching if not faults[one.report]]
    if not covering:
        raise ContextExceededError(
            f"{name} is not approved for this use: {'; '.join(faults[reaching[-1].report])}",
            subject=entry.digest,
            hint="evidence for that use is missing: validate it there, then assay catalogue approve",
        )
    return covering[-1]


def context_faults(approved: ContextOfUse | None, used: ContextOfUse | None) -> list[str]:
    """In what a use exceeds an approval, one line each; empty where it does not, or where the lock states no use."""
    if used is None:
        return []
    if approved is None:
        return ["the approval does not say measurand, population, modality and endpoint role"]
    faults = [
        f"approved is {field.replace('_', ' ')} {said!r}, used is {asked!r}"
        for field in ("measurand", "population", "modality", "tracer")
        if (said := getattr(approved, field)) != (asked := getattr(used, field))
    ]
    if ENDPOINTS[used.endpoint_role] > ENDPOINTS[approved.endpoint_role]:
        faults.append(f"approved as endpoint is {approved.endpoint_role!r}, used is {used.endpoint_role!r}")
    return faults


def check_least(slot: LockSlot, approval: CatalogueDecision, least: LeastAccepted) -> None:
    """Refuse a slot whose report or approval is weaker than the lock accepts. Raises `EvidenceTooWeakError`."""
    for what, ranks, found, asked in (
        ("verdict", VERDICTS, slot.verdict, least.verdict),
        ("evidence", EVIDENCE, slot.evidence, least.evidence),
        ("scope", REACH, approval.scope, least.scope),
    ):
        if ranks[found] < ranks[asked]:
            raise EvidenceTooWeakError(
                f"slot {slot.slot}: the {what} is {found!r}, the lock accepts no less than {asked!r}",
                subject=slot.release,
            )


def check_amendment(lock: TrialLock, before: TrialLock | None) -> None:
    """Refuse a lock that does not say why it follows another, or asks for fewer signatures than it.

    Parameters
    ----------
    lock : TrialLock
        About to be logged.
    before : TrialLock or None
        The lock in force, or the newest where none is; None for a trial's first lock.

    Raises
    ------
    AmendmentReasonError, AmendmentThresholdError
    """
    stated = lock.amendment.kind if lock.amendment else None
    if before is None:
        if stated not in (None, "initiation"):
            raise AmendmentReasonError(
                f"trial {lock.trial}: its first lock amends nothing", subject=lock.trial
            )
        return
    if stated in (None, "initiation"):
        raise AmendmentReasonError(
            f"trial {lock.trial}: lock {lock.sequence} does not say its class, impact and justification",
            subject=lock.trial,
            hint=f"assay trial amend {lock.trial} --class CLASS --impact IMPACT --justification TEXT",
        )
    asked = Counter({one.role: one.count for one in lock.policy})
    for threshold in before.policy:
        if asked[threshold.role] < threshold.count:
            raise AmendmentThresholdError(
                f"trial {lock.trial}: lock {before.sequence} asks for {threshold.role} {threshold.count}, "
                f"its amendment for {asked[threshold.role]}",
                subject=lock.trial,
                hint="an amendment carries at least the signatures of the lock that it amends",
            )


def check_gpus(trial: str, terms: LockTerms | None, devices: tuple[GpuRef, ...]) -> None:
    """Refuse a run on a GPU, or without one, that the lock does not list. Raises `GpuNotAllowedError`."""
    if terms is None or terms.gpus is None:
        return
    for model in sorted({one.model for one in devices} or {NO_GPU}):
        if model not in terms.gpus:
            raise GpuNotAllowedError(
                f"trial {trial} allows {', '.join(terms.gpus)}, not {model}",
                subject=model,
                hint="run on a GPU of the lock's class, or amend the lock",
            )
