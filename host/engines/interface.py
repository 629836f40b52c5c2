"""What Assay asks of a container engine, and what it gets back.

Invariants every engine keeps, whatever the image does:

- the image is named by its image ID (the digest of its config); nothing is ever pulled;
- no network, read-only root, uid and gid 65534, no capabilities, no new privileges, default seccomp profile;
- memory without swap, cpus, pids, /dev/shm, scratch, log, run time, output bytes and files are all bounded;
- whatever way a run ends, no process and no container of it is left behind.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from host.errors import EngineRefusedError, ImageMissingError, LimitError
from host.gpu.request import GpuRequest

CONTAINER_USER: Final = "65534:65534"
INPUTS_TARGET: Final = "/assay/in"
OUTPUTS_TARGET: Final = "/assay/out"
WEIGHTS_TARGET: Final = "/assay/weights"
CONTROL_TARGET: Final = "/assay/control"
SCRATCH_TARGET: Final = "/scratch"
VISIBLE_DEVICES: Final = "NVIDIA_VISIBLE_DEVICES"

LayerFiles = Callable[[str], Path]
"""Where the uncompressed layer of a digest lies; who reads it hashes it."""

# As Docker has it: an optional registry, lower-case path, optional tag.
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?/"
_TAG = r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_NAME = re.compile(f"(?:{_REGISTRY})?{_PART}(?:/{_PART})*(?P<tag>{_TAG})?")
_IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one container, all positive since engines read 0 as "unlimited"; only ``shm_bytes`` may be 0.

    ``memory_bytes`` covers the processes, their page cache, ``/scratch`` and ``/dev/shm`` together: the
    latter two live in memory, so their bounds are shares of it, not additions. ``shm_bytes`` 0 means no
    ``/dev/shm`` at all. ``output_bytes`` and ``output_files`` bound the output folder as a whole, folders
    counted as files.
    """

    cpus: float
    memory_bytes: int
    shm_bytes: int
    scratch_bytes: int
    pids: int
    output_bytes: int
    output_files: int
    log_bytes: int
    timeout_s: float

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if value < 0 or (value == 0 and limit.name != "shm_bytes"):
                raise LimitError(
                    f"the limit {limit.name} is {value}; it must be positive", subject=limit.name
                )


@dataclass(frozen=True, slots=True)
class Mount:
    """A host folder seen at ``target`` inside the container."""

    source: Path
    target: str
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """One container to run.

    Parameters
    ----------
    image_id : str
        ``sha256:`` digest of the image's config. Tags are refused.
    argv : tuple of str, optional
        Replaces the image's entrypoint and command together; ``None`` keeps both.
    environment : mapping
        Variables beside the image's own. ``HOME`` and ``TMPDIR`` are ``/scratch`` unless given here.
        Nothing is taken over from the host, proxy settings included.
    inputs : Path
        Folder seen read-only at ``/assay/in``. Uid 65534 must be able to read it.
    outputs : Path
        Empty folder seen at ``/assay/out``, the only place whose content outlives the container. The engine
        opens it to everybody; its parent must be this user's and closed to all others (mode 0700).
    weights : Path, optional
        Folder seen read-only at ``/assay/weights``.
    control : Path, optional
        Folder seen read-only at ``/assay/control``: the host's unix socket, over which a warm container takes
        its orders. Connecting needs write permission on the socket itself, which the mount leaves alone.
    limits : Limits
        Bounds of the run.
    gpu : GpuRequest, optional
        Devices to pass through.
    labels : mapping
        Written on the container beside the engine's own, for people who look at it and for `Engine.reap`.
    """

    image_id: str
    argv: tuple[str, ...] | None
    inputs: Path
    outputs: Path
    limits: Limits
    weights: Path | None = None
    control: Path | None = None
    gpu: GpuRequest | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def mounts(self) -> tuple[Mount, ...]:
        """Return the host folders the container sees: nothing else of the host is visible to it."""
        mounts = [Mount(self.inputs, INPUTS_TARGET, True), Mount(self.outputs, OUTPUTS_TARGET, False)]
        if self.weights is not None:
            mounts.append(Mount(self.weights, WEIGHTS_TARGET, True))
        if self.control is not None:
            mounts.append(Mount(self.control, CONTROL_TARGET, True))
        return tuple(mounts)

    def full_environment(self) -> dict[str, str]:
        """Return the variables to set, the engine's defaults first.

        Which NVIDIA devices are visible is never the plugin's word. Docker says it where devices are asked for by
        UUID; in all other cases NVIDIA's hook, which may be a daemon's default runtime, is told to pass none on.
        """
        variables = {"HOME": SCRATCH_TARGET, "TMPDIR": SCRATCH_TARGET, **self.environment}
        variables.pop(VISIBLE_DEVICES, None)
        if self.gpu is None or self.gpu.by_cdi_name:
            variables[VISIBLE_DEVICES] = "void"
        return variables


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerExit:
    """How a container ended. A run is sound only if `exit_code` is 0 and no flag but `log_truncated` is set.

    Attributes
    ----------
    exit_code : int
        Of the main process; 137 when it was killed, by whomever: the flags say by whom.
    timed_out : bool
        The engine killed it because it was still running after ``timeout_s``.
    oom_killed : bool
        The kernel killed at least one of its processes for memory. The main process may have survived that
        and ended with 0.
    output_overflow : bool
        The output folder passed a limit, or hid a folder from the engine; a container still running was
        killed.
    log_truncated : bool
        The log file ends with a marker line and lacks what followed.
    memory_peak_bytes : int or None
        Highest memory use seen, page cache included: exact when the kernel keeps the peak and the container
        lived on after it, else a lower bound, sampled about every 0.1 s. The limit itself if
        ``oom_killed``. ``None`` when it could not be read.
    memory_limit_bytes : int
        What it was allowed.
    started_at, finished_at : datetime
        Aware, UTC, by the engine's clock.
    duration_s : float
        Between the two.
    log_path : Path
        Its stdout and stderr, in order of arrival: untrusted bytes.
    container_id : str
        Engine's name for it, for its records; the container is gone.
    """

    exit_code: int
    timed_out: bool
    oom_killed: bool
    output_overflow: bool
    log_truncated: bool
    memory_peak_bytes: int | None
    memory_limit_bytes: int
    started_at: datetime
    finished_at: datetime
    duration_s: float
    log_path: Path
    container_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What runs the containers, for run records. ``notes`` tell of guarantees weaker than this module's."""

    name: str
    version: str
    storage: str
    cgroup_version: str
    runtimes: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Engine(Protocol):
    """Loads images and runs containers, several at a time. Every failure of its own is an `EngineError`."""

    @property
    def name(self) -> str:
        """Short name, as in records and on the command line."""

    def describe(self) -> EngineInfo:
        """Ask the engine what it is now."""

    def holds(self, image_id: str) -> bool:
        """Whether the image can be run without loading it first."""

    def resolve(self, name: str) -> str | None:
        """Return the image ID that a tag names now, ``None`` if the engine knows no such name."""

    def held(self) -> Mapping[str, tuple[str, ...]]:
        """Return the images that the engine holds, by image ID, each with its names."""

    def load(self, archive: Path) -> str:
        """Make the one image of a docker archive runnable; do nothing if it is already.

        Returns
        -------
        str
            Its image ID, computed from the config's bytes in the archive and found the same in the engine,
            with the layers that the config names.
        """

    def verify(self, image_id: str, layers: LayerFiles) -> None:
        """Check that what would run is what the image ID stands for, however the engine keeps it.

        A daemon answers for its own store, which is root's: it is asked which image it holds under this ID. An
        engine whose files lie in a user's folder compares every one of them with the layers' own bytes.

        Parameters
        ----------
        image_id : str
        layers : callable
            Finds a layer of the image by its digest.

        Raises
        ------
        ImageMissingError
            The engine does not hold the image.
        ImageTamperedError
            It holds something else under this image ID.
        """

    def tag(self, image_id: str, name: str) -> None:
        """Let ``name`` (``repository:tag``) name the image, for people; Assay itself goes by image ID."""

    def remove(self, image_id: str) -> None:
        """Forget the image and all its names."""

    def run(self, spec: ContainerSpec, *, log_path: Path, cancelled: Callable[[], bool]) -> ContainerExit:
        """Run one container to its end and remove it.

        What the container does wrong is in the answer. What is raised is not the container's doing.

        Parameters
        ----------
        spec : ContainerSpec
            What to run.
        log_path : Path
            File to create for stdout and stderr, at most ``log_bytes`` and a marker line long.
        cancelled : callable
            Asked about every 0.1 s; once true, the container is killed.

        Raises
        ------
        RunCancelledError
            ``cancelled`` said so. A `KeyboardInterrupt` passes through; either way the container is gone.
        ImageMissingError
            The engine does not hold the image.
        GpuUnavailableError
            The engine cannot pass the devices on.
        EngineError
            The engine is absent, refused the request, or died.
        """

    def reap(self, alive: Callable[[Mapping[str, str]], bool]) -> list[str]:
        """Remove containers that an Assay process left behind when it was killed.

        Parameters
        ----------
        alive : callable
            Given the labels of a container that some Assay process started: whether that process still runs.
            `host.engines.owner.owner_alive` is the usual answer.

        Returns
        -------
        list of str
            IDs of the removed containers.
        """

    def close(self) -> None:
        """Let go of connections; runs must have ended."""


def is_image_id(value: str) -> bool:
    """Whether ``value`` is ``sha256:`` and 64 hexadecimal digits."""
    return _IMAGE_ID.fullmatch(value) is not None


def require_image_id(value: str) -> str:
    """Return ``value`` if it is an image ID; tags and short forms can come to name another image."""
    if not is_image_id(value):
        raise ImageMissingError(
            f"{value!r} is not an image ID (sha256: and 64 hexadecimal digits)",
            subject=value,
            hint="engines run images by digest only; resolve the name first",
        )
    return value


def full_name(name: str) -> tuple[str, str]:
    """Split an image's name into repository and tag, which is ``latest`` where none is given.

    Raises
    ------
    EngineRefusedError
        It is no name.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise EngineRefusedError(
            f"{name!r} is no image name", subject=name, hint="REPOSITORY:TAG, in lower case but for the tag"
        )
    tag = match["tag"] or ":latest"
    return name.removesuffix(tag), tag[1:]
