"""Audit of the whole log: re-hash every body, check every signature, and list every fault by sequence.

Nothing the database says about itself is believed: leaves are computed again from the bodies, the tree's nodes and the
roots of all checkpoints ever signed from those leaves (`registry.tree_check`). What a pinned checkpoint from elsewhere
shows, no database can undo.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plugin_spec.errors import AssayError
from registry import entries
from registry.authority import read_act
from registry.canonical import Digest
from registry.checkpoint import Checkpoint, open_checkpoint
from registry.errors import TamperedRecordError
from registry.record import Record, named_digests
from registry.reviews import AuditReview, doer, kind_of
from registry.statements import Act, Refusal, TrialCreated
from registry.tables import EntryRow
from registry.tree_check import Fault, check_tree

if TYPE_CHECKING:
    from registry.registry import Registry


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line of the audit trail: when, who, in which role, what, on what, why."""

    sequence: int
    logged_at: str
    at: str
    actor: str
    role: str
    what: str
    subject: str
    reason: str
    digest: Digest


def verify_log(registry: Registry, pinned: Sequence[str] = ()) -> tuple[Fault, ...]:
    """Every fault of the log; empty when all is well.

    Parameters
    ----------
    registry : Registry
        Whose log.
    pinned : sequence of str, optional
        Checkpoint notes of this log that somebody else kept: a bundle's, a witness's. Only these show that
        a whole database was put back to an earlier state.
    """
    checkpoints, faults = _checkpoints(registry, pinned)
    faults += _guard_faults(registry)
    faults += check_tree(registry.log.database, checkpoints)
    tampered = {one.sequence for one in faults if one.code == TamperedRecordError.code}
    last = ""
    for page in registry.log.pages():
        filed = entries.filed_under(registry.log.database, [row.sequence for row in page])
        for row in page:
            if row.logged_at < last:
                faults.append(_backdated(row))
            if row.sequence not in tampered:
                faults += _row_faults(row, filed[row.sequence], registry)
            last = row.logged_at
    if not faults:
        faults += _trial_faults(registry)
    return tuple(sorted(faults, key=lambda fault: (fault.sequence is not None, fault.sequence or 0)))


def _checkpoints(registry: Registry, pinned: Sequence[str]) -> tuple[list[Checkpoint], list[Fault]]:
    """What the notes say that this log signed, and each note that it did not."""
    found: list[Checkpoint] = []
    faults: list[Fault] = []
    for note in (*registry.log.notes(), *pinned):
        try:
            found.append(open_checkpoint(note.encode(), origin=registry.log.origin, key=registry.node.public))
        except AssayError as error:
            faults.append(Fault(None, error.code, error.message))
    return found, faults


def _guard_faults(registry: Registry) -> Iterator[Fault]:
    for name in registry.log.database.missing_guards():
        yield Fault(
            None, "guard-missing", f"the database has lost its {name}: somebody worked on it directly"
        )


def _backdated(row: EntryRow) -> Fault:
    return Fault(row.sequence, "bad-clock", f"entry {row.sequence} is dated before the one ahead of it")


def _row_faults(row: EntryRow, filed: Set[Digest], registry: Registry) -> Iterator[Fault]:
    try:
        record = registry.log.checked(row)
        registry.check(record)
    except AssayError as error:
        yield Fault(row.sequence, error.code, f"entry {row.sequence}: {error.message}")
        return
    if filed != named_digests(record.statement):
        yield Fault(
            row.sequence, "index-tampered", f"entry {row.sequence} is not filed under the digests it names"
        )


def _trial_faults(registry: Registry) -> Iterator[Fault]:
    for record in registry.records(TrialCreated.predicate_type):
        try:
            registry.trial(record.statement.read(TrialCreated).trial)
        except AssayError as error:
            yield Fault(record.sequence, error.code, error.message)


def view(
    records: Iterable[Record],
    *,
    who: str | None = None,
    what: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    why: str | None = None,
    about: str | None = None,
) -> tuple[AuditRow, ...]:
    """Read records as the audit trail, oldest first.

    Parameters
    ----------
    records : iterable of Record
        From `Registry.records`.
    who : str, optional
        Only acts, or refused attempts, of this person.
    what : str, optional
        Only this kind of record, by its short name: ``trial-lock``, ``run-started``, ``refusal``.
    since : datetime, optional
        Only what was logged from this time on.
    until : datetime, optional
        Only what was logged before this time.
    why : str, optional
        Only where the reason, or a refusal's message, holds this text, whatever its case.
    about : str, optional
        Only what is, or names, this: a trial, run, plugin, kit, subject of a scan, person, or a record's digest.
    """
    earliest = "" if since is None else _logged(since)
    latest = "~" if until is None else _logged(until)  # sorts behind every time
    found = []
    for record in records:
        if earliest <= record.logged_at < latest:
            act = read_act(record.statement)
            row = _row(record, act)
            if (
                who in (None, row.actor)
                and what in (None, row.what)
                and (why or "").casefold() in row.reason.casefold()
                and (about is None or about in _names(record, act, row))
            ):
                found.append(row)
    return tuple(found)


def _logged(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _names(record: Record, act: Act, row: AuditRow) -> frozenset[str]:
    """What a record is about or names: its own digest, every other one in it, and its fields that are words."""
    words = {value for value in act.__dict__.values() if isinstance(value, str)}
    return frozenset({record.digest, row.subject, row.actor} | words) | named_digests(record.statement)


def _row(record: Record, act: Act) -> AuditRow:
    kind, actor, subject, reason = kind_of(record), doer(act), _subject(act), act.reason
    if isinstance(act, Refusal):
        subject, reason = act.subject_id, f"{act.attempted} refused ({act.error}): {act.message}"
    if isinstance(act, AuditReview):
        subject, reason = f"entries {act.first} to {act.last}", f"{act.finding}: {act.reason}"
    return AuditRow(
        record.sequence, record.logged_at, act.at, actor, act.role, kind, subject, reason, record.digest
    )


def _subject(act: Act) -> str:
    """What an act is about, by the first of the fields that name such a thing."""
    for field in ("run", "trial", "plugin", "kit", "validation", "target", "release", "organisation"):
        if (value := getattr(act, field, None)) is not None:
            return str(value)
    return ""
