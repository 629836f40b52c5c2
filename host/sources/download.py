"""Download a pinned file: https only, no longer than declared, resumed where it was cut off, hashed on the way."""

import fcntl
import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from host.disk_errors import FULL
from host.errors import SourceMissingError
from host.sources.pinned import Pinned
from plugin_spec.errors import TrustError
from plugin_spec.files import sync_folder

SILENCE_S: Final = 30.0  # a server that says nothing for so long is given up
SLOWEST_BYTES_PER_S: Final = 10_000  # and so is one that is slower than this on the whole
CHUNK_BYTES: Final = 1024 * 1024
HTTP_PARTIAL: Final = 206
Told = Callable[[int, int], None]


class _Hasher(Protocol):
    """What hashlib makes; it has no public name."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


def download(pinned: Pinned, target: Path, *, told: Told) -> None:
    """Write the file at a source's address to ``target``, whole and with its digest, or not at all.

    Parameters
    ----------
    pinned : Pinned
        A ``url:`` source.
    target : Path
        What was loaded before the connection broke stays beside it, under its name and ``.part``, and is gone on with.
    told : callable
        Told how many bytes are there, and how many there will be.

    Raises
    ------
    SourceMissingError
        The address does not answer, or not with the whole file.
    TrustError
        What it answers with is another file: as the source says.
    """
    part = target.with_name(f"{target.name}.part")
    with part.open("a+b") as writer:
        _lock(writer, pinned)
        try:
            found = f"sha256:{_fill(pinned, writer, told)}"
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            raise SourceMissingError(
                f"{pinned.name}: {pinned.url} cannot be had: {_reason(error)}", subject=pinned.url
            ) from error
        if found != pinned.sha256:
            part.unlink()
            raise _another(pinned, f"gives {found}, declared is {pinned.sha256}")
        os.fsync(writer.fileno())
        os.fchmod(writer.fileno(), 0o444)
        part.replace(target)
    sync_folder(target.parent)


def _lock(writer: BinaryIO, pinned: Pinned) -> None:
    try:
        fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SourceMissingError(
            f"{pinned.name}: another command is downloading it", subject=pinned.url, hint="wait until it ends"
        ) from error


def _fill(pinned: Pinned, writer: BinaryIO, told: Told) -> str:
    """Load what is missing; returns the digest of the whole."""
    hasher: _Hasher = hashlib.sha256()
    have = _hash_what_is_there(writer, hasher)
    if have > pinned.bytes:
        hasher, have = _start_again(writer)
    if have == pinned.bytes:
        return hasher.hexdigest()
    deadline = time.monotonic() + SILENCE_S + (pinned.bytes - have) / SLOWEST_BYTES_PER_S
    with _answer(pinned.url, have) as answer:
        if have and not _goes_on(answer, have):
            hasher, have = _start_again(writer)
        while chunk := answer.read(CHUNK_BYTES):
            have += len(chunk)
            if have > pinned.bytes:
                writer.truncate(0)
                raise _another(pinned, f"gives more than the {pinned.bytes} bytes that are declared")
            if time.monotonic() > deadline:
                raise TimeoutError(f"slower than {SLOWEST_BYTES_PER_S} bytes a second")
            writer.write(chunk)
            hasher.update(chunk)
            told(have, pinned.bytes)
    writer.flush()
    if have < pinned.bytes:
        raise TimeoutError(f"it ended after {have} of {pinned.bytes} bytes; the next try goes on from there")
    return hasher.hexdigest()


def _hash_what_is_there(writer: BinaryIO, hasher: _Hasher) -> int:
    writer.seek(0)
    while chunk := writer.read(CHUNK_BYTES):
        hasher.update(chunk)
    return writer.tell()


def _start_again(writer: BinaryIO) -> tuple[_Hasher, int]:
    writer.truncate(0)
    return hashlib.sha256(), 0


def _goes_on(answer: http.client.HTTPResponse, have: int) -> bool:
    """Whether the answer is the rest that was asked for; a server may ignore that and send the whole."""
    return answer.status == HTTP_PARTIAL and answer.headers.get("Content-Range", "").startswith(
        f"bytes {have}-"
    )


def _answer(url: str, have: int) -> http.client.HTTPResponse:
    headers = {"Accept-Encoding": "identity", "User-Agent": "assay"}
    if have:
        headers["Range"] = f"bytes={have}-"
    opened: http.client.HTTPResponse = _opener().open(
        urllib.request.Request(url, headers=headers),  # noqa: S310 - the form of a source is https
        timeout=SILENCE_S,
    )
    return opened


def _opener() -> urllib.request.OpenerDirector:
    """Follow redirections, but only to where it is as guarded: there is no handler for any other scheme."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _another(pinned: Pinned, what: str) -> TrustError:
    return pinned.mismatch(f"{pinned.name}: {pinned.url} {what}", subject=pinned.url)


def _reason(error: OSError | http.client.HTTPException) -> str:
    """Why an address cannot be had, in few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"it answers {error.code}"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, OSError):
        error = error.reason
    reason = getattr(error, "strerror", None) or error
    return " ".join(str(reason).split()) or type(error).__name__
