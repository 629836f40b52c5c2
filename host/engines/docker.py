"""Runs containers through a Docker daemon.

How a container is closed in is in `host.engines.docker_config`; this module creates, watches and removes it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from host.engines.background import in_background
from host.engines.cgroup import memory_folder
from host.engines.container_log import log_truncated, new_log, write_bounded
from host.engines.docker_address import no_daemon
from host.engines.docker_api import FAULTS, DockerAddress, DockerApi
from host.engines.docker_archive import archived_image
from host.engines.docker_config import (
    container_config,
    is_podman,
    takes_cdi_names,
    unenforced_limits,
    uses_containerd_store,
    weaknesses,
)
from host.engines.docker_container import DockerContainer, created_container
from host.engines.docker_errors import docker_errors, one_line
from host.engines.image_defaults import require_no_volumes
from host.engines.interface import (
    ContainerExit,
    ContainerSpec,
    EngineInfo,
    LayerFiles,
    full_name,
    require_image_id,
)
from host.engines.outputs_folder import open_for_container
from host.engines.owner import owner_labels
from host.engines.supervision import StopReason, Stopwatch, Supervisor, container_exit
from host.errors import (
    EngineRefusedError,
    GpuUnavailableError,
    ImageLoadError,
    ImageMissingError,
    ImageTamperedError,
    RunCancelledError,
)

MANAGED_LABEL: Final = "assay.managed"


def connect(docker_host: str | None = None) -> "DockerEngine":
    """Connect to a Docker daemon that can keep the engine's promises.

    Parameters
    ----------
    docker_host : str, optional
        Its address. ``None`` for what ``DOCKER_HOST`` and its companions say, as with Docker's own command.

    Raises
    ------
    NoEngineError
        No daemon answers there.
    EngineRefusedError
        Its image IDs are not config digests, or it cannot enforce a limit.
    """
    address = DockerAddress(docker_host) if docker_host else DockerAddress.from_environment()
    api = DockerApi(address)
    try:
        info, version = api.info(), api.version()
    except FAULTS as error:
        raise no_daemon(address.url) from error
    _require_usable(info, address.url)
    return DockerEngine(api, podman=is_podman(version), cdi=takes_cdi_names(info))


def _require_usable(info: Mapping[str, Any], address: str) -> None:
    if uses_containerd_store(info):
        raise EngineRefusedError(
            f"the Docker daemon at {address} keeps images in the containerd store, "
            "where an image ID is not the digest of the image's config",
            subject=address,
            hint='set {"features": {"containerd-snapshotter": false}} in its daemon.json and restart it',
        )
    if missing := unenforced_limits(info):
        raise EngineRefusedError(
            f"the Docker daemon at {address} cannot limit {', '.join(missing)}",
            subject=address,
            hint="enable these control group controllers in the kernel",
        )


class DockerEngine:
    """The `Engine` behind a Docker daemon. Make it with `connect`.

    Parameters
    ----------
    api : DockerApi
        Requests to a daemon that `connect` has examined.
    podman : bool
        Whether podman answers in Docker's place.
    cdi : bool
        Whether the daemon knows devices by their CDI names.
    """

    name = "docker"

    def __init__(self, api: DockerApi, *, podman: bool, cdi: bool) -> None:
        self._api = api
        self._podman = podman
        self._cdi = cdi
        self._closed_images: set[str] = set()

    def describe(self) -> EngineInfo:
        """Ask the daemon what it is now."""
        with docker_errors("describe itself", ""):
            info, version = self._api.info(), self._api.version()
        return EngineInfo(
            name=self.name,
            version=str(version.get("Version", "")),
            storage=str(info.get("Driver", "")),
            cgroup_version=str(info.get("CgroupVersion", "1")),
            runtimes=tuple(sorted(info.get("Runtimes") or {})),
            notes=weaknesses(info, version),
        )

    def holds(self, image_id: str) -> bool:
        """Whether the daemon holds the image."""
        return self.resolve(require_image_id(image_id)) == image_id

    def resolve(self, name: str) -> str | None:
        """Return the image ID that a tag names now, ``None`` if the daemon knows no such name."""
        with docker_errors("look up an image", name):
            found = self._api.find_image(name)
        return None if found is None else str(found["Id"])

    def held(self) -> Mapping[str, tuple[str, ...]]:
        """Return the images that the daemon holds."""
        with docker_errors("list images", ""):
            found = self._api.images()
        # The daemon writes "<none>:<none>" for an image without a name.
        return {
            str(one["Id"]): tuple(name for name in one.get("RepoTags") or () if not name.startswith("<none>"))
            for one in found
        }

    def load(self, archive: Path) -> str:
        """Load the one image of a docker archive and check that the daemon made the same image of it."""
        image = archived_image(archive)
        if not self.holds(image.image_id):
            self._send_archive(archive)
        with docker_errors("look up the loaded image", image.image_id):
            loaded = self._api.find_image(image.image_id)
        if loaded is None or tuple(loaded["RootFS"].get("Layers") or ()) != image.diff_ids:
            raise ImageLoadError(
                f"docker made another image of {archive} than {image.image_id}, which the archive describes",
                subject=str(archive),
                hint="the archive is damaged or was altered; make it again",
            )
        return image.image_id

    def _send_archive(self, archive: Path) -> None:
        with docker_errors("load the archive", str(archive)), archive.open("rb") as stream:
            events = self._api.load_image(stream)
        for event in events:
            if "error" in event:
                raise ImageLoadError(
                    f"docker cannot load {archive}: {one_line(event['error'])}", subject=str(archive)
                )

    def verify(self, image_id: str, layers: LayerFiles) -> None:
        """Ask the daemon which image it holds under this ID; its store is root's and not compared file by file."""
        del layers
        with docker_errors("look up the image", require_image_id(image_id)):
            found = str(self._api.inspect_image(image_id)["Id"])
        if found != image_id:
            raise ImageTamperedError(
                f"docker answers for {image_id} with the image {found}",
                subject=image_id,
                hint="remove that image from docker, and load the right one again",
            )

    def tag(self, image_id: str, name: str) -> None:
        """Let ``name`` (``repository:tag``) name the image."""
        with docker_errors(f"tag the image as {name}", require_image_id(image_id)):
            self._api.tag(image_id, *full_name(name))

    def remove(self, image_id: str) -> None:
        """Forget the image and all its names."""
        with docker_errors("remove the image", require_image_id(image_id)):
            # Pruning would take the untagged images below it along, which may be releases of their own.
            self._api.remove_image(image_id)
        self._closed_images.discard(image_id)

    def run(self, spec: ContainerSpec, *, log_path: Path, cancelled: Callable[[], bool]) -> ContainerExit:
        """Run one container to its end and remove it; see `host.engines.interface.Engine.run`."""
        self._require_closed(spec)
        open_for_container(spec.outputs)
        config = container_config(spec, {MANAGED_LABEL: "1", **owner_labels()})
        with new_log(log_path) as stream, created_container(self._api, config) as container:
            frames = container.attach()
            log = in_background(lambda: write_bounded(frames, stream, bytes_max=spec.limits.log_bytes))
            started = Stopwatch()
            container.start()
            ended = in_background(container.wait)
            supervisor = Supervisor(
                limits=spec.limits,
                outputs=spec.outputs,
                memory_folder=memory_folder(container.id, int(container.state()["Pid"])),
                cancelled=cancelled,
            )
            observed = supervisor.watch(ended, container.kill)
            times = started.times()
            state = container.state()
            cut = log_truncated(log, log_path)
        if observed.stopped is StopReason.CANCELLED:
            raise RunCancelledError("the run was cancelled and its container removed", subject=container.id)
        return container_exit(
            spec.limits,
            observed,
            exit_code=int(state["ExitCode"]),
            # A child may have been killed and the main process lived on; the daemon's flag covers some of it.
            oom_killed=bool(state["OOMKilled"]),
            times=times,
            log_path=log_path,
            log_truncated=cut,
            container_id=container.id,
        )

    def reap(self, alive: Callable[[Mapping[str, str]], bool]) -> list[str]:
        """Remove containers that an Assay process left behind; see `host.engines.interface.Engine.reap`."""
        with docker_errors("list containers", ""):
            managed = self._api.containers(MANAGED_LABEL)
        leftover = [str(one["Id"]) for one in managed if not alive(one.get("Labels") or {})]
        for container_id in leftover:
            DockerContainer(self._api, container_id).remove()
        return leftover

    def close(self) -> None:
        """Do nothing: every request had a connection of its own."""

    def _require_closed(self, spec: ContainerSpec) -> None:
        """Refuse what the container's configuration could not close in."""
        if spec.gpu is not None and spec.gpu.by_cdi_name and not self._cdi:
            raise GpuUnavailableError(
                f"this Docker daemon knows no CDI names and so cannot pass {', '.join(spec.gpu.cdi_names)} on",
                subject=spec.gpu.cdi_names[0],
                hint="Docker 25 and later does, with CDI enabled in its daemon.json; or use the runc engine",
            )
        if spec.gpu is not None and self._podman:
            raise GpuUnavailableError(
                "podman's Docker API drops GPU requests without a word, so GPU work is refused there",
                hint="use a Docker daemon for GPU releases",
            )
        image_id = require_image_id(spec.image_id)
        if image_id in self._closed_images:
            return
        with docker_errors("look up the image", image_id):
            image = self._api.inspect_image(image_id)
        if image["Id"] != image_id:
            raise ImageMissingError(
                f"docker answers for {image_id} with the image {image['Id']}", subject=image_id
            )
        require_no_volumes(tuple(sorted(image["Config"].get("Volumes") or ())), image_id=image_id)
        self._closed_images.add(image_id)
