"""A kit's cases once more in warm containers, recorded as such, and compared with their fresh runs.

A lock may permit warm containers only where a report says that this was done and found equal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from host.agreement import Answered, differences
from host.crew import Cancelled, Crew, Place
from host.execution import CaseRequest, Execution, PreparedRun
from host.outputs import CheckedOutput
from host.releases import InstalledRelease
from host.reports.model import WarmRun, WarmSection
from host.run_ledger import RecordedRun, RunLedger
from host.warm.equality import agreement_of, claimed, shuffled
from registry.blobs import BlobStore


@dataclass(frozen=True)
class FreshRun:
    """A case of the kit as it ran in a fresh container."""

    request: CaseRequest
    subject: str
    run: RecordedRun


def compare_on_kit(
    ledger: RunLedger,
    crew: Crew,
    fresh: Sequence[FreshRun],
    *,
    blobs: BlobStore,
    seed: int,
    told: Callable[[str, int, int], None],
    cancelled: Cancelled,
) -> WarmSection:
    """Run every case in a warm container, in shuffled order.

    Parameters
    ----------
    ledger : RunLedger
        Of the validation.
    crew : Crew
        Warm, of the same release.
    fresh : sequence of FreshRun
    blobs : BlobStore
        Where the outputs of the fresh runs are.
    seed : int
        Of the order; stands in the report.
    told : callable
        Told each case that is done: a line, its number, and how many there are.
    cancelled : callable
        Whether the operator wants to stop.

    Raises
    ------
    EngineError
        The engine failed.
    """
    order = shuffled(fresh, seed)
    done: list[WarmRun] = []

    def one_done(number: int, result: WarmRun) -> None:
        done.append(result)
        word = "; ".join(result.differences) or "as in a fresh container"
        told(f"{result.case}, warm: {word}", len(done), len(order))

    with TemporaryDirectory() as links:
        again = _Again(ledger, crew.release, blobs, Path(links))
        runs = crew.work(order, again.run, done=one_done, cancelled=cancelled)
    manifest = crew.release.manifest
    return WarmSection(
        seed=seed,
        agreement=agreement_of(
            claimed(manifest),
            [one.differences for one in runs],
            answered=any(one.run.execution.outcome == "ok" for one in fresh),
        ),
        claim=manifest.determinism.claim,
        runs=tuple(runs),
    )


@dataclass(frozen=True)
class _Again:
    """Runs a case once more, and compares what it answers with its fresh run."""

    ledger: RunLedger
    release: InstalledRelease
    blobs: BlobStore
    links: Path

    def run(self, case: FreshRun, place: Place, cancelled: Cancelled) -> WarmRun:
        before = Answered.of(case.run.execution, _Linked(self.blobs, self.links, case.request.case_id).path)
        found: list[tuple[str, ...]] = []

        def compare(_: PreparedRun, execution: Execution) -> None:
            found.append(differences(self.release.manifest, before, Answered.of(execution)))

        finished = self.ledger.run(
            self.release,
            case.request,
            subject=case.subject,
            visit="kit",
            cancelled=cancelled,
            place=place,
            inspect=compare,
        )
        return WarmRun(case=case.request.case_id, run=finished.record.run, differences=found[0])


@dataclass(frozen=True)
class _Linked:
    """Gives a stored output its file name back, which says how an image is to be read."""

    blobs: BlobStore
    folder: Path
    case_id: str

    def path(self, output: CheckedOutput) -> Path:
        link = self.folder / f"{self.case_id}-{output.port}-{output.path.name}"
        link.symlink_to(self.blobs.path(output.digest))
        return link
