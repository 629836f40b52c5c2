"""One case: from a cold command line and from a running host, against plain ``docker run`` and the peers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import peer_tools, volumes
from tests.bench.benchmark import (
    Benchmark,
    CannotRunError,
    Experiment,
    Goal,
    Subject,
    Subjects,
    WrongAnswerError,
)
from tests.bench.containers import CountedContainers
from tests.bench.running_host import RunningHost, built, check_recorded, connected, running_host, submitted

PLAIN = "docker run"
PEERS = Path(sys.prefix) / "bench-peers"  # linters know not to look there
CASE_TIMEOUT_S = 120


def _row(name: str, title: str, subject: str, goal: Goal | None = None) -> Benchmark:
    return Benchmark(name, title, subject, PLAIN, goal)


BENCHMARKS = (
    _row("case-host-docker", "a case from a running host, recorded, on docker", "host docker", Goal(1.15)),
    _row("case-host-runc", "a case from a running host, recorded, on runc", "host runc", Goal(0.35)),
    _row("case-warm-docker", "a case in a warm container, recorded, on docker", "warm docker", Goal(0.05)),
    _row("case-warm-runc", "a case in a warm container, recorded, on runc", "warm runc", Goal(0.05)),
    _row("case-cold-docker", "`assay plugin run` from a cold start, on docker", "cold docker", Goal(2.2)),
    _row("case-cold-runc", "`assay plugin run` from a cold start, on runc", "cold runc", Goal(1.5)),
    _row("case-boutiques", "peer: `bosh exec launch`, cold", "bosh"),
    _row("case-cwltool", "peer: `cwltool`, cold", "cwltool"),
)


@dataclass(frozen=True)
class Scans:
    """Where the turns' scans and outputs lie; each subject has its own scan per turn."""

    folder: Path
    offset: int

    def number(self, turn: int) -> int:
        """The scan's number, which no other subject and turn has."""
        return self.offset * 1000 + turn

    def scan(self, turn: int) -> Path:
        """The scan of a turn."""
        return self.folder / f"scan-{self.number(turn)}.nii"

    def out(self, turn: int) -> Path:
        """The output folder of a turn."""
        return self.folder / f"out-{self.number(turn)}"

    def prepare(self, turn: int) -> None:
        """Write the scan."""
        volumes.write_scan(self.scan(turn), self.number(turn))

    def prepare_with_out(self, turn: int) -> None:
        """Write the scan, and make an output folder that the container's user may write to."""
        self.prepare(turn)
        self.out(turn).mkdir()
        self.out(turn).chmod(0o777)

    def check_written(self, turn: int, answer: object) -> None:
        """The output folder must hold this scan's figure."""
        volumes.check_written(self.out(turn), self.number(turn))

    def check_recorded(self, turn: int, answer: object) -> None:
        """The run's record must hold this scan's figure."""
        check_recorded(answer, self.number(turn))


def run_quietly(line: list[object], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a process to its end. Raises `WrongAnswerError` where it fails."""
    done = subprocess.run(
        [str(word) for word in line],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=CASE_TIMEOUT_S,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise WrongAnswerError(f"exit code {done.returncode}: {said[-1] if said else ''}")


def plain_docker(scans: Scans) -> Subject:
    """``docker run`` of the tool itself, as somebody would do who needs no Assay."""

    def run(turn: int) -> None:
        mounts = ["-v", f"{scans.scan(turn)}:/in/scan.nii:ro", "-v", f"{scans.out(turn)}:/out", "-w", "/out"]
        tool = [volumes.IMAGE, *volumes.COMMAND, "/in/scan.nii"]
        run_quietly(["docker", "run", "--rm", "--network", "none", *mounts, *tool])

    return Subject(run, prepare=scans.prepare_with_out, check=scans.check_written)


def cold(scans: Scans, plugin: Path, engine: str, environment: dict[str, str]) -> Subject:
    """``assay plugin run`` in a process of its own."""
    program = Path(sys.executable).with_name("assay")

    def run(turn: int) -> None:
        words = ["--input", f"scan={scans.scan(turn)}", "--out", scans.out(turn), "--engine", engine]
        run_quietly([program, "plugin", "run", plugin, *words], env=environment)

    return Subject(run, prepare=scans.prepare, check=scans.check_written)


def boutiques(scans: Scans) -> Subject:
    """The peer that describes tools in JSON and builds ``docker run`` from that."""
    program = peer_tools.executable(PEERS, peer_tools.BOUTIQUES, "bosh")
    descriptor = peer_tools.boutiques_descriptor(scans.folder / "tool.json", volumes.IMAGE)

    def prepare(turn: int) -> None:
        scans.prepare_with_out(turn)
        invocation = {"scan": str(scans.scan(turn))}
        (scans.out(turn) / "invocation.json").write_text(json.dumps(invocation))

    def run(turn: int) -> None:
        words = ["exec", "launch", "--no-pull", "--skip-data-collection", descriptor, "invocation.json"]
        run_quietly([program, *words], cwd=scans.out(turn), env=peer_tools.environment(program.parent.parent))

    return Subject(run, prepare=prepare, check=scans.check_written)


def cwltool(scans: Scans) -> Subject:
    """The reference runner of the Common Workflow Language."""
    program = peer_tools.executable(PEERS, peer_tools.CWLTOOL, "cwltool")
    tool = peer_tools.cwl_tool(scans.folder / "tool.cwl", volumes.IMAGE)

    def run(turn: int) -> None:
        words = ["--quiet", "--disable-pull", "--outdir", scans.out(turn), tool, "--scan", scans.scan(turn)]
        run_quietly([program, *words], env=peer_tools.environment(program.parent.parent))

    return Subject(run, prepare=scans.prepare_with_out, check=scans.check_written)


@contextmanager
def subjects(folder: Path) -> Iterator[Subjects]:
    """Everything that runs one case of the same tool."""
    plugin = volumes.plugin_folder(folder / "plugin")
    found: dict[str, Subject | CannotRunError] = {}
    with ExitStack() as stack:
        for offset, engine in enumerate(("docker", "runc")):
            try:
                connected(engine).close()
            except CannotRunError as error:
                found |= dict.fromkeys((f"host {engine}", f"warm {engine}", f"cold {engine}"), error)
                continue
            cli = submitted(folder / f"home-{engine}", plugin, folder / f"kit-{engine}", engine)
            host = stack.enter_context(running_host(cli, engine))
            found[f"host {engine}"] = recorded(Scans(_folder(folder / f"host-{engine}"), 10 + offset), host)
            found[f"warm {engine}"] = served(
                stack, Scans(_folder(folder / f"warm-{engine}"), 30 + offset), folder, engine
            )
            # The running host holds its own home, so the cold command line gets another one.
            other = built(folder / f"cold-home-{engine}", plugin, engine)
            scans = Scans(_folder(folder / f"cold-{engine}"), 20 + offset)
            found[f"cold {engine}"] = cold(scans, plugin, engine, {**os.environ, **other.environment})
        for offset, (name, make) in enumerate(
            ((PLAIN, plain_docker), ("bosh", boutiques), ("cwltool", cwltool))
        ):
            try:
                found[name] = make(Scans(_folder(folder / name.replace(" ", "-")), offset))
            except CannotRunError as error:
                found[name] = error
        counted = CountedContainers(image_names(volumes.IMAGE))
        yield {
            name: counted.of(name, one)
            if isinstance(one, Subject) and "runc" not in name and "warm" not in name
            else one
            for name, one in found.items()
        }


def image_names(name: str) -> frozenset[str]:
    """What docker calls an image. Raises `CannotRunError` where it holds none of the name."""
    docker = connected("docker")
    image = docker.resolve(name)
    docker.close()
    if image is None:
        raise CannotRunError(f"docker holds no {name}")
    return frozenset({image, image.removeprefix("sha256:"), name})


def recorded(scans: Scans, host: RunningHost) -> Subject:
    """A case from a running host, its two records logged before it is over."""
    return Subject(lambda turn: host.run(scans.scan(turn)), prepare=scans.prepare, check=scans.check_recorded)


def served(stack: ExitStack, scans: Scans, folder: Path, engine: str) -> Subject:
    """A case in a container that answered another one before, its two records logged before it is over."""
    plugin = volumes.plugin_folder(folder / f"serving-{engine}", serve=True)
    cli = submitted(folder / f"warm-home-{engine}", plugin, folder / f"warm-kit-{engine}", engine)
    host = stack.enter_context(running_host(cli, engine, f"{volumes.PLUGIN}@1.0.1"))
    place = stack.enter_context(host.crew().warm_place(lambda: False))
    return Subject(
        lambda turn: host.run(scans.scan(turn), place), prepare=scans.prepare, check=scans.check_recorded
    )


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


EXPERIMENT = Experiment("case", BENCHMARKS, subjects, turns=11)
