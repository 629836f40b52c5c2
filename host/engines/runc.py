"""Runs containers with runc alone: no daemon, Debian's package ``runc`` and nothing else.

How a container is closed in is in `host.engines.runc_spec`, its life in `host.engines.runc_container`, the images
in `host.engines.runc_images`. This module finds out what the machine can do, and puts the three together.
"""

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from host.engines.background import in_background
from host.engines.cgroup import read_memory
from host.engines.container_log import log_truncated, new_log, write_bounded
from host.engines.image_defaults import require_no_volumes, require_plain_working_folder
from host.engines.interface import (
    CONTAINER_USER,
    ContainerExit,
    ContainerSpec,
    EngineInfo,
    LayerFiles,
    require_image_id,
)
from host.engines.outputs_folder import open_for_container
from host.engines.owner import owner_labels
from host.engines.runc_cgroup import (
    OWN_SCOPE,
    ControlGroup,
    Delegation,
    is_unified,
    swap_is_limited,
    unenforced_limits,
)
from host.engines.runc_container import (
    ETC,
    RuncContainer,
    Tools,
    created_container,
    end_launcher,
    write_spec,
)
from host.engines.runc_ground import Ground, find_tools, images_folder, require_limits
from host.engines.runc_images import Images, UnpackedImage
from host.engines.runc_init import ARCHITECTURE, init_program, program_path
from host.engines.runc_spec import (
    Surroundings,
    command,
    environment,
    require_cdi,
    require_cpus,
    runtime_spec,
)
from host.engines.supervision import Observed, StopReason, Stopwatch, Supervisor, container_exit
from host.errors import EngineRefusedError, RunCancelledError

_RUN: Final = Path("/run/assay")
# A bundle without labels is one whose maker died, or is just writing them.
_YOUNG_S: Final = 60.0
_APPARMOR: Final = Path("/sys/module/apparmor/parameters/enabled")


def connect(cache: Path | None = None) -> "RuncEngine":
    """Find runc and see that this machine lets root keep the engine's promises.

    Parameters
    ----------
    cache : Path, optional
        Where ``runc/``, the folder of unpacked images, lies; ``None`` for ``ASSAY_CACHE``.

    Raises
    ------
    NoEngineError
        runc is not installed.
    EngineRefusedError
        The kernel cannot enforce a limit, or this user may not ask it to.
    """
    tools = find_tools(_RUN / "runc")
    if os.geteuid() != 0:
        raise EngineRefusedError(
            "the engine runc is root's",
            subject="runc",
            hint="run the command as root, or use the engine runc-rootless, or a Docker daemon",
        )
    require_limits(unenforced_limits())
    uid, gid = map(int, CONTAINER_USER.split(":"))
    ground = Ground(containers=_RUN / "containers", group="/assay", user=(uid, gid))
    return RuncEngine(tools, Images(images_folder(cache)), ground)


class RuncEngine:
    """The `Engine` that starts runc itself. Make it with `connect`.

    Parameters
    ----------
    tools : Tools
        Programs of the host.
    images : Images
        The unpacked images.
    ground : Ground
        Who runs containers, and where.
    """

    name = "runc"

    def __init__(self, tools: Tools, images: Images, ground: Ground) -> None:
        self._tools = tools
        self._images = images
        self._ground = ground
        self._containers = ground.containers

    def describe(self) -> EngineInfo:
        """Ask runc what it is now."""
        done = subprocess.run([self._tools.runc, "--version"], capture_output=True, text=True, check=False)
        lines = dict(line.partition(": ")[::2] for line in done.stdout.splitlines())
        version = done.stdout.partition("\n")[0].removeprefix("runc version ")
        if done.returncode or not version:
            raise EngineRefusedError("runc does not tell its version", subject=self._tools.runc)
        return EngineInfo(
            name=self.name,
            version=version,
            storage="overlay",
            cgroup_version="2" if is_unified() else "1",
            runtimes=("runc",),
            notes=self._weaknesses() + _weaknesses(with_seccomp="libseccomp" in lines),
        )

    def _weaknesses(self) -> tuple[str, ...]:
        """What this engine, on this ground, promises less of than every other."""
        return ()

    def holds(self, image_id: str) -> bool:
        """Whether the image is unpacked here."""
        return self._images.holds(image_id)

    def resolve(self, name: str) -> str | None:
        """Return the image ID that a tag names now, ``None`` if there is no such name."""
        return self._images.resolve(name)

    def held(self) -> Mapping[str, tuple[str, ...]]:
        """Return the images that are unpacked here."""
        return self._images.held()

    def load(self, archive: Path) -> str:
        """Unpack the one image of a docker archive, every layer checked against the config's digests."""
        return self._images.load(archive)

    def verify(self, image_id: str, layers: LayerFiles) -> None:
        """Compare the unpacked tree, name by name and byte by byte, with the image's layers."""
        self._images.verify(image_id, layers)

    def tag(self, image_id: str, name: str) -> None:
        """Let ``name`` (``repository:tag``) name the image."""
        self._images.tag(image_id, name)

    def remove(self, image_id: str) -> None:
        """Forget the image and all its names."""
        self._images.remove(image_id)

    def run(self, spec: ContainerSpec, *, log_path: Path, cancelled: Callable[[], bool]) -> ContainerExit:
        """Run one container to its end and remove it; see `host.engines.interface.Engine.run`."""
        with self._images.used(require_image_id(spec.image_id)) as image:
            _require_closed(spec, image)
            open_for_container(spec.outputs)
            with new_log(log_path) as stream, self._created(spec, image) as (container, group):
                started = Stopwatch()
                container.start()
                log = in_background(
                    lambda: write_bounded(container.output(), stream, bytes_max=spec.limits.log_bytes)
                )
                observed = _watch(spec, container, group, cancelled)
                times = started.times()
                exit_code = container.exit_code(stopped=observed.stopped is not None)
                # A container that outlives its launcher would keep the log open.
                group.kill()
                cut = log_truncated(log, log_path)
        if observed.stopped is StopReason.CANCELLED:
            raise RunCancelledError("the run was cancelled and its container removed", subject=container.id)
        return container_exit(
            spec.limits,
            observed,
            exit_code=exit_code,
            oom_killed=False,
            times=times,
            log_path=log_path,
            log_truncated=cut,
            container_id=container.id,
        )

    @contextmanager
    def _created(
        self, spec: ContainerSpec, image: UnpackedImage
    ) -> Iterator[tuple[RuncContainer, ControlGroup]]:
        _make_private(self._containers)
        if self._ground.delegation is not None:
            _settle(self._ground.delegation)
        container_id = f"assay-{uuid4().hex}"
        bundle = self._containers / container_id
        group = self._group(container_id)
        labels = {**spec.labels, **owner_labels()}
        with created_container(
            self._tools, bundle, group, labels=labels, image=image.root, init=init_program()
        ) as container:
            write_spec(bundle, self._complete_spec(spec, image, bundle, group))
            yield container, group

    def reap(self, alive: Callable[[Mapping[str, str]], bool]) -> list[str]:
        """Remove containers that an Assay process left behind; see `host.engines.interface.Engine.reap`."""
        leftover = [bundle for bundle in self._bundles() if not alive_or_young(bundle, alive)]
        for bundle in leftover:
            end_launcher(bundle)
            RuncContainer(self._tools, bundle, self._group(bundle.name)).remove()
        return [bundle.name for bundle in leftover]

    def containers(self) -> Mapping[str, Mapping[str, str]]:
        """Labels of the containers that exist now, by ID."""
        found = {bundle.name: read_labels(bundle) for bundle in self._bundles()}
        return {name: labels for name, labels in found.items() if labels is not None}

    def _group(self, container_id: str) -> ControlGroup:
        return ControlGroup(f"{self._ground.group}/{container_id}")

    def _complete_spec(
        self, spec: ContainerSpec, image: UnpackedImage, bundle: Path, group: ControlGroup
    ) -> dict[str, Any]:
        variables = environment(spec, image.defaults)
        around = Surroundings(
            user=self._ground.user,
            cgroups_path=group.path,
            root="root",
            program=program_path(image.root, command(spec, image.defaults)[0], search=variables["PATH"]),
            init=bundle / "layer" / "init",
            etc={name: bundle / "etc" / name for name in ETC},
            swap_limited=swap_is_limited(),
        )
        complete = runtime_spec(spec, image.defaults, around)
        if spec.gpu is None:
            return complete
        from host.gpu.cdi import apply_cdi  # reads YAML, which takes long to import

        return apply_cdi(complete, require_cdi(spec.gpu))

    def _bundles(self) -> list[Path]:
        return sorted(self._containers.iterdir()) if self._containers.is_dir() else []

    def close(self) -> None:
        """There is nothing to let go of."""


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.parent.chmod(0o700)
    except OSError as error:
        raise EngineRefusedError(f"{error.filename}: {error.strerror}", subject=str(folder)) from error


def _settle(delegation: Delegation) -> None:
    try:
        delegation.settle()
    except OSError as error:
        raise EngineRefusedError(
            f"the control group that this process was started in cannot be divided: {error.strerror}",
            subject=str(error.filename),
            hint=f"start the command alone in one of your own: {OWN_SCOPE}",
        ) from error


def read_labels(bundle: Path) -> Mapping[str, str] | None:
    """The labels of a container, ``None`` if they were never written."""
    try:
        labels: Mapping[str, str] = json.loads((bundle / "labels.json").read_bytes())
    except (OSError, ValueError):
        return None
    return labels


def alive_or_young(bundle: Path, alive: Callable[[Mapping[str, str]], bool]) -> bool:
    """Whether a bundle must be left alone: its owner lives, or it was made so lately that it has no labels yet."""
    labels = read_labels(bundle)
    if labels is not None:
        return alive(labels)
    try:
        return time.time() - bundle.stat().st_mtime < _YOUNG_S
    except FileNotFoundError:
        return True


def _require_closed(spec: ContainerSpec, image: UnpackedImage) -> None:
    """Refuse what runc could not close in, or not start."""
    require_no_volumes(image.defaults.volumes, image_id=spec.image_id)
    require_plain_working_folder(image.defaults.working_folder, image_id=spec.image_id)
    require_cpus(spec.limits, available=os.cpu_count() or 1)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    if not image.defaults.architecture == machine == ARCHITECTURE:
        raise EngineRefusedError(
            f"the image is for {image.defaults.architecture}, this machine is {machine}; "
            f"the runc engine runs {ARCHITECTURE} on {ARCHITECTURE}",
            subject=spec.image_id,
        )


def _watch(
    spec: ContainerSpec, container: RuncContainer, group: ControlGroup, cancelled: Callable[[], bool]
) -> Observed:
    supervisor = Supervisor(
        limits=spec.limits, outputs=spec.outputs, memory_folder=group.memory_folder, cancelled=cancelled
    )
    observed = supervisor.watch(in_background(container.wait), container.kill)
    # The group outlives its processes: what it says now is final.
    final = read_memory(group.memory_folder)
    return Observed(
        stopped=observed.stopped, output_overflow=observed.output_overflow, memory=final or observed.memory
    )


def _weaknesses(*, with_seccomp: bool) -> tuple[str, ...]:
    notes = []
    if not with_seccomp:
        notes.append("this runc was built without seccomp: it starts no container with our profile")
    if not swap_is_limited():
        notes.append("swap is not limited: a container may use swap beyond its memory limit")
    try:
        if _APPARMOR.read_text().strip() == "Y":
            notes.append("no AppArmor profile, which Docker would add on this machine")
    except OSError:
        pass
    return tuple(notes)
