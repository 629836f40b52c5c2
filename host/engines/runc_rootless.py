"""runc without root: containers in a user namespace, where the kernel and the administrator allow it.

The same containers as the runc engine's, with one difference that is why this is an engine of its own, and no lock
allows it unless told to: a user namespace without an administrator's help has one user. The processes of a container
are its user 0, which is the caller outside, without capabilities. Nothing is run without limits: where the control
groups were not given to the user, the engine refuses.
"""

import os
import subprocess
from pathlib import Path
from typing import Final

from host.engines.runc import RuncEngine
from host.engines.runc_cgroup import OWN_SCOPE, Delegation, is_unified
from host.engines.runc_container import Tools
from host.engines.runc_ground import Ground, find_tools, images_folder, require_limits
from host.engines.runc_images import Images
from host.errors import EngineRefusedError

NAME: Final = "runc-rootless"


def connect(cache: Path | None = None) -> "RootlessRuncEngine":
    """Find runc, and see that this user may make namespaces and limit what runs in them.

    Parameters
    ----------
    cache : Path, optional
        Where ``runc/``, the folder of unpacked images, lies; ``None`` for ``ASSAY_CACHE``.

    Raises
    ------
    NoEngineError
        runc is not installed.
    EngineRefusedError
        Root calls, or the kernel or the administrator does not allow it.
    """
    uid, folder = os.geteuid(), images_folder(cache)
    run = _run_folder(folder)
    tools = find_tools(run / "runc", rootless=True)
    if uid == 0:
        raise EngineRefusedError(
            f"the engine {NAME} is for users other than root", subject=NAME, hint="root uses the engine runc"
        )
    _require_namespaces(tools)
    delegation = Delegation(uid)
    parent = delegation.parent()
    if parent is None:
        raise EngineRefusedError(
            f"user {uid} may not limit what containers use, and without limits nothing is run",
            subject=NAME,
            hint=_how_to_delegate(uid),
        )
    require_limits(delegation.unenforced_limits())
    ground = Ground(containers=run / "containers", group=parent, user=(0, 0), delegation=delegation)
    return RootlessRuncEngine(tools, Images(folder), ground)


class RootlessRuncEngine(RuncEngine):
    """The runc engine of a user who is not root."""

    name = NAME

    def _weaknesses(self) -> tuple[str, ...]:
        return (
            f"containers run as user 0 of a user namespace, which is user {os.geteuid()} of this machine",
        )


def _run_folder(images: Path) -> Path:
    """Where bundles and runc's state lie: the session's own folder, which a reboot empties, else beside the images."""
    session = os.environ.get("XDG_RUNTIME_DIR")
    return Path(session) / "assay" if session and os.access(session, os.W_OK) else images / "run"


def _require_namespaces(tools: Tools) -> None:
    done = subprocess.run(
        [*tools.in_namespace("--mount", "--pid", "--fork"), tools.shell, "-c", "true"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=tools.environment(),
        check=False,
    )
    if done.returncode:
        raise EngineRefusedError(
            f"this machine lets no user make namespaces: {' '.join(done.stderr.split())[:200]}",
            subject=NAME,
            hint="an administrator allows it: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
            "kernel.apparmor_restrict_unprivileged_userns",
        )


def _how_to_delegate(uid: int) -> str:
    if is_unified():
        return f"start the command in a control group of your own: {OWN_SCOPE}"
    return (
        f'an administrator gives control groups away: for c in /sys/fs/cgroup/*/; do mkdir "$c/assay-{uid}"; '
        f'chown -R {uid}: "$c/assay-{uid}"; done'
    )
