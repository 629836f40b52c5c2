"""Check of the stored tree: every body and leaf hashed again, every node compared, every checkpoint's root recomputed.

It reads the log once, a page at a time. Signatures and rules are `registry.audit`'s: this says whether the bytes are
those that were logged, at a small multiple of what hashing them takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from registry import merkle
from registry.checkpoint import Checkpoint
from registry.database import Database
from registry.entries import PAGE, raw_nodes, raw_page
from registry.errors import CheckpointMismatchError
from registry.merkle import Frontier
from registry.record import leaf_hashes
from registry.tables import NodesRow
from registry.tree import StoredTree, completed_by

_BEFORE_ALL = -(2**63)
_COLUMNS = "sequence, logged_at, payload_digest, envelope, leaf_hash"
_LEAF = 4
_Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; ``sequence`` is None where the log as a whole is meant."""

    sequence: int | None
    code: str
    message: str


def check_tree(
    database: Database,
    checkpoints: Sequence[Checkpoint],
    *,
    since: Checkpoint | None = None,
    page: int = PAGE,
) -> Iterator[Fault]:
    """Yield every fault of the stored tree.

    Parameters
    ----------
    database : Database
    checkpoints : sequence of Checkpoint
        What the log signed, signatures verified: its roots are compared with those of the entries.
    since : Checkpoint, optional
        A checkpoint up to which the log was checked before: only entries after it are read. An edit before it that
        leaves the tree's hashes alone is not seen then.
    page : int, optional
        How many entries are read at a time, a power of two.

    Raises
    ------
    CheckpointMismatchError
        The log does not contain ``since``.
    """
    walk = _Walk(database, sorted(checkpoints, key=lambda one: one.size), page)
    if since is not None:
        walk.start_at(since)
    yield from walk.faults()


class _Walk:
    """One pass over the entries."""

    def __init__(self, database: Database, checkpoints: Sequence[Checkpoint], page: int) -> None:
        self._database = database
        self._due = list(checkpoints)
        self._page_size = page
        self._frontier = Frontier()
        self._last = _BEFORE_ALL
        self._whole = True

    def start_at(self, since: Checkpoint) -> None:
        """Take the tree up to a checkpoint as it is stored, having compared its root."""
        with self._database.reading() as session:
            tree = StoredTree(session)
            if since.size > tree.size or tree.root(since.size) != since.root:
                raise CheckpointMismatchError(
                    f"the checkpoint of size {since.size} is not of this log's history", subject=since.origin
                )
            self._frontier = tree.frontier(since.size)
        self._last = since.size - 1
        self._due = [one for one in self._due if one.size >= since.size]

    def faults(self) -> Iterator[Fault]:
        """Read page by page; after a gap no hash of the tree can be compared any more."""
        yield from self._roots()
        while rows := self._page():
            due, leaves = max(self._last + 1, 0), leaf_hashes(rows)
            # Sequences are distinct, so where the ends fit nothing is missing between them.
            fits = self._whole and (rows[0][0], rows[-1][0]) == (due, due + len(rows) - 1)
            whole = len(leaves) if fits else 0
            if not fits or leaves != [row[_LEAF] for row in rows]:
                for row, leaf in zip(rows, leaves, strict=True):
                    yield from self._row_faults(row, leaf)
                    self._last = row[0]
                    whole += self._whole and not fits
            self._last = rows[-1][0]
            if whole:
                yield from self._grow(leaves[:whole])
        yield from self._ended()

    def _row_faults(self, row: _Row, leaf: bytes) -> Iterator[Fault]:
        sequence, due = row[0], max(self._last + 1, 0)
        if sequence != due:
            self._whole = False
            yield Fault(due, "entry-missing", f"entries {due} to {sequence - 1} are missing")
        if leaf != row[_LEAF]:
            yield Fault(sequence, "record-tampered", f"entry {sequence} is not what its leaf says")

    def _page(self) -> Sequence[_Row]:
        """Up to the next multiple of the page's size, so that a whole page is one subtree."""
        limit = self._page_size - (self._frontier.size % self._page_size if self._whole else 0)
        with self._database.reading() as session:
            return raw_page(session, _COLUMNS, self._last + 1, limit)

    def _grow(self, leaves: Sequence[bytes]) -> Iterator[Fault]:
        first = self._frontier.size
        within = self._due and self._due[0].size < first + len(leaves)
        if first % self._page_size == 0 and len(leaves) == self._page_size > 1 and not within:
            completed = self._grow_by_page(leaves)
        else:
            completed = {}
            for sequence, leaf in enumerate(leaves, first):
                if hashes := completed_by(self._frontier, leaf):
                    completed[sequence] = hashes
                yield from self._roots()
        held = self._stored(first, first + len(leaves))
        if held != completed:
            for sequence in sorted(held.keys() | completed.keys()):
                if held.get(sequence) != completed.get(sequence):
                    yield Fault(
                        sequence,
                        "node-tampered",
                        f"the tree's hashes that end at entry {sequence} are others",
                    )
        yield from self._roots()

    def _grow_by_page(self, leaves: Sequence[bytes]) -> dict[int, bytes]:
        """Append a whole page at once; what ``nodes`` holds for it, by sequence."""
        first = self._frontier.size
        levels = merkle.complete_levels(leaves)
        completed = list(levels[1])
        for level, hashes in enumerate(levels[2:], 2):
            step = 1 << (level - 1)
            for index, found in enumerate(hashes, 1):
                completed[index * step - 1] += found
        completed[-1] += b"".join(self._frontier.push(levels[-1][0], len(levels) - 1))
        return dict(zip(range(first + 1, first + len(leaves), 2), completed, strict=True))

    def _stored(self, first: int, last: int) -> dict[int, bytes]:
        with self._database.reading() as session:
            return dict(raw_nodes(session, first, last))

    def _roots(self) -> Iterator[Fault]:
        """Compare the checkpoints that are due at this size."""
        while self._due and self._due[0].size <= self._frontier.size:
            one = self._due.pop(0)
            if one.root != self._frontier.root():
                yield _mismatch(one)

    def _ended(self) -> Iterator[Fault]:
        size = max(self._last + 1, 0)
        for one in self._due:
            if one.size > size:
                missing = f"a checkpoint covers {one.size} entries, the log holds {size}"
                yield Fault(size, "log-truncated", missing)
            else:
                yield _mismatch(one)
        with self._database.reading() as session:
            query = select(col(NodesRow.sequence)).where(col(NodesRow.sequence) >= size)
            for row in session.connection().execute(query):
                yield Fault(
                    row[0], "node-tampered", f"the tree has hashes for entry {row[0]}, which is not there"
                )


def _mismatch(one: Checkpoint) -> Fault:
    return Fault(None, "checkpoint-mismatch", f"the first {one.size} entries are not what was signed")
