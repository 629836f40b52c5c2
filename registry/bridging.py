"""What an amendment rests on: the results that it affects, and the report that bridges two releases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from registry.canonical import short
from registry.errors import AmendmentImpactError, BridgingError, NotEvaluatedError, UnknownRecordError
from registry.results import TrialRun, affected_digest
from registry.statements import TrialLock, ValidationReport, ValidationStarted
from registry.terms import Amendment
from registry.trials import LockView

if TYPE_CHECKING:
    from registry.registry import Registry


def check_impact(lock: TrialLock, amendment: Amendment, runs: Sequence[TrialRun]) -> None:
    """Refuse an amendment whose affected results are not those it was proposed for. Raises `AmendmentImpactError`."""
    found = affected_digest(runs)
    if amendment.kind != "initiation" and amendment.affected != found:
        raise AmendmentImpactError(
            f"trial {lock.trial}: the results that lock {lock.sequence} affects are {short(found)}, "
            "not those that its signer was shown",
            subject=lock.trial,
            hint=f"read them again: assay trial impact {lock.trial}",
        )


def check_bridging(
    lock: TrialLock, amendment: Amendment, before: Sequence[LockView], registry: Registry
) -> None:
    """Refuse bridging evidence that does not show the new release to be like the one locked before.

    Raises
    ------
    BridgingError
        No report that QA signed, of a release in the lock, made against a report of a release locked before, with all
        criteria met.
    """
    if amendment.bridging is None:
        return
    fault = _fault(lock, amendment.bridging, before, registry)
    if fault:
        raise BridgingError(
            f"trial {lock.trial}: the bridging report {short(amendment.bridging)} {fault}",
            subject=lock.trial,
            hint="assay validate PLUGIN@VERSION --kit KIT --against-trial TRIAL, signed by QA",
        )


def _fault(lock: TrialLock, bridging: str, before: Sequence[LockView], registry: Registry) -> str:
    try:
        _, report = registry.find(bridging, ValidationReport)
        registry.catalogue()[report.release].evaluation(bridging)
        _, started = registry.find(report.started, ValidationStarted)
        earlier = registry.find(started.against, ValidationReport)[1] if started.against else None
    except UnknownRecordError:
        return "is unknown here"
    except NotEvaluatedError:
        return "carries no signature of QA that counts"
    locked = {slot.release: slot.plugin for view in before for slot in view.lock.slots}
    ours = {slot.release: slot.plugin for slot in lock.slots}
    if report.release not in ours:
        return "is of a release that the lock does not name"
    if earlier is None or locked.get(earlier.release) != ours[report.release]:
        return "was not made against a release that this trial locked"
    if report.verdict != "met" or report.subset != "whole kit":
        return f"says {report.verdict!r} on the {report.subset}"
    return ""
