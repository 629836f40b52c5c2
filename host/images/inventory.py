"""What is in an image, read out of its layers without running anything: files, and the records of package managers.

Invariants
----------
* Layers are applied in order, with their whiteouts: a file that a later layer removes is not in the image.
* Only names, kinds and modes are kept, and the bytes of package records; both are bounded.
"""

import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from host.errors import ArchiveError
from host.images.layer import Layer
from host.images.links import follow
from host.tar_members import Window, content, members, open_members

MAX_FILES = 2_000_000
MAX_RECORD_BYTES = 64 * 1024 * 1024
MAX_RECORDS_BYTES = 256 * 1024 * 1024
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
# Where package managers write down what they installed.
_RECORDS = re.compile(
    r"var/lib/dpkg/status|var/lib/dpkg/status\.d/[^/]+|var/lib/dpkg/info/[^/]+\.list|(usr/)?lib/apk/db/installed"
    r"|.*\.(dist|egg)-info/(METADATA|RECORD|PKG-INFO)|.*\.egg-info|(.*/)?conda-meta/[^/]+\.json"
    r"|(etc|usr/lib)/os-release"
)


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One name in an image.

    Attributes
    ----------
    kind : str
        ``file``, ``folder``, ``link`` or ``other``.
    target : str
        Of a symbolic link.
    layer : int
        Number of the layer it comes from, the lowest being 0.
    """

    kind: str
    mode: int = 0
    size_bytes: int = 0
    target: str = ""
    layer: int = 0


@dataclass
class Inventory:
    """The files of an image, by path relative to its root, and its package records."""

    files: dict[str, ImageFile] = field(default_factory=dict)
    records: dict[str, bytes] = field(default_factory=dict)

    def resolve(self, path: str) -> tuple[str, ImageFile] | None:
        """Follow links as the kernel would inside the image.

        Parameters
        ----------
        path : str
            Absolute, or relative to the image's root.

        Returns
        -------
        (str, ImageFile) or None
            Where it ends; ``None`` where nothing is, or the links go round.
        """
        name = follow(path, self._target)
        found = None if name is None else self.files.get(name)
        return None if name is None or found is None else (name, found)

    def _target(self, path: str) -> str | None:
        one = self.files.get(path)
        return one.target if one is not None and one.kind == "link" else None

    def find_program(self, program: str, search: str) -> tuple[str, ImageFile] | None:
        """Return the file that a program's name stands for: as given, or along a ``PATH``."""
        if "/" in program:
            return self.resolve(program)
        for folder in search.split(":"):
            found = self.resolve(f"{folder}/{program}") if folder.startswith("/") else None
            if found is not None and found[1].kind == "file" and found[1].mode & 0o111:
                return found
        return None


def take_inventory(layers: Sequence[Layer]) -> Inventory:
    """Apply an image's layers, lowest first.

    Raises
    ------
    ArchiveError
        A layer is no tar, or the image holds more files than can be kept track of.
    """
    inventory = Inventory()
    for number, layer in enumerate(layers):
        try:
            with (
                layer.path.open("rb") as stream,
                open_members(Window(stream, 0, layer.size_bytes)) as archive,
            ):
                _apply(inventory, archive, number)
        except (OSError, tarfile.TarError, EOFError) as error:
            raise ArchiveError(
                f"the layer {layer.diff_id[:19]}… cannot be read: {error}", subject=layer.diff_id
            ) from error
        if len(inventory.files) > MAX_FILES:
            raise ArchiveError(f"the image holds more than {MAX_FILES} files", subject=layer.diff_id)
    return inventory


def _apply(inventory: Inventory, archive: tarfile.TarFile, layer: int) -> None:
    added: dict[str, ImageFile] = {}
    records: dict[str, bytes] = {}
    removed: set[str] = set()
    emptied: set[str] = set()
    left = MAX_RECORDS_BYTES - sum(map(len, inventory.records.values()))
    for member in members(archive, count_max=MAX_FILES):
        name = "/".join(part for part in PurePosixPath(member.name).parts if part not in {"/", "."})
        parent, _, last = name.rpartition("/")
        if last == _OPAQUE:
            emptied.add(parent)
        elif last.startswith(_WHITEOUT):
            removed.add(f"{parent}/{last[len(_WHITEOUT) :]}".lstrip("/"))
        elif name:
            added[name] = replace(_file(member, added, inventory.files), layer=layer)
            if member.isreg() and member.size <= MAX_RECORD_BYTES and _RECORDS.fullmatch(name):
                records[name] = b"".join(content(archive, member))
                left -= len(records[name])
                if left < 0:
                    raise tarfile.ReadError(f"package records of more than {MAX_RECORDS_BYTES} bytes")
    # What was a folder and is none now takes its content with it.
    removed |= {name for name, one in added.items() if one.kind != "folder" and _is_folder(inventory, name)}
    if removed or emptied:
        _remove(inventory, removed, emptied)
    inventory.files.update(added)
    inventory.records.update(records)


def _is_folder(inventory: Inventory, name: str) -> bool:
    one = inventory.files.get(name)
    return one is not None and one.kind == "folder"


def _file(
    member: tarfile.TarInfo, added: Mapping[str, ImageFile], lower: Mapping[str, ImageFile]
) -> ImageFile:
    if member.isreg():
        return ImageFile("file", member.mode, member.size)
    if member.isdir():
        return ImageFile("folder", member.mode)
    if member.issym():
        return ImageFile("link", target=member.linkname)
    if member.islnk():
        name = "/".join(part for part in PurePosixPath(member.linkname).parts if part not in {"/", "."})
        return added.get(name) or lower.get(name) or ImageFile("other")
    return ImageFile("other")


def _remove(inventory: Inventory, removed: set[str], emptied: set[str]) -> None:
    def gone(name: str) -> bool:
        above = [str(parent) for parent in PurePosixPath(name).parents]
        above[-1] = ""
        return name in removed or any(parent in removed or parent in emptied for parent in above)

    for kept in (inventory.files, inventory.records):
        for name in [name for name in kept if gone(name)]:
            del kept[name]
