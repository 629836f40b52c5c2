"""Run a build on a table of cases, side by side, and keep each result as it comes; nothing is recorded.

A batch can be stopped and started again: a case whose result is whole and comes from the same inputs is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from host.batch_results import (
    CaseDocument,
    Expected,
    NotRun,
    check_results_folder,
    keep_result,
    kept_result,
    write_tables,
)
from host.builds import as_release, have_built_image, read_build
from host.case_document import case_document
from host.case_table import TableCase, read_case_table
from host.check.plugin import check_plugin
from host.crew import Cancelled, Crew, Place
from host.engines.interface import Engine
from host.errors import MachineTooSmallError, TargetError
from host.execution import CaseRequest, Execution
from host.home import Home
from host.leftovers import clear_dead
from host.machine import Room, this_machine
from host.planning import complete_parameters, plan_limits
from host.releases import InstalledRelease
from host.warm.declared import require_declared
from host.warm.memory import MemoryProbe, peer_memory
from host.workbench import Bench
from plugin_spec.errors import AssayError, EngineError, InputError


@dataclass(frozen=True)
class BatchOrder:
    """What the operator asks for.

    Attributes
    ----------
    folder, cases, out : Path
        The plugin's folder, the table, and the folder for results.
    jobs : int
        How many cases at a time, where the machine has room for them.
    warm : bool
        One container per worker instead of one per case.
    replace : bool
        Whether earlier results of other cases, plugins or parameters in ``out`` are removed.
    """

    folder: Path
    cases: Path
    out: Path
    jobs: int = 1
    warm: bool = False
    replace: bool = False


@dataclass(frozen=True)
class BatchProgress:
    """What a batch tells while it runs: lines, and each case with its number and whether it was kept from before."""

    say: Callable[[str], None]
    case_done: Callable[[CaseDocument, bool, int, int], None]


@dataclass(frozen=True)
class Batch:
    """A finished batch: every case in the table's order, and the two tables."""

    results: tuple[CaseDocument, ...]
    kept: int
    tables: tuple[Path, Path]


def run_batch(
    home: Home,
    engine: Engine,
    order: BatchOrder,
    progress: BatchProgress,
    *,
    room: Room | None = None,
    probe: MemoryProbe = peer_memory,
) -> Batch:
    """Run every case of a table.

    Parameters
    ----------
    room : Room, optional
        Default: this machine.
    probe : callable, optional
        Reads the memory of warm containers.

    Raises
    ------
    CaseTableError, TargetError, WarmUndeclaredError, MachineTooSmallError
        Before anything runs.
    EngineError, KeyboardInterrupt
        The finished part is kept, and the tables say which cases were not run.
    """
    manifest = check_plugin(order.folder)
    cases = read_case_table(order.cases, manifest)
    release = as_release(home, read_build(home, manifest, order.folder), manifest)
    if order.warm:
        require_declared(manifest)
    room = room or Room(this_machine())
    room.require(plan_limits(manifest, 0), release.title)
    check_results_folder(order.out, _expected(release, cases), replace=order.replace)
    finished: dict[int, tuple[CaseDocument, bool]] = {}

    def done(number: int, result: tuple[CaseDocument, bool]) -> None:
        finished[number] = result
        progress.case_done(*result, len(finished), len(cases))

    with home.running():
        clear_dead(home, engine)
        have_built_image(home, engine, release, say=progress.say)
        bench = Bench(home, release, engine, say=progress.say)
        crew = Crew(
            engine, home.runs, release, room, jobs=order.jobs, warm=order.warm, say=progress.say, probe=probe
        )
        stopped = "cancelled"
        try:
            crew.work(cases, _Runner(bench, release, order.out).run, done=done)
        except EngineError as error:
            stopped = error.code
            raise
        finally:
            tables = write_tables(order.out, _in_order(cases, finished, stopped))
            if len(finished) < len(cases):
                progress.say(
                    f"stopped: {len(finished)} of {len(cases)} cases are finished and kept; see {tables[0]}"
                )
    results = tuple(finished[number][0] for number in range(len(cases)))
    return Batch(results, sum(kept for _, kept in finished.values()), tables)


def _expected(release: InstalledRelease, cases: Sequence[TableCase]) -> Expected:
    manifest = release.manifest
    return Expected(
        (manifest.id, release.image, release.manifest_digest),
        {case.case_id: complete_parameters(manifest, case.parameters) for case in cases},
    )


def _in_order(
    cases: Sequence[TableCase], finished: Mapping[int, tuple[CaseDocument, bool]], stopped: str
) -> list[CaseDocument | NotRun]:
    return [
        finished[number][0] if number in finished else NotRun(case.case_id, stopped)
        for number, case in enumerate(cases)
    ]


@dataclass(frozen=True)
class _Runner:
    """Runs single cases of a batch; safe for threads."""

    bench: Bench
    release: InstalledRelease
    out: Path

    def run(self, case: TableCase, place: Place, cancelled: Cancelled) -> tuple[CaseDocument, bool]:
        """Run one case of the table, or find that its result is there already."""
        container: Literal["fresh", "warm"] = "warm" if place.warm is not None else "fresh"
        request = CaseRequest(case.case_id, case.inputs, case.parameters)
        try:
            with self.bench.staged(request, place=place) as prepared:
                planned = case_document(self.release, case.case_id, container, prepared=prepared)
                kept = kept_result(self.out, planned)
                if kept is not None:
                    return kept, True
                execution = self.bench.execute(prepared, place=place, cancelled=cancelled)
                document = case_document(
                    self.release, case.case_id, container, prepared=prepared, execution=execution
                )
                keep_result(
                    self.out, document, [one.path for one in execution.outputs], log=prepared.folder.log
                )
        except TargetError:
            raise  # the folder for results is nothing that the case is to blame for
        except (InputError, MachineTooSmallError) as error:
            # An input that cannot be used, or is too large for this machine, is no reason to stop the others.
            document = case_document(self.release, case.case_id, container, execution=_unusable(error))
            keep_result(self.out, document, [], log=None)
        return document, False


def _unusable(error: AssayError) -> Execution:
    return Execution("failed", error.code, error.message, hint=error.hint)
