"""Cases of the tiny plugin in one warm container, one after another."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from uuid import uuid4

from host.engines.cgroup import MemoryUse
from host.engines.interface import Engine
from host.execution import CaseRequest, Execution, execute, prepare
from host.gpu.grant import NO_GPU, GpuGrant
from host.plugins import PluginCatalogue
from host.releases import InstalledRelease
from host.staging import RunFolder
from host.warm.container import WarmContainer
from plugin_spec.manifest import Manifest, read_manifest
from tests.support.memory_engine import MemoryEngine
from tests.support.tiny import IMAGE_NAME, plugin_folder, write_scan

IMAGE = "sha256:" + "a" * 64
QUIET = MemoryUse(24 * 2**20, 0)


class WarmBench:
    """One warm container and the cases it is given."""

    def __init__(self, folder: Path, engine: Engine | None = None, image: str = IMAGE) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        self.runs.mkdir(mode=0o700)
        self.plugin = plugin_folder(folder / "plugin")
        self.memory_engine = MemoryEngine(images={IMAGE})
        self.engine: Engine = engine or self.memory_engine
        self.image = image
        self.memory: MemoryUse | None = QUIET
        probes = {} if engine else {"probe": lambda pid: lambda: self.memory}
        self.container = WarmContainer(self.engine, self.runs, **probes)
        self.manifest: Manifest = read_manifest(self.plugin / "plugin.toml")
        self.folders: list[RunFolder] = []
        self.label = uuid4().hex
        self._numbers = count()

    def serve(self, program: str) -> None:
        """Let containers run this program from now on."""
        self.memory_engine.server = program

    def limit(self, **resources: object) -> None:
        """Change what the manifest declares of its resources."""
        changed = self.manifest.resources.model_copy(update=resources)
        self.manifest = self.manifest.model_copy(update={"resources": changed})

    def run(
        self,
        behaviour: str = "answer",
        *,
        edge: int = 3,
        case: str = "case",
        warm: bool = True,
        gpu: GpuGrant = NO_GPU,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Execution:
        """Run one case; its folder is the last of ``folders``."""
        release = InstalledRelease(
            manifest=self.manifest,
            manifest_digest=IMAGE,
            image=self.image,
            image_name=IMAGE_NAME,
            weights={},
            weight_refs=(),
        )
        run_id = f"{next(self._numbers):016x}"
        folder = RunFolder.create(self.runs / run_id)
        self.folders.append(folder)
        scan = write_scan(self.folder / f"{run_id}.nii", behaviour, edge)
        prepared = prepare(release, CaseRequest(case, {"scan": scan}, {}), folder, run_id=run_id)
        return execute(
            replace(prepared, gpu=gpu),
            catalogue=PluginCatalogue(),
            engine=self.engine,
            labels={"assay.test.warm": self.label},
            cancelled=cancelled,
            warm=self.container if warm else None,
        )

    def log(self, number: int = -1) -> str:
        """What was kept as the log of a case."""
        return self.folders[number].log.read_text()

    @property
    def started(self) -> int:
        """How many containers there were."""
        return len(self.memory_engine.ran)

    def close(self) -> None:
        """End the container."""
        self.container.close()


def after(seconds: float) -> Callable[[], bool]:
    """A wish to stop that comes after a while."""
    at_s = time.monotonic() + seconds
    return lambda: time.monotonic() > at_s
