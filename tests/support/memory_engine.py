"""A second engine: it keeps its images in a dictionary and runs a Python callable as the container.

It isolates nothing, and so is for adapters of our own only. What a container leaves and how it ends is the
callable's choice, which makes every way a container can end one line of a test. A warm container is a child process.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from host.engines.docker_archive import archived_image
from host.engines.interface import ContainerExit, ContainerSpec, EngineInfo, LayerFiles, require_image_id
from host.errors import ImageMissingError, ImageTamperedError, RunCancelledError
from plugin_spec.runtime.__main__ import run as run_adapter
from plugin_spec.runtime.protocol import Folders
from tests.support.warm_process import HONEST, exit_code, warm_process

TINY_ADAPTER = "tests.support.tiny_plugin.adapter"
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Ending:
    """How a container ended, as an engine sees it."""

    exit_code: int = 0
    timed_out: bool = False
    oom_killed: bool = False
    output_overflow: bool = False
    memory_peak_bytes: int | None = 24 * 2**20
    printed: str = "the container was here\n"


Container = Callable[[ContainerSpec], Ending]


def running(adapter: str) -> Container:
    """An adapter of ours, run by the contract's own runtime on the folders of the container."""

    def container(spec: ContainerSpec) -> Ending:
        folders = Folders()
        folders.inputs, folders.outputs = spec.inputs, spec.outputs
        folders.weights = spec.weights or spec.outputs.parent / "no-weights"
        folders.scratch = spec.outputs.parent
        return Ending(run_adapter(adapter, folders))

    return container


tiny_adapter = running(TINY_ADAPTER)


def writing_the_time() -> Container:
    """The tiny plugin, whose volume grows by a microlitre with every container."""
    ticks: Iterator[int] = count()

    def container(spec: ContainerSpec) -> Ending:
        ended = tiny_adapter(spec)
        path = spec.outputs / "volumes.json"
        if path.is_file():
            document = json.loads(path.read_text())
            document["rows"][0]["bright_ml"] += next(ticks) * 1e-6
            path.write_text(json.dumps(document))
        return ended

    return container


def writing(exit_code: int = 0, **result: Any) -> Container:
    """A container that writes the result.json it is told to, and nothing else."""

    def container(spec: ContainerSpec) -> Ending:
        (spec.outputs / "result.json").write_text(json.dumps({"contract": "assay.result/1", **result}))
        return Ending(exit_code)

    return container


def ending(exit_code: int = 0, **how: Any) -> Container:
    """A container that leaves nothing and ends so."""
    return lambda spec: Ending(exit_code, **how)


def raising(error: BaseException) -> Container:
    """An engine that stops with this error while the container runs."""

    def container(spec: ContainerSpec) -> Ending:
        raise error

    return container


@dataclass
class MemoryEngine:
    """Implements `host.engines.interface.Engine`."""

    container: Container = tiny_adapter
    # What a warm container runs, and how it ended, given its exit code.
    server: str = HONEST
    served: Callable[[int], Ending] = Ending
    name: str = "memory"
    images: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    ran: list[ContainerSpec] = field(default_factory=list)
    tampered: set[str] = field(default_factory=set)
    left_behind: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def describe(self) -> EngineInfo:
        return EngineInfo(name=self.name, version="1", storage="dict", cgroup_version="none", runtimes=())

    def holds(self, image_id: str) -> bool:
        return image_id in self.images

    def resolve(self, name: str) -> str | None:
        return self.names.get(name)

    def held(self) -> Mapping[str, tuple[str, ...]]:
        return {
            image: tuple(name for name, held in self.names.items() if held == image) for image in self.images
        }

    def load(self, archive: Path) -> str:
        image_id = archived_image(archive).image_id
        self.images.add(image_id)
        return image_id

    def verify(self, image_id: str, layers: LayerFiles) -> None:
        if require_image_id(image_id) in self.tampered:
            raise ImageTamperedError(f"the image {image_id} was edited", subject=image_id)

    def tag(self, image_id: str, name: str) -> None:
        self.names[name] = image_id

    def remove(self, image_id: str) -> None:
        self.images.discard(image_id)
        self.tampered.discard(image_id)
        self.names = {name: held for name, held in self.names.items() if held != image_id}

    def run(self, spec: ContainerSpec, *, log_path: Path, cancelled: Callable[[], bool]) -> ContainerExit:
        if require_image_id(spec.image_id) not in self.images:
            raise ImageMissingError(f"no image {spec.image_id}", subject=spec.image_id)
        if cancelled():
            raise RunCancelledError("the operator stopped the run")
        self.ran.append(spec)
        if spec.control is not None:
            ended = self._serve(spec, log_path, cancelled)
        else:
            ended = self.container(spec)
            log_path.write_text(ended.printed)
        duration_s = spec.limits.timeout_s if ended.timed_out else 2.5
        return ContainerExit(
            exit_code=ended.exit_code,
            timed_out=ended.timed_out,
            oom_killed=ended.oom_killed,
            output_overflow=ended.output_overflow,
            log_truncated=False,
            memory_peak_bytes=ended.memory_peak_bytes,
            memory_limit_bytes=spec.limits.memory_bytes,
            started_at=START,
            finished_at=START + timedelta(seconds=duration_s),
            duration_s=duration_s,
            log_path=log_path,
            container_id="memory",
        )

    def _serve(self, spec: ContainerSpec, log_path: Path, cancelled: Callable[[], bool]) -> Ending:
        with warm_process(self.server, spec, log_path) as child:
            code = exit_code(child, cancelled)
        if code is None:
            raise RunCancelledError("the warm container was stopped")
        return self.served(code)

    def reap(self, alive: Callable[[Mapping[str, str]], bool]) -> list[str]:
        dead = [one for one, labels in self.left_behind.items() if not alive(labels)]
        for one in dead:
            del self.left_behind[one]
        return dead

    def close(self) -> None:
        self.images.clear()
