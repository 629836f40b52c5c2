"""Image layers: an uncompressed tar whose bytes depend on names and contents alone.

Invariants
----------
* Names are sorted as bytes; times, owners and groups are zero; modes are 0755 or 0644: umask, time zone, user
  and folder leave no trace, and no file is setuid.
* Only folders, regular files and symbolic links get in; a hard link becomes a file of its own.
* The digest (``diff_id``) is taken while the bytes are written: nothing is read twice.
"""

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NoReturn

from host.errors import LayerContentError

# What ustar can state; larger sizes need extensions that readers understand differently.
MAX_FILE_BYTES = 8 * 1024**3 - 1
MAX_ENTRIES = 1_000_000
_COPY_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """One name in a layer: a folder, a file or a symbolic link.

    Attributes
    ----------
    path : str
        Relative to the image's root, with ``/`` between the parts.
    source : Path, optional
        The file to copy. Without it, and without ``target``, the entry is a folder.
    target : str
        What a symbolic link points to.
    executable : bool
        Whether the file gets 0755 instead of 0644.
    """

    path: str
    source: Path | None = None
    target: str = ""
    executable: bool = False


@dataclass(frozen=True)
class Layer:
    """A finished layer in a file.

    Attributes
    ----------
    diff_id : str
        Digest of the uncompressed tar.
    """

    diff_id: str
    size_bytes: int
    path: Path


def folder_entries(folder: Path, *, under: str = "") -> Iterator[Entry]:
    """Everything below ``folder``, placed below ``under`` in the image.

    Raises
    ------
    LayerContentError
        Something that is neither a folder, a regular file nor a symbolic link.
    """
    for parent, folders, files in os.walk(folder, onerror=_raise):
        for name in [*folders, *files]:
            path = Path(parent, name)
            yield _entry(path, str(PurePosixPath(under, path.relative_to(folder).as_posix())))


def _raise(error: OSError) -> NoReturn:
    raise LayerContentError(f"{error.filename}: {error.strerror}", subject=str(error.filename)) from error


def _entry(path: Path, name: str) -> Entry:
    status = path.lstat()
    if stat.S_ISDIR(status.st_mode):
        return Entry(name)
    if stat.S_ISLNK(status.st_mode):
        return Entry(name, target=os.readlink(path))
    if stat.S_ISREG(status.st_mode):
        return Entry(name, source=path, executable=bool(status.st_mode & 0o111))
    raise LayerContentError(f"{path}: not a file, folder or symbolic link", subject=str(path))


def write_layer(entries: Iterable[Entry], path: Path) -> Layer:
    """Write entries, and the folders they lie in, as a layer.

    Parameters
    ----------
    entries : iterable of Entry
        In any order; no path twice.
    path : Path
        The file to write. It is synced but not renamed: pass a temporary name.

    Raises
    ------
    LayerContentError
        A path that leaves the image's root or appears twice, a source that cannot be read or is too large.
    """
    ordered = _ordered(entries)
    with path.open("wb") as stream:
        digesting = _DigestingWriter(stream)
        with tarfile.open(  # type: ignore[call-overload] # a stream archive only calls write
            fileobj=digesting,
            mode="w|",
            format=tarfile.PAX_FORMAT,
            encoding="utf-8",
            bufsize=_COPY_BYTES,
        ) as archive:
            archive.copybufsize = _COPY_BYTES
            for entry in ordered:
                _add(archive, entry)
        stream.flush()
        os.fsync(stream.fileno())
    return Layer(f"sha256:{digesting.hexdigest()}", digesting.size_bytes, path)


def _ordered(entries: Iterable[Entry]) -> list[Entry]:
    named: dict[str, Entry] = {}
    for entry in entries:
        _require_relative(entry.path)
        if entry.path in named:
            raise LayerContentError(f"{entry.path}: given twice for one layer", subject=entry.path)
        if len(named) == MAX_ENTRIES:
            raise LayerContentError(
                f"more than {MAX_ENTRIES} files in one layer", hint="leave out what is not needed"
            )
        named[entry.path] = entry
    for path in list(named):
        for parent in PurePosixPath(path).parents[:-1]:
            holder = named.setdefault(str(parent), Entry(str(parent)))
            if holder.source is not None or holder.target:
                raise LayerContentError(f"{path}: {parent} is not a folder", subject=path)
    return [named[path] for path in sorted(named, key=str.encode)]


def _require_relative(path: str) -> None:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise LayerContentError(f"{path!r}: the name is not UTF-8", subject=repr(path)) from error
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts) or "\0" in path:
        raise LayerContentError(f"{path!r}: not a plain path below the image's root", subject=path)


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    member = tarfile.TarInfo(entry.path)
    member.mtime = member.uid = member.gid = 0
    if entry.source is not None:
        member.mode = 0o755 if entry.executable else 0o644
        _add_file(archive, member, entry.source)
    elif entry.target:
        member.type, member.mode, member.linkname = tarfile.SYMTYPE, 0o777, entry.target
        archive.addfile(member)
    else:
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(member)


def _add_file(archive: tarfile.TarFile, member: tarfile.TarInfo, source: Path) -> None:
    try:
        with open(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
                raise LayerContentError(f"{source}: not a regular file below 8 GiB", subject=str(source))
            member.size = status.st_size
            archive.addfile(member, stream)
    except OSError as error:
        raise LayerContentError(f"{source}: {error.strerror or error}", subject=str(source)) from error


class _DigestingWriter:
    """Passes bytes on and keeps their digest and number."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        self._sha256.update(data)
        self.size_bytes += len(data)
        return self._stream.write(data)

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()
