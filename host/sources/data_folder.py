"""``ASSAY_DATA``: a folder of files that somebody put there, under any names, searched by digest.

Invariants
----------
* Only files of a size that is asked for are hashed, each once: the digest is kept under path, time of change, size and
  inode, and a file in which one of these changed is hashed anew.
* What the index says is a place to look. Whoever takes a file hashes what he takes.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError

from host.errors import SourceError
from plugin_spec.files import write_atomic
from plugin_spec.model import Sha256, StrictModel

CHUNK_BYTES: Final = 4 * 1024 * 1024
INDEX_NAME: Final = "data-index.json"


class _Entry(StrictModel):
    """A file that was hashed: how it was then, and its digest."""

    changed_ns: int
    bytes: int
    inode: int
    sha256: Sha256


class _Index(StrictModel):
    """Every file that was hashed, by its path."""

    contract: Literal["assay.data-index/1"] = "assay.data-index/1"
    files: dict[str, _Entry] = {}


class DataFolder:
    """A folder that is searched by digest.

    Parameters
    ----------
    root : Path
    cache : Path
        Where the index is kept.
    say : callable
        Told when a file is hashed, which takes a while.
    """

    def __init__(self, root: Path, cache: Path, say: Callable[[str], None]) -> None:
        self._root = root
        self._index_path = cache / INDEX_NAME
        self._say = say
        self._by_size: dict[int, list[Path]] | None = None
        self._known: dict[str, _Entry] | None = None

    def find(self, sha256: str, size: int) -> Iterator[Path]:
        """The files that have the digest, as far as is known without reading them again.

        Raises
        ------
        SourceError
            ``ASSAY_DATA`` names no folder.
        """
        for path in self._sized().get(size, ()):
            if self._digest(path) == sha256:
                yield path

    def forget(self, path: Path) -> None:
        """Hash a file anew when it is next asked for: it is not what the index says."""
        if self._entries().pop(str(path), None) is not None:
            self._write()

    def _sized(self) -> dict[int, list[Path]]:
        """Every file by its size; the folder is walked once."""
        if self._by_size is None:
            if not self._root.is_dir():
                raise SourceError(
                    f"ASSAY_DATA names {self._root}, which is no folder",
                    subject=str(self._root),
                    hint="name the folder that holds the data, or unset ASSAY_DATA",
                )
            self._by_size = {}
            for folder, _, names in os.walk(self._root):
                for path in sorted(Path(folder, name) for name in names):
                    if path.is_file():
                        self._by_size.setdefault(path.stat().st_size, []).append(path)
        return self._by_size

    def _digest(self, path: Path) -> str | None:
        """A file's digest, out of the index where the file is as it was; ``None`` where it cannot be read."""
        try:
            stat = path.stat()
            known = self._entries().get(str(path))
            as_it_was = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if known is not None and (known.changed_ns, known.bytes, known.inode) == as_it_was:
                return known.sha256
            self._say(f"hash {path}")
            found = file_digest(path)
        except OSError as error:
            self._say(f"{path}: {error.strerror}: left out")
            return None
        changed_ns, size, inode = as_it_was
        self._entries()[str(path)] = _Entry(changed_ns=changed_ns, bytes=size, inode=inode, sha256=found)
        self._write()
        return found

    def _entries(self) -> dict[str, _Entry]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> dict[str, _Entry]:
        try:
            return dict(_Index.model_validate_json(self._index_path.read_bytes()).files)
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError):
            self._say(f"{self._index_path} cannot be read: files are hashed anew")
            return {}

    def _write(self) -> None:
        there = {path: entry for path, entry in self._entries().items() if Path(path).exists()}
        self._index_path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self._index_path, _Index(files=there).model_dump_json().encode())


def file_digest(path: Path) -> str:
    """The digest of a file's bytes, ``sha256:`` and 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
