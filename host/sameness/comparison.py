"""Cases of a validation run once more, recorded as such, and compared with the runs that are judged.

One way for every kind: what differs between repeat, order, warm and engine is the crew, the ledger and the order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from host.agreement import Answered, differences
from host.crew import Cancelled, Crew, Place
from host.execution import CaseRequest
from host.records import Again
from host.reports.sections import SamenessPair, SamenessRow
from host.run_ledger import RecordedRun, RunLedger
from host.sameness.declared import Sameness
from host.sameness.outcome import agreement_of, claimed, shuffled
from host.stored_outputs import StoredOutputs
from plugin_spec.manifest import Manifest

_CHECKS: Final = {
    "repeat": "run again",
    "order": "run again in a shuffled order",
    "warm": "run again in warm containers, in a shuffled order",
    "engine": "run again on {engine}",
}


@dataclass(frozen=True)
class JudgedRun:
    """A case and its run that is judged, with its outputs as files."""

    request: CaseRequest
    subject: str
    run: RecordedRun


@dataclass(frozen=True)
class Way:
    """How cases run again.

    Attributes
    ----------
    ledger : RunLedger
        Of the validation, and of the engine that they run on.
    crew : Crew
    stored : StoredOutputs
    engine : str
        Name and version.
    seed : int
        Of the order, where it is shuffled; each further repetition takes the next number.
    recorded : mapping of (case, repetition) to RecordedRun
        What an earlier command recorded before it was stopped.
    """

    ledger: RunLedger
    crew: Crew
    stored: StoredOutputs
    engine: str
    seed: int
    recorded: Mapping[tuple[str, int], RecordedRun]


def compare_again(
    declared: Sameness,
    judged: Sequence[JudgedRun],
    way: Way,
    *,
    asked: bool = False,
    told: Callable[[str, int, int], None],
    cancelled: Cancelled,
) -> SamenessRow:
    """Run cases again, and say what does not agree with their judged runs.

    Parameters
    ----------
    declared : Sameness
    judged : sequence of JudgedRun
        The cases that it concerns.
    way : Way
    asked : bool, optional
        Whether the operator asked for it beside the protocol.
    told : callable
        Told each case that is done: a line, its number, and how many there are.
    cancelled : callable
        Whether the operator wants to stop.

    Raises
    ------
    EngineError
        The engine failed.
    """
    again = _Again(declared, way, {one.request.case_id: number for number, one in enumerate(judged)})
    found: list[SamenessPair] = []
    total = len(judged) * declared.count

    def one_done(number: int, pair: SamenessPair) -> None:
        found.append(pair)
        word = "; ".join(pair.differences) or "the same"
        told(f"{pair.case}, {declared.id}: {word}", len(found), total)

    for repetition in range(1, declared.count + 1):
        order = shuffled(judged, way.seed + repetition - 1) if declared.is_shuffled else list(judged)
        work = [(one, repetition) for one in order]
        way.crew.work(work, again.run, done=one_done, cancelled=cancelled)
    pairs = sorted(found, key=lambda pair: (again.places[pair.case], pair.repetition))
    return summary(
        declared,
        pairs,
        way.crew.release.manifest,
        answered=any(one.run.record.outcome == "ok" for one in judged),
        engine=way.engine,
        seed=way.seed if declared.is_shuffled else None,
        asked=asked,
    )


@dataclass(frozen=True)
class _Again:
    """Runs a case once more, and compares what it answers with its judged run."""

    declared: Sameness
    way: Way
    places: Mapping[str, int]

    def run(self, item: tuple[JudgedRun, int], place: Place, cancelled: Cancelled) -> SamenessPair:
        one, repetition = item
        case = one.request.case_id
        run = self.way.recorded.get((case, repetition))
        if run is None:
            release = self.way.crew.release
            run = self.way.stored.kept(
                self.way.ledger.run(
                    release,
                    one.request,
                    subject=one.subject,
                    visit="kit",
                    cancelled=cancelled,
                    place=place,
                    again=Again(self.declared.id, repetition),
                )
            )
        return SamenessPair(
            case=case,
            repetition=repetition,
            run=run.record.run,
            differences=differences(
                self.way.crew.release.manifest, Answered.of(one.run.execution), Answered.of(run.execution)
            ),
        )


def summary(
    declared: Sameness,
    pairs: Sequence[SamenessPair],
    manifest: Manifest,
    *,
    answered: bool,
    engine: str = "",
    seed: int | None = None,
    asked: bool = False,
    not_made: str = "",
) -> SamenessRow:
    """What a comparison comes to, from its pairs alone.

    Parameters
    ----------
    answered : bool
        Whether a judged run of the cases ended ok.
    not_made : str, optional
        Why nothing ran again.
    """
    times = f", {declared.count} times" if declared.count > 1 else ""
    differing = {one.case for one in pairs if one.differences}
    claim = claimed(manifest)
    return SamenessRow(
        id=declared.id,
        kind=declared.kind,
        asked=asked,
        check=_CHECKS[declared.kind].format(engine=declared.engine) + times,
        rule=manifest.determinism.claim,
        cases=len({one.case for one in pairs}),
        same=len({one.case for one in pairs} - differing),
        engine=engine,
        seed=seed,
        agreement=agreement_of(claim, [one.differences for one in pairs], answered=answered),
        not_made=not_made,
        pairs=tuple(pairs),
    )
