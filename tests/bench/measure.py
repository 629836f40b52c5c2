"""Time subjects in turns, and compare their medians."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.benchmark import Benchmark, CannotRunError, Experiment, Subject, WrongAnswerError

Say = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """What became of a benchmark; ``ratio`` is None where it could not run, and ``note`` says why."""

    benchmark: Benchmark
    ratio: float | None
    runs: int
    note: str

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is no goal or no ratio."""
        goal = self.benchmark.goal
        return None if goal is None or self.ratio is None else goal.met(self.ratio)


def conduct(experiment: Experiment, folder: Path, *, say: Say, turns: int | None = None) -> list[Row]:
    """Measure every subject of an experiment, in turns.

    Parameters
    ----------
    experiment : Experiment
    folder : Path
        Empty, to work in.
    say : callable
        Told each turn in one line.
    turns : int, optional
        Other than the experiment's own.
    """
    wanted = experiment.turns if turns is None else turns
    try:
        with experiment.subjects(folder) as subjects:
            missing = {name: str(one) for name, one in subjects.items() if isinstance(one, CannotRunError)}
            present = {name: one for name, one in subjects.items() if isinstance(one, Subject)}
            times, broken = take_turns(present, wanted, say=lambda line: say(f"{experiment.name}: {line}"))
    except CannotRunError as error:
        return [Row(one, None, 0, f"cannot run: {error}") for one in experiment.benchmarks]
    return [compare(one, times, {**missing, **broken}) for one in experiment.benchmarks]


def take_turns(
    subjects: Mapping[str, Subject], turns: int, *, say: Say
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Time each subject once per turn, turn 0 discarded; a subject that gives a wrong answer is out.

    Returns
    -------
    times : dict
        Seconds per unit of work, by subject.
    broken : dict
        What the others did wrong.
    """
    times: dict[str, list[float]] = {name: [] for name in subjects}
    broken: dict[str, str] = {}
    for turn in range(turns + 1):
        # Who comes first changes, so that nobody always follows the same neighbour.
        names = [*subjects][turn % len(subjects) :] + [*subjects][: turn % len(subjects)] if subjects else []
        for name in names:
            if name in broken:
                continue
            try:
                seconds = timed(subjects[name], turn)
            except WrongAnswerError as error:
                broken[name] = str(error)
                say(f"{name} is out: {error}")
                continue
            if turn:
                times[name].append(seconds)
        say(f"turn {turn} of {turns}: " + ", ".join(f"{n} {times[n][-1]:.3f} s" for n in names if times[n]))
    return {name: times[name] for name in subjects if name not in broken}, broken


def timed(subject: Subject, turn: int) -> float:
    """Seconds that one unit of work took, its answer checked."""
    subject.prepare(turn)
    before = time.perf_counter()
    answer = subject.run(turn)
    seconds = time.perf_counter() - before
    subject.check(turn, answer)
    return seconds / subject.cases


def compare(benchmark: Benchmark, times: Mapping[str, list[float]], missing: Mapping[str, str]) -> Row:
    """The ratio of two subjects' medians, or why there is none."""
    for name in (benchmark.subject, benchmark.reference):
        if name not in times:
            return Row(benchmark, None, 0, f"cannot run: {missing.get(name, f'no subject {name}')}")
    mine, other = times[benchmark.subject], times[benchmark.reference]
    a, b = median(mine), median(other)
    note = f"{_seconds(a)} against {_seconds(b)}"
    return Row(benchmark, b / a if benchmark.speed else a / b, len(mine), note)


def _seconds(value: float) -> str:
    if value < 1e-3:
        return f"{value * 1e6:.0f} \u00b5s"
    return f"{value * 1000:.0f} ms" if value < 10 else f"{value:.1f} s"
