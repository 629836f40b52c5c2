"""Run a build for its author: the same staging, container and checks as a recorded run, and no record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from host.batch_results import CaseDocument, fill_result, result_folder
from host.builds import as_release, have_built_image, read_build
from host.case_document import case_document
from host.check.plugin import check_plugin
from host.engines.interface import Engine
from host.engines.owner import owner_labels
from host.errors import InputFileError
from host.execution import CaseRequest, Execution, PreparedRun, execute, fault_of, prepare, with_gpu
from host.explanation import Explanation, explain
from host.home import Home, random_bytes
from host.leftovers import clear_dead
from host.plugins import PluginCatalogue
from host.releases import InstalledRelease
from host.staging import RunFolder
from plugin_spec.case import Scalar
from plugin_spec.errors import AssayError

if TYPE_CHECKING:
    from host.crew import Place


@dataclass(frozen=True)
class BenchAnswer:
    """How an unrecorded run ended, its document, and the files that were copied out."""

    execution: Execution
    document: CaseDocument
    files: tuple[Path, ...]
    log: str
    explanation: Explanation = Explanation()

    def fault(self) -> AssayError | None:
        """What the command ends with, unless the outcome is ok."""
        ended, hint = self.execution, self.explanation.hint
        return fault_of(
            ended.outcome, reason=ended.reason_code, message=ended.message, hint=hint or ended.hint
        )


def run_once(
    home: Home,
    folder: Path,
    engine: Engine,
    *,
    inputs: Mapping[str, Path | Sequence[Path]],
    parameters: Mapping[str, Scalar],
    out: Path | None,
    say: Callable[[str], None] = lambda line: None,
) -> BenchAnswer:
    """Run the build of a plugin folder on one case.

    Parameters
    ----------
    home, folder, engine
        Where the build is, the plugin's folder, what runs it.
    inputs, parameters
        As on the command line.
    out : Path or None
        New folder for the outputs, the log and ``result.json``; ``None`` keeps nothing.
    say : callable, optional
        Told when the image has to be loaded first, and when the run has to wait for a GPU.

    Raises
    ------
    BuildMissingError
        Build the plugin first.
    InputFileError
        An input is missing, or ``out`` exists.
    StorageFullError, TargetError
        ``out`` cannot be written; nothing is left there.
    """
    if out is not None and out.exists():
        raise InputFileError(f"{out}: exists already", subject=str(out), hint="name a new folder")
    release = built(home, folder)
    manifest = release.manifest
    with home.running():
        clear_dead(home, engine)
        have_built_image(home, engine, release, say=say)
        bench = Bench(home, release, engine, say=say)
        with (
            result_folder(out) if out is not None else nullcontext() as making,
            bench.staged(CaseRequest("bench", inputs, parameters)) as prepared,
        ):
            execution = bench.execute(prepared)
            document = case_document(release, "bench", "fresh", prepared=prepared, execution=execution)
            log = prepared.folder.log.read_text(errors="replace") if prepared.folder.log.is_file() else ""
            files: tuple[Path, ...] = ()
            if making is not None and out is not None:
                outputs = [one.path for one in execution.outputs]
                names = fill_result(making, document, outputs, log=prepared.folder.log)
                files = tuple(out / name for name in names)
        explanation = explain(execution, log, manifest, folder)
        return BenchAnswer(execution, document, files, log, explanation)


def built(home: Home, folder: Path) -> InstalledRelease:
    """The build of a plugin's folder, ready to run; needs no engine.

    Raises
    ------
    ContractError, BuildMissingError
        The folder does not fit the contract, or has no build.
    """
    manifest = check_plugin(folder)
    return as_release(home, read_build(home, manifest, folder), manifest)


class Bench:
    """Runs cases of one build, unrecorded. Hold ``Home.running`` while using it; safe for threads."""

    def __init__(
        self,
        home: Home,
        release: InstalledRelease,
        engine: Engine,
        *,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._home = home
        self._release = release
        self._engine = engine
        self._say = say
        self._catalogue = PluginCatalogue()

    @contextmanager
    def staged(self, request: CaseRequest, *, place: Place | None = None) -> Iterator[PreparedRun]:
        """Stage a case in a folder of its own, which is there until the block ends."""
        run_id = random_bytes(8).hex()
        folder = RunFolder.create(self._home.runs / run_id)
        try:
            yield prepare(self._release, request, folder, run_id=run_id)
        finally:
            folder.remove() if place is None else place.remove(folder)

    def execute(
        self,
        prepared: PreparedRun,
        *,
        place: Place | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Execution:
        """Run a staged case.

        Parameters
        ----------
        prepared : PreparedRun
        place : Place, optional
            Where a worker of a crew runs its cases; by default in a fresh container, whatever else runs.
        cancelled : callable, optional
            Asked while the case waits and runs.
        """
        with ExitStack() as held:
            if place is not None:
                held.enter_context(place.reserved(prepared.limits, cancelled))
            grant = place.grant if place is not None else None
            ready = held.enter_context(
                with_gpu(prepared, self._engine, say=self._say, cancelled=cancelled, held=grant)
            )
            return execute(
                ready,
                catalogue=self._catalogue,
                engine=self._engine,
                labels={**owner_labels(), "assay.run": prepared.run_id},
                cancelled=cancelled,
                warm=place.warm if place is not None else None,
            )
