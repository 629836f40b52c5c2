"""From one number back to everything it came from: its run, inputs, image, lock, validation and signatures.

Every link is followed by digest, every record's signature and place in the log is checked, and a link that
is missing or does not fit is an error, never a gap in the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from registry import merkle
from registry.canonical import Digest, digest
from registry.errors import BrokenTraceError, UnknownRecordError
from registry.plans import ProtocolDeviation, find_plan
from registry.record import Record, leaf_data, run_key
from registry.statements import (
    Act,
    ESignature,
    LockSlot,
    Measured,
    Protocol,
    Release,
    RunFinished,
    RunStarted,
    ValidationReport,
    ValidationStarted,
)
from registry.trials import LockView

if TYPE_CHECKING:
    from registry.registry import Registry

ActT = TypeVar("ActT", bound=Act)


@dataclass(frozen=True, slots=True)
class Validation:
    """A report, the protocol and attempt behind it, and who signed it."""

    report_digest: Digest
    report: ValidationReport
    started: ValidationStarted
    protocol: Protocol
    signatures: tuple[ESignature, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A value and its whole origin.

    ``lock`` and ``slot`` are None for a validation run; ``validation`` is None for one whose report is not
    out yet. ``records`` are the log entries this rests on, each proven to lie under ``checkpoint``.
    """

    value: Measured
    output: Digest
    started: RunStarted
    finished: RunFinished
    release: Release
    lock: LockView | None
    slot: LockSlot | None
    validation: Validation | None
    records: tuple[Record, ...]
    checkpoint: str


def trace(registry: Registry, run: str, *, port: str, column: str, row: int = 0) -> Trace:
    """Follow a measured value to its origins.

    Parameters
    ----------
    registry : Registry
        The sponsor's, once the run's records are taken in, or the site's own.
    run : str
        The run id.
    port, column, row : str, str, int
        Which number: the measurements output, its column and its row, counted from 0.

    Raises
    ------
    UnknownRecordError
        No such run, or it measured no such value.
    BrokenTraceError
        A link is missing or does not fit.
    """
    return _Tracer(registry).follow(run, port, column, row)


class _Tracer:
    """Collects the records that a trace rests on."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._records: dict[Digest, Record] = {}

    def follow(self, run: str, port: str, column: str, row: int) -> Trace:
        begun, started = self._started(run)
        finished = self._finished(begun)
        value, output = _value(finished, port, column, row)
        release = self._read(started.release, Release)
        _fits("image", started.image, release.image)
        _fits("manifest", started.manifest, release.manifest)
        _fits("weights", started.weights, release.weights)
        view, slot = self._lock(started)
        report = slot.report if slot is not None else self._report_of(started)
        validation = None if report is None else self._validation(report, started.release)
        records = tuple(sorted(self._records.values(), key=lambda one: one.sequence))
        checkpoint = self._proven(records)
        return Trace(value, output, started, finished, release, view, slot, validation, records, checkpoint)

    def _started(self, run: str) -> tuple[Record, RunStarted]:
        found = [
            (record, act)
            for record in self._registry.records(RunStarted.predicate_type, subject=run_key(run))
            if (act := record.statement.read(RunStarted)).run == run
        ]
        if not found:
            raise UnknownRecordError(f"no run {run} in this log", subject=run)
        if len(found) > 1:
            raise BrokenTraceError(f"{len(found)} runs are called {run}", subject=run)
        self._keep(found[0][0])
        return found[0]

    def _finished(self, started: Record) -> RunFinished:
        # A run that ended meanwhile names this start as the record before its own, and is no end of it.
        ends = [
            one
            for one in self._registry.records(RunFinished.predicate_type, subject=started.digest)
            if one.statement.read(RunFinished).started == started.digest
        ]
        if len(ends) != 1:
            raise BrokenTraceError(f"the run has {len(ends)} recorded ends, not one", subject=started.digest)
        self._keep(ends[0])
        finished = ends[0].statement.read(RunFinished)
        _fits("run", finished.run, started.statement.read(RunStarted).run)
        return finished

    def _lock(self, started: RunStarted) -> tuple[LockView | None, LockSlot | None]:
        if started.trial is None:
            return None, None
        view = next(
            (one for one in self._registry.trial(started.trial).locks if one.digest == started.lock), None
        )
        if view is None or not view.holds:
            raise BrokenTraceError(f"run {started.run} names a lock that does not hold", subject=started.run)
        slot = next((one for one in view.lock.slots if one.release == started.release), None)
        if slot is None:
            raise BrokenTraceError(
                f"run {started.run} used a release its lock does not name", subject=started.run
            )
        _fits("image", started.image, slot.image)
        _fits("manifest", started.manifest, slot.manifest)
        _fits("parameters", started.parameters, slot.parameters)
        _fits("container", started.container, started.container if slot.warm else "fresh")
        self._keep(view.record)
        self._keep_signatures(view.digest)
        return view, slot

    def _report_of(self, started: RunStarted) -> Digest | None:
        for record in self._registry.records(ValidationReport.predicate_type, subject=started.release):
            if record.statement.read(ValidationReport).validation == started.validation:
                return record.digest
        return None

    def _validation(self, digest: Digest, release: Digest) -> Validation:
        report = self._read(digest, ValidationReport)
        _fits("release", report.release, release)
        started = self._read(report.started, ValidationStarted)
        _fits("protocol", started.protocol, report.protocol)
        return Validation(digest, report, started, self._plan(report.protocol), self._keep_signatures(digest))

    def _plan(self, name: Digest) -> Protocol:
        """The plan that was validated by; where it is a deviation, the plans before it are part of the trace."""
        record, plan = self._found(name, find_plan)
        self._keep(record)
        if isinstance(plan, ProtocolDeviation):
            self._plan(plan.previous)
        return plan

    def _keep_signatures(self, target: Digest) -> tuple[ESignature, ...]:
        # Not by subject: every run under a lock is filed under it too, and signatures are few.
        made = self._registry.records(ESignature.predicate_type)
        found = [one for one in made if one.statement.read(ESignature).target == target]
        for record in found:
            self._keep(record)
        return tuple(record.statement.read(ESignature) for record in found)

    def _read(self, name: Digest, kind: type[ActT]) -> ActT:
        record, act = self._found(name, lambda registry, digest: registry.find(digest, kind))
        self._keep(record)
        return act

    def _found(
        self, name: Digest, find: Callable[[Registry, Digest], tuple[Record, ActT]]
    ) -> tuple[Record, ActT]:
        try:
            return find(self._registry, name)
        except UnknownRecordError as error:
            raise BrokenTraceError(f"the record {name} that a link names is missing", subject=name) from error

    def _keep(self, record: Record) -> None:
        self._records[record.digest] = record

    def _proven(self, records: tuple[Record, ...]) -> str:
        """Show that every record lies under the newest checkpoint, and return that."""
        log = self._registry.log
        note = log.checkpoint()
        checkpoint = log.open_own(note)
        proofs = log.inclusions([record.digest for record in records], checkpoint.size)
        for record, proof in zip(records, proofs, strict=True):
            leaf = leaf_data(record.sequence, record.logged_at, record.digest, digest(record.envelope))
            merkle.verify_inclusion(
                merkle.leaf_hash(leaf), record.sequence, proof.size, proof=proof.hashes, root=checkpoint.root
            )
        return note


def _value(finished: RunFinished, port: str, column: str, row: int) -> tuple[Measured, Digest]:
    for value in finished.measured:
        if (value.port, value.column, value.row) == (port, column, row):
            for output in finished.outputs:
                if output.port == port:
                    return value, output.digest
            raise BrokenTraceError(f"run {finished.run} keeps no output {port}", subject=finished.run)
    raise UnknownRecordError(
        f"run {finished.run} measured no {port}, row {row}, column {column}", subject=finished.run
    )


def _fits(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise BrokenTraceError(f"the {what} of one link is {found}, of the next {expected}")
