"""A tree of image layers as real files: written once, and compared with the layers byte by byte.

Writing and comparing read the layers themselves. Nothing that was written beside the files, such as a list of
their digests, is ever believed.
"""

import hashlib
import mmap
import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from host.engines.layer_tree import Kind, LayerFile, Node, Tree
from host.errors import ImageLoadError, ImageTamperedError

_CHUNK_BYTES: Final = 4 * 1024 * 1024
_FILE: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS: Final = {stat.S_IFDIR: Kind.FOLDER, stat.S_IFREG: Kind.FILE, stat.S_IFLNK: Kind.LINK}


@contextmanager
def mapped(layers: Sequence[LayerFile]) -> Iterator[tuple[memoryview, ...]]:
    """Open the layers' bytes for reading in place."""
    with ExitStack() as opened:
        views = []
        for layer in layers:
            if not layer.size:
                views.append(memoryview(b""))  # nothing can be mapped of an empty file
                continue
            with layer.path.open("rb") as stream:
                whole = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            with memoryview(whole) as view:
                views.append(view[layer.start : layer.start + layer.size])
            opened.callback(_let_go, views[-1], whole)
        yield tuple(views)


def _let_go(view: memoryview, whole: mmap.mmap) -> None:
    # Whoever failed, or was interrupted, with a part in hand still holds it: the last of these closes the file.
    with suppress(BufferError):
        view.release()
        whole.close()


def require_digests(layers: Sequence[LayerFile], contents: Sequence[memoryview]) -> None:
    """Hash the layers, several at a time, and compare with the digests the image's config names.

    Raises
    ------
    ImageLoadError
        A layer holds other bytes.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda view: f"sha256:{hashlib.sha256(view).hexdigest()}", contents))
    for layer, diff_id in zip(layers, found, strict=True):
        if layer.diff_id != diff_id:
            raise ImageLoadError(
                f"a layer has the digest {diff_id}, the image's config names {layer.diff_id}",
                subject=layer.diff_id,
                hint="the archive is damaged or was altered; make it again",
            )


def write_tree(tree: Tree, contents: Sequence[memoryview], folder: Path, *, owners: bool) -> None:
    """Write the tree's files into a new folder that nobody else can reach.

    Parameters
    ----------
    tree : Tree
    contents : sequence of memoryview
        The layers' bytes.
    folder : Path
        It is made here.
    owners : bool
        Whether files are given the owners the image names; only root may.
    """
    names = sorted(tree)
    written: dict[tuple[int, int, int], str] = {}
    for name in names:
        node, path = tree[name], f"{folder}/{name}" if name else str(folder)
        if node.kind is Kind.FOLDER:
            os.mkdir(path, 0o700)
        elif node.kind is Kind.LINK:
            os.symlink(node.target, path)
        elif node.size and (first := written.setdefault((node.layer, node.offset, node.size), path)) != path:
            os.link(first, path)
            continue
        else:
            _write_file(path, contents[node.layer][node.offset : node.offset + node.size])
        if owners:
            os.chown(path, node.uid, node.gid, follow_symlinks=False)
        if node.kind is Kind.FILE:
            os.chmod(path, node.mode)
            os.utime(path, (node.mtime, node.mtime))
    for name in reversed(names):
        if tree[name].kind is Kind.FOLDER:
            os.chmod(folder / name, tree[name].mode)


def _write_file(path: str, content: memoryview) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o600)
    try:
        while content:
            content = content[os.write(descriptor, content[:_CHUNK_BYTES]) :]
    finally:
        os.close(descriptor)


def require_same(
    tree: Tree, contents: Sequence[memoryview], folder: Path, *, owners: bool, subject: str
) -> None:
    """Compare every name, kind, mode, owner, time, link and byte below ``folder`` with the tree.

    Parameters
    ----------
    tree, contents, folder, owners
        As given to `write_tree`.
    subject : str
        The image ID, for the error.

    Raises
    ------
    ImageTamperedError
        The first difference found.
    """
    seen = 0
    for name, path in _walk(str(folder)):
        seen += 1
        node = tree.get(name)
        fault = "is not in the image" if node is None else _difference(node, path, contents, owners=owners)
        if fault:
            raise _tampered(f"{name or 'its root'} {fault}", subject)
    if seen != len(tree):
        absent = next(name for name in tree if not os.path.lexists(folder / name))
        raise _tampered(f"{absent} is gone", subject)


def _walk(path: str, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every name below a folder, the root first, following no link."""
    yield name, path
    with os.scandir(path) as entries:
        for entry in entries:
            inner = f"{name}/{entry.name}" if name else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, inner)
            else:
                yield inner, entry.path


def _difference(node: Node, path: str, contents: Sequence[memoryview], *, owners: bool) -> str:
    status = os.lstat(path)
    kind = _KINDS.get(stat.S_IFMT(status.st_mode))
    if kind is not node.kind:
        return f"is no {node.kind} any more"
    if kind is Kind.LINK:
        return "" if os.readlink(path) == node.target else "points elsewhere"
    if stat.S_IMODE(status.st_mode) != node.mode:
        return f"has the mode {stat.S_IMODE(status.st_mode):04o} instead of {node.mode:04o}"
    if owners and (status.st_uid, status.st_gid) != (node.uid, node.gid):
        return f"belongs to {status.st_uid}:{status.st_gid} instead of {node.uid}:{node.gid}"
    if kind is Kind.FOLDER:
        return ""
    if int(status.st_mtime) != node.mtime:
        return "has another time"
    if status.st_size != node.size:
        return f"has {status.st_size} bytes instead of {node.size}"
    return "" if _same(path, contents[node.layer][node.offset : node.offset + node.size]) else "was edited"


def _same(path: str, content: memoryview) -> bool:
    descriptor = os.open(path, os.O_RDONLY | _FILE)
    try:
        at = 0
        while part := os.read(descriptor, _CHUNK_BYTES):
            # Comparing bytes is several times faster than comparing memoryviews.
            if bytes(content[at : at + len(part)]) != part:
                return False
            at += len(part)
        return at == len(content)
    finally:
        os.close(descriptor)


def _tampered(what: str, subject: str) -> ImageTamperedError:
    return ImageTamperedError(
        f"the unpacked image {subject} is not what its layers say: {what}",
        subject=subject,
        hint="load it again: assay trial import (a site), or assay plugin build (an author)",
    )
