"""What a benchmark is: subjects that take turns, and pairs of them whose times are compared."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path


class CannotRunError(Exception):
    """What is missing for a subject, in one line; it goes into the table."""


class WrongAnswerError(Exception):
    """A subject did not do the work it was timed for; nothing of its experiment counts."""


@dataclass(frozen=True)
class Goal:
    """A bound on a ratio."""

    bound: float
    at_least: bool = False

    def met(self, ratio: float) -> bool:
        """Whether ``ratio`` keeps to the bound."""
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:g}"


@dataclass(frozen=True)
class Benchmark:
    """One row of the table: how two subjects of an experiment compare.

    Attributes
    ----------
    name : str
        Its key in ``bench.json``; stays the same for good.
    title : str
        What is compared, for people.
    subject, reference : str
        Keys of the experiment's subjects.
    goal : Goal, optional
        None for what is measured to be known, such as a peer.
    speed : bool
        The ratio is speed (reference's time / subject's) where true, else time (subject's / reference's).
    """

    name: str
    title: str
    subject: str
    reference: str
    goal: Goal | None = None
    speed: bool = False


@dataclass(frozen=True)
class Subject:
    """Something that is timed.

    Attributes
    ----------
    run : callable
        Given the number of the turn, does the work once, on an input that no other turn has.
    cases : int
        How many units of work one call does; times are per unit.
    prepare : callable
        Called with the number before each turn, and not timed.
    check : callable
        Called with the number and what ``run`` returned, and not timed. Raises `WrongAnswerError`.
    """

    run: Callable[[int], object]
    cases: int = 1
    prepare: Callable[[int], object] = lambda turn: None
    check: Callable[[int, object], None] = lambda turn, answer: None


# A subject, or in one line why there is none here.
Subjects = Mapping[str, Subject | CannotRunError]


@dataclass(frozen=True)
class Experiment:
    """Subjects measured in the same turns, so that whatever else the machine does falls on all of them alike.

    Attributes
    ----------
    name : str
        For ``--only`` and progress.
    benchmarks : tuple of Benchmark
    subjects : callable
        Given a folder to work in, a context in which the subjects exist. Raises `CannotRunError` where the whole
        experiment cannot take place.
    turns : int
        How often each subject is timed, after one turn that warms up and does not count.
    """

    name: str
    benchmarks: tuple[Benchmark, ...]
    subjects: Callable[[Path], AbstractContextManager[Subjects]]
    turns: int
