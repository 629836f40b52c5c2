"""Entries as rows: written many at a time, and read a page at a time, so that no log need fit into memory."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import insert
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from registry import merkle
from registry.canonical import Digest, digest
from registry.database import Database
from registry.record import Record, leaf_data, named_digests
from registry.tables import EntryRow, NodesRow, SubjectRow
from registry.tree import StoredTree, completed_by

PAGE = 4096
# SQLite takes 32,766 parameters in one statement, and older ones 999.
_ASKED_AT_ONCE = 500
RowT = TypeVar("RowT")


def store(session: Session, records: Sequence[Record]) -> None:
    """Write the rows of verified records that come next in the log: bodies, tree and index.

    Parameters
    ----------
    session : Session
        The transaction that all of it is part of.
    records : sequence of Record
        In log order, their sequences dense and the first one the log's size.
    """
    if not records:
        return
    frontier = StoredTree(session).frontier(records[0].sequence)
    entries: list[dict[str, object]] = []
    nodes: list[dict[str, object]] = []
    subjects: list[dict[str, object]] = []
    for one in records:
        leaf = merkle.leaf_hash(leaf_data(one.sequence, one.logged_at, one.digest, digest(one.envelope)))
        entries.append(
            {
                "sequence": one.sequence,
                "logged_at": one.logged_at,
                "payload_digest": one.digest,
                "predicate_type": one.statement.predicate_type,
                "envelope": one.envelope,
                "leaf_hash": leaf,
            }
        )
        if completed := completed_by(frontier, leaf):
            nodes.append({"sequence": one.sequence, "hashes": completed})
        named = sorted(named_digests(one.statement))
        subjects += [{"sequence": one.sequence, "digest": name} for name in named]
    connection = session.connection()
    connection.execute(insert(EntryRow), entries)
    if nodes:
        connection.execute(insert(NodesRow), nodes)
    if subjects:
        connection.execute(insert(SubjectRow), subjects)


def logged_among(session: Session, names: Collection[Digest]) -> set[Digest]:
    """Those of some payload digests that are logged; nothing of them is verified."""
    asked, found = sorted(names), set[Digest]()
    for start in range(0, len(asked), _ASKED_AT_ONCE):
        some = asked[start : start + _ASKED_AT_ONCE]
        found |= set(
            session.exec(select(EntryRow.payload_digest).where(col(EntryRow.payload_digest).in_(some)))
        )
    return found


def pages(
    database: Database, query: SelectOfScalar[EntryRow], *, after: int = -1, page: int = PAGE
) -> Iterator[list[EntryRow]]:
    """Yield the entries of a query in log order, some at a time, each page read in a transaction of its own.

    Entries never change, so the pages are of one log whatever is appended meanwhile.

    Parameters
    ----------
    database : Database
    query : select of EntryRow
        Without an order or a limit.
    after : int, optional
        Only entries with a larger sequence.
    page : int, optional
        The most rows held at a time.
    """
    ordered = query.order_by(col(EntryRow.sequence)).limit(page)
    while True:
        with database.reading() as session:
            rows = list(session.exec(ordered.where(col(EntryRow.sequence) > after)))
        if rows:
            yield rows
        if len(rows) < page:
            return
        after = rows[-1].sequence


def filed_under(database: Database, sequences: Iterable[int]) -> dict[int, set[Digest]]:
    """The digests that the index files each of some entries under."""
    asked = sorted(sequences)
    found: dict[int, set[Digest]] = {sequence: set() for sequence in asked}
    with database.reading() as session:
        for start in range(0, len(asked), _ASKED_AT_ONCE):
            some = asked[start : start + _ASKED_AT_ONCE]
            query = select(SubjectRow.sequence, SubjectRow.digest).where(col(SubjectRow.sequence).in_(some))
            for sequence, name in session.exec(query):
                found[sequence].add(name)
    return found
