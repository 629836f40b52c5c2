"""An excerpt of a log: some of its records, each with the proof of its place under one signed checkpoint.

Who holds an excerpt and one digest of a trust root needs neither the log nor its keeper to check what it shows: which
records there are, who signed them in which role, and in what order they were logged. What it leaves out it cannot show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from plugin_spec.model import StrictModel
from registry import dsse, merkle
from registry.archive import ListedConsistency, ListedEntry
from registry.authority import check_record
from registry.canonical import Digest, digest
from registry.checkpoint import Checkpoint
from registry.errors import (
    BundleContentError,
    CheckpointMismatchError,
    MalformedBundleError,
    RootPinError,
)
from registry.keys import PublicKey
from registry.record import Record, leaf_data, read_record
from registry.roots import RootHistory
from registry.statements import TrialLock, ValidationStarted, parse_statement
from registry.trust_root import TrustRoot
from registry.witness import open_enrolled

if TYPE_CHECKING:
    from registry.registry import Registry

MAX_ENTRIES = 10_000


class ExcerptEntry(StrictModel):
    """A record with its envelope as it was logged, and the proof of its place."""

    sequence: int = Field(ge=0)
    logged_at: str
    envelope: str
    inclusion: tuple[str, ...]

    def listed(self) -> ListedEntry:
        """The entry as `verified_entry` takes it."""
        data = self.envelope.encode()
        return ListedEntry(
            sequence=self.sequence,
            logged_at=self.logged_at,
            payload=digest(dsse.unverified_payload(data)),
            envelope=digest(data),
            inclusion=self.inclusion,
        )


class Excerpt(StrictModel):
    """Records of one log, in its order, every trust root among them, and the checkpoint they are proven under.

    ``consistency`` shows that the checkpoint continues the earlier ones that records lean on.
    """

    origin: str
    checkpoint: str
    entries: tuple[ExcerptEntry, ...] = Field(min_length=1, max_length=MAX_ENTRIES)
    consistency: tuple[ListedConsistency, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What an excerpt was found to show."""

    roots: RootHistory
    records: tuple[Record, ...]
    checkpoint: Checkpoint


def take(registry: Registry, records: Iterable[Record]) -> Excerpt:
    """Excerpt some records, and every trust root, under a checkpoint of the log as it is now."""
    note = registry.log.checkpoint()
    size = registry.log.open_own(note).size
    chosen = {one.sequence: one for one in (*registry.records(TrustRoot.predicate_type), *records)}
    ordered = [chosen[sequence] for sequence in sorted(chosen)]
    leant_on = {open_enrolled(one, registry.root).size for one in _notes(ordered)}
    return Excerpt(
        origin=registry.log.origin,
        checkpoint=note,
        entries=tuple(_entry(registry, one, size) for one in ordered),
        consistency=tuple(consistencies(registry, leant_on, size)),
    )


def _entry(registry: Registry, record: Record, size: int) -> ExcerptEntry:
    proof = registry.log.inclusion(record.digest, size)
    return ExcerptEntry(
        sequence=record.sequence,
        logged_at=record.logged_at,
        envelope=record.envelope.decode(),
        inclusion=tuple(one.hex() for one in proof.hashes),
    )


def consistencies(registry: Registry, sizes: Iterable[int], size: int) -> Iterator[ListedConsistency]:
    """Proofs that the log at ``size`` entries continues what it was at each of the smaller ``sizes``."""
    for smaller in sorted(one for one in set(sizes) if 0 < one < size):
        hashes = registry.log.consistency(smaller, size)
        yield ListedConsistency(size=smaller, hashes=tuple(one.hex() for one in hashes))


def verify(excerpt: Excerpt, *, pin: Digest) -> Shown:
    """Verify an excerpt from one pinned digest of a trust root.

    Parameters
    ----------
    excerpt : Excerpt
    pin : Digest
        Payload digest of any version of the log's trust root, known from elsewhere.

    Raises
    ------
    TrustError
        One of its subclasses, for the first thing that does not verify.
    """
    entries = [(one.listed(), one.envelope.encode()) for one in excerpt.entries]
    roots = roots_among(entries, pin)
    checkpoint = open_enrolled(excerpt.checkpoint, roots.current)
    if checkpoint.origin != excerpt.origin:
        raise CheckpointMismatchError("the checkpoint is of another log", subject=excerpt.origin)
    records = verified_entries(entries, checkpoint, roots)
    check_leant_on(records, roots, checkpoint, excerpt.consistency)
    return Shown(roots, records, checkpoint)


def roots_among(entries: Sequence[tuple[ListedEntry, bytes]], pin: Digest) -> RootHistory:
    """The chain of trust roots among some entries. Raises `RootPinError` and what a broken chain raises."""
    roots = RootHistory.verified([(one.sequence, data) for one, data in entries if _is_root(data)], pin)
    if not roots.versions:
        raise RootPinError("no trust root is carried", subject=pin)
    return roots


def _is_root(envelope: bytes) -> bool:
    return parse_statement(dsse.unverified_payload(envelope)).predicate_type == TrustRoot.predicate_type


def verified_entries(
    entries: Sequence[tuple[ListedEntry, bytes]], checkpoint: Checkpoint, roots: RootHistory
) -> tuple[Record, ...]:
    """Verify entries with their envelopes: signatures, places in the log, order, and who may have written them."""
    keys = roots.keys()
    records = tuple(verified_entry(entry, envelope, checkpoint, keys) for entry, envelope in entries)
    if [one.sequence for one in records] != sorted({one.sequence for one in records}):
        raise BundleContentError("entries out of order or twice", subject=checkpoint.origin)
    for record in records:
        check_record(record, roots)
    return records


def verified_entry(
    entry: ListedEntry, envelope: bytes, checkpoint: Checkpoint, keys: Mapping[str, PublicKey]
) -> Record:
    """Verify a record's signatures and its place in the log."""
    leaf = merkle.leaf_hash(leaf_data(entry.sequence, entry.logged_at, entry.payload, digest(envelope)))
    proof = [_hash(one) for one in entry.inclusion]
    merkle.verify_inclusion(leaf, entry.sequence, checkpoint.size, proof=proof, root=checkpoint.root)
    record = read_record(entry.sequence, entry.logged_at, envelope, keys)
    if record.digest != entry.payload:
        raise BundleContentError(
            f"entry {entry.sequence} holds another record than listed", subject=entry.payload
        )
    return record


def check_leant_on(
    records: Sequence[Record],
    roots: RootHistory,
    checkpoint: Checkpoint,
    consistency: Sequence[ListedConsistency],
) -> None:
    """Refuse a record that leans on a checkpoint from another history of the log."""
    for record in records:
        for note in _notes([record]):
            earlier = open_enrolled(note, roots.at(record.sequence))
            if earlier.origin != checkpoint.origin or earlier.size > record.sequence:
                raise CheckpointMismatchError(
                    f"entry {record.sequence} leans on a foreign checkpoint", subject=record.digest
                )
            merkle.verify_consistency(
                earlier.size,
                checkpoint.size,
                root1=earlier.root,
                root2=checkpoint.root,
                proof=proof_from(consistency, earlier.size),
            )


def _notes(records: Iterable[Record]) -> Iterator[str]:
    """The checkpoints that records lean on."""
    for record in records:
        match record.statement.predicate_type:
            case ValidationStarted.predicate_type:
                yield record.statement.read(ValidationStarted).checkpoint
            case TrialLock.predicate_type:
                yield record.statement.read(TrialLock).checkpoint


def proof_from(consistency: Sequence[ListedConsistency], size: int) -> tuple[bytes, ...]:
    """The proof from a size among those carried; empty, which proves equality only, where there is none."""
    for one in consistency:
        if one.size == size:
            return tuple(_hash(text) for text in one.hashes)
    return ()


def _hash(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise MalformedBundleError("a proof is not hexadecimal") from error
