"""The dozen requests of the Docker Engine API that running containers takes, over the standard library's HTTP.

docker-py, which builds images (`host.engines.docker_images`), takes as long to import as a container to start. Paths
carry no version, which the daemon reads as its newest.
"""

import json
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import quote, urlencode, urlsplit

from host.engines.docker_address import DEFAULT

# For single answers of the daemon; waiting for a container has its own bound.
ANSWER_TIMEOUT_S: Final = 60.0
# Sending an archive may keep the daemon silent for long.
LOAD_TIMEOUT_S: Final = 1800.0
_FRAME_HEADER_BYTES: Final = 8
_READ_BYTES: Final = 64 * 1024
_SEND_BYTES: Final = 1024 * 1024
_TCP_PORTS: Final = {"http": 2375, "https": 2376}


class DaemonAnswerError(Exception):
    """The daemon answered, and refused.

    Attributes
    ----------
    status_code : int
        Of HTTP.
    explanation : str
        The daemon's words.
    """

    def __init__(self, status_code: int, explanation: str) -> None:
        super().__init__(f"{status_code}: {explanation}")
        self.status_code = status_code
        self.explanation = explanation


class AddressError(Exception):
    """``DOCKER_HOST`` or its companions name nothing that can be connected to."""


# What a connection to a daemon raises when nobody answers, or stops answering.
SILENCE: Final[tuple[type[Exception], ...]] = (OSError, HTTPException, AddressError)
FAULTS: Final[tuple[type[Exception], ...]] = (DaemonAnswerError, *SILENCE)


@dataclass(frozen=True)
class DockerAddress:
    """Where a daemon listens.

    Attributes
    ----------
    url : str
        ``unix:///path``, ``tcp://host:port``, ``http://…`` or ``https://…``.
    certificates : Path, optional
        Folder with ``ca.pem``, ``cert.pem`` and ``key.pem``: the connection is encrypted, both sides named.
    verified : bool
        Whether the daemon's certificate must be of that authority.
    """

    url: str
    certificates: Path | None = None
    verified: bool = True

    @classmethod
    def from_environment(cls) -> "DockerAddress":
        """Read ``DOCKER_HOST``, ``DOCKER_TLS_VERIFY`` and ``DOCKER_CERT_PATH`` as Docker's own command does."""
        verified = bool(os.environ.get("DOCKER_TLS_VERIFY"))
        folder = os.environ.get("DOCKER_CERT_PATH")
        if not folder and verified:
            folder = str(Path.home() / ".docker")
        url = os.environ.get("DOCKER_HOST") or DEFAULT
        # Certificates without DOCKER_TLS_VERIFY: encrypted and unverified, as the user says. No word is no such word.
        return cls(url, Path(folder) if folder else None, verified or not folder)

    def connection(self, timeout_s: float | None) -> HTTPConnection:
        """A connection that is opened by its first request."""
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return _UnixConnection(parts.path, timeout_s)
        scheme = {"tcp": "https" if self.certificates else "http"}.get(parts.scheme, parts.scheme)
        if scheme not in _TCP_PORTS or not parts.hostname:
            raise AddressError(f"{self.url!r} is neither unix:// nor tcp://")
        port = parts.port or _TCP_PORTS[scheme]
        if scheme == "http":
            return HTTPConnection(parts.hostname, port, timeout=timeout_s)
        return HTTPSConnection(parts.hostname, port, timeout=timeout_s, context=self._tls())

    def _tls(self) -> ssl.SSLContext:
        folder = self.certificates
        context = ssl.create_default_context(cafile=None if folder is None else str(folder / "ca.pem"))
        if folder is not None:
            context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        if not self.verified:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str, timeout_s: float | None) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class DockerApi:
    """Requests to one daemon, each on a connection of its own, so that threads need not share any.

    Raises `DaemonAnswerError` for what the daemon refuses and `SILENCE` where it does not answer.
    """

    def __init__(self, address: DockerAddress) -> None:
        self._address = address

    def info(self) -> dict[str, Any]:
        """What the daemon is and can limit."""
        return self._document("GET", "/info")

    def version(self) -> dict[str, Any]:
        """Version of the daemon and of its parts."""
        return self._document("GET", "/version")

    def inspect_image(self, name: str) -> dict[str, Any]:
        """An image by ID or name."""
        return self._document("GET", f"/images/{quote(name, safe=':/@')}/json")

    def find_image(self, name: str) -> dict[str, Any] | None:
        """An image by ID or name, ``None`` where the daemon holds none of that name."""
        try:
            return self.inspect_image(name)
        except DaemonAnswerError as error:
            if error.status_code != HTTPStatus.NOT_FOUND:
                raise
            return None

    def images(self) -> list[dict[str, Any]]:
        """Every image that is not another one's intermediate step."""
        return list(self._answer("GET", "/images/json"))

    def load_image(self, archive: BinaryIO) -> list[dict[str, Any]]:
        """Send a docker archive; what the daemon says about it, errors among it."""
        said = self._request(
            "POST",
            "/images/load",
            {"quiet": "1"},
            body=archive,
            content_type="application/x-tar",
            timeout_s=LOAD_TIMEOUT_S,
        )
        return [_parsed(line) for line in said.splitlines() if line.strip()]

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Let ``repository:tag`` name an image."""
        self._request(
            "POST", f"/images/{quote(image_id)}/tag", {"repo": repository, "tag": tag, "force": "1"}
        )

    def remove_image(self, image_id: str) -> None:
        """Forget an image and its names, but not the untagged ones below it."""
        self._request("DELETE", f"/images/{quote(image_id)}", {"force": "1", "noprune": "1"})

    def containers(self, label: str) -> list[dict[str, Any]]:
        """Every container with a label, those that have ended included."""
        filters = json.dumps({"label": [label]})
        return list(self._answer("GET", "/containers/json", {"all": "1", "filters": filters}))

    def create_container(self, config: Mapping[str, Any]) -> str:
        """Create a container from a request body and return its ID."""
        body = json.dumps(config).encode()
        said = self._request("POST", "/containers/create", body=body, content_type="application/json")
        return str(_parsed(said)["Id"])

    def inspect_container(self, container_id: str) -> dict[str, Any]:
        """A container as the daemon sees it now."""
        return self._document("GET", f"/containers/{quote(container_id)}/json")

    def start(self, container_id: str) -> None:
        """Start a container's main process."""
        self._request("POST", f"/containers/{quote(container_id)}/start")

    def wait(self, container_id: str) -> None:
        """Return when a container's main process has ended, however long that takes."""
        # The answer's head comes at once; only its body says that the wait is over, and not just the connection.
        _parsed(self._request("POST", f"/containers/{quote(container_id)}/wait", timeout_s=None))

    def kill(self, container_id: str) -> None:
        """Kill a container's processes."""
        self._request("POST", f"/containers/{quote(container_id)}/kill")

    def remove_container(self, container_id: str) -> None:
        """Kill what runs in a container and remove it with its volumes."""
        self._request("DELETE", f"/containers/{quote(container_id)}", {"force": "1", "v": "1"})

    def attach(self, container_id: str) -> Iterator[bytes]:
        """Connect to a container's stdout and stderr at once, and return what arrives there until it ends."""
        path = f"/containers/{quote(container_id)}/attach"
        connection = self._address.connection(ANSWER_TIMEOUT_S)
        try:
            connection.connect()
            opened: socket.socket = (
                connection.sock
            )  # which http.client forgets once the answer's head is read
            response = _answered(connection, "POST", path, {"stdout": "1", "stderr": "1", "stream": "1"})
            # A container may be silent for longer than an answer may take.
            opened.settimeout(None)
        except BaseException:
            connection.close()
            raise
        return _frames(connection, response)

    def _document(self, method: str, path: str) -> dict[str, Any]:
        document: dict[str, Any] = self._answer(method, path)
        return document

    def _answer(self, method: str, path: str, query: Mapping[str, str] | None = None) -> Any:
        return _parsed(self._request(method, path, query))

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: bytes | BinaryIO | None = None,
        content_type: str | None = None,
        timeout_s: float | None = ANSWER_TIMEOUT_S,
    ) -> bytes:
        connection = self._address.connection(timeout_s)
        try:
            with _answered(connection, method, path, query, body=body, content_type=content_type) as response:
                return response.read()
        finally:
            connection.close()


def _answered(
    connection: HTTPConnection,
    method: str,
    path: str,
    query: Mapping[str, str] | None = None,
    *,
    body: bytes | BinaryIO | None = None,
    content_type: str | None = None,
) -> HTTPResponse:
    headers = {} if content_type is None else {"Content-Type": content_type}
    if body is not None and not isinstance(body, bytes):
        headers["Content-Length"] = str(os.fstat(body.fileno()).st_size)
    connection.blocksize = _SEND_BYTES
    connection.request(method, f"{path}?{urlencode(query)}" if query else path, body=body, headers=headers)
    response = connection.getresponse()
    if response.status >= 400:
        raise DaemonAnswerError(response.status, _explanation(response.read()))
    return response


def _parsed(body: bytes) -> Any:
    """What the daemon said; a document that is cut short is silence too."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise HTTPException(f"an answer that is no whole document: {body[:80]!r}") from error


def _explanation(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
    return str(document.get("message", document)) if isinstance(document, dict) else str(document)


def _frames(connection: HTTPConnection, response: HTTPResponse) -> Iterator[bytes]:
    """The payloads of an attached stream, whose frames tell stdout from stderr and give their length."""
    try:
        while len(header := response.read(_FRAME_HEADER_BYTES)) == _FRAME_HEADER_BYTES:
            left = int.from_bytes(header[4:], "big")
            while left and (part := response.read1(min(left, _READ_BYTES))):
                left -= len(part)
                yield part
    finally:
        response.close()
        connection.close()
