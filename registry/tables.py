"""The tables of a registry's database: entries, what they are about, and the checkpoints over them.

The statements are those of schema version 1 to the letter: a file made by any earlier host of this version is the same.
"""

from dataclasses import dataclass
from typing import Any, Final

from registry.errors import DatabaseMalformedError

SCHEMA_VERSION: Final = 1
STATEMENTS: Final = (
    "CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version))",
    "CREATE TABLE entries ("
    "sequence INTEGER NOT NULL, logged_at VARCHAR NOT NULL, payload_digest VARCHAR NOT NULL, "
    "predicate_type VARCHAR NOT NULL, envelope BLOB NOT NULL, leaf_hash BLOB NOT NULL, "
    "PRIMARY KEY (sequence), UNIQUE (payload_digest))",
    "CREATE INDEX ix_entries_predicate_type ON entries (predicate_type)",
    "CREATE TABLE subjects (sequence INTEGER NOT NULL, digest VARCHAR NOT NULL, "
    "PRIMARY KEY (sequence, digest), FOREIGN KEY (sequence) REFERENCES entries (sequence))",
    "CREATE INDEX ix_subjects_digest ON subjects (digest)",
    "CREATE TABLE checkpoints ("
    "number INTEGER NOT NULL, origin VARCHAR NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, "
    "note VARCHAR NOT NULL, stored_at VARCHAR NOT NULL, PRIMARY KEY (number))",
    "CREATE INDEX ix_checkpoints_origin ON checkpoints (origin)",
)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One log entry: the envelope as received, and what its leaf commits to."""

    sequence: int
    logged_at: str
    payload_digest: str
    predicate_type: str
    envelope: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A signed checkpoint of this log, or of another one as it was last seen. Cosigning adds a row."""

    origin: str
    size: int
    root: bytes
    note: str
    stored_at: str


ENTRY_COLUMNS: Final = "sequence, logged_at, payload_digest, predicate_type, envelope, leaf_hash"
CHECKPOINT_COLUMNS: Final = "origin, size, root, note, stored_at"


def entry_row(row: tuple[Any, ...]) -> EntryRow:
    """Read the columns `ENTRY_COLUMNS`.

    Raises
    ------
    DatabaseMalformedError
        A column holds another type than its table declares, which SQLite lets everybody store.
    """
    return EntryRow(*_typed("entries", row, (int, str, str, str, bytes, bytes)))


def checkpoint_row(row: tuple[Any, ...]) -> CheckpointRow:
    """Read the columns `CHECKPOINT_COLUMNS`. Raises `DatabaseMalformedError`."""
    return CheckpointRow(*_typed("checkpoints", row, (str, int, bytes, str, str)))


def column(table: str, row: tuple[Any, ...], kind: type) -> Any:
    """Read the one column of a row. Raises `DatabaseMalformedError`."""
    return _typed(table, row, (kind,))[0]


def _typed(table: str, row: tuple[Any, ...], kinds: tuple[type, ...]) -> tuple[Any, ...]:
    for value, kind in zip(row, kinds, strict=True):
        if type(value) is not kind:
            raise DatabaseMalformedError(
                f"table {table}: a {type(value).__name__} stands where only {kind.__name__} may",
                subject=table,
                hint="assay audit verify",
            )
    return row
