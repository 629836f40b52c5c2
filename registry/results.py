"""Results of record: one per subject, visit and slot, reruns that supersede, and one release per subject. Pure.

Invariants
----------
* The result of record is the newest run that ended ok; one that it superseded stays in the log, linked from it.
* A run where there is a result names that result and says by a code why it is made again.
* A subject's results in a slot are of one release, unless an amendment carries bridging evidence.
* Locks from before these rules (``TrialLock.conduct``) leave their runs as they were.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from registry.canonical import Digest, canonical_json, digest
from registry.errors import DuplicateRecordError, MixedReleaseError, RerunError
from registry.record import Record
from registry.statements import LockSlot, RunFinished, RunStarted
from registry.trials import LockView

RUN_TYPES = (RunStarted.predicate_type, RunFinished.predicate_type)
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class TrialRun:
    """A run of a trial: what it is of, and how it ended; ``ended`` is None while nobody said."""

    record: Digest
    started: RunStarted
    slot: str
    ended: RunFinished | None = None

    @property
    def key(self) -> Key:
        """Subject, visit and slot."""
        return self.started.subject, self.started.visit, self.slot


def trial_runs(records: Iterable[Record], locks: Sequence[LockView]) -> list[TrialRun]:
    """The runs of one trial in log order.

    Parameters
    ----------
    records : iterable of Record
        Starts and ends of runs, at least; any other kind is passed over.
    locks : sequence of LockView
        The trial's. A run under none of them is another trial's.
    """
    slots = {(view.digest, slot.release): slot.slot for view in locks for slot in view.lock.slots}
    runs: dict[Digest, TrialRun] = {}
    for record in records:
        if record.statement.predicate_type == RunStarted.predicate_type:
            started = record.statement.read(RunStarted)
            slot = slots.get((started.lock or "", started.release))
            if slot is not None:
                runs[record.digest] = TrialRun(record.digest, started, slot)
        elif record.statement.predicate_type == RunFinished.predicate_type:
            ended = record.statement.read(RunFinished)
            if ended.started in runs:
                runs[ended.started] = replace(runs[ended.started], ended=ended)
    return list(runs.values())


def results_of_record(runs: Iterable[TrialRun]) -> dict[Key, TrialRun]:
    """The result of record of each subject, visit and slot: the newest run that ended ok."""
    return {run.key: run for run in runs if run.ended is not None and run.ended.outcome == "ok"}


def superseded(runs: Sequence[TrialRun]) -> list[tuple[TrialRun, TrialRun]]:
    """Earlier results, each with the run that superseded it."""
    ok = [run for run in runs if run.ended is not None and run.ended.outcome == "ok"]
    newer = {run.started.rerun_of: run for run in ok if run.started.rerun_of}
    return [(run, newer[run.started.run]) for run in ok if run.started.run in newer]


def affected_digest(runs: Sequence[TrialRun]) -> Digest:
    """The digest of the list of results that an amendment finds: what its signers were shown."""
    listed = sorted([*key, run.started.run] for key, run in results_of_record(runs).items())
    return digest(canonical_json(listed))


def check_conduct(act: RunStarted, view: LockView, slot: LockSlot, runs: Sequence[TrialRun]) -> None:
    """Refuse a run that would make a second result, or mix releases within a subject.

    Parameters
    ----------
    act : RunStarted
        About to start.
    view, slot
        The lock in force, and the slot it uses.
    runs : sequence of TrialRun
        The trial's earlier runs.

    Raises
    ------
    DuplicateRecordError
        Another run of the same is under way.
    RerunError
        There is a result that the run does not name with a reason code, or it names one that is not the result.
    MixedReleaseError
        The subject has results of another release.
    """
    if not view.lock.conduct:
        return
    same = [run for run in runs if run.key == (act.subject, act.visit, slot.slot)]
    under_way = next((run for run in same if run.ended is None), None)
    if under_way is not None:
        raise DuplicateRecordError(
            f"run {under_way.started.run} of {act.subject} {act.visit} is under way", subject=act.run
        )
    current = results_of_record(runs)
    _check_rerun(act, current.get((act.subject, act.visit, slot.slot)))
    _check_one_release(act, view, slot, current)


def _check_rerun(act: RunStarted, result: TrialRun | None) -> None:
    named = result.started.run if result else None
    if act.rerun_of != named or (named is not None and act.rerun_reason is None):
        said = f"has the result {named}" if named else "has no result to make again"
        raise RerunError(
            f"{act.subject} {act.visit} {said}",
            subject=act.run,
            hint=f"assay trial run --rerun-of {named} --reason CODE" if named else "leave --rerun-of out",
        )


def _check_one_release(
    act: RunStarted, view: LockView, slot: LockSlot, current: Mapping[Key, TrialRun]
) -> None:
    others = [
        run
        for (subject, visit, name), run in current.items()
        if (subject, name) == (act.subject, slot.slot)
        and visit != act.visit
        and run.started.release != act.release
    ]
    amendment = view.lock.amendment
    bridged = amendment is not None and amendment.bridging is not None
    reprocessing = act.rerun_of is not None and amendment is not None and amendment.impact == "reprocess all"
    if others and not (bridged or reprocessing):
        visits = ", ".join(sorted(run.started.visit for run in others))
        raise MixedReleaseError(
            f"{act.subject} has results of another release in {slot.slot}: {visits}",
            subject=act.run,
            hint="reprocess those visits first, or amend with bridging evidence: assay trial amend --bridging",
        )
