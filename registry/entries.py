"""Entries as rows: written many at a time, and read a page at a time, so that no log need fit into memory."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from registry import merkle
from registry.canonical import Digest, digest
from registry.database import Database
from registry.merkle import Frontier
from registry.record import Record, leaf_data, named_digests
from registry.tables import EntryRow, SubjectRow
from registry.tree import completed_by

PAGE = 4096
# SQLite takes 32,766 parameters in one statement, and older ones 999.
_ASKED_AT_ONCE = 500
# Written out, for what an append costs beyond the disk is mostly the making of statements.
_COLUMNS = {
    "entries": ("sequence", "logged_at", "payload_digest", "predicate_type", "envelope", "leaf_hash"),
    "nodes": ("sequence", "hashes"),
    "subjects": ("sequence", "digest"),
}
_NEWEST = "SELECT sequence, logged_at, leaf_hash FROM entries ORDER BY sequence DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Edge:
    """The newest entry: what the next one goes on from."""

    sequence: int
    logged_at: str
    leaf: bytes


def edge(session: Session) -> Edge | None:
    """Where the log ends; None where it is empty."""
    newest = session.connection().exec_driver_sql(_NEWEST).first()
    return None if newest is None else Edge(newest[0], newest[1], newest[2])


def store(session: Session, records: Sequence[Record], frontier: Frontier) -> Edge | None:
    """Write the rows of verified records that come next in the log: bodies, tree and index.

    Parameters
    ----------
    session : Session
        The transaction that all of it is part of.
    records : sequence of Record
        In log order, their sequences dense and the first one the log's size.
    frontier : Frontier
        The tree's right edge at that size; it grows with them.

    Returns
    -------
    Edge or None
        The last of them; None where there are none.
    """
    end: Edge | None = None
    rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in _COLUMNS}
    for one in records:
        kind, body = one.statement.predicate_type, one.envelope
        leaf = merkle.leaf_hash(leaf_data(one.sequence, one.logged_at, one.digest, digest(body)))
        end = Edge(one.sequence, one.logged_at, leaf)
        rows["entries"].append((one.sequence, one.logged_at, one.digest, kind, body, leaf))
        if completed := completed_by(frontier, leaf):
            rows["nodes"].append((one.sequence, completed))
        rows["subjects"] += [(one.sequence, name) for name in sorted(named_digests(one.statement))]
    connection = session.connection()
    for table, some in rows.items():
        if some:
            connection.exec_driver_sql(_insertion(table, parameter(connection)), some)
    return end


@cache
def _insertion(table: str, mark: str) -> str:
    columns = _COLUMNS[table]
    # Names of this module, nothing from outside.
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})"  # noqa: S608


def parameter(connection: Connection) -> str:
    """How the driver writes a parameter."""
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


def logged_among(session: Session, names: Collection[Digest]) -> set[Digest]:
    """Those of some payload digests that are logged; nothing of them is verified."""
    asked, found, connection = sorted(names), set[Digest](), session.connection()
    mark = parameter(connection)
    for start in range(0, len(asked), _ASKED_AT_ONCE):
        some = tuple(asked[start : start + _ASKED_AT_ONCE])
        marks = ", ".join([mark] * len(some))
        # Only parameter marks are put into the text.
        query = f"SELECT payload_digest FROM entries WHERE payload_digest IN ({marks})"  # noqa: S608
        found |= set(connection.exec_driver_sql(query, some).scalars())
    return found


def raw_page(session: Session, columns: str, first: int, limit: int) -> Sequence[tuple[Any, ...]]:
    """Columns of entries in log order from a sequence on, as the driver gives them: nothing is said of their types."""
    connection = session.connection()
    mark = parameter(connection)
    # The columns are named by code, never from outside.
    query = f"SELECT {columns} FROM entries WHERE sequence >= {mark} ORDER BY sequence LIMIT {mark}"  # noqa: S608
    return connection.exec_driver_sql(query, (first, limit)).cursor.fetchall()


def raw_nodes(session: Session, first: int, last: int) -> Sequence[tuple[int, bytes]]:
    """What ``nodes`` holds for the sequences from ``first`` up to ``last``, as the driver gives it."""
    connection = session.connection()
    mark = parameter(connection)
    query = f"SELECT sequence, hashes FROM nodes WHERE sequence >= {mark} AND sequence < {mark}"  # noqa: S608 - marks
    return connection.exec_driver_sql(query, (first, last)).cursor.fetchall()


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
