"""Run a build for its author: the same staging, container and checks as a recorded run, and no record."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from host.builds import as_release, check_plugin, read_build
from host.engines.interface import Engine
from host.engines.owner import owner_labels
from host.errors import InputFileError
from host.execution import CaseRequest, Execution, execute, fault_of, prepare, with_gpu
from host.home import Home, random_bytes
from host.leftovers import clear_dead
from host.plugins import PluginCatalogue
from host.records import measured
from host.staging import RunFolder
from plugin_spec.case import Scalar
from plugin_spec.errors import AssayError
from registry.statements import Measured


@dataclass(frozen=True)
class BenchAnswer:
    """How an unrecorded run ended, its numbers, and the files that were copied out."""

    execution: Execution
    measured: tuple[Measured, ...]
    files: tuple[Path, ...]
    log: str

    def fault(self) -> AssayError | None:
        """What the command ends with, unless the outcome is ok."""
        ended = self.execution
        return fault_of(ended.outcome, reason=ended.reason_code, message=ended.message, hint=ended.hint)


def run_once(
    home: Home,
    folder: Path,
    engine: Engine,
    *,
    inputs: Mapping[str, Path],
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
        New folder for the outputs and the log; ``None`` keeps nothing.
    say : callable, optional
        Told when the run has to wait for a GPU.

    Raises
    ------
    BuildMissingError
        Build the plugin first.
    InputFileError
        An input is missing, or ``out`` exists.
    """
    if out is not None and out.exists():
        raise InputFileError(f"{out}: exists already", subject=str(out), hint="name a new folder")
    manifest = check_plugin(folder)
    release = as_release(home, read_build(home, manifest, folder), manifest)
    run_id = random_bytes(8).hex()
    with home.running():
        clear_dead(home, engine)
        run_folder = RunFolder.create(home.runs / run_id)
        try:
            staged = prepare(release, CaseRequest("bench", inputs, parameters), run_folder, run_id=run_id)
            with with_gpu(staged, engine, say=say, cancelled=lambda: False) as prepared:
                execution = execute(
                    prepared,
                    catalogue=PluginCatalogue(),
                    engine=engine,
                    labels={**owner_labels(), "assay.run": run_id},
                    cancelled=lambda: False,
                )
            log = run_folder.log.read_text(errors="replace") if run_folder.log.is_file() else ""
            files = _copy_out(execution, run_folder, out) if out is not None else ()
            return BenchAnswer(execution, measured(manifest, execution), files, log)
        finally:
            run_folder.remove()


def _copy_out(execution: Execution, run_folder: RunFolder, out: Path) -> tuple[Path, ...]:
    out.mkdir(parents=True)
    copied = []
    sources = [one.path for one in execution.outputs]
    if run_folder.log.is_file():
        sources.append(run_folder.log)
    for source in sources:
        shutil.copyfile(source, out / source.name)
        copied.append(out / source.name)
    return tuple(copied)
