"""Twenty cases at once: fresh containers and warm ones, one worker and two, against as many plain ``docker run``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from host.batch import Batch, BatchOrder, BatchProgress, run_batch
from host.engines.interface import Engine
from host.home import Home
from tests.bench import volumes
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
from tests.bench.running_host import built, connected
from tests.bench.subjects.case import PLAIN, Scans, image_names, plain_docker

CASES = 20
ENGINES = ("docker", "runc")
TWO_WORKERS = Goal(1.4, at_least=True)


def _rows() -> Iterator[Benchmark]:
    for engine in ENGINES:
        for container in ("fresh", "warm"):
            one, two = f"{container} 1 {engine}", f"{container} 2 {engine}"
            name, title = f"batch-{container}-{engine}", f"a case of a batch of {CASES}, {container}"
            yield Benchmark(f"{name}-jobs-1", f"{title}, on {engine}, `--jobs 1`", one, PLAIN)
            yield Benchmark(f"{name}-jobs-2", f"{title}, on {engine}, `--jobs 2`", two, PLAIN)
        yield Benchmark(
            f"two-workers-{engine}",
            f"throughput of two workers against one, fresh, on {engine}",
            f"fresh 2 {engine}",
            f"fresh 1 {engine}",
            TWO_WORKERS,
            speed=True,
        )


def batch(folder: Path, plugin: Path, home: Home, engine: Engine, order: tuple[str, int, int]) -> Subject:
    """A batch per turn, each on scans of its own; ``order`` is the kind of container, the workers, the first scan."""
    container, jobs, first = order
    folder.mkdir()

    def numbers(turn: int) -> range:
        start = first + turn * CASES
        return range(start, start + CASES)

    def prepare(turn: int) -> None:
        lines = ["case_id,scan"]
        for number in numbers(turn):
            volumes.write_scan(folder / f"{number}.nii", number)
            lines.append(f"case-{number},{number}.nii")
        (folder / f"cases-{turn}.csv").write_text("\n".join(lines) + "\n")

    def run(turn: int) -> Batch:
        asked = BatchOrder(
            plugin, folder / f"cases-{turn}.csv", folder / f"out-{turn}", jobs=jobs, warm=container == "warm"
        )
        return run_batch(home, engine, asked, BatchProgress(lambda line: None, lambda *done: None))

    def check(turn: int, answer: object) -> None:
        assert isinstance(answer, Batch)
        if len(answer.results) != CASES or answer.kept:
            raise WrongAnswerError(f"turn {turn}: {len(answer.results)} results, {answer.kept} of them old")
        for number, one in zip(numbers(turn), answer.results, strict=True):
            if one.outcome != "ok" or one.container != container:
                raise WrongAnswerError(f"scan {number}: {one.outcome}, {one.container}: {one.message}")
            volumes.check_measured(float(one.measured[0].value), number)

    return Subject(run, cases=CASES, prepare=prepare, check=check)


@contextmanager
def subjects(folder: Path) -> Iterator[Subjects]:
    """Every way to run a batch on every engine, and the plain container as before."""
    plugin = volumes.plugin_folder(folder / "plugin", serve=True)
    found: dict[str, Subject | CannotRunError] = {}
    first = 100_000
    for name in ENGINES:
        ways = [(container, jobs) for container in ("fresh", "warm") for jobs in (1, 2)]
        try:
            engine = connected(name)
        except CannotRunError as error:
            found |= {f"{container} {jobs} {name}": error for container, jobs in ways}
            continue
        cli = built(folder / f"home-{name}", plugin, name)
        home = Home(cli.home, cli.cache)
        counted = CountedContainers(image_names(volumes.SERVING)) if name == "docker" else None
        for container, jobs in ways:
            key, first = f"{container} {jobs} {name}", first + 10_000
            subject = batch(folder / key.replace(" ", "-"), plugin, home, engine, (container, jobs, first))
            due = CASES if container == "fresh" else jobs
            found[key] = subject if counted is None else counted.of(key, subject, due)
    built(folder / "home-plain", volumes.plugin_folder(folder / "plain"), "docker")
    (folder / "docker-run").mkdir()
    plain = plain_docker(Scans(folder / "docker-run", 90))
    yield {PLAIN: CountedContainers(image_names(volumes.IMAGE)).of(PLAIN, plain), **found}


EXPERIMENT = Experiment("batch", tuple(_rows()), subjects, turns=5)
