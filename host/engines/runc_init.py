"""The first process of a runc container: a program of some hundred bytes that comes with the engine.

Docker brings an init of its own (tini); runc brings none, and a tool that runs as process 1 would have to collect
other processes' orphans. The program's source is ``container_init/init.s``.
"""

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from host.images.links import follow

ARCHITECTURE: Final = "amd64"
_FOLDER: Final = Path(__file__).with_name("container_init")


@cache
def init_program() -> bytes:
    """The executable."""
    return bytes.fromhex((_FOLDER / "init.hex").read_text(encoding="ascii"))


def program_path(root: Path, name: str, *, search: str) -> str:
    """Where in an image the program called ``name`` lies, as the image's own shell would find it.

    Parameters
    ----------
    root : Path
        The image's tree.
    name : str
        A name with a slash is its own path.
    search : str
        The container's ``PATH``.

    Returns
    -------
    str
        A path inside the image. Where there is no such program, one where it would have to lie: starting it
        fails inside the container, as it should.
    """
    if "/" in name:
        return name
    folders = [folder for folder in search.split(":") if folder.startswith("/")] or ["/"]
    for folder in folders:
        with suppress(OSError):  # a name that is too long for any file
            found = resolve_in(root, f"{folder}/{name}")
            if found is not None and found.is_file() and found.stat().st_mode & 0o111:
                return f"{folder}/{name}"
    return f"{folders[0]}/{name}"


def resolve_in(root: Path, name: str) -> Path | None:
    """Follow a path below ``root`` as if that were the root of everything; ``None`` if links go round."""
    found = follow(name, lambda path: _target(root / path))
    return None if found is None else root / found


def _target(path: Path) -> str | None:
    return str(path.readlink()) if path.is_symlink() else None
