"""One Docker container from its creation to its removal, in calls that raise only `EngineError`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from host.engines.docker_api import DaemonAnswerError, DockerApi
from host.engines.docker_errors import docker_errors
from plugin_spec.errors import EngineError


class DockerContainer:
    """A container that exists in the daemon. Get it from `created_container`, which removes it again."""

    def __init__(self, api: DockerApi, container_id: str) -> None:
        self._api = api
        self.id = container_id

    def attach(self) -> Iterator[bytes]:
        """Return stdout and stderr as they arrive, from now on: the daemon keeps no log to catch up on."""
        with docker_errors("attach to the container", self.id):
            return self._api.attach(self.id)

    def start(self) -> None:
        """Start the main process."""
        with docker_errors("start the container", self.id):
            self._api.start(self.id)

    def wait(self) -> None:
        """Return when the main process has ended."""
        with docker_errors("wait for the container", self.id):
            self._api.wait(self.id)

    def kill(self) -> None:
        """Kill all processes, if there still are any."""
        with docker_errors("kill the container", self.id), _unless_gone():
            self._api.kill(self.id)

    def remove(self) -> None:
        """Kill what runs and remove the container, if it still exists."""
        with docker_errors("remove the container", self.id), _unless_gone():
            self._api.remove_container(self.id)

    def state(self) -> Mapping[str, Any]:
        """Return the ``State`` object of the Docker Engine API."""
        with docker_errors("inspect the container", self.id):
            state: Mapping[str, Any] = self._api.inspect_container(self.id)["State"]
        return state


@contextmanager
def created_container(api: DockerApi, config: Mapping[str, Any]) -> Iterator[DockerContainer]:
    """Create a container from a request body; however the block ends, remove it."""
    with docker_errors("create a container", str(config["Image"])):
        container = DockerContainer(api, api.create_container(config))
    try:
        yield container
    except BaseException:
        # The first failure is the one to tell; a container that a dead daemon keeps is found by the reaper.
        with suppress(EngineError):
            container.remove()
        raise
    container.remove()


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Pass over the daemon's answers "no such container", "is not running" and "removal is in progress"."""
    try:
        yield
    except DaemonAnswerError as error:
        if error.status_code not in (404, 409):
            raise
