"""A validation that was stopped, and may go on: same release, plan, kit, engine and host, by the same person.

Invariants
----------
* It goes on under its own number: the attempt ledger holds it once, whatever stopped it how often.
* Cases that ended keep their runs; only what the host cut short runs again, and the report tells each such run.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from host import __version__
from host.errors import ResumeError
from host.validation.recorded_runs import ValidationRuns, runs_of
from registry.log import Record
from registry.registry import Registry
from registry.statements import Release, ValidationReport, ValidationStarted

NO_RUNS = ValidationRuns({}, {}, ())


@dataclass(frozen=True)
class Stopped:
    """A validation without its report.

    Attributes
    ----------
    record : Record
        Of its start.
    """

    record: Record
    started: ValidationStarted

    @property
    def smoke(self) -> bool:
        """Whether only the smoke subset runs."""
        return self.started.subset == "smoke"

    def runs(self, registry: Registry) -> ValidationRuns:
        """What ran so far; call it once runs without an end were closed."""
        return runs_of(registry, self.started.validation)


def find_stopped(registry: Registry, validation: str) -> Stopped:
    """The start of a validation that has no report yet.

    Raises
    ------
    ResumeError
        No such validation, or it is finished.
    """
    for record in registry.records(ValidationReport.predicate_type):
        if record.statement.read(ValidationReport).validation == validation:
            raise ResumeError(
                f"validation {validation} is finished: it has its report",
                subject=validation,
                hint=f"assay report show {validation}",
            )
    for record in registry.records(ValidationStarted.predicate_type):
        started = record.statement.read(ValidationStarted)
        if started.validation == validation:
            return Stopped(record, started)
    raise ResumeError(f"there is no validation {validation!r}", subject=validation, hint="assay audit log")


def require_unchanged(registry: Registry, stopped: Stopped, now: "Conditions") -> None:
    """Refuse to go on where something that decides the results is not what it was.

    Raises
    ------
    ResumeError
        One line with what changed.
    """
    fault = next(_changes(stopped, stopped.runs(registry), now), "")
    if fault:
        started = stopped.started
        title = registry.log.record(started.release).statement.read(Release)
        raise ResumeError(
            f"validation {started.validation} cannot go on: {fault}",
            subject=started.validation,
            hint=f"begin another one: assay validate {title.plugin}@{title.version}; this attempt stays in the ledger",
        )


@dataclass(frozen=True)
class Conditions:
    """What decides the results of a validation.

    Attributes
    ----------
    person : str
        Who goes on.
    release, protocol : str
        Digests of the records that are used.
    engine : str
        Name and version.
    """

    person: str
    release: str
    protocol: str
    engine: str


def _changes(stopped: Stopped, runs: ValidationRuns, now: Conditions) -> Iterator[str]:
    started = stopped.started
    if now.person != started.actor:
        yield f"{started.actor} began it, not {now.person}"
    if now.release != started.release:
        yield "it is of another release"
    if now.protocol != started.protocol:
        yield "the plan it was begun under is not the kit's plan any more"
    for run in runs.own.values():
        used = f"{run.begun.engine} {run.begun.engine_version}"
        if used != now.engine:
            yield f"it was begun on {used}, and this is {now.engine}"
        if run.begun.host_version != __version__:
            yield f"it was begun with assay {run.begun.host_version}, and this is {__version__}"
