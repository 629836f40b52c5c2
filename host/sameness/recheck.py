"""Whether a report's comparisons are those that were recorded: all of them, in full, and no difference left out.

What needs the files of two outputs to be told is believed of the report; what the records show by themselves is not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from host.agreement import visibly_differ
from host.perturbations.declared import STRATUM
from host.reports.model import Report, WarmSection
from host.reports.sections import SamenessPair, SamenessRow
from host.sameness.comparison import summary
from host.sameness.declared import Sameness
from host.sameness.outcome import agreement_of, claimed
from host.validation.comparisons import seed_of, warm_agreement
from host.validation.recorded_runs import WARM, RunRecords, ValidationRuns
from plugin_spec.manifest import Manifest
from registry.statements import Agreement

# Raises where what a report says (second) is not what is known (third), and names it (first).
Same = Callable[[str, object, object], None]


@dataclass(frozen=True)
class ComparisonCheck:
    """Checks the comparisons of one report.

    Attributes
    ----------
    runs : ValidationRuns
        Of the validation, from the log.
    manifest : Manifest
        Of the release.
    warm : Agreement or None
        What the report's record says of warm containers.
    same : callable
        Compares, and raises.
    """

    report: Report
    runs: ValidationRuns
    manifest: Manifest
    warm: Agreement | None
    same: Same

    def all(self) -> None:
        """Check every comparison, and that none was left out."""
        if self.report.warm is not None:
            self._warm_section(self.report.warm)
            return
        rows = self.report.sameness
        declared = {one.id: one for one in self.report.protocol.sameness}
        compared = [declared.get(row.id) or Sameness(id=row.id, kind=row.kind) for row in rows]
        self.same("comparisons", [row.id for row in rows if not row.asked], list(declared))
        self.same("comparisons", sorted(set(self.runs.again) - {row.id for row in rows}), [])
        for one, row in zip(compared, rows, strict=True):
            self.same(f"comparison {row.id}", row.asked, row.id not in declared)
            self._one(one, row)
        self.same("warm agreement", warm_agreement(compared, rows), self.warm)

    def _one(self, one: Sameness, row: SamenessRow) -> None:
        cases = [] if row.not_made else self._cases(one)
        recorded = self.runs.again.get(row.id, {})
        expected = [(case, number) for case in cases for number in range(1, one.count + 1)]
        what = f"comparison {row.id}"
        self.same(what, bool(row.not_made) and one.kind != "engine", False)
        self.same(what, [(pair.case, pair.repetition) for pair in row.pairs], expected)
        self.same(what, sorted(recorded), sorted(expected))
        for pair in row.pairs:
            self._pair(one, row, pair, recorded)
        again = summary(
            one,
            row.pairs,
            self.manifest,
            answered=any(self.runs.own[case].ended.outcome == "ok" for case in cases),
            engine=row.engine,
            seed=seed_of(self.report.validation, row.id) if cases and one.is_shuffled else None,
            asked=row.asked,
            not_made=row.not_made,
        )
        self.same(what, row, again)

    def _cases(self, one: Sameness) -> list[str]:
        """The cases that it concerns: of the kit's own table, since perturbed copies do not run again."""
        copies = {perturbation.id for perturbation in self.report.protocol.perturbations}
        rows = [section.row for section in self.report.cases]
        return [row.case for row in rows if row.strata.get(STRATUM) not in copies and one.concerns(row.case)]

    def _pair(
        self,
        one: Sameness,
        row: SamenessRow,
        pair: SamenessPair,
        recorded: Mapping[tuple[str, int], RunRecords],
    ) -> None:
        own, run = self.runs.own[pair.case], recorded[pair.case, pair.repetition]
        what = f"run of {pair.case} for comparison {row.id}"
        self.same(what, pair.run, run.begun.run)
        self.same(what, row.engine, f"{run.begun.engine} {run.begun.engine_version}")
        self.same(what, run.begun.container, "warm" if one.kind == "warm" else "fresh")
        other = own.begun.engine if one.engine is None else one.engine
        self.same(what, run.begun.engine, other)
        self.same(what, one.engine == own.begun.engine, False)
        self.same(what, _given(run), _given(own))
        self._no_difference_left_out(what, pair.differences, own, run)

    def _no_difference_left_out(
        self, what: str, differences: tuple[str, ...], own: RunRecords, run: RunRecords
    ) -> None:
        shown = visibly_differ(self.manifest, own.ended, run.ended)
        self.same(what, bool(differences) or not shown, True)

    def _warm_section(self, warm: WarmSection) -> None:
        """Check a section from before comparisons were declared."""
        recorded = self.runs.again.get(WARM, {})
        self.same(
            "warm runs", sorted(one.run for one in warm.runs), sorted(r.begun.run for r in recorded.values())
        )
        self.same("warm cases", sorted(one.case for one in warm.runs), sorted(self.runs.own))
        for one in warm.runs:
            run = recorded[one.case, 1]
            self.same("warm case", one.run, run.begun.run)
            self._no_difference_left_out(
                f"warm run of {one.case}", one.differences, self.runs.own[one.case], run
            )
        found = agreement_of(
            claimed(self.manifest),
            [one.differences for one in warm.runs],
            answered=any(run.ended.outcome == "ok" for run in self.runs.own.values()),
        )
        self.same("warm agreement", (warm.agreement, found), (self.warm, self.warm))


def _given(run: RunRecords) -> list[tuple[str, str]]:
    return [(one.port, one.digest) for one in run.begun.inputs]
