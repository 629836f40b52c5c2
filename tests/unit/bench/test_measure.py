"""Subjects take turns; what cannot run or answers wrongly is told, and never left out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench import measure
from tests.bench.benchmark import (
    Benchmark,
    CannotRunError,
    Experiment,
    Goal,
    Subject,
    Subjects,
    WrongAnswerError,
)
from tests.bench.measure import Row, compare, conduct, take_turns

FASTER = Benchmark("faster", "a against b", "a", "b", Goal(2, at_least=True), speed=True)
SLOWER = Benchmark("slower", "a against b", "a", "b", Goal(1.5))


def quiet(line: str) -> None:
    """Nobody listens."""


class Clock:
    """Seconds that pass only when a subject works."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def work(self, seconds: float, cases: int = 1) -> Subject:
        def run(turn: int) -> int:
            self.now += seconds
            return turn

        return Subject(run, cases=cases)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(measure.time, "perf_counter", made.perf_counter)
    return made


def test_every_subject_is_timed_in_every_turn_and_the_first_turn_is_discarded(clock: Clock) -> None:
    order: list[tuple[int, str]] = []
    subjects = {
        name: Subject(lambda turn, name=name: order.append((turn, name)))  # type: ignore[misc]
        for name in ("a", "b", "c")
    }
    times, broken = take_turns(subjects, 3, say=quiet)
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 3, "b": 3, "c": 3}
    assert broken == {}
    assert {turn: {name for at, name in order if at == turn} for turn in range(4)} == dict.fromkeys(
        range(4), {"a", "b", "c"}
    )
    assert [name for _, name in order[::3]] == ["a", "b", "c", "a"]


def test_times_are_per_case_and_preparation_is_not_timed(clock: Clock) -> None:
    batch = clock.work(40, cases=20)

    def prepare(turn: int) -> None:
        clock.now += 1000

    times, _ = take_turns({"batch": Subject(batch.run, 20, prepare)}, 2, say=quiet)
    assert times == {"batch": [2.0, 2.0]}


def test_a_ratio_is_of_medians_and_a_speed_is_its_inverse() -> None:
    times = {"a": [1.0, 2.0, 90.0], "b": [1.0, 4.0, 5.0]}
    assert compare(SLOWER, times, {}).ratio == 0.5
    assert compare(FASTER, times, {}).ratio == 2.0
    assert (compare(SLOWER, times, {}).met, compare(FASTER, times, {}).met) == (True, True)
    assert compare(SLOWER, {"a": [4.0], "b": [1.0]}, {}).met is False


def test_a_subject_with_a_wrong_answer_is_out_with_its_reason(clock: Clock) -> None:
    def wrong(turn: int, answer: object) -> None:
        if turn == 2:
            raise WrongAnswerError("0 containers ran")

    subjects = {"a": Subject(lambda turn: None, check=wrong), "b": clock.work(1)}
    times, broken = take_turns(subjects, 3, say=quiet)
    assert broken == {"a": "0 containers ran"}
    row = compare(SLOWER, times, broken)
    assert (row.ratio, row.met, row.note) == (None, None, "cannot run: 0 containers ran")


def experiment(subjects: Subjects | CannotRunError) -> Experiment:
    @contextmanager
    def made(folder: Path) -> Iterator[Subjects]:
        if isinstance(subjects, CannotRunError):
            raise subjects
        yield subjects

    return Experiment("tried", (SLOWER,), made, turns=2)


@pytest.mark.parametrize(
    "subjects",
    [CannotRunError("no engine"), {"a": CannotRunError("no engine"), "b": Subject(lambda turn: None)}],
    ids=["the experiment", "one subject"],
)
def test_what_is_missing_stands_in_the_row(subjects: Subjects | CannotRunError, tmp_path: Path) -> None:
    (row,) = conduct(experiment(subjects), tmp_path, say=quiet)
    assert row == Row(SLOWER, None, 0, "cannot run: no engine")
