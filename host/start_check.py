"""Start a built image once, as a run would, before anybody submits it: what does not start is found by its author.

An adapter is imported by the contract's runtime; its own traceback is what the author sees. A tool is started with
``--version``: whatever it answers, it has started.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from host.declared_image import program_of
from host.engines.interface import ContainerExit, ContainerSpec, Engine
from host.engines.owner import owner_labels
from host.errors import EngineRefusedError, ImageRuleError
from host.images.build import BuiltImage
from host.images.foreign import read_config
from host.images.image_rules import require
from host.planning import plan_limits
from host.staging import RunFolder
from plugin_spec.faults import Fault
from plugin_spec.manifest import Manifest

Say = Callable[[str], None]
# For a tool; an adapter has what the manifest gives it for its start.
PROBE_TIMEOUT_S = 30.0
_MARK = "assay-probe"
_TOO_OLD = 3
# Runs on any Python, so that one that is too old can be told so.
_PROBE = f"""
import sys
print("{_MARK} python %d.%d.%d" % sys.version_info[:3])
sys.stdout.flush()
if sys.version_info < (3, 8):
    sys.exit({_TOO_OLD})
import pluggy
import plugin_spec.runtime.adapter
print("{_MARK} runtime " + pluggy.__version__)
sys.stdout.flush()
plugin_spec.runtime.adapter.load_adapter(sys.argv[1])
print("{_MARK} adapter")
"""
_STAGE = re.compile(rf"^{_MARK} (python|runtime|adapter) ?(\S*)$", re.MULTILINE)
_NOT_STARTED = {126, 127}
_LIBRARY = re.compile(r"error while loading shared libraries: (\S+?): ")
_OURS = re.compile(
    r'  File "(<string>|<frozen importlib|/opt/assay/plugin_spec/|[^"]*/importlib/__init__\.py)'
)
_LOG_LINES = 40


@dataclass(frozen=True)
class Started:
    """What a first start showed.

    Attributes
    ----------
    python : str
        Version of the image's Python; empty for a tool without an adapter.
    seconds : float
    """

    python: str
    seconds: float


def check_start(engine: Engine, image: BuiltImage, manifest: Manifest, work: Path, *, say: Say) -> Started:
    """Start one container of an image and see how far it comes.

    Parameters
    ----------
    image : BuiltImage
        Held by the engine.
    work : Path
        New folder for the container's mounts; removed again.
    say : callable
        Told what the container printed, when it fails.

    Raises
    ------
    ImageRuleError
        It does not start, or its adapter cannot be imported.
    EngineError
        The engine failed otherwise.
    """
    command = manifest.runtime.command
    if command is not None:
        argv: tuple[str, ...] = (program_of(command), "--version")
    else:
        python = read_config(image.config_bytes, where="the image's config").command[0]
        argv = (python, "-c", _PROBE, Path(manifest.runtime.adapter or "").stem)
    folder = RunFolder.create(work)
    try:
        spec = _spec(image.image_id, argv, manifest, folder)
        ended = engine.run(spec, log_path=folder.log, cancelled=lambda: False)
        log = folder.log.read_text(encoding="utf-8", errors="replace")
    except EngineRefusedError as error:
        raise _not_started(argv[0], error.message) from error
    finally:
        folder.remove()
    fault = _tool_fault(argv[0], ended, log) if command is not None else _adapter_fault(argv[0], ended, log)
    if fault is not None:
        for line in _author_lines(log):
            say(f"  | {line}")
        require([fault])
    found = dict(_STAGE.findall(log))
    return Started(python=found.get("python", ""), seconds=ended.duration_s)


def _spec(image: str, argv: tuple[str, ...], manifest: Manifest, folder: RunFolder) -> ContainerSpec:
    seconds = PROBE_TIMEOUT_S if manifest.runtime.command else float(manifest.resources.start_timeout_s)
    limits = replace(plan_limits(manifest, 0), timeout_s=seconds)
    return ContainerSpec(
        image_id=image,
        argv=argv,
        inputs=folder.inputs,
        outputs=folder.outputs,
        limits=limits,
        environment=manifest.runtime.environment,
        labels={**owner_labels(), "assay.purpose": "start-check"},
    )


def _tool_fault(program: str, ended: ContainerExit, log: str) -> Fault | None:
    """A tool has started if it ran at all, whatever it makes of ``--version``."""
    if ended.oom_killed:
        return _out_of_memory(program)
    if not ended.timed_out and (ended.exit_code in _NOT_STARTED or _LIBRARY.search(log)):
        return _fault_of_start(program, ended, log)
    return None


def _adapter_fault(python: str, ended: ContainerExit, log: str) -> Fault | None:
    stages = dict(_STAGE.findall(log))
    if "adapter" in stages and ended.exit_code == 0:
        return None
    if ended.oom_killed:
        return _out_of_memory("the adapter's import")
    if "python" not in stages:
        return _fault_of_start(python, ended, log)
    version = stages["python"]
    if ended.exit_code == _TOO_OLD and "runtime" not in stages:
        fix = "put Python 3.8 or later on the image's PATH"
        return Fault("I302", "image", f"the image's {python} is Python {version}", fix)
    said = _last_line(log, ended)
    if "runtime" not in stages:
        fix = "the contract's runtime needs the standard library: json, socket, importlib, typing"
        return Fault(
            "I303", "image", f"the contract's runtime does not load in Python {version}: {said}", fix
        )
    fix = "add what is missing to requirements.in (assay plugin lock) or to the image; the traceback is above"
    return Fault("I304", "runtime.adapter", f"the adapter cannot be imported: {said}", fix)


def _fault_of_start(program: str, ended: ContainerExit, log: str) -> Fault:
    if library := _LIBRARY.search(log):
        message = f"{program} does not start: the library {library[1]} is missing in the image"
        fix = "add the package that holds it (image.debian, or the Dockerfile)"
        return Fault("I301", "image", message, fix)
    message = f"{program} does not start as uid 65534 in a read-only container: {_last_line(log, ended)}"
    fix = (
        "the program and its folders must be readable and executable for every user, and the interpreter it names "
        "(#!/bin/bash) must be in the image"
    )
    return Fault("I301", "image", message, fix)


def _out_of_memory(what: str) -> Fault:
    return Fault("I301", "resources.memory_mib", f"{what} ran out of memory", "raise resources.memory_mib")


def _not_started(program: str, said: str) -> ImageRuleError:
    message = f"I301 image: {program} does not start: {said}"
    return ImageRuleError(
        message, subject="I301", hint="check the program's name, its mode and its interpreter"
    )


def _last_line(log: str, ended: ContainerExit) -> str:
    if ended.timed_out:
        return f"no end after {ended.duration_s:.0f} s"
    lines = _author_lines(log)
    return lines[-1].strip() if lines else f"exit code {ended.exit_code} and no output"


def _author_lines(log: str) -> list[str]:
    """What the container printed, without the marks, and tracebacks without the frames that led to the adapter."""
    lines: list[str] = []
    skipping = False
    for line in log.splitlines():
        if line.startswith("  File "):
            skipping = bool(_OURS.match(line))
        elif not line.startswith("    "):
            skipping = False
        if line.strip() and not skipping and not line.startswith(_MARK):
            lines.append(line)
    return lines[-_LOG_LINES:]
