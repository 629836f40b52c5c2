import json
from http.client import IncompleteRead

import pytest
import requests
from docker.errors import APIError, DockerException, create_api_error_from_http_exception

from host.engines.docker_api import AddressError, DaemonAnswerError
from host.engines.docker_errors import docker_errors, translate
from plugin_spec.errors import EngineError


def of_docker_py(status: int, message: str) -> APIError:
    """Return what docker-py raises for a daemon's answer."""
    response = requests.Response()
    response.status_code, response._content = status, json.dumps({"message": message}).encode()
    try:
        create_api_error_from_http_exception(requests.HTTPError(response=response))
    except APIError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DaemonAnswerError(404, "No such image: sha256:ab"), "image-missing"),
        (DaemonAnswerError(404, "No such container: ab"), "engine-died"),
        (
            DaemonAnswerError(500, 'could not select device driver "" with capabilities: [[gpu]]'),
            "gpu-unavailable",
        ),
        (
            DaemonAnswerError(500, "nvidia-container-cli: initialization error: load library failed"),
            "gpu-unavailable",
        ),
        (DaemonAnswerError(500, "CDI device injection failed: unresolvable CDI devices"), "gpu-unavailable"),
        (DaemonAnswerError(400, "Range of CPUs is from 0.01 to 2.00"), "engine-refused"),
        (IncompleteRead(b"half"), "engine-died"),
        (TimeoutError("timed out"), "engine-died"),
        (ConnectionResetError(104, "Connection reset by peer"), "engine-died"),
        (AddressError("ssh://host is neither"), "engine-died"),
        (of_docker_py(404, "No such image: sha256:ab"), "image-missing"),
        (of_docker_py(400, "dockerfile parse error"), "engine-refused"),
        (requests.ConnectionError("connection aborted"), "engine-died"),
        (DockerException("cannot fetch the server's version"), "engine-died"),
    ],
)
def test_each_failure_of_docker_has_a_name(error: Exception, code: str) -> None:
    with pytest.raises(EngineError) as caught, docker_errors("start", "ab"):
        raise error
    assert caught.value.code == code
    assert caught.value.__cause__ is error


def test_the_daemons_words_become_one_plain_line() -> None:
    message = translate(DaemonAnswerError(500, "bad\n\x1b[31mthing\t" + "x" * 9999), "start", "ab").message
    assert message.startswith("docker could not start: bad [31mthing xxx")
    assert len(message) < 500


def test_other_errors_pass_through() -> None:
    with pytest.raises(KeyboardInterrupt), docker_errors("start", "ab"):
        raise KeyboardInterrupt


def test_an_image_that_docker_lacks_names_the_commands_that_load_one() -> None:
    with pytest.raises(EngineError) as caught, docker_errors("tag the image", "ab"):
        raise DaemonAnswerError(404, "No such image: sha256:ab")
    assert "assay plugin build" in caught.value.hint
    assert "assay trial import" in caught.value.hint
