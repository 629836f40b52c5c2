"""The comparisons of a validation: those that its protocol declares, and warm containers where they are asked for."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from host.crew import Crew
from host.kits.kit import KitFolder
from host.records import RunContext
from host.reports.sections import SamenessRow
from host.run_ledger import RecordedRun, RunLedger
from host.sameness.comparison import Way, compare_again, summary
from host.sameness.declared import Sameness
from host.sameness.engines import OtherEngine
from host.stored_outputs import StoredOutputs
from host.validation.recorded_runs import ValidationRuns
from host.validation.session import KitSession, Progress
from plugin_spec.manifest import Manifest
from registry.statements import Agreement


def wanted(folder: KitFolder, *, warm: bool) -> tuple[Sameness, ...]:
    """What is compared: what the protocol declares, and every case in warm containers where that was asked for."""
    declared = folder.protocol.sameness
    if not warm or any(is_warm(one) for one in declared):
        return declared
    taken = {one.id for one in declared}
    name = next(name for name in ("warm", "warm_asked", "warm_asked_for") if name not in taken)
    return (*declared, Sameness(id=name, kind="warm"))


def is_warm(one: Sameness) -> bool:
    """Whether a comparison shows every case in warm containers, which a lock that permits them rests on."""
    return one.kind == "warm" and one.cases == "all"


def warm_agreement(compared: Sequence[Sameness], rows: Sequence[SamenessRow]) -> Agreement | None:
    """What was found of warm containers, where every case ran in one."""
    ids = {one.id for one in compared if is_warm(one)}
    return next((row.agreement for row in rows if row.id in ids), None)


def seed_of(validation: str, comparison: str) -> int:
    """The seed of a comparison's order: nobody chooses it, and it stays the same where a validation goes on."""
    return int.from_bytes(hashlib.sha256(f"{validation}/{comparison}".encode()).digest()[:4], "big")


@dataclass(frozen=True)
class Comparing:
    """What runs the comparisons of one validation.

    Attributes
    ----------
    crew, ledger, context
        Of the judged runs.
    others : mapping of str to OtherEngine
        By comparison, the engine that it is to run on.
    runs : ValidationRuns
        What an earlier command recorded.
    """

    session: KitSession
    crew: Crew
    ledger: RunLedger
    context: RunContext
    stored: StoredOutputs
    others: Mapping[str, OtherEngine]
    runs: ValidationRuns

    def all(self, compared: Sequence[Sameness], progress: Progress) -> tuple[SamenessRow, ...]:
        """Make every comparison."""
        declared = {one.id for one in self.session.folder.protocol.sameness}
        return tuple(self._one(one, progress, asked=one.id not in declared) for one in compared)

    def _one(self, one: Sameness, progress: Progress, *, asked: bool) -> SamenessRow:
        manifest: Manifest = self.session.release.manifest
        other = self.others.get(one.id)
        if other is not None and other.engine is None:
            return summary(one, (), manifest, answered=False, asked=asked, not_made=other.reason)
        judged = self.session.judged(one.concerns)
        progress.say(f"sameness {one.id}: {len(judged)} cases once more ({one.kind})")
        return compare_again(
            one, judged, self._way(one, other), asked=asked, told=progress.told, cancelled=progress.cancelled
        )

    def _way(self, one: Sameness, other: OtherEngine | None) -> Way:
        crew, ledger, info = replace(self.crew, warm=one.kind == "warm"), self.ledger, self.context.engine
        if other is not None and other.engine is not None:
            info = other.engine.describe()
            crew = replace(crew, engine=other.engine)
            ledger = self.ledger.on(other.engine, replace(self.context, engine=info))
        return Way(
            ledger=ledger,
            crew=crew,
            stored=self.stored,
            engine=f"{info.name} {info.version}",
            seed=seed_of(self.context.validation or "", one.id),
            recorded=self._recorded(one),
        )

    def _recorded(self, one: Sameness) -> dict[tuple[str, int], RecordedRun]:
        return {
            key: self.stored.recorded(run.started, run.finished)
            for key, run in self.runs.again.get(one.id, {}).items()
        }
