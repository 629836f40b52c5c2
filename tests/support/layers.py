"""Image layers written entry by entry, the forbidden ones too."""

import hashlib
import io
import tarfile
from pathlib import Path

from host.engines.layer_tree import LayerFile


def folder(name: str, mode: int = 0o755) -> tarfile.TarInfo:
    """A folder."""
    return _entry(name, tarfile.DIRTYPE, mode=mode)


def link(name: str, target: str) -> tarfile.TarInfo:
    """A symbolic link."""
    return _entry(name, tarfile.SYMTYPE, linkname=target)


def hard_link(name: str, target: str, mode: int = 0o644) -> tarfile.TarInfo:
    """One more name of a file, with the file's mode."""
    return _entry(name, tarfile.LNKTYPE, linkname=target, mode=mode)


def device(name: str) -> tarfile.TarInfo:
    """The memory of the machine, as a device node."""
    return _entry(name, tarfile.CHRTYPE, devmajor=1, devminor=1)


def pipe(name: str) -> tarfile.TarInfo:
    """A named pipe."""
    return _entry(name, tarfile.FIFOTYPE)


def file(name: str, content: bytes = b"", mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    """A regular file."""
    return _entry(name, tarfile.REGTYPE, mode=mode), content


def _entry(name: str, kind: bytes, **fields: object) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mtime = kind, 1_000_000_000
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry


def layer(*entries: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]) -> bytes:
    """The tar of a layer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for one in entries:
            entry, content = one if isinstance(one, tuple) else (one, b"")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def layer_files(directory: Path, *layers: bytes) -> list[LayerFile]:
    """The layers as files."""
    found = []
    for number, data in enumerate(layers):
        path = directory / f"{number}.tar"
        path.write_bytes(data)
        found.append(LayerFile(f"sha256:{hashlib.sha256(data).hexdigest()}", path, 0, len(data)))
    return found
