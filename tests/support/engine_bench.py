"""A bench that runs one-line Python programs in hardened containers, for every engine in the same way."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import docker

from host.engines import docker as docker_engine
from host.engines import runc as runc_engine
from host.engines.interface import ContainerExit, ContainerSpec, Engine, Limits
from tests.support.engine_image import python_image

MIB = 1024 * 1024
# A later engine joins the conformance and hostile-container suites by a line here.
ENGINES: Mapping[str, Callable[[], Engine]] = {"docker": docker_engine.connect, "runc": runc_engine.connect}
BENCH_LABEL = "assay.test.bench"
LIMITS = Limits(
    cpus=1.0,
    memory_bytes=128 * MIB,
    shm_bytes=16 * MIB,
    scratch_bytes=16 * MIB,
    pids=64,
    output_bytes=8 * MIB,
    output_files=50,
    log_bytes=64 * 1024,
    timeout_s=60.0,
)


@dataclass(frozen=True)
class Bench:
    """One engine, the Python image in it, and a private folder for the runs of one test."""

    engine: Engine
    image_id: str
    folder: Path
    label: str

    @classmethod
    def at(cls, engine: Engine, folder: Path) -> "Bench":
        """Make a bench whose containers can be told from everybody else's."""
        folder.chmod(0o700)
        return cls(engine, python_image(engine), folder, uuid4().hex)

    def spec(self, code: str | None, **changes: object) -> ContainerSpec:
        """Describe a container that runs ``code``; changes are fields of the spec or of its limits."""
        run = self.folder / uuid4().hex
        (run / "out").mkdir(parents=True)
        (run / "in").mkdir()
        run.chmod(0o700)
        limit_names = {field.name for field in dataclasses.fields(Limits)}
        limits = {name: changes.pop(name) for name in limit_names & changes.keys()}
        base = ContainerSpec(
            image_id=self.image_id,
            argv=None if code is None else ("python3", "-c", code),
            inputs=run / "in",
            outputs=run / "out",
            limits=dataclasses.replace(LIMITS, **limits),
            labels={BENCH_LABEL: self.label},
        )
        return dataclasses.replace(base, **changes)

    def run(
        self, code: str | None, *, cancelled: Callable[[], bool] = lambda: False, **changes: object
    ) -> ContainerExit:
        """Run ``code`` and return how it ended; the log is beside the outputs."""
        return self.run_spec(self.spec(code, **changes), cancelled=cancelled)

    def run_spec(
        self, spec: ContainerSpec, *, cancelled: Callable[[], bool] = lambda: False
    ) -> ContainerExit:
        """Run a spec made by `spec`."""
        return self.engine.run(spec, log_path=spec.outputs.parent / "log", cancelled=cancelled)

    def log(self, code: str | None, **changes: object) -> str:
        """Run ``code``, expect it to succeed, and return what it printed."""
        ended = self.run(code, **changes)
        printed = ended.log_path.read_text(errors="replace")
        assert ended.exit_code == 0, printed
        return printed

    def leftovers(self) -> list[str]:
        """Return the containers of this bench that still exist."""
        if isinstance(self.engine, runc_engine.RuncEngine):
            running = self.engine.containers()
            return [one for one, labels in running.items() if labels.get(BENCH_LABEL) == self.label]
        client = docker.from_env()
        try:
            return [
                one.id
                for one in client.containers.list(all=True, filters={"label": f"{BENCH_LABEL}={self.label}"})
            ]
        finally:
            client.close()
