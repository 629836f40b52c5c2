"""Where the Docker daemon listens, and whether anybody does: most machines without one have no socket either."""

import os
import socket
from typing import Final

from host.errors import NoEngineError

DEFAULT: Final = "unix:///var/run/docker.sock"
_TIMEOUT_S: Final = 5.0


def no_daemon(address: str) -> NoEngineError:
    """The error for an address where no daemon answers."""
    return NoEngineError(
        f"no Docker daemon answers at {address}",
        subject=address,
        hint="start it (systemctl start docker), or name another one in DOCKER_HOST",
    )


def require_listener() -> None:
    """Refuse a unix socket that nobody listens at; other addresses are left to the first request.

    Raises
    ------
    NoEngineError
        Nobody listens.
    """
    address = os.environ.get("DOCKER_HOST") or DEFAULT
    if not address.startswith("unix://"):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_TIMEOUT_S)
        try:
            probe.connect(address.removeprefix("unix://"))
        except OSError as error:
            raise no_daemon(address) from error
