"""Symbolic links inside an image, followed as the kernel would with the image as the root of everything.

No link leads out of the image: an absolute target starts at its root, and ``..`` stops there.
"""

from collections.abc import Callable
from typing import Final

_LINKS_MAX: Final = 40


def follow(path: str, target_of: Callable[[str], str | None]) -> str | None:
    """Follow the links of a path.

    Parameters
    ----------
    path : str
        Absolute, or relative to the image's root.
    target_of : callable
        Given a path relative to the root: what it points to, and ``None`` where it is no link.

    Returns
    -------
    str or None
        Where it ends, relative to the root, which is ``""``; something need not be there. ``None`` where links go
        round.
    """
    waiting, here, links = _steps(path), list[str](), 0
    while waiting:
        step = waiting.pop()
        if step == "..":
            here = here[:-1]
            continue
        target = target_of("/".join([*here, step]))
        if target is None:
            here.append(step)
            continue
        links += 1
        if links > _LINKS_MAX:
            return None
        here = [] if target.startswith("/") else here
        waiting += _steps(target)
    return "/".join(here)


def _steps(path: str) -> list[str]:
    """The parts of a path, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in {"", "."}]
