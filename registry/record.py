"""Log entries apart from any storage: what a leaf covers, and an envelope read as a verified record. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from registry.canonical import Digest, canonical_json, digest
from registry.dsse import open_envelope
from registry.keys import PublicKey
from registry.statements import RunStarted, Statement, parse_statement

ENTRY_CONTRACT = "assay.entry/1"
ORIGIN_PREFIX = "assay.example/log/"
_LEAF_QUOTES = 18
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Record:
    """A logged, verified statement. ``signers`` are the ids of the known keys that signed it."""

    sequence: int
    logged_at: str
    envelope: bytes
    statement: Statement
    signers: frozenset[str]

    @property
    def digest(self) -> Digest:
        """The payload digest, which names the record."""
        return self.statement.payload_digest


@dataclass(frozen=True, slots=True)
class Proof:
    """That a record is entry ``index`` of the log's first ``size`` entries."""

    index: int
    size: int
    hashes: tuple[bytes, ...]


def leaf_data(sequence: int, logged_at: str, payload: Digest, envelope: Digest) -> bytes:
    """Return the bytes that an entry's leaf hash covers: canonical JSON of the four and the contract."""
    text = (
        f'{{"contract":"{ENTRY_CONTRACT}","envelope":"{envelope}","logged_at":"{logged_at}",'
        f'"payload":"{payload}","sequence":{sequence}}}'
    )
    # Written out, for canonical JSON takes longer than all hashing; a value that JSON would escape goes the long way.
    if text.count('"') == _LEAF_QUOTES and "\\" not in text and text.isascii() and text.isprintable():
        return text.encode()
    return canonical_json(
        {
            "contract": ENTRY_CONTRACT,
            "sequence": sequence,
            "logged_at": logged_at,
            "payload": payload,
            "envelope": envelope,
        }
    )


def body_digest(stored: object) -> Digest:
    """The digest of a stored body; whoever works on the file can make it text, which has none: empty."""
    return digest(stored) if isinstance(stored, bytes) else ""


def read_record(
    sequence: int,
    logged_at: str,
    envelope: bytes,
    keys: Mapping[str, PublicKey],
    *,
    every_signer_known: bool = False,
) -> Record:
    """Verify an envelope's signatures and read it as the record at ``sequence``."""
    opened = open_envelope(envelope, keys=keys, every_signer_known=every_signer_known)
    return Record(sequence, logged_at, envelope, parse_statement(opened.payload), opened.signer_keyids)


def named_digests(statement: Statement) -> frozenset[Digest]:
    """What a statement can be found by: each digest it is about or names in its predicate, and its run's key."""
    found = frozenset(statement.subjects.values()) | frozenset(_digests_in(statement.predicate))
    if statement.predicate_type == RunStarted.predicate_type:
        return found | {run_key(str(statement.predicate.get("run")))}
    return found


def run_key(run: str) -> Digest:
    """What the start of a run is filed under: run ids are no digests, and there are too many runs to read them all."""
    return digest(f"run:{run}".encode())


def _digests_in(value: object) -> Iterator[Digest]:
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        yield value
    elif isinstance(value, dict):
        yield from _in_all(value.values())
    elif isinstance(value, list):
        yield from _in_all(value)


def _in_all(values: Iterable[object]) -> Iterator[Digest]:
    for value in values:
        yield from _digests_in(value)
