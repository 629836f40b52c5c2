"""Content-addressed files: ``blobs/sha256/ab/<64 hex>``, written once, read-only, named by what they hold."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from plugin_spec.files import sync_folder
from registry.canonical import Digest
from registry.errors import BlobMismatchError, MissingBlobError, StorageFullError

CHUNK_BYTES = 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class StoredBlob(NamedTuple):
    """What was stored: its name and its size."""

    digest: Digest
    bytes: int


class BlobStore:
    """The files of one registry home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "sha256"
        self._incoming = folder / "incoming"

    def put_bytes(self, data: bytes) -> StoredBlob:
        """Store a small file."""
        return self.put_stream([data])

    def put_file(self, path: Path) -> StoredBlob:
        """Copy a file in, hashing it once on the way.

        Raises
        ------
        MissingBlobError
            There is no such file, or it cannot be read.
        """
        try:
            with path.open("rb") as stream:
                return self.put_stream(chunks(stream))
        except OSError as error:
            raise MissingBlobError(f"{path}: {error.strerror}", subject=str(path)) from error

    def take_file(self, path: Path) -> StoredBlob:
        """Move a file of this home in, hashing it once: nothing is copied, however large it is.

        Parameters
        ----------
        path : Path
            On the same file system, and nobody else's: whoever kept it open could still write into it.

        Raises
        ------
        MissingBlobError
            There is no such file, or it cannot be read.
        StorageFullError
            It cannot be moved.
        """
        hasher, size = hashlib.sha256(), 0
        try:
            with path.open("rb") as stream:
                for part in chunks(stream):
                    hasher.update(part)
                    size += len(part)
                os.fsync(stream.fileno())
        except OSError as error:
            raise MissingBlobError(f"{path}: {error.strerror}", subject=str(path)) from error
        found = "sha256:" + hasher.hexdigest()
        try:
            self._settle(path, self._place(found))
        except OSError as error:
            raise StorageFullError(f"{self._folder}: {error.strerror}", subject=str(self._folder)) from error
        return StoredBlob(found, size)

    def put_stream(self, parts: Iterable[bytes], *, expected: Digest | None = None) -> StoredBlob:
        """Store what ``parts`` yields; nothing is kept where its digest is not the expected one.

        Raises
        ------
        BlobMismatchError
            Other bytes than ``expected``.
        StorageFullError
            The disk does not take it.
        """
        try:
            return self._put(parts, expected)
        except OSError as error:
            raise StorageFullError(f"{self._folder}: {error.strerror}", subject=str(self._folder)) from error

    def _put(self, parts: Iterable[bytes], expected: Digest | None) -> StoredBlob:
        self._incoming.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._incoming)
        hasher, size = hashlib.sha256(), 0
        try:
            with os.fdopen(descriptor, "wb") as stream:
                for part in parts:
                    hasher.update(part)
                    size += stream.write(part)
                stream.flush()
                os.fsync(stream.fileno())
            found = "sha256:" + hasher.hexdigest()
            if expected not in (None, found):
                raise BlobMismatchError(f"expected {expected}, got {found}", subject=str(expected))
            self._settle(Path(temporary), self._place(found))
        finally:
            Path(temporary).unlink(missing_ok=True)
        return StoredBlob(found, size)

    def _settle(self, temporary: Path, place: Path) -> None:
        if place.exists():
            return
        os.chmod(temporary, 0o444)
        new_folder = not place.parent.exists()
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(temporary, place)
        sync_folder(place.parent)
        if new_folder:
            sync_folder(place.parent.parent)

    def has(self, digest: Digest) -> bool:
        """Tell whether a file of this name is stored; its bytes are not read."""
        return self._place(digest).is_file()

    def path(self, digest: Digest) -> Path:
        """Where a stored file is.

        Raises
        ------
        MissingBlobError
            Nothing of this name is stored, or the name is no digest.
        """
        place = self._place(digest)
        if not place.is_file():
            raise MissingBlobError(f"{digest} is not in the blob store", subject=digest)
        return place

    @contextmanager
    def open(self, digest: Digest) -> Iterator[BinaryIO]:
        """Open a stored file for reading."""
        with self.path(digest).open("rb") as stream:
            yield stream

    def verify(self, digest: Digest) -> int:
        """Hash a stored file again and return its size.

        Raises
        ------
        BlobMismatchError
            It does not hold what its name says.
        """
        hasher, size = hashlib.sha256(), 0
        with self.open(digest) as stream:
            for part in chunks(stream):
                hasher.update(part)
                size += len(part)
        if "sha256:" + hasher.hexdigest() != digest:
            raise BlobMismatchError(f"the stored file {digest} holds other bytes", subject=digest)
        return size

    def _place(self, digest: Digest) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise MissingBlobError(f"{digest!r} is not a sha256 digest", subject=digest)
        name = digest.removeprefix("sha256:")
        return self._folder / name[:2] / name


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The rest of a stream in pieces of at most 1 MiB."""
    while part := stream.read(CHUNK_BYTES):
        yield part
