"""Where a pinned file is found: beside its declaration, in the cache, in ``ASSAY_DATA``, or where it comes from.

Invariants
----------
* Whatever place a file is taken from, its bytes are hashed on the way and are the declared ones.
* The network is asked last, and only for a file that is nowhere on this machine.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final, Literal

from host.errors import RequirementsError, SourceError, SourceMissingError, WheelError
from host.hashed_copy import copy_and_hash
from host.home import Home
from host.sources.data_folder import DataFolder, file_digest
from host.sources.download import Told, download
from host.sources.pinned import FORMS, PACKAGE_URI, Pinned, uri_fault
from host.staging import work_errors
from plugin_spec.errors import TrustError
from plugin_spec.files import sync_folder

FOLDER: Final = "sources"
Place = Literal["folder", "cache", "ASSAY_DATA", "download"]


@dataclass(frozen=True)
class Found:
    """A file on this machine, and in which of the places it lies."""

    place: Place
    path: Path


class SourceStore:
    """Finds and fetches pinned files.

    Parameters
    ----------
    home : Home
        Its cache keeps what was downloaded, by digest; its data folder is ``ASSAY_DATA``, where one is named.
    say : callable, optional
        Told what takes a while, in one line.
    told : callable, optional
        Told how far a download is: bytes, and bytes in all.
    """

    def __init__(
        self,
        home: Home,
        *,
        say: Callable[[str], None] = lambda line: None,
        told: Told = lambda have, total: None,
    ) -> None:
        self._cache = home.cache
        self._say = say
        self._told = told
        self._data = DataFolder(home.data, home.cache, say) if home.data is not None else None
        self._data_named = str(home.data) if home.data is not None else "not set"

    def find(self, pinned: Pinned) -> Found | None:
        """Where a file lies on this machine, as far as is known without reading it once more.

        Raises
        ------
        SourceError
            The form is not understood, a local file is not there, or ``ASSAY_DATA`` names no folder.
        """
        if fault := uri_fault(pinned.uri):
            raise SourceError(f"{pinned.name}: {fault}", subject=pinned.uri, hint=FORMS)
        if (local := pinned.local) is not None:
            return Found("folder", local)
        if self._cached(pinned).is_file():
            return Found("cache", self._cached(pinned))
        if self._data is not None and (path := next(self._data.find(pinned.sha256, pinned.bytes), None)):
            return Found("ASSAY_DATA", path)
        return None

    def copy(self, pinned: Pinned, target: Path) -> Found:
        """Write a file to ``target``, fetching it where it is not on this machine; returns where it was found.

        Raises
        ------
        SourceError, SourceMissingError
            As `find`; it is nowhere, and cannot be fetched.
        TrustError
            What was found is another file.
        """
        while (found := self.find(pinned)) is not None:
            digest, size = _copied(found.path, target)
            if (digest, size) == (pinned.sha256, pinned.bytes):
                return found
            target.unlink()
            self._put_aside(found, pinned, digest, size)
        cached = self.download(pinned)
        _copied(cached, target)
        return Found("download", cached)

    def have(self, pinned: Pinned) -> Found:
        """See that a file is on this machine, read whole and found to be the declared one; raises as `copy`."""
        while (found := self.find(pinned)) is not None:
            digest, size = file_digest(found.path), found.path.stat().st_size
            if (digest, size) == (pinned.sha256, pinned.bytes):
                return found
            self._put_aside(found, pinned, digest, size)
        return Found("download", self.download(pinned))

    def download(self, pinned: Pinned) -> Path:
        """Fetch a file from where it comes into the cache, whatever lies elsewhere; raises as `copy`."""
        target = self._cached(pinned)
        with work_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                if pinned.url:
                    download(pinned, target, told=self._told)
                else:
                    self._out_of_wheel(pinned, target)
            except SourceMissingError as error:
                raise SourceMissingError(
                    f"{error.message}; wanted is {pinned.sha256}, {pinned.bytes} bytes",
                    subject=pinned.uri,
                    hint=error.hint
                    or f"put the file, under any name, below the folder that ASSAY_DATA names ({self._data_named})",
                ) from error
        return target

    def _cached(self, pinned: Pinned) -> Path:
        return self._cache / FOLDER / pinned.sha256.removeprefix("sha256:")

    def _put_aside(self, found: Found, pinned: Pinned, digest: str, size: int) -> None:
        """A file was another one than it was taken for; look again without it, or say so where it was named."""
        if found.place == "folder" or digest == pinned.sha256:
            raise _another(pinned, digest, size)
        self._say(f"{found.path} is not {pinned.sha256[:19]}… any more: looked for elsewhere")
        if found.place == "cache":
            found.path.unlink()
        elif self._data is not None:
            self._data.forget(found.path)

    def _out_of_wheel(self, pinned: Pinned, target: Path) -> None:
        """Take a file out of its wheel, and keep it by its digest."""
        from host.images.pip_layer import fetch_wheel_file

        form = PACKAGE_URI.fullmatch(pinned.uri)
        assert form is not None  # noqa: S101 - find has looked at the form
        requirement = f"{form['package']} --hash=sha256:{form['wheel']}"
        with tempfile.TemporaryDirectory(prefix=".wheel.", dir=target.parent) as scratch:
            taken = Path(scratch, "file")
            try:
                digest = fetch_wheel_file(requirement, form["member"], taken, uv_cache=self._cache / "uv")
            except (RequirementsError, WheelError) as error:
                raise SourceMissingError(f"{pinned.name}: {error.message}", subject=pinned.uri) from error
            size = taken.stat().st_size
            if (digest, size) != (pinned.sha256, pinned.bytes):
                raise _another(pinned, digest, size)
            taken.chmod(0o444)
            taken.replace(target)
        sync_folder(target.parent)


def _another(pinned: Pinned, digest: str, size: int) -> TrustError:
    return pinned.mismatch(
        f"{pinned.name}: {pinned.uri} gives {size} bytes with {digest}, "
        f"declared are {pinned.bytes} bytes with {pinned.sha256}",
        subject=pinned.uri,
        hint="restore the file, or correct sha256 and bytes where it is declared",
    )


def _copied(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file; returns the digest of its bytes and how many there are."""
    try:
        reader: FileIO = source.open("rb", buffering=0)
    except OSError as error:
        raise SourceError(f"{source}: {error.strerror}", subject=str(source)) from error
    with reader, work_errors(target), target.open("xb", buffering=0) as writer:
        found = copy_and_hash(lambda buffer: reader.readinto(buffer) or 0, writer)
        os.fchmod(writer.fileno(), 0o444)
    return found
