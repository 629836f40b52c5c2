"""Docker's failures in Assay's words: the daemon's and the sockets' errors in, one `EngineError` with a hint out.

docker-py's exceptions are understood too where docker-py is in use, and it is not imported for that.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from host.engines.docker_api import FAULTS
from host.errors import EngineDiedError, EngineRefusedError, GpuUnavailableError, ImageMissingError
from plugin_spec.errors import EngineError

# What the daemon, the NVIDIA hook and CDI say when devices cannot be passed on.
_GPU_TROUBLE: Final = re.compile(
    r"could not select device driver|nvidia-container-cli|nvidia-container-runtime|CDI device", re.IGNORECASE
)


@contextmanager
def docker_errors(action: str, subject: str) -> Iterator[None]:
    """Turn whatever the docker client raises inside the block into an `EngineError`.

    Parameters
    ----------
    action : str
        What was being done, as in "docker could not ``action``".
    subject : str
        The image ID, container ID or archive it was done to.
    """
    try:
        yield
    except _understood() as error:
        raise translate(error, action, subject) from error


def translate(error: Exception, action: str, subject: str) -> EngineError:
    """Return the `EngineError` that says what ``error`` means for the operator."""
    # docker-py's APIError has the same two attributes.
    status, explanation = getattr(error, "status_code", None), getattr(error, "explanation", None)
    if status is None:
        return EngineDiedError(
            f"docker stopped answering and could not {action}: {one_line(error)}",
            subject=subject,
            hint="check that the daemon runs: docker version",
        )
    said = one_line(explanation or error)
    if status == HTTPStatus.NOT_FOUND and "no such image" in said.lower():
        return ImageMissingError(
            f"docker does not hold the image {subject}",
            subject=subject,
            hint="nothing is ever pulled; load it: assay plugin build (an author), assay trial import (a site)",
        )
    if _GPU_TROUBLE.search(said):
        return GpuUnavailableError(
            f"docker cannot pass a GPU on: {said}",
            subject=subject,
            hint="install the GPU driver and its container toolkit on this machine, or run a CPU release",
        )
    if status == HTTPStatus.NOT_FOUND:
        return EngineDiedError(f"docker lost what it was asked to {action}: {said}", subject=subject)
    return EngineRefusedError(f"docker could not {action}: {said}", subject=subject)


def _understood() -> tuple[type[Exception], ...]:
    # requests' exceptions, and so docker-py's APIError, are OSErrors; its others are not.
    docker_py = sys.modules.get("docker.errors")
    return FAULTS if docker_py is None else (*FAULTS, docker_py.DockerException)


def one_line(text: object) -> str:
    """Return the text on one line without control characters, cut to a readable length."""
    line = " ".join(str(text).split())
    return "".join(character for character in line if character.isprintable())[:400]
