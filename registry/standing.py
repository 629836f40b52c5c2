"""Where a release stands, and the decisions that stop, restore or end its use. Pure.

```
draft -> submitted -> evaluated -> approved <-> suspended
any submitted state -> recalled, once; any -> retired, once and for all but a recall
```

Invariants
----------
* A state follows from logged decisions alone; it is stored nowhere.
* Whatever is not listed in `ALLOWED_FROM` is denied. Nothing leads from recalled or retired back to approved.
* Stopping needs no independence: whoever sees harm stops it, in a role that may. Restoring does, and is never
  done by the person who stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from plugin_spec.errors import PolicyError
from registry.canonical import Digest
from registry.errors import RecalledError, RetiredError, SuspendedError, WrongStateError
from registry.statements import PREDICATE_PREFIX, Act, LockSlot

if TYPE_CHECKING:
    from registry.registry import Registry


class State(StrEnum):
    """Where a release stands. A draft is what nobody has submitted: the log knows nothing of it."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    EVALUATED = "evaluated"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    RECALLED = "recalled"
    RETIRED = "retired"


class ReleaseSuspended(Act):
    """No new lock may name the release until it is reinstated; trials under way are told and go on."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "release-suspended/v1"
    verb: ClassVar[str] = "suspend"

    release: Digest


class ReleaseReinstated(Act):
    """A suspension ends: what was approved before it is approved again."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "release-reinstated/v1"
    verb: ClassVar[str] = "reinstate"

    release: Digest


class ReleaseRecalled(Act):
    """The release is unsafe: no new lock, no further run; ``impact`` is the digest of the list of what it touched."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "release-recalled/v1"
    verb: ClassVar[str] = "recall"

    release: Digest
    impact: Digest


class ReleaseRetired(Act):
    """End of life: no new lock; trials that locked it before finish with it, unless it was recalled too."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "release-retired/v1"
    verb: ClassVar[str] = "retire"

    release: Digest


Change = ReleaseSuspended | ReleaseReinstated | ReleaseRecalled | ReleaseRetired
CHANGES: Mapping[str, type[Change]] = MappingProxyType(
    {
        one.predicate_type: one
        for one in (ReleaseSuspended, ReleaseReinstated, ReleaseRecalled, ReleaseRetired)
    }
)
_SUBMITTED_STATES = frozenset(State) - {State.DRAFT}
# The states in which each decision may be taken. One that is submitted has no report for an approval to rest on.
ALLOWED_FROM: Mapping[str, frozenset[State]] = MappingProxyType(
    {
        "approve": frozenset({State.EVALUATED, State.APPROVED}),
        ReleaseSuspended.verb: frozenset({State.APPROVED}),
        ReleaseReinstated.verb: frozenset({State.SUSPENDED}),
        ReleaseRecalled.verb: _SUBMITTED_STATES - {State.RECALLED},
        ReleaseRetired.verb: _SUBMITTED_STATES - {State.RETIRED},
    }
)
_LEADS_TO: Mapping[type[Change], State] = MappingProxyType(
    {
        ReleaseSuspended: State.SUSPENDED,
        ReleaseRecalled: State.RECALLED,
        ReleaseRetired: State.RETIRED,
    }
)
_STOPPED: Mapping[State, type[PolicyError]] = MappingProxyType(
    {State.SUSPENDED: SuspendedError, State.RECALLED: RecalledError, State.RETIRED: RetiredError}
)


def stands(earned: State, changes: Sequence[Change]) -> State:
    """The state of a release: what its evidence and approvals earned, unless a later decision stopped it."""
    return _LEADS_TO.get(type(changes[-1]), earned) if changes else earned


def was_recalled(changes: Iterable[Change]) -> ReleaseRecalled | None:
    """The recall, if there is one; a release that was retired after it is recalled all the same."""
    return next((one for one in changes if isinstance(one, ReleaseRecalled)), None)


def check_step(verb: str, state: State, changes: Sequence[Change], *, name: str, subject: Digest) -> None:
    """Refuse a decision that the state of the release does not allow.

    Parameters
    ----------
    verb : str
        A key of `ALLOWED_FROM`.
    state, changes : State, sequence of Change
        Where the release stands, and how it came there.
    name, subject : str, Digest
        The release, for people and for the record.

    Raises
    ------
    RecalledError, SuspendedError, RetiredError
        It was recalled, is suspended or retired, which excludes this.
    WrongStateError
        Any other state that excludes it.
    """
    if verb != ReleaseRetired.verb and was_recalled(changes) is not None:
        raise RecalledError(f"{name} was recalled: {_why(changes)}", subject=subject, hint=_HINT)
    if state in ALLOWED_FROM[verb]:
        return
    if state in _STOPPED:
        raise _STOPPED[state](f"{name} is {state}: {_why(changes)}", subject=subject, hint=_HINT)
    raise WrongStateError(f"{name} is {state}: there is nothing to {verb}", subject=subject, hint=_HINT)


def check_lockable(name: str, subject: Digest, changes: Sequence[Change]) -> None:
    """Refuse to lock, or to sign a lock of, a release that is suspended, recalled or retired.

    Raises
    ------
    RecalledError, SuspendedError, RetiredError
    """
    if was_recalled(changes) is not None:
        raise RecalledError(f"{name} was recalled: {_why(changes)}", subject=subject, hint=_HINT)
    state = stands(State.APPROVED, changes)
    if state in _STOPPED:
        raise _STOPPED[state](f"{name} is {state}: {_why(changes)}", subject=subject, hint=_HINT)


def changes_of(registry: Registry, release: Digest) -> tuple[Change, ...]:
    """What was decided about a release since its approval, as far as this home knows; oldest first."""
    found = [registry.check(one) for one in registry.log.records(tuple(CHANGES), subject=release)]
    return tuple(one for one in found if isinstance(one, Change) and one.release == release)


def check_runnable(registry: Registry, slot: LockSlot) -> None:
    """Refuse to run a release that this home knows to be recalled. Raises `RecalledError`.

    A suspended or retired one runs on under locks that were in force before: stopping a trial midway can do harm
    too, so that takes a recall.
    """
    recall = was_recalled(changes_of(registry, slot.release))
    if recall is not None:
        raise RecalledError(
            f"{slot.plugin} {slot.version} was recalled by {recall.actor} at {recall.at}: {recall.reason}",
            subject=slot.release,
            hint="the sponsor proposes a lock of another release, and this site imports its bundle",
        )


def told(registry: Registry, slots: Iterable[LockSlot]) -> list[str]:
    """One line for each locked release that is suspended, recalled or retired as far as this home knows."""
    lines = []
    for slot in slots:
        changes = changes_of(registry, slot.release)
        state = stands(State.APPROVED, changes)
        if state in _STOPPED:
            lines.append(
                f"slot {slot.slot}: {slot.plugin} {slot.version} is {state}: {_why(changes)}; "
                + ("it is not run any more" if was_recalled(changes) else "runs under this lock go on")
            )
    return lines


_HINT = "assay catalogue show PLUGIN@VERSION"


def _why(changes: Sequence[Change]) -> str:
    """The reason that was given for the decision in force."""
    last = was_recalled(changes) or changes[-1]
    return f"{last.reason} ({last.actor}, {last.at})"
