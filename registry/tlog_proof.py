"""A record's place in a log as one text file: the C2SP ``tlog-proof``, checked offline with the log's key alone.

The file says: this leaf is entry ``index`` of the tree under this signed checkpoint. Its extra data are the bytes that
the leaf covers (sequence, time, payload digest, envelope digest): nothing in the format vouches for them, but their
hash is the leaf, so where the proof holds, they hold. Formats: https://c2sp.org/tlog-proof, c2sp.org/signed-note.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from pydantic import Field, ValidationError, model_validator

from plugin_spec.model import StrictModel, first_fault
from registry import merkle
from registry.canonical import Digest, canonical_json, digest, parse_json
from registry.checkpoint import (
    ED25519_TYPE,
    KEY_HASH_BYTES,
    MAX_NOTE_BYTES,
    Checkpoint,
    key_hash,
    open_checkpoint,
)
from registry.errors import MalformedJsonError, MalformedKeyError, MalformedProofError
from registry.keys import PublicKey
from registry.record import ENTRY_CONTRACT, leaf_data

if TYPE_CHECKING:
    from registry.log import Log

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
MAX_PROOF_BYTES = MAX_NOTE_BYTES + 16 * 1024
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


class TlogProof(StrictModel):
    """What the file holds; nothing in it is verified."""

    index: int = Field(ge=0, lt=merkle.MAX_SIZE)
    hashes: tuple[bytes, ...] = Field(max_length=MAX_HASHES)
    checkpoint: bytes = Field(min_length=1)
    extra: bytes | None = None


class Leaf(StrictModel):
    """What an entry's leaf covers."""

    contract: str
    sequence: int = Field(ge=0)
    logged_at: str
    payload: Digest
    envelope: Digest

    @model_validator(mode="after")
    def _is_ours(self) -> Self:
        if self.contract != ENTRY_CONTRACT:
            raise ValueError(f"contract is not {ENTRY_CONTRACT}")
        return self


def prove(log: "Log", name: Digest) -> TlogProof:
    """Prove a record's place under the newest checkpoint, with the cosignatures that were kept of it.

    Raises
    ------
    UnknownRecordError, TamperedRecordError
        No such record, or not what was logged.
    """
    note = log.checkpoint()
    record, proof = log.record(name), log.inclusion(name, log.open_own(note).size)
    leaf = leaf_data(record.sequence, record.logged_at, record.digest, digest(record.envelope))
    return TlogProof(index=proof.index, hashes=proof.hashes, checkpoint=note.encode(), extra=leaf)


def format_proof(proof: TlogProof) -> bytes:
    """Return the bytes of a ``.tlog-proof`` file."""
    lines = [HEADER]
    if proof.extra is not None:
        lines.append(f"extra {base64.b64encode(proof.extra).decode()}")
    lines.append(f"index {proof.index}")
    lines += [base64.b64encode(one).decode() for one in proof.hashes]
    return "\n".join(lines).encode() + b"\n\n" + proof.checkpoint


def parse_proof(data: bytes, *, where: str) -> TlogProof:
    """Read a ``.tlog-proof`` file.

    Parameters
    ----------
    data : bytes
        The file.
    where : str
        Its name, for the error line.

    Raises
    ------
    MalformedProofError
        Too large, not UTF-8, another header, a line out of place, or what is no canonical base64.
    """
    head, blank, checkpoint = data.partition(b"\n\n")
    if len(data) > MAX_PROOF_BYTES or not blank:
        raise MalformedProofError(f"{where}: too large, or no empty line before a checkpoint", subject=where)
    try:
        lines = head.decode().split("\n")
    except UnicodeDecodeError as error:
        raise MalformedProofError(f"{where}: not UTF-8", subject=where) from error
    if lines.pop(0) != HEADER:
        raise MalformedProofError(f"{where}: does not begin with {HEADER}", subject=where)
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = _base64(lines.pop(0).removeprefix("extra "), where)
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None:
        raise MalformedProofError(f"{where}: no line says the index", subject=where)
    hashes = tuple(_base64(line, where) for line in lines)
    if any(len(one) != merkle.HASH_BYTES for one in hashes):
        raise MalformedProofError(f"{where}: a line of the proof is no SHA-256 hash", subject=where)
    try:
        return TlogProof(index=int(index[1]), hashes=hashes, checkpoint=checkpoint, extra=extra)
    except ValidationError as error:
        raise MalformedProofError(f"{where}: {first_fault(error)}", subject=where) from error


def verify_proof(proof: TlogProof, *, origin: str, key: PublicKey, where: str) -> tuple[Leaf, Checkpoint]:
    """Verify a proof that carries its leaf, and return what is shown to be logged, and under which checkpoint.

    Parameters
    ----------
    proof : TlogProof
    origin : str
        The log's name.
    key : PublicKey
        The log's key, known from elsewhere.
    where : str
        The file's name, for the error line.

    Raises
    ------
    MalformedProofError
        The extra data are no leaf of ours, or of another entry.
    UnsignedCheckpointError, UnknownOriginError, MalformedNoteError, MalformedCheckpointError
        The checkpoint is not the log's.
    InclusionProofError
        The leaf is not shown to be in the tree.
    """
    checkpoint = open_checkpoint(proof.checkpoint, origin=origin, key=key)
    leaf = _leaf(proof, where)
    # The bytes as carried are what is hashed; they are only read as a leaf.
    merkle.verify_inclusion(
        merkle.leaf_hash(proof.extra or b""),
        proof.index,
        checkpoint.size,
        proof=proof.hashes,
        root=checkpoint.root,
    )
    return leaf, checkpoint


def _leaf(proof: TlogProof, where: str) -> Leaf:
    if proof.extra is None:
        raise MalformedProofError(f"{where}: carries no leaf as extra data", subject=where)
    try:
        raw = parse_json(proof.extra, where=f"{where}: extra data")
        leaf = Leaf.model_validate_json(canonical_json(raw))
    except (MalformedJsonError, ValidationError) as error:
        fault = first_fault(error) if isinstance(error, ValidationError) else error.message
        raise MalformedProofError(f"{where}: its extra data are no leaf: {fault}", subject=where) from error
    exact = leaf_data(leaf.sequence, leaf.logged_at, leaf.payload, leaf.envelope)
    if leaf.sequence != proof.index or exact != proof.extra:
        raise MalformedProofError(f"{where}: its extra data are the leaf of another entry", subject=where)
    return leaf


def verifier_key(origin: str, key: PublicKey) -> str:
    """Return a log's name and key as one line, the way C2SP's signed notes write it: ``name+hash+key``."""
    encoded = base64.b64encode(bytes([ED25519_TYPE]) + key.raw).decode()
    return f"{origin}+{key_hash(origin, key).hex()}+{encoded}"


def parse_verifier_key(text: str) -> tuple[str, PublicKey]:
    """Read a line that `verifier_key` wrote.

    Raises
    ------
    MalformedKeyError
        Not of this form, no Ed25519 key, or the hash is of another name or key.
    """
    parts: Sequence[str] = text.strip().split("+", 2)
    try:
        origin, hint, encoded = parts
        raw = base64.b64decode(encoded, validate=True)
        held = bytes.fromhex(hint)
    except (ValueError, binascii.Error) as error:
        raise MalformedKeyError("a log's key is one line: name+hash+key", subject=text[:80]) from error
    if raw[:1] != bytes([ED25519_TYPE]) or len(held) != KEY_HASH_BYTES:
        raise MalformedKeyError("the log's key is no Ed25519 key of a signed note", subject=origin)
    key = PublicKey.from_raw(raw[1:])
    if key_hash(origin, key) != held:
        raise MalformedKeyError("the log's key has the hash of another name or key", subject=origin)
    return origin, key


def _base64(text: str, where: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedProofError(f"{where}: a line is not base64", subject=where) from error
    if base64.b64encode(found).decode() != text:
        raise MalformedProofError(f"{where}: a line is not canonical base64", subject=where)
    return found
