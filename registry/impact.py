"""What a release has touched: the trials, locks, sites, runs and subjects that its recall concerns.

The list is derived from the log and never stored; a recall carries its digest, so that it can be drawn up again as
its signer saw it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from plugin_spec.model import Identifier, StrictModel
from registry.canonical import Digest, canonical_json, digest
from registry.statements import CaseIdentifier, RunIdentifier, RunStarted, TrialLock

if TYPE_CHECKING:
    from registry.record import Record
    from registry.registry import Registry


class AffectedLock(StrictModel):
    """A lock that names the release, whether or not it came into force."""

    trial: Identifier
    sequence: int = Field(gt=0)
    lock: Digest


class AffectedRun(StrictModel):
    """A run of the release that was started, however it ended; ``trial`` is None for a run of a validation."""

    run: RunIdentifier
    node: Identifier
    at: str
    trial: Identifier | None
    subject: CaseIdentifier
    visit: CaseIdentifier


class AffectedSubject(StrictModel):
    """A subject of a trial; the cases of a validation kit are nobody's subjects."""

    trial: Identifier
    subject: CaseIdentifier


class Impact(StrictModel):
    """Everything a release has touched, as one log shows it; runs in log order, the rest sorted."""

    release: Digest
    trials: tuple[Identifier, ...]
    locks: tuple[AffectedLock, ...]
    sites: tuple[Identifier, ...]
    runs: tuple[AffectedRun, ...]
    subjects: tuple[AffectedSubject, ...]

    @property
    def digest(self) -> Digest:
        """The digest of the list's canonical bytes: what a recall is signed for."""
        return digest(canonical_json(self.model_dump(mode="json")))


def affected(registry: Registry, release: Digest, *, before: int | None = None) -> Impact:
    """Draw up the list of what a release has touched.

    Parameters
    ----------
    registry : Registry
        The sponsor's: runs of sites count once their records are taken in.
    release : Digest
        The payload digest of the release.
    before : int, optional
        Only entries before this place in the log, as whoever signed the entry there saw them; default: all.

    Returns
    -------
    Impact
        Empty lists for a release that nobody locked or ran.
    """
    found = [one for one in _about(registry, release) if before is None or one.sequence < before]
    locks = [(one.digest, one.statement.read(TrialLock)) for one in found if _is(one, TrialLock)]
    runs = [one.statement.read(RunStarted) for one in found if _is(one, RunStarted)]
    naming = [(name, lock) for name, lock in locks if any(slot.release == release for slot in lock.slots)]
    in_trials = [(run.trial, run) for run in runs if run.trial is not None and run.release == release]
    return Impact(
        release=release,
        trials=tuple(sorted({lock.trial for _, lock in naming} | {trial for trial, _ in in_trials})),
        locks=tuple(
            AffectedLock(trial=lock.trial, sequence=lock.sequence, lock=name)
            for name, lock in sorted(naming, key=lambda one: (one[1].trial, one[1].sequence))
        ),
        sites=tuple(
            sorted({site for _, lock in naming for site in lock.sites} | {run.actor for _, run in in_trials})
        ),
        runs=tuple(
            AffectedRun(
                run=run.run,
                node=run.actor,
                at=run.at,
                trial=run.trial,
                subject=run.subject,
                visit=run.visit,
            )
            for run in runs
            if run.release == release
        ),
        subjects=tuple(
            AffectedSubject(trial=trial, subject=subject)
            for trial, subject in sorted({(trial, run.subject) for trial, run in in_trials})
        ),
    )


def _about(registry: Registry, release: Digest) -> Iterator[Record]:
    return registry.records((TrialLock.predicate_type, RunStarted.predicate_type), subject=release)


def _is(record: Record, kind: type[TrialLock] | type[RunStarted]) -> bool:
    return record.statement.predicate_type == kind.predicate_type
