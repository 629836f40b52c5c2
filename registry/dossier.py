"""Everything a log knows about one release: its attempts, evaluations, approvals, decisions, and trials that use it.

A projection like the catalogue, for one release; runs are read only where it was recalled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry.canonical import Digest
from registry.catalogue import CatalogueEntry
from registry.errors import UnknownRecordError
from registry.impact import Impact, affected
from registry.plans import find_plan
from registry.standing import ReleaseRecalled
from registry.statements import Protocol, TrialLock, ValidationReport, ValidationStarted

if TYPE_CHECKING:
    from registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Attempt:
    """One start of a validation, whatever became of it."""

    started: ValidationStarted
    protocol: Protocol
    report: ValidationReport | None
    counts: bool

    @property
    def ended(self) -> str:
        """The verdict, and what a report lacks; an attempt without one was abandoned, or is under way."""
        if self.report is None:
            return "no report: abandoned, or under way"
        return self.report.verdict if self.counts else f"{self.report.verdict}; not signed by QA"


@dataclass(frozen=True, slots=True)
class Use:
    """A lock that names the release, and whether it is its trial's lock in force."""

    trial: str
    title: str
    scope: str
    sequence: int
    lock: Digest
    in_force: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """One release; ``recalled`` is the list that its recall was signed for."""

    entry: CatalogueEntry
    attempts: tuple[Attempt, ...]
    uses: tuple[Use, ...]
    recalled: Impact | None


def dossier(registry: Registry, release: Digest) -> Dossier:
    """Put together what the log says of a release.

    Raises
    ------
    UnknownRecordError
        No such release was submitted.
    """
    entry = registry.catalogue().get(release)
    if entry is None:
        raise UnknownRecordError(f"no release {release} in this log", subject=release)
    recall = next(iter(registry.records(ReleaseRecalled.predicate_type, subject=release)), None)
    return Dossier(
        entry,
        tuple(_attempts(registry, entry)),
        tuple(_uses(registry, release)),
        None if recall is None else affected(registry, release, before=recall.sequence),
    )


def _attempts(registry: Registry, entry: CatalogueEntry) -> Iterator[Attempt]:
    counting = {one.digest for one in entry.evaluations}
    reports = {
        one.statement.read(ValidationReport).started: one
        for one in registry.records(ValidationReport.predicate_type, subject=entry.digest)
    }
    for record in registry.records(ValidationStarted.predicate_type, subject=entry.digest):
        started = record.statement.read(ValidationStarted)
        if started.release != entry.digest:
            continue  # a later release that was compared with this one
        found = reports.get(record.digest)
        yield Attempt(
            started,
            find_plan(registry, started.protocol)[1],
            None if found is None else found.statement.read(ValidationReport),
            found is not None and found.digest in counting,
        )


def _uses(registry: Registry, release: Digest) -> Iterator[Use]:
    for record in registry.records(TrialLock.predicate_type, subject=release):
        lock = record.statement.read(TrialLock)
        if any(slot.release == release for slot in lock.slots):
            known = registry.trial(lock.trial)
            in_force = known.effective is not None and known.effective.digest == record.digest
            yield Use(
                lock.trial, known.trial.title, known.trial.scope, lock.sequence, record.digest, in_force
            )
