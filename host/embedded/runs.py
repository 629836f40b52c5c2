"""Run the embedded tests of a build, as often and in such containers as the plan says; nothing is recorded."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from host.builds import as_release, have_built_image, read_build
from host.check.plugin import check_plugin
from host.crew import Cancelled, Crew, Place
from host.embedded.determinism import Finding, measure
from host.embedded.judging import fault_of_run
from host.embedded.observation import Observation
from host.embedded.plan import Plan, PlannedRun, plan_runs
from host.engines.interface import Engine
from host.execution import CaseRequest
from host.explanation import Explanation, explain
from host.home import Home
from host.leftovers import clear_dead
from host.machine import Room, this_machine
from host.planning import plan_limits
from host.records import measured
from host.releases import InstalledRelease
from host.warm.memory import MemoryProbe, peer_memory
from host.workbench import Bench
from plugin_spec.manifest import EmbeddedTest, Manifest


@dataclass(frozen=True)
class TestOrder:
    """What the author asks for.

    Attributes
    ----------
    repeats : int
        How often each test runs in a fresh container, and as often in a warm one where the manifest declares it.
    seed : int
        Of the order of the repeats.
    jobs : int
        Fresh containers at a time, where the machine has room for them.
    only : frozenset of str, optional
        Names of the tests to run; all of them unless given.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name

    folder: Path
    repeats: int
    seed: int = 0
    jobs: int = 1
    only: frozenset[str] | None = None

    def wants(self, test: str) -> bool:
        """Whether a test is to be run."""
        return self.only is None or test in self.only


@dataclass(frozen=True)
class TestOutcome:
    """One embedded test over all its runs.

    Attributes
    ----------
    outcome : str
        Of its first run that does not hold, else of its first.
    runs : mapping of str to int
        Number of fresh and of warm runs.
    fault : str
        What does not hold, in one line that names the run; empty when all holds.
    explanation : Explanation
        Of a run that failed though it should not have.
    """

    __test__ = False

    name: str
    expected: str
    outcome: str
    runs: Mapping[str, int]
    fault: str
    explanation: Explanation


@dataclass(frozen=True)
class TestReport:
    """All tests, and how the claim on repeated runs stands; ``None`` where a test does not hold."""

    __test__ = False

    tests: tuple[TestOutcome, ...]
    determinism: Finding | None

    @property
    def failed(self) -> tuple[TestOutcome, ...]:
        """The tests that do not hold."""
        return tuple(one for one in self.tests if one.fault)


def run_tests(
    home: Home,
    engine: Engine,
    order: TestOrder,
    *,
    say: Callable[[str], None],
    room: Room | None = None,
    probe: MemoryProbe = peer_memory,
) -> TestReport:
    """Run, judge and measure.

    Parameters
    ----------
    say : callable
        Told each run in one line as it ends.
    room : Room, optional
        Default: this machine.
    probe : callable, optional
        Reads the memory of warm containers.

    Raises
    ------
    BuildMissingError
        Build the plugin first.
    MachineTooSmallError
        It can never run here.
    """
    manifest = check_plugin(order.folder)
    release = as_release(home, read_build(home, manifest, order.folder), manifest)
    room = room or Room(this_machine())
    room.require(plan_limits(manifest, 0), release.title)
    plan = plan_runs(
        [one.name for one in manifest.tests if order.wants(one.name)],
        repeats=order.repeats,
        warm=manifest.runtime.mode == "serve",
        seed=order.seed,
    )
    with home.running():
        clear_dead(home, engine)
        have_built_image(home, engine, release, say=say)
        with tempfile.TemporaryDirectory(dir=home.runs, prefix="tests-") as kept:
            crew = Crew(engine, home.runs, release, room, jobs=order.jobs, say=say, probe=probe)
            bench = Bench(home, release, engine, say=say)
            runner = _Runner(bench, release, order.folder, Path(kept), len(plan.runs), say)
            seen = runner.run_all(crew, plan)
            return _report(manifest, order.folder, seen)


@dataclass(frozen=True)
class _Runner:
    """Runs what is planned; safe for threads."""

    bench: Bench
    release: InstalledRelease
    folder: Path
    kept: Path
    total: int
    say: Callable[[str], None]

    def run_all(self, crew: Crew, plan: Plan) -> list[Observation]:
        seen = crew.work(plan.fresh, self._run, done=self._told)
        if plan.warm:
            seen += replace(crew, warm=True, jobs=1).work(plan.warm, self._run, done=self._told)
        return seen

    def _run(self, planned: PlannedRun, place: Place, cancelled: Cancelled) -> Observation:
        test = next(one for one in self.release.manifest.tests if one.name == planned.test)
        request = CaseRequest(test.name, self._inputs(test), test.parameters)
        with self.bench.staged(request) as prepared:
            execution = self.bench.execute(prepared, place=place, cancelled=cancelled)
            log = prepared.folder.log.read_text(errors="replace") if prepared.folder.log.is_file() else ""
            target = self.kept / str(planned.number)
            target.mkdir()
            outputs = tuple(
                replace(one, path=Path(shutil.move(one.path, target / one.path.name)))
                for one in execution.outputs
            )
        execution = replace(execution, outputs=outputs)
        return Observation(planned, test, execution, measured(self.release.manifest, execution), log)

    def _inputs(self, test: EmbeddedTest) -> dict[str, tuple[Path, ...]]:
        return {port: tuple(self.folder / one for one in files) for port, files in test.files().items()}

    def _told(self, number: int, seen: Observation) -> None:
        ended, planned = seen.execution, seen.planned
        seconds = f" ({ended.exit.duration_s:.1f} s)" if ended.exit else ""
        reason = f" {ended.reason_code}" if ended.reason_code else ""
        self.say(
            f"[{planned.number}/{self.total}] {planned.test}, {planned.container}: {ended.outcome}{reason}{seconds}"
        )


def _report(manifest: Manifest, folder: Path, seen: Sequence[Observation]) -> TestReport:
    outcomes = tuple(
        _outcome([one for one in seen if one.test.name == test.name], manifest, folder)
        for test in manifest.tests
        if any(one.test.name == test.name for one in seen)
    )
    holds = not any(one.fault for one in outcomes)
    return TestReport(outcomes, measure(manifest, seen) if holds else None)


def _outcome(runs: Sequence[Observation], manifest: Manifest, folder: Path) -> TestOutcome:
    faults = [(run, fault) for run in runs if (fault := fault_of_run(run, manifest, folder))]
    shown, fault = faults[0] if faults else (runs[0], "")
    if faults and len(faults) < len(runs):
        fault = f"{fault}, in {shown.planned.label}; {len(runs) - len(faults)} of {len(runs)} runs hold"
    counts = {kind: sum(one.planned.container == kind for one in runs) for kind in ("fresh", "warm")}
    explanation = explain(shown.execution, shown.log, manifest, folder) if faults else Explanation()
    return TestOutcome(
        shown.test.name, shown.test.expect, shown.execution.outcome, counts, fault, explanation
    )
