"""Images of a Docker daemon: built from a Dockerfile, looked up, and exported. It runs no plugin.

Import this module only where images are made: docker-py is slow to load.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import docker
from docker.errors import DockerException, ImageNotFound
from docker.utils import kwargs_from_env
from docker.utils.build import exclude_paths

from host.engines.docker_config import uses_containerd_store
from host.engines.docker_errors import docker_errors, one_line
from host.errors import DockerBuildError, EngineRefusedError, NoEngineError

Say = Callable[[str], None]
BUILD_TIMEOUT_S: Final = 3600
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


def connect_images(docker_host: str | None = None) -> "DockerImages":
    """Connect to a Docker daemon.

    Raises
    ------
    NoEngineError
        No daemon answers.
    EngineRefusedError
        Its image IDs are not config digests.
    """
    settings = {"base_url": docker_host} if docker_host else kwargs_from_env()
    address = settings.setdefault("base_url", "unix:///var/run/docker.sock")
    try:
        api = docker.APIClient(**settings, version="auto", timeout=BUILD_TIMEOUT_S)
        info = api.info()
    except (DockerException, OSError) as error:
        raise NoEngineError(
            f"no Docker daemon answers at {address}: an image from a Dockerfile or an engine needs one",
            subject=address,
            hint='start it (systemctl start docker), or use image.source = "packages" or "archive", of which '
            "assay plugin save FOLDER --out FILE writes a plugin's image, whichever engine holds it",
        ) from error
    if uses_containerd_store(info):
        api.close()
        raise EngineRefusedError(
            f"the Docker daemon at {address} keeps images in the containerd store, "
            "where an image ID is not the digest of the image's config",
            subject=address,
            hint='docker save the image and use image.source = "archive", or set '
            '{"features": {"containerd-snapshotter": false}} in its daemon.json',
        )
    return DockerImages(api)


def context_files(folder: Path, ignored: list[str], dockerfile: str) -> list[str]:
    """Return what a context holds after ``.dockerignore``, as Docker's own command would send it."""
    return sorted(str(path) for path in exclude_paths(str(folder), ignored, dockerfile=dockerfile))


class DockerImages:
    """A daemon's images. Make it with `connect_images`."""

    def __init__(self, api: docker.APIClient) -> None:
        self._api = api

    def resolve(self, name: str) -> str | None:
        """Return the image ID that a name or digest stands for now, ``None`` if the daemon does not hold it."""
        with docker_errors("look up an image", name):
            try:
                return str(self._api.inspect_image(name)["Id"])
            except ImageNotFound:
                return None

    def triggers(self, name: str) -> tuple[str, ...]:
        """Return what an image would have a build do that starts from it (ONBUILD)."""
        with docker_errors("look up an image", name):
            return tuple(self._api.inspect_image(name)["Config"].get("OnBuild") or ())

    def build(self, context: Path, dockerfile: str, *, network: bool, say: Say) -> str:
        """Build an image with the classic builder and return its ID.

        Parameters
        ----------
        context : Path
            A tar of the context.
        dockerfile : str
            Path inside the context.
        network : bool
            Whether RUN steps reach the network.
        say : callable
            Told each line of the builder's output.

        Raises
        ------
        DockerBuildError
            A step failed; the message holds the step's error and the end of its output.
        """
        step, image_id = "", ""
        with docker_errors("build the image", dockerfile), context.open("rb") as stream:
            events = self._api.build(
                fileobj=stream,
                custom_context=True,
                dockerfile=dockerfile,
                network_mode="default" if network else "none",
                pull=False,
                rm=True,
                forcerm=True,
                decode=True,
            )
            for event in events:
                for line in _lines(event):
                    say(f"  | {line}")
                    step = line if line.startswith("Step ") else step
                if "error" in event:
                    raise _failed(event, step)
                image_id = str((event.get("aux") or {}).get("ID") or image_id)
        if not image_id:
            raise DockerBuildError("docker built no image and gave no reason", subject=dockerfile)
        return image_id

    def export(self, image_id: str, target: Path) -> None:
        """Write an image's archive, as ``docker save`` does."""
        with docker_errors("export the image", image_id), target.open("wb") as stream:
            for part in self._api.get_image(image_id):
                stream.write(part)

    def load(self, archive: Path) -> None:
        """Let the daemon take an archive in."""
        with docker_errors("load the archive", str(archive)), archive.open("rb") as stream:
            for event in self._api.load_image(stream, quiet=True):
                if "error" in event:
                    raise DockerBuildError(
                        f"docker cannot load {archive.name}: {one_line(event['error'])}", subject=str(archive)
                    )

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Let a name stand for an image."""
        with docker_errors(f"tag the image as {repository}:{tag}", image_id):
            self._api.tag(image_id, repository, tag, force=True)

    def close(self) -> None:
        """Close the connection."""
        self._api.close()


def _lines(event: dict[str, Any]) -> Iterator[str]:
    # The classic builder paints stderr red.
    for line in _COLOUR.sub("", str(event.get("stream") or "")).splitlines():
        if line.strip():
            yield line.rstrip()


def _failed(event: dict[str, Any], step: str) -> DockerBuildError:
    return DockerBuildError(
        f"the Dockerfile does not build{f' at {step}' if step else ''}: {one_line(event['error'])}",
        subject="Dockerfile",
        hint="the end of the step's output is above; RUN steps have a network only with image.network = true",
    )
