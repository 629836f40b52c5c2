"""What an image's layers add up to, worked out from their headers alone: one node for every name.

Invariants
----------
* A name is relative, has no empty part and no ``.`` or ``..``; its parents are folders of the tree.
* A later layer wins. A whiteout hides what lower layers hold under its name; a folder where a lower layer has a
  file or link replaces it, as in an overlay. Nothing of a layer is ever placed behind a link.
* Devices and pipes are left out: they hide what is below them and do not appear (a container has its own
  ``/dev``). Files lose setuid and setgid bits, and attributes beyond mode, owner and time are dropped: without
  capabilities and new privileges they would have no effect.
"""

import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final

from host.errors import ImageLoadError
from host.tar_members import Window, members, open_members

MAX_ENTRIES: Final = 1_000_000
MAX_DEPTH: Final = 128
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class LayerFile:
    """Where a layer's uncompressed bytes lie: ``size`` bytes of ``path`` from ``start``."""

    diff_id: str
    path: Path
    start: int
    size: int


class Kind(StrEnum):
    """What a name of the tree stands for."""

    FOLDER = "folder"
    FILE = "file"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Node:
    """One name of the tree.

    Attributes
    ----------
    layer, offset, size : int
        For a file: number of the layer, and where in the layer's own bytes its content lies.
    target : str
        For a link: what it points to.
    """

    kind: Kind
    mode: int
    uid: int
    gid: int
    mtime: int
    layer: int = 0
    offset: int = 0
    size: int = 0
    target: str = ""


Tree = Mapping[str, Node]
_PLAIN_FOLDER: Final = Node(Kind.FOLDER, 0o755, 0, 0, 0)


def image_tree(layers: Sequence[LayerFile]) -> Tree:
    """Work out the tree that the layers, lowest first, add up to; the root is the name ``""``.

    Raises
    ------
    ImageLoadError
        A layer is no tar, or holds something that no tree can.
    """
    tree: dict[str, Node] = {"": _PLAIN_FOLDER}
    for number, layer in enumerate(layers):
        try:
            _put_on(tree, _read(layer, number))
        except (OSError, tarfile.TarError, ValueError, OverflowError) as error:
            raise ImageLoadError(
                f"the layer {layer.diff_id} cannot be read: {error}", subject=layer.diff_id
            ) from error
        if len(tree) > MAX_ENTRIES:
            raise ImageLoadError(f"the image has more than {MAX_ENTRIES} files", subject=layer.diff_id)
    return tree


@dataclass(frozen=True, slots=True)
class _Change:
    """What one layer does to the tree below it. ``None`` is a name that only hides."""

    entries: dict[str, Node | None]
    hidden: set[str]
    emptied: set[str]


def _read(layer: LayerFile, number: int) -> _Change:
    change = _Change({}, set(), set())
    with layer.path.open("rb") as stream, open_members(Window(stream, layer.start, layer.size)) as archive:
        for member in members(archive, count_max=MAX_ENTRIES):
            _take(change, member, number)
    for name in list(change.entries):
        for parent in _parents(name):
            holder = change.entries.get(parent)
            if parent in change.entries and (holder is None or holder.kind is not Kind.FOLDER):
                raise ValueError(f"{name!r} lies behind {parent!r}, which is no folder")
    return change


def _take(change: _Change, member: tarfile.TarInfo, number: int) -> None:
    name = plain_name(member.name)
    parent, _, last = name.rpartition("/")
    if last == _OPAQUE:
        change.emptied.add(parent)
    elif last.startswith(_WHITEOUT):
        # ".wh..wh." is the old union file system's own bookkeeping.
        if not last.startswith(_WHITEOUT * 2) and last != _WHITEOUT:
            change.hidden.add(f"{parent}/{last[len(_WHITEOUT) :]}".lstrip("/"))
    elif member.islnk():
        linked = change.entries.get(plain_name(member.linkname))
        if linked is None or linked.kind is not Kind.FILE:
            raise ValueError(f"{name!r} is a hard link to {member.linkname!r}, which is no file of its layer")
        change.entries[name] = linked
    elif name or member.isdir():
        change.entries[name] = _node(member, number)


def _node(member: tarfile.TarInfo, number: int) -> Node | None:
    if member.issparse():
        raise ValueError(f"{member.name!r} is a sparse file")
    mode, owner = member.mode & 0o777, (member.uid, member.gid, int(member.mtime))
    if member.isdir():
        return Node(Kind.FOLDER, member.mode & 0o1777, *owner)
    if member.issym():
        if not member.linkname or "\0" in member.linkname:
            raise ValueError(f"{member.name!r} is a link to {member.linkname!r}, which is no path")
        return Node(Kind.LINK, 0o777, *owner, target=member.linkname)
    if member.isreg():
        return Node(Kind.FILE, mode, *owner, layer=number, offset=member.offset_data, size=member.size)
    return None


def _put_on(tree: dict[str, Node], change: _Change) -> None:
    """Apply what one layer does to the tree of the layers below it."""
    replaced = {
        name
        for name, node in change.entries.items()
        if (lower := tree.get(name))
        and lower.kind is Kind.FOLDER
        and (node is None or node.kind is not Kind.FOLDER)
    }
    for name in list(_below(tree, change.hidden | replaced, change.emptied)):
        del tree[name]
    for name, node in change.entries.items():
        for parent in _parents(name):
            if parent not in tree or tree[parent].kind is not Kind.FOLDER:
                tree[parent] = _PLAIN_FOLDER
        if node is None:
            tree.pop(name, None)
        else:
            tree[name] = node


def _below(tree: Tree, hidden: set[str], emptied: set[str]) -> Iterator[str]:
    if not hidden and not emptied:
        return
    for name in tree:
        if not name:
            continue
        parents = _parents(name)
        if name in hidden or not hidden.isdisjoint(parents) or not emptied.isdisjoint(parents):
            yield name


def _parents(name: str) -> list[str]:
    """The folders a name lies in, from the root down."""
    parts = name.split("/") if name else []
    return ["/".join(parts[:depth]) for depth in range(len(parts))]


def plain_name(name: str) -> str:
    """A tar member's name relative to the root; the root itself is ``""``.

    Raises
    ------
    ValueError
        It leads out of the root, or too deep into it.
    """
    parts = [part for part in PurePosixPath(name.lstrip("/")).parts if part != "."]
    if ".." in parts or "\0" in name:
        raise ValueError(f"{name!r} leads out of the image")
    if len(parts) > MAX_DEPTH:
        raise ValueError(f"{name[:80]!r}… lies more than {MAX_DEPTH} folders deep")
    return "/".join(parts)
