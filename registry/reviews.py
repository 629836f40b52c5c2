"""Reviews of the audit trail: somebody who did none of it read a range of entries, and signs what they found.

Invariants
----------
* A review covers entries under a checkpoint of this log, and names the digest of what it covers, so that it can be
  told later that exactly these records were read.
* Who reviews is the actor of nothing that is reviewed, refused attempts included.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from plugin_spec.model import Identifier
from registry.canonical import Digest, canonical_json, digest
from registry.errors import ReviewRangeError
from registry.policy import require_independent
from registry.record import Record
from registry.statements import PREDICATE_PREFIX, Act, Refusal

if TYPE_CHECKING:
    from registry.registry import Registry


class AuditReview(Act):
    """Entries ``first`` to ``last`` were read, all of them or those that ``who`` and ``what`` name.

    Attributes
    ----------
    covered : str
        Digest of the payload digests of what was read, in order, as canonical JSON.
    finding : str
        What the reviewer found; "none" is a finding too.
    """

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "audit-review/v1"

    first: int = Field(ge=0)
    last: int = Field(ge=0)
    who: Identifier | None = None
    what: Identifier | None = None
    checkpoint: str
    records: int = Field(gt=0)
    covered: Digest
    finding: str = Field(min_length=1, max_length=2000)


def doer(act: Act) -> str:
    """Who did something, or was refused it."""
    return act.attempted_by or act.actor if isinstance(act, Refusal) else act.actor


def kind_of(record: Record) -> str:
    """A record's kind by its short name: ``trial-lock``, ``refusal``."""
    return record.statement.predicate_type.removeprefix(PREDICATE_PREFIX).partition("/")[0]


def selected(
    registry: Registry, first: int, last: int, *, who: str | None = None, what: str | None = None
) -> tuple[Record, ...]:
    """The records of a range that a review covers.

    Raises
    ------
    ReviewRangeError
        There are none.
    """
    found = tuple(
        one
        for one in registry.records()
        if first <= one.sequence <= last
        and what in (None, kind_of(one))
        and who in (None, doer(registry.check(one)))
    )
    if not found:
        raise ReviewRangeError(
            f"entries {first} to {last} hold nothing to review", subject=str(first), hint="assay audit log"
        )
    return found


def digest_of(records: Iterable[Record]) -> Digest:
    """What names the records that a review covers."""
    return digest(canonical_json([one.digest for one in records]))


def check_review(act: AuditReview, registry: Registry) -> None:
    """Refuse a review by an actor of what it covers, or of other records than it names.

    Raises
    ------
    ReviewRangeError
        No such entries, beyond the checkpoint, or other records than the digest names.
    IndependenceError
        The reviewer did, or tried, some of it.
    CheckpointMismatchError, UnsignedCheckpointError
        The checkpoint is not this log's.
    """
    covered = selected(registry, act.first, act.last, who=act.who, what=act.what)
    if act.last >= registry.log.open_own(act.checkpoint).size:
        raise ReviewRangeError(f"the checkpoint does not cover entry {act.last}", subject=str(act.last))
    if (act.records, act.covered) != (len(covered), digest_of(covered)):
        raise ReviewRangeError(
            f"entries {act.first} to {act.last} are not the records that were read", subject=str(act.first)
        )
    done = {doer(registry.check(one)): f"is the actor of entry {one.sequence}" for one in covered}
    require_independent(act.actor, done)
