"""What the log holds of one validation's runs: the cases' own, those of comparisons, those the host cut short.

Invariants
----------
* A run counts as cut short only where no container ended: what a plugin answered, however badly, is an answer.
* Nothing is left out: a run that is none of the three is a fault, and is named.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from host.errors import ValidationRunsError
from host.reports.sections import InterruptedRun
from registry.log import Record
from registry.registry import Registry
from registry.statements import RunFinished, RunStarted

KeyT = TypeVar("KeyT")
# What a run in a warm container belongs to where its record, as the first ones did, does not name its comparison.
WARM: Final = "warm"


@dataclass(frozen=True)
class RunRecords:
    """The two records of a run."""

    started: Record
    finished: Record
    begun: RunStarted
    ended: RunFinished


@dataclass(frozen=True)
class ValidationRuns:
    """The runs of one validation.

    Attributes
    ----------
    own : mapping of str to RunRecords
        Case to its run that is judged.
    again : mapping of str to mapping of (str, int) to RunRecords
        Comparison to its runs, by case and repetition.
    cut_short : tuple of RunRecords
        In the order in which they began.
    """

    own: Mapping[str, RunRecords]
    again: Mapping[str, Mapping[tuple[str, int], RunRecords]]
    cut_short: tuple[RunRecords, ...]


def cut_short(ended: RunFinished) -> bool:
    """Whether the host stopped before a container ended: by Ctrl-C, a crash, an engine that failed.

    An input that cannot be read ends a case without a container too, and is its end.
    """
    return ended.outcome == "failed" and ended.exit_code is None and ended.reason_code != "unreadable-input"


def interruptions(runs: ValidationRuns) -> tuple[InterruptedRun, ...]:
    """The runs that were cut short, as a report tells them."""
    return tuple(
        InterruptedRun(
            run=one.begun.run,
            case=one.begun.case,
            comparison=one.begun.comparison,
            reason=one.ended.reason_code,
            at=one.begun.at,
        )
        for one in runs.cut_short
    )


def runs_of(registry: Registry, validation: str) -> ValidationRuns:
    """Read the runs of a validation from the log.

    Raises
    ------
    ValidationRunsError
        A run without an end, or two that both count.
    """
    starts = [
        (record, act)
        for record in registry.records(RunStarted.predicate_type)
        if (act := record.statement.read(RunStarted)).validation == validation
    ]
    wanted = {act.run for _, act in starts}
    ends = {
        end.run: (record, end)
        for record in registry.records(RunFinished.predicate_type)
        if (end := record.statement.read(RunFinished)).run in wanted
    }
    for _, act in starts:
        if act.run not in ends:
            raise ValidationRunsError(
                f"run {act.run} of validation {validation} has no end",
                subject=act.run,
                hint="assay audit log",
            )
    return sorted_out(RunRecords(record, ends[act.run][0], act, ends[act.run][1]) for record, act in starts)


def sorted_out(runs: Iterable[RunRecords]) -> ValidationRuns:
    """Tell the runs of one validation apart; raises as `runs_of` does."""
    own: dict[str, RunRecords] = {}
    again: dict[str, dict[tuple[str, int], RunRecords]] = {}
    short: list[RunRecords] = []
    for run in runs:
        begun = run.begun
        if cut_short(run.ended):
            short.append(run)
        elif comparison := begun.comparison or (WARM if begun.container == "warm" else ""):
            _put(again.setdefault(comparison, {}), (begun.case, max(begun.repetition, 1)), run)
        else:
            _put(own, begun.case, run)
    return ValidationRuns(own, again, tuple(short))


def _put(runs: dict[KeyT, RunRecords], key: KeyT, run: RunRecords) -> None:
    if key in runs:
        raise ValidationRunsError(
            f"case {run.begun.case} ran twice in validation {run.begun.validation}: "
            f"runs {runs[key].begun.run} and {run.begun.run} both ended",
            subject=run.begun.run,
        )
    runs[key] = run
