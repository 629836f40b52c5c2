"""Whether every site of a trial runs in the same effective configuration, by its own signed records. Pure.

What the lock fixes is held against the lock. What it leaves open (versions of host and engine, the engine among the
allowed ones) is held against what most sites declare.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from registry.canonical import canonical_json
from registry.results import TrialRun
from registry.statements import LockSlot, RunStarted
from registry.trials import LockView

LOCKED: Mapping[str, Callable[[RunStarted | LockSlot], object]] = MappingProxyType(
    {
        "release": lambda one: one.release,
        "image": lambda one: one.image,
        "manifest": lambda one: one.manifest,
        "weights": lambda one: {file.name: file.digest for file in one.weights},
        "parameters": lambda one: one.parameters,
    }
)
COMMON: Mapping[str, Callable[[RunStarted], object]] = MappingProxyType(
    {
        "engine": lambda run: run.engine,
        "engine version": lambda run: run.engine_version,
        "host version": lambda run: run.host_version,
    }
)


@dataclass(frozen=True, slots=True)
class Drift:
    """One field in which a run of a site is not as it should be.

    Attributes
    ----------
    site, slot, run : str
        Where it shows: the site's newest run that differs.
    field : str
        ``lock``, or a key of `LOCKED` or `COMMON`.
    found, expected : str
        Both as canonical JSON, so that true and 1 differ. ``expected`` is empty where as many sites say one thing as
        another: then nobody is right by number, and all of them are named.
    """

    site: str
    slot: str
    run: str
    field: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What differs, and the sites of the lock that have shown nothing yet."""

    compared: tuple[str, ...]
    silent: tuple[str, ...]
    drifts: tuple[Drift, ...]


def compare_sites(view: LockView, runs: Sequence[TrialRun]) -> DriftReport:
    """Compare what the sites of a trial declare.

    Parameters
    ----------
    view : LockView
        The lock in force.
    runs : sequence of TrialRun
        The trial's, in log order; at a sponsor those that were taken in.

    Returns
    -------
    DriftReport
        No drift where no site ran.
    """
    newest = {(run.started.actor, run.slot): run for run in runs}
    current = [run for run in runs if run.started.lock == view.digest]
    found: dict[tuple[str, str, str], Drift] = {}
    for one in [*_older_locks(view, newest.values()), *_against_lock(view, current), *_against_most(current)]:
        found[one.site, one.slot, one.field] = one
    ran = {site for site, _ in newest}
    return DriftReport(
        tuple(sorted(ran)),
        tuple(sorted(set(view.lock.sites) - ran)),
        tuple(found[key] for key in sorted(found)),
    )


def _older_locks(view: LockView, newest: Iterable[TrialRun]) -> Iterator[Drift]:
    for run in newest:
        if run.started.lock != view.digest:
            yield _drift(run, "lock", _text(run.started.lock), _text(view.digest))


def _against_lock(view: LockView, runs: Iterable[TrialRun]) -> Iterator[Drift]:
    slots = {slot.slot: slot for slot in view.lock.slots}
    for run in runs:
        for field, read in LOCKED.items():
            found, expected = _text(read(run.started)), _text(read(slots[run.slot]))
            if found != expected:
                yield _drift(run, field, found, expected)


def _against_most(runs: Sequence[TrialRun]) -> Iterator[Drift]:
    for field, read in COMMON.items():
        said = {run.started.actor: _text(read(run.started)) for run in runs}
        ranked = Counter(said.values()).most_common(2)
        tied = len(ranked) == 2 and ranked[0][1] == ranked[1][1]
        expected = "" if not ranked or tied else ranked[0][0]
        for run in runs:
            if (found := _text(read(run.started))) != expected:
                yield _drift(run, field, found, expected)


def _drift(run: TrialRun, field: str, found: str, expected: str) -> Drift:
    return Drift(run.started.actor, run.slot, run.started.run, field, found, expected)


def _text(value: object) -> str:
    return canonical_json(value).decode()
