"""The log: an append-only RFC 9162 Merkle tree over signed records, with signed checkpoints of its state.

Invariants
----------
* Sequences are dense from 0; a payload is logged once; an append that returned is on disk.
* A leaf commits to sequence, time, payload and envelope, so none of them changes without the root changing.
* A record is handed out only after its body was hashed against its leaf and its signatures verified.
* No checkpoint is signed that does not continue the last one this log signed.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from registry import dsse, merkle
from registry.canonical import Digest, digest, short
from registry.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from registry.database import Database
from registry.errors import (
    CheckpointMismatchError,
    ClockError,
    DuplicateRecordError,
    LogTruncatedError,
    TamperedRecordError,
    UnknownRecordError,
)
from registry.keys import PublicKey, Signer
from registry.record import Proof, Record, leaf_data, named_digests, read_record
from registry.tables import CheckpointRow, EntryRow, SubjectRow

__all__ = ["Log", "Proof", "Record"]

MAX_CLOCK_STEP_BACK = timedelta(seconds=60)
MAX_REMEMBERED = 50_000
NEWEST_AT_A_TIME = 8


class Log:
    """The log of one node.

    Parameters
    ----------
    database : Database
        Where entries rest.
    origin : str
        The log's name in checkpoints.
    node : Signer
        Signs checkpoints.
    keys : mapping of key id to PublicKey
        Whose signatures count; replace it when the trust root changes.
    clock : callable
        Returns the time now, with a zone.
    """

    def __init__(
        self,
        database: Database,
        *,
        origin: str,
        node: Signer,
        keys: Mapping[str, PublicKey],
        clock: Callable[[], datetime],
    ) -> None:
        self.database = database
        self.origin = origin
        self._keys = keys
        self._verified: dict[bytes, Record] = {}
        self._node = node
        self._clock = clock

    @property
    def keys(self) -> Mapping[str, PublicKey]:
        """Whose signatures count."""
        return self._keys

    @keys.setter
    def keys(self, keys: Mapping[str, PublicKey]) -> None:
        self._keys = keys
        self._verified = {}

    @property
    def size(self) -> int:
        """How many entries there are."""
        with self.database.reading() as session:
            return _size(session)

    def append(self, envelope: bytes) -> Record:
        """Verify an envelope and log it in one durable transaction.

        Raises
        ------
        SignatureError, StatementError
            No known key signed it, a signature names an unknown key, or it is no statement.
        DuplicateRecordError
            The payload is logged already.
        ClockError
            The clock went back by more than a minute since the last entry.
        """
        # A signature ignored today would make the entry unreadable once its key is enrolled.
        dsse.check_every_signer_known(envelope, self.keys)
        with self.database.transaction() as session:
            sequence = _size(session)
            record = read_record(sequence, self._stamp(session, sequence), envelope, self.keys)
            if self.has(record.digest):
                raise DuplicateRecordError(
                    f"record {short(record.digest)} is logged already", subject=record.digest
                )
            leaf = leaf_data(sequence, record.logged_at, record.digest, digest(envelope))
            session.add(
                EntryRow(
                    sequence=sequence,
                    logged_at=record.logged_at,
                    payload_digest=record.digest,
                    predicate_type=record.statement.predicate_type,
                    envelope=envelope,
                    leaf_hash=merkle.leaf_hash(leaf),
                )
            )
            session.flush()
            session.add_all(
                SubjectRow(sequence=sequence, digest=one) for one in sorted(named_digests(record.statement))
            )
            session.flush()
        return record

    def has(self, payload_digest: Digest) -> bool:
        """Tell whether a record of this name is logged; nothing of it is verified."""
        query = select(EntryRow.sequence).where(EntryRow.payload_digest == payload_digest)
        with self.database.reading() as session:
            return session.exec(query).first() is not None

    def record(self, payload_digest: Digest) -> Record:
        """Return one record. Raises `UnknownRecordError`, `TamperedRecordError`."""
        with self.database.reading() as session:
            row = session.exec(select(EntryRow).where(EntryRow.payload_digest == payload_digest)).first()
            if row is None:
                raise UnknownRecordError(f"no record {payload_digest} in this log", subject=payload_digest)
            return self.checked(row)

    def records(
        self,
        predicate_type: str | Collection[str] | None = None,
        subject: Digest | None = None,
        since: datetime | None = None,
    ) -> Iterator[Record]:
        """Yield verified records in log order: of some types, naming one digest, or logged from a time on."""
        query = select(EntryRow).order_by(col(EntryRow.sequence))
        if predicate_type is not None:
            kinds = [predicate_type] if isinstance(predicate_type, str) else list(predicate_type)
            query = query.where(col(EntryRow.predicate_type).in_(kinds))
        if subject is not None:
            query = query.join(SubjectRow, col(SubjectRow.sequence) == col(EntryRow.sequence))
            query = query.where(SubjectRow.digest == subject)
        if since is not None:
            query = query.where(EntryRow.logged_at >= _text(since))
        with self.database.reading() as session:
            rows = list(session.exec(query))
            yield from [self.checked(row) for row in rows]

    def newest_first(self, predicate_types: Collection[str]) -> Iterator[Record]:
        """Yield verified records of some types, newest first, each read only when it is asked for."""
        query = (
            select(EntryRow.sequence, EntryRow.payload_digest)
            .where(col(EntryRow.predicate_type).in_(predicate_types))
            .order_by(col(EntryRow.sequence).desc())
            .limit(NEWEST_AT_A_TIME)
        )
        page: list[tuple[int, str]] | None = None
        while page is None or len(page) == NEWEST_AT_A_TIME:
            older = query if page is None else query.where(col(EntryRow.sequence) < page[-1][0])
            with self.database.reading() as session:
                page = [(row[0], row[1]) for row in session.exec(older)]
            yield from (self.record(name) for _, name in page)

    def envelopes(self, predicate_type: str) -> list[tuple[int, bytes]]:
        """Stored envelopes of one type with their sequences, unverified: for the trust root's own chain."""
        query = select(EntryRow.sequence, EntryRow.envelope).where(EntryRow.predicate_type == predicate_type)
        with self.database.reading() as session:
            return [(row[0], row[1]) for row in session.exec(query.order_by(col(EntryRow.sequence)))]

    def checked(self, row: EntryRow) -> Record:
        """Read a stored row as a record. Raises `TamperedRecordError` where it is not what was logged."""
        leaf = leaf_data(row.sequence, row.logged_at, row.payload_digest, digest(row.envelope))
        if merkle.leaf_hash(leaf) != row.leaf_hash:
            raise TamperedRecordError(
                f"entry {row.sequence} is not what its leaf says", subject=row.payload_digest
            )
        # The leaf binds the envelope's bytes: what was verified under it need not be verified again.
        record = self._verified.get(row.leaf_hash)
        if record is None:
            record = read_record(row.sequence, row.logged_at, row.envelope, self.keys)
            if len(self._verified) < MAX_REMEMBERED:
                self._verified[row.leaf_hash] = record
        if (record.digest, record.statement.predicate_type) != (row.payload_digest, row.predicate_type):
            raise TamperedRecordError(
                f"entry {row.sequence} is filed under another name", subject=row.payload_digest
            )
        return record

    def rows(self) -> list[EntryRow]:
        """Every entry as stored, in order, nothing verified: for the audit."""
        with self.database.reading() as session:
            return list(session.exec(select(EntryRow).order_by(col(EntryRow.sequence))))

    def filed_under(self, sequence: int) -> frozenset[Digest]:
        """The digests that the index files an entry under."""
        with self.database.reading() as session:
            return frozenset(session.exec(select(SubjectRow.digest).where(SubjectRow.sequence == sequence)))

    def leaves(self) -> list[bytes]:
        """The leaf hashes as stored, in order."""
        with self.database.reading() as session:
            return list(session.exec(select(EntryRow.leaf_hash).order_by(col(EntryRow.sequence))))

    def checkpoint(self) -> str:
        """Return the newest note over the whole log, signing one where there is none yet for this size.

        Raises
        ------
        LogTruncatedError
            The log no longer contains what its last checkpoint committed to.
        """
        with self.database.transaction() as session:
            leaves = self.leaves()
            last = self._last(session)
            if last is not None and not _continues(leaves, last):
                raise LogTruncatedError(
                    f"{len(leaves)} entries do not continue the checkpoint of size {last.size}",
                    subject=self.origin,
                    hint="restore the database from a copy, then: assay audit verify",
                )
            if last is not None and last.size == len(leaves):
                return last.note
            checkpoint = Checkpoint(origin=self.origin, size=len(leaves), root=merkle.root(leaves))
            note = sign_checkpoint(checkpoint, self._node).decode()
            self.keep_checkpoint(checkpoint, note)
            return note

    def open_own(self, note: str) -> Checkpoint:
        """Read one of this log's own checkpoints and check it against the entries.

        Raises
        ------
        UnsignedCheckpointError, UnknownOriginError
            Not signed by this log.
        CheckpointMismatchError
            The log does not contain it.
        """
        checkpoint = open_checkpoint(note.encode(), origin=self.origin, key=self._node.public)
        leaves = self.leaves()
        if checkpoint.size > len(leaves) or merkle.root(leaves[: checkpoint.size]) != checkpoint.root:
            raise CheckpointMismatchError(
                f"the checkpoint of size {checkpoint.size} is not of this log's history", subject=self.origin
            )
        return checkpoint

    def add_cosignature(self, note: str) -> None:
        """Keep a cosigned note of one of this log's checkpoints; who cosigned is judged where it is used."""
        with self.database.transaction():
            self.keep_checkpoint(self.open_own(note), note)

    def keep_checkpoint(self, checkpoint: Checkpoint, note: str) -> None:
        """Store a note, this log's or another's, as it was seen."""
        with self.database.transaction() as session:
            session.add(
                CheckpointRow(
                    origin=checkpoint.origin,
                    size=checkpoint.size,
                    root=checkpoint.root,
                    note=note,
                    stored_at=_text(self._clock()),
                )
            )
            session.flush()

    def notes(self, origin: str | None = None) -> list[str]:
        """The stored notes of this log, or of another one, oldest first."""
        query = select(CheckpointRow.note).where(CheckpointRow.origin == (origin or self.origin))
        with self.database.reading() as session:
            return list(session.exec(query.order_by(col(CheckpointRow.number))))

    def inclusion(self, payload_digest: Digest, size: int | None = None) -> Proof:
        """Prove that a record is in the log, as of ``size`` entries (default: all)."""
        record, leaves = self.record(payload_digest), self.leaves()
        length = len(leaves) if size is None else size
        return Proof(record.sequence, length, tuple(merkle.inclusion_proof(leaves, record.sequence, length)))

    def consistency(self, old_size: int, size: int | None = None) -> tuple[bytes, ...]:
        """Prove that the log at ``size`` entries (default: all) continues what it was at ``old_size``."""
        leaves = self.leaves()
        return tuple(merkle.consistency_proof(leaves, old_size, len(leaves) if size is None else size))

    def _last(self, session: Session) -> CheckpointRow | None:
        newest = select(CheckpointRow).where(CheckpointRow.origin == self.origin)
        return session.exec(
            newest.order_by(col(CheckpointRow.size).desc(), col(CheckpointRow.number).desc())
        ).first()

    def _stamp(self, session: Session, sequence: int) -> str:
        now = _text(self._clock())
        last = session.exec(select(EntryRow.logged_at).where(EntryRow.sequence == sequence - 1)).first()
        if last is None or now >= last:
            return now
        if datetime.fromisoformat(last) - datetime.fromisoformat(now) > MAX_CLOCK_STEP_BACK:
            raise ClockError(
                f"the clock says {now}, but the last entry was logged at {last}", hint="set the clock"
            )
        return last


def _size(session: Session) -> int:
    newest = session.exec(select(EntryRow.sequence).order_by(col(EntryRow.sequence).desc())).first()
    return 0 if newest is None else newest + 1


def _continues(leaves: list[bytes], last: CheckpointRow) -> bool:
    return last.size <= len(leaves) and merkle.root(leaves[: last.size]) == last.root


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
