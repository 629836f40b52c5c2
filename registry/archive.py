"""The bundle's file format: an uncompressed zip with fixed metadata and nothing that its index does not list.

Invariants
----------
* The same content gives the same bytes: names in order, fixed times and modes, no compression.
* Reading accepts two shapes of name only, so no entry can name a place outside; links and folders are
  refused.
* Stored members cannot expand, so a bundle holds no more than its own size; members are streamed, never
  read whole.
"""

import errno
import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError

from plugin_spec.files import sync_folder
from plugin_spec.model import Identifier, StrictModel, first_fault
from registry.blobs import BlobStore, chunks
from registry.canonical import Digest, canonical_json, digest, parse_json
from registry.errors import (
    BundleContentError,
    MalformedBundleError,
    OutputPathError,
    StorageFullError,
    UnsafeBundleNameError,
)

INDEX = "bundle.json"
MAX_INDEX_BYTES = 64 * 1024 * 1024
MAX_FILES = 200_000
MAX_WITNESSED = 1000
MAX_ENVELOPE_FILE_BYTES = 8 * 1024 * 1024
_NAME = re.compile(r"(envelopes/[0-9a-f]{64}\.json|blobs/[0-9a-f]{64})")
_DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


class ListedFile(StrictModel):
    """A member of the bundle and what it holds."""

    name: str
    digest: Digest
    bytes: int = Field(ge=0)


class ListedEntry(StrictModel):
    """A log entry: what its leaf covers, and its inclusion proof (none where the whole log is carried)."""

    sequence: int = Field(ge=0)
    logged_at: str
    payload: Digest
    envelope: Digest
    inclusion: tuple[str, ...] = ()


class ListedConsistency(StrictModel):
    """A proof that the checkpoint continues what the log was at ``size``."""

    size: int = Field(gt=0)
    hashes: tuple[str, ...]


class BundleIndex(StrictModel):
    """What ``bundle.json`` says."""

    contract: Literal["assay.bundle/1"] = "assay.bundle/1"
    kind: Literal["trial", "site-records"]
    trial: Identifier
    lock: Digest | None
    origin: str
    checkpoint: str
    entries: tuple[ListedEntry, ...]
    consistency: tuple[ListedConsistency, ...] = ()
    # What a site saw of its sponsor's log, cosigned by it.
    witnessed: tuple[str, ...] = Field(default=(), max_length=MAX_WITNESSED)
    files: tuple[ListedFile, ...] = Field(max_length=MAX_FILES)


def envelope_name(payload: Digest) -> str:
    """The member that holds a record's envelope."""
    return f"envelopes/{payload.removeprefix('sha256:')}.json"


def blob_name(blob: Digest) -> str:
    """The member that holds a blob."""
    return f"blobs/{blob.removeprefix('sha256:')}"


def write_archive(
    path: Path, index: BundleIndex, envelopes: Mapping[Digest, bytes], blobs: BlobStore
) -> Digest:
    """Write a bundle and return the digest of the file.

    Parameters
    ----------
    path : Path
        The file to make or replace.
    index : BundleIndex
        Its ``files`` are ignored and filled in: one per envelope and per blob of ``index.files``.
    envelopes : mapping of payload digest to envelope
        The records.
    blobs : BlobStore
        Where the blobs listed are.

    Raises
    ------
    OutputPathError
        ``path`` is a folder, has no folder, or may not be written.
    StorageFullError
        The disk is full or broken.
    """
    temporary = _beside(path)
    listed = [
        ListedFile(name=envelope_name(payload), digest=digest(data), bytes=len(data))
        for payload, data in envelopes.items()
    ]
    by_name = {one.name: one for one in (*listed, *index.files)}
    index = index.model_copy(update={"files": tuple(by_name[name] for name in sorted(by_name))})
    try:
        with temporary.open("wb") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, strict_timestamps=True) as archive:
                _add(archive, INDEX, [_written(index)])
                for payload in sorted(envelopes):
                    _add(archive, envelope_name(payload), [envelopes[payload]])
                for one in sorted(index.files, key=lambda file: file.name):
                    if one.name.startswith("blobs/"):
                        with blobs.open(one.digest) as blob:
                            _add(archive, one.name, chunks(blob))
            stream.flush()
            os.fsync(stream.fileno())
        found = _digest_of_file(temporary)
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        kind = StorageFullError if error.errno in _DISK_FAULTS else OutputPathError
        raise kind(f"{path}: {error.strerror}", subject=str(path)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return found


def _written(index: BundleIndex) -> bytes:
    # A field of later bundles is left out where it says nothing, so that these keep their bytes.
    left_out = set() if index.witnessed else {"witnessed"}
    return canonical_json(index.model_dump(mode="json", exclude=left_out))


def _beside(path: Path) -> Path:
    """Where the file is written before it gets its name. Raises `OutputPathError`."""
    try:
        if path.is_dir() or "\0" in str(path):
            raise OutputPathError(f"{path}: names no file", subject=str(path), hint="name the file to write")
        if not path.parent.is_dir():
            raise OutputPathError(
                f"{path}: there is no folder {path.parent}", subject=str(path), hint="make the folder first"
            )
    except OSError as error:
        raise OutputPathError(f"{path}: {error.strerror}", subject=str(path)) from error
    return path.with_name(f".{path.name}.partial")


def _add(archive: zipfile.ZipFile, name: str, parts: Iterable[bytes]) -> None:
    info = zipfile.ZipInfo(name, _FIXED_TIME)
    info.create_system = 3
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    with archive.open(info, "w", force_zip64=True) as member:
        for part in parts:
            member.write(part)


def _digest_of_file(path: Path) -> Digest:
    hasher = hashlib.sha256()
    with path.open("rb") as stream:
        for part in chunks(stream):
            hasher.update(part)
    return "sha256:" + hasher.hexdigest()


class Bundle:
    """An opened bundle: its members are exactly those listed, each with the bytes listed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise MalformedBundleError(f"{path}: no such file", subject=str(path)) from error
        except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise MalformedBundleError(
                f"{path}: not a readable bundle: {error}", subject=str(path)
            ) from error
        try:
            self._members = self._checked_members()
            self.index = self._read_index()
            self._check_listing()
        except BaseException:
            self._archive.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    @property
    def blobs(self) -> frozenset[Digest]:
        """The blobs carried."""
        return frozenset(one.digest for one in self.index.files if one.name.startswith("blobs/"))

    def envelope(self, payload: Digest) -> bytes:
        """The envelope of a record. Raises `BundleContentError` where it is missing."""
        name = envelope_name(payload)
        if name not in self._members:
            raise BundleContentError(f"{self.path}: {name} is missing", subject=name)
        return b"".join(self.parts(name, limit=MAX_ENVELOPE_FILE_BYTES))

    def small_blob(self, blob: Digest, *, limit: int) -> bytes:
        """The whole of a blob that is expected to be small. Raises `BundleContentError`."""
        name = blob_name(blob)
        if name not in self._members:
            raise BundleContentError(f"{self.path}: the file {blob} is missing", subject=blob)
        return b"".join(self.parts(name, limit=limit))

    def parts(self, name: str, *, limit: int | None = None) -> Iterator[bytes]:
        """Stream a member."""
        info = self._members[name]
        if limit is not None and info.file_size > limit:
            raise MalformedBundleError(f"{self.path}: {name} exceeds {limit} bytes", subject=name)
        try:
            with self._archive.open(info) as stream:
                while part := stream.read(1024 * 1024):
                    yield part
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise BundleContentError(f"{self.path}: {name}: {error}", subject=name) from error

    def _checked_members(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._archive.infolist()
        if len(infos) > MAX_FILES:
            raise MalformedBundleError(f"{self.path}: more than {MAX_FILES} files", subject=str(self.path))
        for info in infos:
            kind = stat.S_IFMT(info.external_attr >> 16)
            if (info.filename != INDEX and not _NAME.fullmatch(info.filename)) or kind not in (
                0,
                stat.S_IFREG,
            ):
                raise UnsafeBundleNameError(
                    f"{self.path}: {info.filename!r} is not a plain file of a bundle", subject=info.filename
                )
            if (
                info.compress_type != zipfile.ZIP_STORED
                or info.flag_bits & 1
                or info.file_size != info.compress_size
            ):
                raise MalformedBundleError(
                    f"{self.path}: {info.filename} is compressed or encrypted", subject=info.filename
                )
        members = {info.filename: info for info in infos}
        if len(members) != len(infos):
            raise BundleContentError(f"{self.path}: a file is there twice", subject=str(self.path))
        # Overlapping members would read the same stored bytes many times over.
        if sum(info.file_size for info in infos) > self.path.stat().st_size:
            raise MalformedBundleError(f"{self.path}: its files overlap", subject=str(self.path))
        return members

    def _read_index(self) -> BundleIndex:
        if INDEX not in self._members:
            raise MalformedBundleError(f"{self.path}: has no {INDEX}", subject=str(self.path))
        data = b"".join(self.parts(INDEX, limit=MAX_INDEX_BYTES))
        try:
            raw = parse_json(data, where=INDEX, limit=MAX_INDEX_BYTES)
            return BundleIndex.model_validate_json(canonical_json(raw))
        except ValidationError as error:
            raise MalformedBundleError(
                f"{self.path}: {INDEX}: {first_fault(error)}", subject=INDEX
            ) from error

    def _check_listing(self) -> None:
        listed = {one.name: one for one in self.index.files}
        unlisted = sorted(set(self._members) - set(listed) - {INDEX})
        missing = sorted(set(listed) - set(self._members))
        if unlisted or missing or len(listed) != len(self.index.files):
            what = (
                f"unlisted {unlisted[0]}"
                if unlisted
                else f"missing {missing[0]}"
                if missing
                else "a name listed twice"
            )
            raise BundleContentError(f"{self.path}: {what}", subject=str(self.path))
        for one in self.index.files:
            if one.name.startswith("blobs/") and one.name != blob_name(one.digest):
                raise BundleContentError(
                    f"{self.path}: {one.name} is listed with another digest", subject=one.name
                )
            hasher, size = hashlib.sha256(), 0
            for part in self.parts(one.name):
                hasher.update(part)
                size += len(part)
            if ("sha256:" + hasher.hexdigest(), size) != (one.digest, one.bytes):
                raise BundleContentError(
                    f"{self.path}: {one.name} holds other bytes than listed", subject=one.name
                )
