"""The tables of a registry's database: entries, what they are about, the tree over them, and its checkpoints."""

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary
from sqlmodel import Column, Field, SQLModel

SCHEMA_VERSION = 2
# SQLite's INTEGER has 64 bits, PostgreSQL's half of that.
SEQUENCE = BigInteger().with_variant(Integer, "sqlite")


class SchemaRow(SQLModel, table=True):
    """The one row that says which schema the file has."""

    __tablename__ = "schema_version"

    version: int = Field(primary_key=True)


class EntryRow(SQLModel, table=True):
    """One log entry: the envelope as received, and what its leaf commits to."""

    __tablename__ = "entries"

    sequence: int = Field(sa_column=Column(SEQUENCE, primary_key=True, autoincrement=False))
    logged_at: str
    payload_digest: str = Field(unique=True)
    predicate_type: str = Field(index=True)
    envelope: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    leaf_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SubjectRow(SQLModel, table=True):
    """A digest that an entry's statement is about, or names in its predicate."""

    __tablename__ = "subjects"

    sequence: int = Field(sa_column=Column(SEQUENCE, ForeignKey("entries.sequence"), primary_key=True))
    digest: str = Field(primary_key=True, index=True)


class NodesRow(SQLModel, table=True):
    """The complete subtrees of two leaves and more that an entry was the last leaf of, smallest first.

    Their hashes stand one after the other, 32 bytes each. Only entries with an odd sequence complete any.
    """

    __tablename__ = "nodes"

    sequence: int = Field(
        sa_column=Column(SEQUENCE, ForeignKey("entries.sequence"), primary_key=True, autoincrement=False)
    )
    hashes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CheckpointRow(SQLModel, table=True):
    """A signed checkpoint of this log, or of another one as it was last seen. Cosigning adds a row."""

    __tablename__ = "checkpoints"

    number: int | None = Field(default=None, primary_key=True)
    origin: str = Field(index=True)
    size: int = Field(sa_column=Column(SEQUENCE, nullable=False))
    root: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    note: str
    stored_at: str
