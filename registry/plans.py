"""A kit's plan over time: the registered protocol, and the numbered deviations that follow it.

Invariants
----------
* The plans of one kit and version are one chain: each deviation names the plan before it and bears the next number.
* A deviation changes the protocol and nothing else of the kit, and says field by field what it changes.
* Who signs a deviation approves it, in the role ``qa``: somebody who neither ran a validation against the kit nor
  submitted a release that was validated against it, before or after.
* Only the newest plan may be validated by; the earlier ones stay readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from plugin_spec.model import StrictModel
from registry.canonical import Digest, short
from registry.errors import DuplicateRecordError, IndependenceError, StatementError, WrongStateError
from registry.policy import require_independent
from registry.record import Record
from registry.statements import (
    PREDICATE_PREFIX,
    Protocol,
    Release,
    Statement,
    ValidationStarted,
)

if TYPE_CHECKING:
    from registry.registry import Registry


class FieldChange(StrictModel):
    """One field of a protocol before and after, each as canonical JSON; None where there is no such field."""

    field: str = Field(min_length=1, max_length=300)
    before: str | None = Field(max_length=50_000)
    after: str | None = Field(max_length=50_000)


class ProtocolDeviation(Protocol):
    """A later edit of a registered protocol: the digests of the kit with it, what changed, and after which plan."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "protocol-deviation/v1"

    number: int = Field(gt=0)
    previous: Digest
    changes: tuple[FieldChange, ...] = Field(min_length=1)


PLANS: Mapping[str, type[Protocol]] = MappingProxyType(
    {one.predicate_type: one for one in (Protocol, ProtocolDeviation)}
)


def read_plan(statement: Statement) -> Protocol:
    """Read a record as the plan it is. Raises `StatementError` where it is none."""
    kind = PLANS.get(statement.predicate_type)
    if kind is None:
        what = statement.predicate_type.removeprefix(PREDICATE_PREFIX)
        raise StatementError(
            f"this record is a {what}, not a protocol or a deviation from one",
            subject=statement.payload_digest,
        )
    return statement.read(kind)


def find_plan(registry: Registry, payload_digest: Digest) -> tuple[Record, Protocol]:
    """A plan's record and content. Raises `UnknownRecordError`, `StatementError`."""
    record = registry.log.record(payload_digest)
    registry.check(record)
    return record, read_plan(record.statement)


def plans_of(registry: Registry, kit: str, version: str) -> list[Record]:
    """The plans of one version of a kit, the registered protocol first."""
    plans = registry.records(PLANS)
    return [one for one in plans if _is_of(read_plan(one.statement), kit, version)]


def _is_of(plan: Protocol, kit: str, version: str) -> bool:
    return (plan.kit, plan.version) == (kit, version)


def number_of(plan: Protocol) -> int:
    """How many deviations a plan has behind it: 0 for the protocol as it was registered."""
    return plan.number if isinstance(plan, ProtocolDeviation) else 0


def deviations_before(plan: Digest, plans: Mapping[Digest, Record]) -> tuple[ProtocolDeviation, ...]:
    """The deviations that a plan rests on, itself included, first one first.

    Parameters
    ----------
    plan : Digest
        Of a record in ``plans``.
    plans : mapping of Digest to Record
        Every plan there is to look in.

    Raises
    ------
    WrongStateError
        A plan that one of them names is missing.
    """
    found: list[ProtocolDeviation] = []
    while True:
        if plan not in plans:
            raise WrongStateError(f"the plan {short(plan)} is missing", subject=plan)
        content = read_plan(plans[plan].statement)
        if not isinstance(content, ProtocolDeviation):
            return tuple(reversed(found))
        found.append(content)
        plan = content.previous


def check_deviation(act: ProtocolDeviation, registry: Registry) -> None:
    """Refuse a deviation that does not follow the plan in force, or whose signer is not independent.

    Raises
    ------
    WrongStateError
        The kit is not registered, or another plan is in force than the one named.
    DuplicateRecordError
        The protocol is the one in force already.
    IndependenceError
        The signer ran a validation against the kit, or submitted a release that was validated against it.
    """
    plans = plans_of(registry, act.kit, act.version)
    if not plans:
        raise WrongStateError(f"kit {act.kit} {act.version} is not registered", subject=act.kit)
    before = read_plan(plans[-1].statement)
    if (act.previous, act.number) != (plans[-1].digest, len(plans)):
        raise WrongStateError(
            f"deviation {len(plans)} of {act.kit} {act.version} is due, from {short(plans[-1].digest)}",
            subject=act.kit,
        )
    if act.protocol_digest == before.protocol_digest:
        raise DuplicateRecordError(f"the protocol of {act.kit} {act.version} is unchanged", subject=act.kit)
    if act.evidence != before.evidence:
        raise WrongStateError(
            f"a deviation changes the protocol of {act.kit}, not its evidence", subject=act.kit
        )
    require_independent(act.actor, _took_part(registry, act.kit))


def _took_part(registry: Registry, kit: str) -> dict[str, str]:
    """Who had to do with an execution against any version of a kit, and how."""
    found: dict[str, str] = {}
    for record in registry.records(ValidationStarted.predicate_type):
        started = record.statement.read(ValidationStarted)
        if find_plan(registry, started.protocol)[1].kit == kit:
            author = registry.find(started.release, Release)[1].actor
            found[author] = f"submitted a release that was validated against {kit}"
            found[started.actor] = f"ran a validation against {kit}"
    return found


def check_in_force(plan: Record, plans: Sequence[Record]) -> None:
    """Refuse a plan that a later deviation has replaced. Raises `WrongStateError`."""
    if plan.digest != plans[-1].digest:
        newest = read_plan(plans[-1].statement)
        raise WrongStateError(
            f"deviation {number_of(newest)} of {newest.kit} {newest.version} is in force, logged as entry "
            f"{plans[-1].sequence}",
            subject=newest.kit,
            hint="validate by the protocol that it registered",
        )


def check_approvers(deviations: Iterable[ProtocolDeviation], *, executor: str, author: str) -> None:
    """Refuse deviations that the executor of a validation, or the author of its release, approved.

    Raises
    ------
    IndependenceError
    """
    for one in deviations:
        if one.actor in {executor, author}:
            capacity = "runs the validation" if one.actor == executor else "submitted the release"
            raise IndependenceError(
                f"{one.actor} approved deviation {one.number} of {one.kit} {one.version} and {capacity}",
                subject=one.actor,
                hint="another person runs the validation, or a new version of the kit is registered",
            )
