"""The case files of a kit: made by its generator in a container, from digest-pinned sources, and checked.

Invariants
----------
* The generator is third-party code: it runs without a network, on its sources only, never in this process.
* A case file is used only when its digest is the one in cases.csv, each time it is used.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from host.engines.interface import ContainerSpec, Engine, Limits
from host.errors import KitDigestError, KitError
from host.home import Home
from host.images.base_lock import read_base_lock
from host.images.build import PluginSource, build_plugin_image
from host.images.load import load_image
from host.kits.cases import LOCAL_FOLDER, SOURCE_FOLDER, CaseFile, KitCase
from host.kits.declaration import Generator
from host.kits.kit import KitFolder
from host.kits.sources import files_digest
from host.sources.data_folder import file_digest
from host.sources.store import SourceStore
from host.staging import RunFolder
from plugin_spec.files import sync_folder
from plugin_spec.resources import MIB

GENERATOR_LIMITS = Limits(
    cpus=2.0,
    memory_bytes=4096 * MIB,
    shm_bytes=64 * MIB,
    scratch_bytes=512 * MIB,
    pids=128,
    output_bytes=4096 * MIB,
    output_files=10_000,
    log_bytes=MIB,
    timeout_s=1800.0,
)
Say = Callable[[str], None]


def data_folder(home: Home, folder: KitFolder) -> Path:
    """Where a kit's case files lie once they are made."""
    return home.kits / folder.kit_digest.removeprefix("sha256:")


def ensure_data(home: Home, folder: KitFolder, engine: Engine, *, say: Say) -> Path:
    """Make a kit's case files if they are not there, and check every one of them.

    Parameters
    ----------
    home : Home
        Held by the caller (``Home.running``).
    folder : KitFolder
    engine : Engine
        Runs the generator.
    say : callable
        Told each step in one line.

    Returns
    -------
    Path
        The folder that the paths of cases.csv are relative to.

    Raises
    ------
    KitDigestError
        A source or a case file is not what the kit declares.
    """
    target = data_folder(home, folder)
    if not target.is_dir():
        workspace = RunFolder.create(home.runs / f"kit-{folder.kit_digest[7:23]}")
        try:
            _fetch_sources(home, folder, workspace, say)
            if folder.kit.generator is not None:
                _generate(home, folder, folder.kit.generator, engine, workspace=workspace, say=say)
            _place_case_files(folder, workspace)
            _check_all(folder, workspace.outputs)
            os.replace(workspace.outputs, target)
            sync_folder(target.parent)
        finally:
            workspace.remove()
    say(f"check the digests of {len(_files(folder))} case files")
    _check_all(folder, target)
    return target


def _fetch_sources(home: Home, folder: KitFolder, workspace: RunFolder, say: Say) -> None:
    store = SourceStore(home, say=say)
    for file in folder.source_files:
        target = workspace.inputs / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        found = store.copy(file.pinned, target)
        say(f"{file.pinned.name} from {file.source.uri.partition('@')[0]}: {found.place}")


def _generate(
    home: Home,
    folder: KitFolder,
    generator: Generator,
    engine: Engine,
    *,
    workspace: RunFolder,
    say: Say,
) -> None:
    script = _written(folder, generator.script, workspace)
    say(f"build the generator's image of {folder.kit.id}")
    built = build_plugin_image(
        PluginSource(
            base_lock=read_base_lock(),
            requirements=_written(folder, generator.requirements, workspace)
            if generator.requirements
            else None,
            adapter_files={script.name: script},
            entry=script.stem,
            labels={"org.opencontainers.image.title": f"{folder.kit.id} generator"},
        ),
        cache=home.cache,
    )
    if not engine.holds(built.image_id):
        load_image(engine, built.image_id, built, workspace.path)
    say(f"make the case files of {folder.kit.id}")
    ended = engine.run(
        ContainerSpec(
            image_id=built.image_id,
            argv=("python3", f"/opt/assay/{script.name}", "/assay/in", "/assay/out"),
            inputs=workspace.inputs,
            outputs=workspace.outputs,
            limits=GENERATOR_LIMITS,
        ),
        log_path=workspace.log,
        cancelled=lambda: False,
    )
    if ended.exit_code != 0 or ended.timed_out or ended.oom_killed or ended.output_overflow:
        tail = workspace.log.read_text(errors="replace").strip().splitlines()[-1:] or ["it printed nothing"]
        raise KitError(
            f"the generator of {folder.kit.id} ended with exit code {ended.exit_code}: {tail[0]}",
            subject=folder.kit.id,
        )


def _written(folder: KitFolder, name: str, workspace: RunFolder) -> Path:
    """Write one of the kit's files as it was read and digested, whatever lies on disk by now."""
    path = workspace.path / "generator" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(folder.contents[name])
    return path


def _files(folder: KitFolder) -> tuple[CaseFile, ...]:
    """The case files, each once."""
    return tuple(dict.fromkeys(file for case in folder.cases for file in case.files()))


def _place_case_files(folder: KitFolder, workspace: RunFolder) -> None:
    """Put the sources and the kit's own files that are case files beside what the generator made."""
    # The sources were copied once, into a folder that is removed: a second name costs nothing.
    places = ((SOURCE_FOLDER, workspace.inputs, os.link), (LOCAL_FOLDER, folder.path, shutil.copyfile))
    for origin, found, copy in places:
        target = workspace.outputs / origin
        if os.path.lexists(target):
            raise KitError(
                f"the generator of {folder.kit.id} made {origin}/, where other files go",
                subject=folder.kit.id,
            )
        for file in _files(folder):
            place, _, name = file.path.partition("/")
            if place == origin:
                _copy(found, name, target / name, copy)


def _copy(folder: Path, name: str, target: Path, copy: Callable[[str, str], object]) -> None:
    """Copy a file, or a folder of files, that lies within a folder and is no link out of it."""
    source = (folder / name).resolve()
    if not source.is_relative_to(folder.resolve()) or not source.exists():
        raise KitDigestError(f"{folder / name}: no such file inside {folder}", subject=name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, copy_function=copy)
    else:
        copy(str(source), str(target))


def _check_all(folder: KitFolder, data: Path) -> None:
    fault = next(case_file_faults(folder.cases, data, None), None)
    if fault is not None:
        raise KitDigestError(
            f"{folder.kit.id}: {fault[1]}",
            subject=fault[0].case_id,
            hint=f"delete {data} to make the files again; if it happens again the kit is at fault",
        )


def case_file_faults(
    cases: Sequence[KitCase], data: Path | None, folder: Path | None
) -> Iterator[tuple[KitCase, str]]:
    """What is wrong with case files, each once: one that is missing, a link, or of another digest than declared.

    Parameters
    ----------
    cases : sequence of KitCase
    data : Path or None
        The kit's data folder, where it was made; ``None`` looks at none of its files.
    folder : Path or None
        The kit's own folder, to look at the files that lie there.
    """
    seen: set[CaseFile] = set()
    for case in cases:
        for file in dict.fromkeys(case.files()):
            if file in seen:
                continue
            seen.add(file)
            place, _, name = file.path.partition("/")
            if folder is not None and place == LOCAL_FOLDER and (fault := _file_fault(folder, name, file)):
                yield case, fault
            if data is not None and (fault := _file_fault(data, file.path, file)):
                yield case, fault


def _file_fault(folder: Path, name: str, file: CaseFile) -> str:
    path = folder / name
    there = path.is_dir() if file.is_folder else path.is_file()
    if not there or not path.resolve().is_relative_to(folder.resolve()) or path.is_symlink():
        return f"case file {file.path} is missing"
    found = folder_digest(path) if file.is_folder else file_digest(path)
    if found != file.sha256:
        return f"{file.path} has digest {found}, declared is {file.sha256}"
    return ""


def folder_digest(folder: Path) -> str:
    """The digest of a folder: that of the canonical listing of its files and their digests.

    Raises
    ------
    KitDigestError
        It holds a link, or something else that is no file.
    """
    files = {}
    for path in sorted(one for one in folder.rglob("*") if one.is_symlink() or not one.is_dir()):
        if path.is_symlink() or not path.is_file():
            raise KitDigestError(f"{path}: not a regular file", subject=str(path))
        files[path.relative_to(folder).as_posix()] = file_digest(path)
    return files_digest(files)


def check_data(home: Home, folder: KitFolder) -> None:
    """Check the digests of case files that were made here before."""
    _check_all(folder, data_folder(home, folder))
