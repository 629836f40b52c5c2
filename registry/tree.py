"""The log's tree as it is stored: every complete subtree's hash is written once, with the entry that completes it.

Leaf hashes rest with the entries. The subtrees of two leaves and more that end at an entry rest in one row of ``nodes``
under its sequence, so any node is found by its place, and nothing stored is ever changed. What is read here is as the
database says; `registry.tree_check` computes all of it again.
"""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from registry.errors import LogTruncatedError
from registry.merkle import HASH_BYTES, Frontier, peak_places
from registry.tables import EntryRow, NodesRow


class StoredTree:
    """The nodes that one transaction sees; each is read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._completed: dict[int, bytes] = {}
        self._leaves: dict[int, bytes] = {}
        newest = select(EntryRow.sequence).order_by(col(EntryRow.sequence).desc()).limit(1)
        last = session.exec(newest).first()
        self._size = 0 if last is None else last + 1

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._size

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree.

        Raises
        ------
        LogTruncatedError
            It is not stored, or cut short.
        """
        last = ((index + 1) << level) - 1
        self._load([(level, last)])
        return self._held(level, last)

    def frontier(self, size: int) -> Frontier:
        """The right edge at ``size`` entries. Raises as `node` does."""
        places = [(level, ((index + 1) << level) - 1) for level, index in peak_places(size)]
        self._load(places)
        return Frontier([(level, self._held(level, last)) for level, last in places])

    def root(self, size: int) -> bytes:
        """The root at ``size`` entries. Raises as `node` does."""
        return self.frontier(size).root()

    def _load(self, places: Iterable[tuple[int, int]]) -> None:
        """Read what is not yet known of some subtrees, given by level and last leaf."""
        asked = list(places)
        ends = [last for level, last in asked if level and last not in self._completed]
        leaves = [last for level, last in asked if not level and last not in self._leaves]
        if ends:
            query = select(NodesRow.sequence, NodesRow.hashes).where(col(NodesRow.sequence).in_(ends))
            self._completed.update((row[0], row[1]) for row in self._session.exec(query))
        if leaves:
            found = select(EntryRow.sequence, EntryRow.leaf_hash).where(col(EntryRow.sequence).in_(leaves))
            self._leaves.update((row[0], row[1]) for row in self._session.exec(found))

    def _held(self, level: int, last: int) -> bytes:
        held = self._leaves.get(last, b"") if level == 0 else self._completed.get(last, b"")
        start = max(level - 1, 0) * HASH_BYTES
        if len(held) < start + HASH_BYTES:
            raise LogTruncatedError(
                f"the tree has lost what ends at entry {last}",
                subject=str(last),
                hint="restore the database from a copy, then: assay audit verify",
            )
        return held[start : start + HASH_BYTES]


def completed_by(frontier: Frontier, leaf: bytes) -> bytes:
    """Append a leaf to the frontier, and return what ``nodes`` holds for it; empty: no row."""
    return b"".join(frontier.push(leaf))
