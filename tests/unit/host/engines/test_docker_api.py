"""Requests to a daemon: what it says, what it refuses, and what it leaves unfinished."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host.engines.docker_api import SILENCE, AddressError, DaemonAnswerError, DockerAddress, DockerApi
from host.engines.docker_container import DockerContainer
from host.errors import EngineDiedError

Daemon = Callable[[bytes], DockerApi]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Something that listens on a unix socket and answers one request with given bytes, then hangs up."""
    threads: list[threading.Thread] = []

    def answering(answer: bytes) -> DockerApi:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "docker.sock"))
        listener.listen()

        def serve() -> None:
            with listener, listener.accept()[0] as stream:
                while b"\r\n\r\n" not in stream.recv(65536):
                    pass
                stream.sendall(answer)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return DockerApi(DockerAddress(f"unix://{tmp_path / 'docker.sock'}"))

    yield answering
    for one in threads:
        one.join(timeout=10)
        assert not one.is_alive()


def http(status: str, body: bytes, *, length: int | None = None) -> bytes:
    told = len(body) if length is None else length
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), told, body)


def test_a_refusal_carries_the_daemon_s_words(daemon: Daemon) -> None:
    with pytest.raises(DaemonAnswerError) as caught:
        daemon(http("409 Conflict", b'{"message": "name is in use"}')).start("ab")
    assert (caught.value.status_code, caught.value.explanation) == (409, "name is in use")


def test_an_image_that_is_not_there_is_none_and_another_refusal_is_not(
    daemon: Daemon, tmp_path: Path
) -> None:
    assert daemon(http("404 Not Found", b'{"message": "No such image: x"}')).find_image("x") is None
    (tmp_path / "docker.sock").unlink()
    with pytest.raises(DaemonAnswerError):
        daemon(http("500 Internal Server Error", b"no words")).find_image("x")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        http("200 OK", b'{"StatusCode"', length=17),
        http("200 OK", b'{"StatusCode"'),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
    ids=["hung up at once", "cut by length", "cut by content", "cut in a chunk", "a head without a body"],
)
def test_a_wait_that_the_daemon_does_not_finish_is_a_dead_daemon_and_no_end(
    answer: bytes, daemon: Daemon
) -> None:
    with pytest.raises(EngineDiedError):
        DockerContainer(daemon(answer), "ab").wait()


def test_an_attached_stream_gives_both_outputs_in_order_and_ends_with_the_connection(daemon: Daemon) -> None:
    frames = [(1, b"out"), (2, b"err" * 40000), (1, b"")]
    sent = b"".join(bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data for stream, data in frames)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
    received = b"".join(daemon(head + sent + b"\1\0\0").attach("ab"))
    assert received == b"out" + b"err" * 40000


def test_nobody_there_is_silence(tmp_path: Path) -> None:
    for url in (f"unix://{tmp_path / 'none.sock'}", "tcp://127.0.0.1:1", "ssh://host", "http://"):
        with pytest.raises(SILENCE):
            DockerApi(DockerAddress(url)).info()


@pytest.mark.parametrize("url", ["ssh://somebody@host", "npipe:////./pipe/docker", "docker.sock", "tcp://"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(AddressError):
        DockerAddress(url).connection(None)


def test_the_environment_names_the_daemon_as_for_docker_s_own_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    assert DockerAddress.from_environment() == DockerAddress(
        "unix:///var/run/docker.sock", None, verified=True
    )
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    assert DockerAddress.from_environment() == DockerAddress("tcp://10.0.0.1:2376", tmp_path, verified=True)
    # Without the files there is no connection, and in no case one in the clear.
    with pytest.raises(OSError):
        DockerAddress.from_environment().connection(None)


@pytest.mark.parametrize(
    ("companions", "verified"),
    [({}, True), ({"DOCKER_CERT_PATH": "/c"}, False), ({"DOCKER_TLS_VERIFY": "1"}, True)],
)
def test_only_certificates_without_the_word_to_verify_leave_a_daemon_unverified(
    monkeypatch: pytest.MonkeyPatch, companions: dict[str, str], verified: bool
) -> None:
    for name in ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"DOCKER_HOST": "https://daemon.example", **companions}.items():
        monkeypatch.setenv(name, value)
    assert DockerAddress.from_environment().verified is verified
