"""Who runs containers with runc, where on this machine, and with which programs."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.engines.runc_cgroup import Delegation
from host.engines.runc_container import Tools
from host.errors import EngineRefusedError, NoEngineError
from host.home import Home

# Where root's programs are, for users whose PATH leaves them out.
SEARCH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Who runs containers, and where.

    Attributes
    ----------
    containers : Path
        Where bundles are made; one place for all Assay processes that may look after each other's leftovers.
    group : str
        The control group in which containers' groups are made.
    user : tuple of (int, int)
        Uid and gid inside a container.
    delegation : Delegation, optional
        What a user who is not root was given of the control groups.
    """

    containers: Path
    group: str
    user: tuple[int, int]
    delegation: Delegation | None = None


def images_folder(cache: Path | None) -> Path:
    """Where the unpacked images of this user lie."""
    return (Home.from_environment().cache if cache is None else cache) / "runc"


def require_limits(missing: Sequence[str]) -> None:
    """Refuse a machine whose control groups cannot enforce a limit.

    Raises
    ------
    EngineRefusedError
        Some are missing.
    """
    if missing:
        raise EngineRefusedError(
            f"this machine's control groups cannot limit {', '.join(missing)}",
            subject="runc",
            hint="mount the control groups, and enable these controllers in the kernel",
        )


def find_tools(state: Path, *, rootless: bool = False) -> Tools:
    """Find the programs the engine needs.

    Raises
    ------
    NoEngineError
        One is not installed.
    """
    found = {name: shutil.which(name, path=SEARCH) for name in ("runc", "unshare", "sh")}
    if found["runc"] is None:
        raise NoEngineError(
            "runc is not installed", subject="runc", hint="on Debian, as root: apt-get install runc"
        )
    if missing := [name for name, path in found.items() if path is None]:
        raise NoEngineError(
            f"runc is there and {', '.join(missing)} is not",
            subject="runc",
            hint="on Debian, as root: apt-get install util-linux mount dash",
        )
    runc, unshare, shell = (str(path) for path in found.values())
    return Tools(runc=runc, unshare=unshare, shell=shell, state=state, search=SEARCH, rootless=rootless)
