"""A way to the Docker daemon that can be cut, so that its death can be tested without killing it."""

import socket
import threading
from contextlib import suppress
from pathlib import Path


class DockerProxy:
    """Passes everything on between a socket of its own and the daemon's, until it is cut."""

    def __init__(self, path: Path, daemon: str = "/var/run/docker.sock") -> None:
        self.address = f"unix://{path}"
        self._daemon = daemon
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        """End all connections and take no more."""
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for one in [self._listener, *self._open]:
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._daemon)
                self._open += [near, far]
                for source, target in ((near, far), (far, near)):
                    self._threads.append(threading.Thread(target=_pump, args=(source, target), daemon=True))
                    self._threads[-1].start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
