"""Log entries apart from any storage: what a leaf covers, and an envelope read as a verified record. Pure."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.canonical import Digest, canonical_json, digest
from registry.dsse import open_envelope
from registry.keys import PublicKey
from registry.statements import RunStarted, Statement, parse_statement

ENTRY_CONTRACT = "assay.entry/1"
ORIGIN_PREFIX = "assay.example/log/"
_LEAF = f'{{{{"contract":"{ENTRY_CONTRACT}","envelope":"{{}}","logged_at":"{{}}","payload":"{{}}","sequence":{{}}}}}}'
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
    # Written out, for canonical JSON takes longer than all hashing; a value that JSON would escape goes the long way.
    if _is_plain(f"{logged_at}{payload}{envelope}"):
        return _LEAF.format(envelope, logged_at, payload, sequence).encode()
    return canonical_json(
        {
            "contract": ENTRY_CONTRACT,
            "sequence": sequence,
            "logged_at": logged_at,
            "payload": payload,
            "envelope": envelope,
        }
    )


def leaf_hashes(rows: Sequence[Sequence[Any]]) -> list[bytes]:
    """The leaf hash of each of many stored entries, as from `leaf_data`.

    Parameters
    ----------
    rows : sequence of (sequence, time, payload digest, envelope, ...)
        As stored: whoever works on the file can put anything there.
    """
    try:
        plain = _is_plain("".join([f"{row[1]}{row[2]}" for row in rows]))
        if plain:
            return _plain_leaf_hashes(rows)
    except TypeError:  # a body that is text
        pass
    return [_hashed(leaf_data(row[0], row[1], row[2], body_digest(row[3]))) for row in rows]


def _plain_leaf_hashes(rows: Sequence[Sequence[Any]]) -> list[bytes]:
    one, text = hashlib.sha256, "\0" + _LEAF
    return [
        one(text.format(f"sha256:{one(row[3]).hexdigest()}", row[1], row[2], row[0]).encode()).digest()
        for row in rows
    ]


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def _hashed(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


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
