"""What Debian's maintainer scripts would link: alternatives, and libraries in folders of their own.

No script of a package is ever run. Most do nothing that a read-only container needs; two things it does need are read
from the packages and made here: the links that ``update-alternatives --install`` gives (BLAS and LAPACK are found by
no other way), and links to libraries in folders that only ``ldconfig`` would look at (``/etc/ld.so.conf.d``).

Invariants
----------
* A script is read as text. What is not a plain command with literal arguments is passed over, and said.
* Links point to files that are in the image; no file is replaced.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from host.images.unpack import merged

_LITERAL = re.compile(r"[\w./:+@%,=-]+")
_LIBRARY = re.compile(r"lib[\w.+-]+\.so(\.[\w.+-]+)?")
_LIBRARIES = PurePosixPath("usr/lib/x86_64-linux-gnu")


@dataclass(frozen=True)
class Alternative:
    """One name that several packages may provide.

    Attributes
    ----------
    link, target : str
        Where the name lies and what it stands for, both absolute in the image.
    name : str
        Of the link in ``/etc/alternatives`` between the two.
    """

    link: str
    name: str
    target: str
    priority: int


def read_alternatives(script: str) -> tuple[tuple[Alternative, ...], int]:
    """Read ``update-alternatives --install`` commands out of a maintainer script.

    Returns
    -------
    tuple of Alternative, int
        What is understood, and how many such commands are not: arguments with variables, for example.
    """
    found: list[Alternative] = []
    unread = 0
    for line in re.sub(r"\\\n\s*", " ", script).splitlines():
        if "update-alternatives" not in line or "--install" not in line or line.lstrip().startswith("#"):
            continue
        read = _read_command(line)
        found += read
        unread += not read
    return tuple(found), unread


def _read_command(line: str) -> list[Alternative]:
    try:
        words = shlex.split(line, comments=True)
        words = words[words.index("--install") + 1 :]
    except ValueError:
        return []
    if len(words) < 4 or not words[3].isdigit():
        return []
    priority = int(words[3])
    links = [words[:3]]
    rest = words[4:]
    while len(rest) >= 4 and rest[0] == "--slave":
        links.append(rest[1:4])
        rest = rest[4:]
    if not all(_LITERAL.fullmatch(word) for link in links for word in link):
        return []
    return [Alternative(link, name, target, priority) for link, name, target in links]


def link_alternatives(root: Path, offered: Iterable[Alternative]) -> tuple[str, ...]:
    """Link each name to the offer with the highest priority; of equals, to the first by target.

    Parameters
    ----------
    root : Path
        The unpacked packages.

    Returns
    -------
    tuple of str
        One line for each name that could not be linked.
    """
    best: dict[str, Alternative] = {}
    for one in sorted(offered, key=lambda one: (-one.priority, one.target)):
        if _is_there(root, one.target):
            best.setdefault(one.link, one)
    notes = []
    for one in best.values():
        through = f"/etc/alternatives/{one.name}"
        if not _link(root, through, one.target) or not _link(root, one.link, through):
            notes.append(
                f"{one.link}: the alternative {one.target} is not linked: something is there already"
            )
    return tuple(notes)


def link_libraries(root: Path) -> None:
    """Make libraries in the folders of ``/etc/ld.so.conf.d`` found where the loader looks without its cache."""
    for folder in _library_folders(root):
        place = _place(root, f"/{folder}")
        # Behind a link it would be a folder of this machine.
        if place is None or place.is_symlink() or not place.is_dir() or PurePosixPath(folder) == _LIBRARIES:
            continue
        for path in sorted(place.iterdir()):
            if _LIBRARY.fullmatch(path.name):
                _link(root, f"/{_LIBRARIES}/{path.name}", f"/{folder}/{path.name}")


def _library_folders(root: Path) -> Iterator[str]:
    for conf in sorted(root.glob("etc/ld.so.conf.d/*.conf")):
        if conf.is_symlink() or not conf.is_file():
            continue
        for line in conf.read_text(encoding="utf-8", errors="replace").splitlines():
            folder = line.split("#")[0].strip()
            if folder.startswith("/") and ".." not in folder and _LITERAL.fullmatch(folder):
                yield merged(folder)


def _is_there(root: Path, target: str) -> bool:
    place = _place(root, target)
    return place is not None and (place.is_file() or place.is_symlink())


def _link(root: Path, link: str, target: str) -> bool:
    place = _place(root, link)
    if place is None:
        return False
    if place.is_symlink():
        return place.readlink() == Path(target)
    if place.exists():
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
    return True


def _place(root: Path, path: str) -> Path | None:
    """Where an absolute path of the image lies below ``root``; None for one that leaves it or passes a link."""
    name = merged(path)
    parts = PurePosixPath(name).parts
    if not path.startswith("/") or not parts or ".." in parts:
        return None
    if any(root.joinpath(*parts[:depth]).is_symlink() for depth in range(1, len(parts))):
        return None
    return root.joinpath(*parts)


def alternatives_of(scripts: Mapping[str, str]) -> tuple[tuple[Alternative, ...], tuple[str, ...]]:
    """Read the alternatives that packages offer.

    Parameters
    ----------
    scripts : mapping of str to str
        Package to the text of its ``postinst``.

    Returns
    -------
    tuple of Alternative, tuple of str
        The offers, and one line for each package with commands that are not understood.
    """
    offered: list[Alternative] = []
    notes = []
    for package, script in sorted(scripts.items()):
        read, unread = read_alternatives(script)
        offered += read
        if unread:
            notes.append(
                f"{package}: {unread} update-alternatives command(s) are not understood, nothing is linked"
            )
    return tuple(offered), tuple(notes)


def unrun(scripts: Sequence[str]) -> str:
    """Say which packages' scripts are not run."""
    return f"maintainer scripts are never run; these packages have one: {', '.join(sorted(scripts))}"
