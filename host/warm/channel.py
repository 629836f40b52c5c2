"""The host's end of the socket to a warm container: one connection, one message at a time, nothing without bound.

Invariants: what arrives is parsed or refused; a message is at most `MAX_MESSAGE_BYTES` long; every wait ends at its
deadline, when the container ends, or when the operator cancels.
"""

import os
import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Final

from host.errors import RunCancelledError
from plugin_spec.errors import ContractError
from plugin_spec.runtime.protocol import SERVE_CONTRACT
from plugin_spec.serving import (
    MAX_MESSAGE_BYTES,
    CaseOrder,
    Done,
    Ready,
    SetupFailed,
    SetupOrder,
    message_bytes,
    parse_message,
)

SOCKET_NAME: Final = "host.sock"
# How often the operator's wish to stop is asked for; an answer is taken at once.
_ASK_S: Final = 0.1
_SEND_TIMEOUT_S: Final = 5.0


class Silence(Enum):
    """Why no message came."""

    ENDED = auto()
    LATE = auto()
    CLOSED = auto()


class Channel:
    """Listens in ``folder`` for the one connection of a container.

    Parameters
    ----------
    folder : Path
        Mounted read-only at ``/assay/control``.
    cancelled : callable
        Whether the operator wants to stop; asked while waiting.
    """

    def __init__(self, folder: Path, cancelled: Callable[[], bool]) -> None:
        self.cancelled = cancelled
        self._listener = _listen(folder)
        self._link: socket.socket | None = None
        self._awaited, self._waker = socket.socketpair()
        self._unread = b""

    def wake(self) -> None:
        """Tell whoever waits that the container has ended; called from the thread that runs it."""
        self._waker.send(b"!")

    def accept(self, deadline_s: float) -> int | Silence:
        """Take the container's connection; its process id as this machine sees it, 0 where it cannot be seen."""
        silence = self._wait(self._listener, deadline_s)
        if silence is not None:
            return silence
        self._link, _ = self._listener.accept()
        # Nobody else is to speak for this container.
        self._listener.close()
        self._link.settimeout(_SEND_TIMEOUT_S)
        credentials = self._link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[0])

    def send(self, message: SetupOrder | CaseOrder) -> bool:
        """Send a message; ``False`` when nobody takes it."""
        try:
            self._connected.sendall(message_bytes(message))
        except OSError:
            return False
        return True

    def receive(self, deadline_s: float) -> Ready | SetupFailed | Done | Silence:
        """Wait for the container's next message.

        Parameters
        ----------
        deadline_s : float
            On the monotonic clock.

        Raises
        ------
        ContractError
            Not a message, too long a message, or more than one.
        RunCancelledError
            The operator wants to stop.
        """
        while b"\n" not in self._unread:
            if len(self._unread) > MAX_MESSAGE_BYTES:
                raise _violation(f"sent a message of more than {MAX_MESSAGE_BYTES} bytes")
            silence = self._wait(self._connected, deadline_s)
            if silence is not None:
                return silence
            try:
                chunk = self._connected.recv(MAX_MESSAGE_BYTES)
            except OSError:
                return Silence.CLOSED
            if not chunk:
                return Silence.CLOSED
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        if self._unread:
            raise _violation("sent more than it was asked for")
        return parse_message(line)

    def is_quiet(self) -> bool:
        """Whether the container has said nothing since its last answer, and still listens."""
        readable, _, _ = select.select([self._connected, self._awaited], [], [], 0)
        return not readable

    def close(self) -> None:
        """Hang up; call it once the container has ended, or to have it end."""
        for one in (self._listener, self._link):
            if one is not None:
                one.close()

    def dispose(self) -> None:
        """Give back the rest; the container's thread has ended."""
        self.close()
        self._awaited.close()
        self._waker.close()

    @property
    def _connected(self) -> socket.socket:
        assert self._link is not None  # noqa: S101 - accept comes first
        return self._link

    def _wait(self, awaited: socket.socket, deadline_s: float) -> Silence | None:
        while True:
            left_s = deadline_s - time.monotonic()
            readable, _, _ = select.select([awaited, self._awaited], [], [], max(0.0, min(_ASK_S, left_s)))
            if awaited in readable:
                return None
            if readable:
                return Silence.ENDED
            if self.cancelled():
                raise RunCancelledError("the operator stopped the run")
            if left_s <= 0:
                return Silence.LATE


def _violation(what: str) -> ContractError:
    return ContractError(f"{SERVE_CONTRACT}: the container {what}", subject=SERVE_CONTRACT)


def _listen(folder: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # A socket's whole path may be 107 bytes long; through the folder's descriptor it always fits.
        listener.bind(f"/proc/self/fd/{descriptor}/{SOCKET_NAME}")
        # The container's user must be able to write to it; the folder around it is closed to everybody else.
        (folder / SOCKET_NAME).chmod(0o666)
        listener.listen(1)
    except BaseException:
        with suppress(OSError):
            listener.close()
        raise
    finally:
        os.close(descriptor)
    return listener
