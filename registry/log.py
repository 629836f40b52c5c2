"""The log: an append-only RFC 9162 Merkle tree over signed records, with signed checkpoints of its state.

Invariants
----------
* Sequences are dense from 0; a payload is logged once; an append that returned is on disk.
* A leaf commits to sequence, time, payload and envelope, so none of them changes without the root changing.
* A record is handed out only after its body was hashed against its leaf and its signatures verified.
* What the tree needs of a new entry is written with it, so that roots and proofs cost the logarithm of the size.
* No checkpoint is signed that does not continue the last one this log signed.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from registry import entries, merkle
from registry.canonical import Digest, short
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
from registry.record import Proof, Record, body_digest, leaf_data, read_record
from registry.tables import CheckpointRow, EntryRow, SubjectRow
from registry.tree import StoredTree

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
        self._edge: tuple[entries.Edge | None, merkle.Frontier] = (None, merkle.Frontier())
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
            return StoredTree(session).size

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
        return self.append_many([envelope])[0]

    def append_many(self, envelopes: Sequence[bytes]) -> list[Record]:
        """Verify envelopes and log them in their order, all in one durable transaction or none of them.

        Raises
        ------
        SignatureError, StatementError, DuplicateRecordError, ClockError
            As by `append`; nothing is logged then.
        """
        with self.database.transaction() as session:
            edge = entries.edge(session)
            logged_at = self._stamp("" if edge is None else edge.logged_at)
            records = [
                # A signature ignored today would make the entry unreadable once its key is enrolled.
                read_record(sequence, logged_at, envelope, self.keys, every_signer_known=True)
                for sequence, envelope in enumerate(envelopes, 0 if edge is None else edge.sequence + 1)
            ]
            known = entries.logged_among(session, {one.digest for one in records})
            for record in records:
                if record.digest in known:
                    raise DuplicateRecordError(
                        f"record {short(record.digest)} is logged already", subject=record.digest
                    )
                known.add(record.digest)
            frontier = self._frontier(session, edge)
            end = entries.store(session, records, frontier)
            self.database.after_commit(lambda: self._keep((end, frontier)))
        return records

    def _frontier(self, session: Session, edge: entries.Edge | None) -> merkle.Frontier:
        """The tree's right edge: as it was left on disk, where the log still ends in that entry, or read again."""
        before, frontier = self._edge
        # It grows with entries that may yet be undone.
        self._keep((None, merkle.Frontier()))
        size = 0 if edge is None else edge.sequence + 1
        return frontier if before == edge else StoredTree(session).frontier(size)

    def _keep(self, edge: tuple[entries.Edge | None, merkle.Frontier]) -> None:
        self._edge = edge

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
        query = select(EntryRow)
        if predicate_type is not None:
            kinds = [predicate_type] if isinstance(predicate_type, str) else list(predicate_type)
            query = query.where(col(EntryRow.predicate_type).in_(kinds))
        if subject is not None:
            # Not a join, for which SQLite reads the body of every entry of the type.
            filed = select(SubjectRow.sequence).where(SubjectRow.digest == subject)
            query = query.where(col(EntryRow.sequence).in_(filed))
        if since is not None:
            query = query.where(EntryRow.logged_at >= _text(since))
        for page in entries.pages(self.database, query):
            yield from [self.checked(row) for row in page]

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
        leaf = leaf_data(row.sequence, row.logged_at, row.payload_digest, body_digest(row.envelope))
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

    def pages(self) -> Iterator[list[EntryRow]]:
        """Every entry as stored, in order, some at a time, nothing verified: for the audit."""
        return entries.pages(self.database, select(EntryRow), after=-(2**63))

    def rows(self) -> Iterator[EntryRow]:
        """Every entry as stored, in order, nothing verified."""
        for page in self.pages():
            yield from page

    def checkpoint(self) -> str:
        """Return the newest note over the whole log, signing one where there is none yet for this size.

        Raises
        ------
        LogTruncatedError
            The log no longer contains what its last checkpoint committed to.
        """
        with self.database.transaction() as session:
            tree, last = StoredTree(session), self._last(session)
            size = tree.size
            if last is not None and (last.size > size or tree.root(last.size) != last.root):
                raise LogTruncatedError(
                    f"{size} entries do not continue the checkpoint of size {last.size}",
                    subject=self.origin,
                    hint="restore the database from a copy, then: assay audit verify",
                )
            if last is not None and last.size == size:
                return last.note
            checkpoint = Checkpoint(origin=self.origin, size=size, root=tree.root(size))
            note = sign_checkpoint(checkpoint, self._node).decode()
            self.keep_checkpoint(checkpoint, note)
            return note

    def at(self, size: int) -> Checkpoint:
        """What the log commits to at a size, unsigned. Raises `LogTruncatedError` where it does not reach so far."""
        with self.database.reading() as session:
            return Checkpoint(origin=self.origin, size=size, root=StoredTree(session).root(size))

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
        with self.database.reading() as session:
            tree = StoredTree(session)
            if checkpoint.size > tree.size or tree.root(checkpoint.size) != checkpoint.root:
                raise CheckpointMismatchError(
                    f"the checkpoint of size {checkpoint.size} is not of this log's history",
                    subject=self.origin,
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
        return self.inclusions([payload_digest], size)[0]

    def inclusions(self, payload_digests: Iterable[Digest], size: int | None = None) -> list[Proof]:
        """The same for many records of one log; what their paths share is read once."""
        places = [self.record(one).sequence for one in payload_digests]
        with self.database.reading() as session:
            tree = StoredTree(session)
            length = tree.size if size is None else size
            return [
                Proof(place, length, tuple(merkle.inclusion_proof(tree, place, length))) for place in places
            ]

    def consistency(self, old_size: int, size: int | None = None) -> tuple[bytes, ...]:
        """Prove that the log at ``size`` entries (default: all) continues what it was at ``old_size``."""
        with self.database.reading() as session:
            tree = StoredTree(session)
            return tuple(merkle.consistency_proof(tree, old_size, tree.size if size is None else size))

    def _last(self, session: Session) -> CheckpointRow | None:
        newest = select(CheckpointRow).where(CheckpointRow.origin == self.origin)
        return session.exec(
            newest.order_by(col(CheckpointRow.size).desc(), col(CheckpointRow.number).desc())
        ).first()

    def _stamp(self, last: str) -> str:
        now = _text(self._clock())
        if now >= last:
            return now
        if datetime.fromisoformat(last) - datetime.fromisoformat(now) > MAX_CLOCK_STEP_BACK:
            raise ClockError(
                f"the clock says {now}, but the last entry was logged at {last}", hint="set the clock"
            )
        return last


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
