"""Signed log checkpoints: C2SP signed-note, tlog-checkpoint and tlog-cosignature (Ed25519, cosignature/v1).

Invariants
----------
* A checkpoint counts only with its own log's signature. Lines of unknown keys are ignored; a line with the
  name and key id of a known key must verify.
* Signatures cover the note's text as received; nothing is serialised again.
* Extension lines, which no monitor can audit, are refused.
"""

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from plugin_spec.model import StrictModel, first_fault
from registry import merkle
from registry.algorithms import ED25519
from registry.errors import (
    CosignatureError,
    MalformedCheckpointError,
    MalformedKeyError,
    MalformedNoteError,
    UnknownOriginError,
    UnsignedCheckpointError,
)
from registry.keys import PublicKey, Signer, verify

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64
ED25519_TYPE: Literal[0x01] = 0x01
COSIGNATURE_TYPE: Literal[0x04] = 0x04
KEY_HASH_BYTES = 4
_TIME_BYTES = 8
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def _key_name(text: str) -> str:
    if not text or "+" in text or any(c.isspace() or ord(c) < 0x20 for c in text):
        raise ValueError("a key name has no space, plus sign or control character")
    return text


KeyName = Annotated[str, Field(max_length=200), AfterValidator(_key_name)]


class Checkpoint(StrictModel):
    """What a log commits to: its name, its number of entries and its root hash."""

    origin: KeyName
    size: int = Field(ge=0, le=merkle.MAX_SIZE)
    root: bytes = Field(min_length=merkle.HASH_BYTES, max_length=merkle.HASH_BYTES)

    def text(self) -> bytes:
        """Return the note text: origin, size and base64 root, one per line."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


class NoteSignature(StrictModel):
    """One signature line. ``signature`` is what follows the key id: for a witness, the time comes first."""

    name: KeyName
    key_hash: bytes = Field(min_length=KEY_HASH_BYTES, max_length=KEY_HASH_BYTES)
    signature: bytes = Field(min_length=1)


class Note(StrictModel):
    """A parsed signed note; nothing in it is verified yet."""

    text: bytes
    signatures: tuple[NoteSignature, ...] = Field(min_length=1, max_length=MAX_SIGNATURES)


def key_hash(name: str, public: PublicKey, kind: Literal[0x01, 0x04] = ED25519_TYPE) -> bytes:
    """Return the 4-byte key id of a note key: a hint to find the key, not a proof.

    Raises
    ------
    MalformedKeyError
        Not an Ed25519 key: C2SP has no other kind of signature for checkpoints and cosignatures of this version.
    """
    if public.algorithm != ED25519:
        raise MalformedKeyError(
            f"{name}: checkpoints and cosignatures are signed with Ed25519 (C2SP), not with {public.algorithm}",
            subject=public.keyid,
            hint="sign with an Ed25519 key: assay trust enrol --algorithm ed25519",
        )
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public.raw).digest()[:KEY_HASH_BYTES]


def sign_note(text: bytes, name: str, signer: Signer) -> bytes:
    """Return a signed note: ``text``, which ends in a newline, with one Ed25519 signature line by ``name``.

    Raises
    ------
    MalformedNoteError
        The text or the name cannot be part of a note.
    """
    note = text + b"\n" + _line(name, key_hash(name, signer.public), signer.sign(text))
    parse_note(note)
    return note


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """Return the checkpoint as a note signed in the name of its origin."""
    return sign_note(checkpoint.text(), checkpoint.origin, signer)


def parse_note(data: bytes) -> Note:
    """Split a note into its text and signature lines.

    Raises
    ------
    MalformedNoteError
        Too large, not UTF-8, a control character, no blank line, or a line that is no signature.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedNoteError(f"note: {len(data)} bytes exceed the limit of {MAX_NOTE_BYTES}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedNoteError("note: not UTF-8") from error
    if any(ord(c) < 0x20 and c != "\n" for c in whole):
        raise MalformedNoteError("note: a control character")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise MalformedNoteError("note: no text, blank line and signature lines")
    try:
        signatures = tuple(_parse_line(line) for line in lines.removesuffix("\n").split("\n"))
        return Note(text=(text + "\n").encode(), signatures=signatures)
    except ValidationError as error:
        raise MalformedNoteError(f"note: {first_fault(error)}") from error


def open_checkpoint(data: bytes, *, origin: str, key: PublicKey) -> Checkpoint:
    """Verify a checkpoint of the log ``origin`` with the log's key.

    Raises
    ------
    MalformedNoteError, MalformedCheckpointError
        Not a checkpoint; also a tree of no entries with a root of its own.
    UnknownOriginError
        Another log's checkpoint.
    UnsignedCheckpointError
        The log's signature is missing or does not verify.
    """
    note = parse_note(data)
    checkpoint = _parse_text(note.text)
    if checkpoint.origin != origin:
        raise UnknownOriginError(
            f"the checkpoint is of log {checkpoint.origin!r}, not {origin!r}", subject=origin
        )
    lines = list(_lines_of(note, origin, key, ED25519_TYPE))
    if not lines:
        raise UnsignedCheckpointError(f"the checkpoint is not signed by log {origin}", subject=origin)
    if not all(verify(key, line, note.text) for line in lines):
        raise UnsignedCheckpointError(f"the signature of log {origin} does not verify", subject=origin)
    return checkpoint


def cosign(data: bytes, name: str, signer: Signer, *, time_s: int) -> bytes:
    """Add a witness's cosignature to a checkpoint note.

    The caller first checks, with `open_checkpoint` and `merkle.verify_consistency`, that the checkpoint
    continues the last one it cosigned: that is what the cosignature says.

    Parameters
    ----------
    data : bytes
        The signed checkpoint.
    name : str
        The witness's key name.
    time_s : int
        POSIX time of the cosignature, in seconds.
    """
    if not 0 < time_s < 2**63:
        raise CosignatureError(f"{time_s} is not a POSIX time", subject=name)
    note = parse_note(data)
    _parse_text(note.text)
    signature = struct.pack(">Q", time_s) + signer.sign(_cosigned(note.text, time_s))
    cosigned = data + _line(name, key_hash(name, signer.public, COSIGNATURE_TYPE), signature)
    parse_note(cosigned)
    return cosigned


def cosignatures(data: bytes, witnesses: Mapping[str, PublicKey]) -> dict[str, int]:
    """Verify the known witnesses' cosignatures of a checkpoint.

    Parameters
    ----------
    data : bytes
        The checkpoint note. Its log's own signature is `open_checkpoint`'s to verify.
    witnesses : mapping of key name to PublicKey
        The trusted witnesses.

    Returns
    -------
    dict
        Each witness that cosigned, and the POSIX time in seconds of its latest cosignature.

    Raises
    ------
    CosignatureError
        A line in the name of a known witness does not verify, or two witnesses share a key (the cosigned
        message does not hold the name, so either could pass for the other).
    """
    if len({key.keyid for key in witnesses.values()}) != len(witnesses):
        raise CosignatureError("two witnesses share one public key")
    note = parse_note(data)
    _parse_text(note.text)
    times: dict[str, int] = {}
    for name, key in witnesses.items():
        for line in _lines_of(note, name, key, COSIGNATURE_TYPE):
            time_s = int.from_bytes(line[:_TIME_BYTES], "big")
            if time_s >= 2**63 or not verify(key, line[_TIME_BYTES:], _cosigned(note.text, time_s)):
                raise CosignatureError(f"the cosignature of witness {name} does not verify", subject=name)
            times[name] = max(time_s, times.get(name, 0))
    return times


def _cosigned(text: bytes, time_s: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % time_s + text


def _lines_of(note: Note, name: str, key: PublicKey, kind: Literal[0x01, 0x04]) -> Iterator[bytes]:
    wanted = key_hash(name, key, kind)
    return (item.signature for item in note.signatures if item.name == name and item.key_hash == wanted)


def _line(name: str, hint: bytes, signature: bytes) -> bytes:
    return f"\u2014 {name} {base64.b64encode(hint + signature).decode()}\n".encode()


def _parse_line(line: str) -> NoteSignature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        raise MalformedNoteError("note: a line among the signatures is none")
    blob = _base64(parts[2])
    if blob is None:
        raise MalformedNoteError("note: a signature is not base64")
    return NoteSignature(name=parts[1], key_hash=blob[:KEY_HASH_BYTES], signature=blob[KEY_HASH_BYTES:])


def _parse_text(text: bytes) -> Checkpoint:
    lines = text.decode("utf-8").removesuffix("\n").split("\n")
    if len(lines) != 3:
        raise MalformedCheckpointError("checkpoint: expected three lines: origin, size, root hash")
    origin, size, encoded = lines
    found = _base64(encoded)
    if not _SIZE.fullmatch(size) or found is None:
        raise MalformedCheckpointError("checkpoint: the size is not decimal or the root is not base64")
    try:
        checkpoint = Checkpoint(origin=origin, size=int(size), root=found)
    except ValidationError as error:
        raise MalformedCheckpointError(f"checkpoint: {first_fault(error)}") from error
    if checkpoint.size == 0 and checkpoint.root != merkle.root([]):
        raise MalformedCheckpointError("checkpoint: a tree of no entries has the hash of nothing as its root")
    return checkpoint


def _base64(text: str) -> bytes | None:
    """Decode canonical standard base64, or return None."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if base64.b64encode(found).decode() == text else None
