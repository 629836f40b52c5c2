"""What in a record may identify a person: ids that must not be signed, and text that somebody should look at.

Invariants
----------
* A subject's id in a run record is a pseudonym. One that holds a date or a hospital's number is refused before it is
  signed, for an append-only log forgets nothing.
* Free text cannot be judged by a pattern. It is reported, never refused, and a clean report is no proof.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from plugin_spec.files import sync_folder
from registry.errors import IdentifyingValueError, UnsafeKeyFileError

if TYPE_CHECKING:
    from registry.record import Record

PSEUDONYM_LETTERS = 16
# Hexadecimal in letters: among digits, one pseudonym in a thousand or so would look like a date or a record number.
_AS_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
KEY_BYTES = 32
_DATE = r"(?<!\d)(?:19|20)\d\d[-./]?(?:0[1-9]|1[0-2])[-./]?(?:0[1-9]|[12]\d|3[01])(?!\d)"
PATTERNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "a date": re.compile(_DATE),
        "a date in words": re.compile(
            r"\b(?:born|birth|dob|geboren|né)\b.{0,12}\d", re.IGNORECASE | re.DOTALL
        ),
        "an e-mail address": re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,63}"),
        "an IP address": re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"),
        "a file path": re.compile(r"(?:^|\s)(?:/[\w.-]+){2,}|[A-Za-z]:\\\w"),
        "a DICOM person name": re.compile(r"\b[A-Za-z][\w'-]*\^[A-Za-z]"),
        "a record number": re.compile(
            r"\b(?:MRN|PID|patient)[ :#-]{0,3}\d{3,}|(?<![\da-fA-F])\d{7,}(?![\da-fA-F])"
        ),
        "a title and a name": re.compile(r"\b(?:Mr|Mrs|Ms|Herr|Frau|Mme|M\.)\.? +[A-Z][a-z]+"),
    }
)
_IN_IDS = ("a date", "a record number")
# Fields that are ours to write, in which a date or a number is what it is for.
_EXEMPT = frozenset(
    {"at", "checkpoint", "digest", "version", "engine_version", "host_version", "keyid", "public"}
)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Text of a record that may identify somebody: where it stands, and what it looks like."""

    sequence: int
    field: str
    looks_like: str
    text: str


def require_pseudonym(subject: str) -> None:
    """Refuse a subject's id that is no pseudonym. Raises `IdentifyingValueError`; the id is not repeated in it."""
    for what in _IN_IDS:
        if PATTERNS[what].search(subject):
            raise IdentifyingValueError(
                f"the subject's id looks like it holds {what}",
                subject="subject",
                hint="use the trial's number for the subject, or a keyed pseudonym: assay audit pseudonym",
            )


def suspicions(records: Iterable[Record]) -> Iterator[Suspicion]:
    """Text of records that somebody should look at, in order of the log."""
    for record in records:
        for field, text in _texts(record.statement.predicate, ""):
            for what, pattern in PATTERNS.items():
                if found := pattern.search(text):
                    yield Suspicion(record.sequence, field, what, found.group().strip()[:60])


def _texts(value: object, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if field.rpartition(".")[2] not in _EXEMPT and not value.startswith("sha256:"):
            yield field, value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _texts(one, f"{field}.{name}" if field else str(name))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, field)


def pseudonym_key(folder: Path, trial: str, random: Callable[[int], bytes]) -> bytes:
    """The key of a site's pseudonyms in a trial, made at the first call, mode 0600; it never leaves the folder.

    Raises
    ------
    UnsafeKeyFileError
        Others may read the file, or it does not hold a key.
    """
    path = folder / f"pseudonyms-{trial}.key"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(random(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(partial, path)  # unlike a rename, never in place of a key that is there
            sync_folder(folder)
        finally:
            partial.unlink()
    key = path.read_bytes()
    if len(key) != KEY_BYTES or path.stat().st_mode & 0o077:
        raise UnsafeKeyFileError(
            f"{path}: not a key of {KEY_BYTES} bytes that its owner alone reads", subject=str(path)
        )
    return key


def pseudonym(key: bytes, trial: str, identity: str) -> str:
    """A subject's id in a trial: HMAC-SHA256 of who they are, under a key that stays at the site.

    Parameters
    ----------
    key : bytes, 32
        Of this site and trial; without it nobody can try names.
    trial, identity : str
        The trial's id, and what the site calls the person.

    Returns
    -------
    str
        ``p-`` and 16 letters from a to p (64 bits), the same each time.
    """
    message = trial.encode() + b"\0" + " ".join(identity.split()).casefold().encode()
    return "p-" + hmac.digest(key, message, "sha256").hex()[:PSEUDONYM_LETTERS].translate(_AS_LETTERS)
