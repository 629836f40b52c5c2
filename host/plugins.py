"""The host's plugin manager: every onboarded release is a proxy that carries its hooks into a container.

Invariants
----------
* The hookspec is the one authors implement (``plugin_spec.hookspecs``); a caller cannot tell the wall is there.
* Algorithm code never runs in this process: a proxy reads the manifest and never imports the adapter.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

from host.cases.geometry import Grid
from host.command_tools import command_argv, read_command_result
from host.engines.interface import ContainerExit, ContainerSpec, Engine, Limits
from host.errors import CaseFailureError, ImageMissingError
from host.gpu.request import GpuRequest
from host.outputs import CheckedOutput, collect_outputs, read_result
from host.releases import InstalledRelease
from host.staging import RunFolder, write_request
from host.weights import weights_folder
from plugin_spec.case import Request, Result
from plugin_spec.command import Command
from plugin_spec.errors import ContractError
from plugin_spec.hookspecs import (
    PROJECT,
    Case,
    CaseResult,
    Context,
    PluginHooks,
    QualityCheck,
    Refuse,
    hookimpl,
)
from plugin_spec.resources import MIB
from plugin_spec.runtime import protocol as wall

if TYPE_CHECKING:
    from host.warm.container import WarmContainer

EXIT_OF_OUTCOME = {
    "ok": {wall.EXIT_OK},
    "refused": {wall.EXIT_REFUSED},
    "failed": {wall.EXIT_UNREADABLE_INPUT, wall.EXIT_PLUGIN_ERROR, wall.EXIT_GPU_UNUSABLE},
}


@dataclass
class RunState:
    """What ``run_case`` gets as its state on the host: how to run the container, and what was seen of it."""

    engine: Engine
    context: Context
    limits: Limits
    gpu: GpuRequest | None
    folder: RunFolder
    staged_names: Mapping[str, str | tuple[str, ...]]
    grids: Mapping[str, Grid]
    labels: Mapping[str, str]
    cancelled: Callable[[], bool]
    warm: WarmContainer | None = None
    exit: ContainerExit | None = None
    result: Result | None = None
    outputs: tuple[CheckedOutput, ...] = ()
    note: str = ""


@dataclass(eq=False)
class ContainerPlugin:
    """A release on the plugin manager."""

    release: InstalledRelease
    _environment: dict[str, str] = field(default_factory=dict)

    @hookimpl
    def run_case(self, case: Case, state: RunState) -> CaseResult:
        """Run one case, in a fresh container or in the warm one at hand, and answer as the adapter did.

        Raises
        ------
        Refuse
            The adapter refused the case.
        CaseFailureError
            The container failed, ran out of time or memory, or broke the contract.
        EngineError
            The engine failed; the case is not to blame.
        """
        left_in = self._run(case, state)
        result = self._answer(state, left_in)
        self._environment = dict(result.environment)
        state.result = result
        if result.outcome == "refused":
            raise Refuse(result.reason_code, result.message)
        if result.outcome == "failed":
            raise CaseFailureError(
                result.message or "the plugin reported a failure", reason=result.reason_code
            )
        try:
            if left_in != state.folder.outputs:
                from host.warm.outputs import take_outputs

                take_outputs(result, left_in, state.folder.outputs, state.limits)
            state.outputs = collect_outputs(
                self.release.manifest,
                result,
                state.folder.outputs,
                grids=state.grids,
                files={
                    port: 1 if isinstance(names, str) else len(names)
                    for port, names in state.staged_names.items()
                },
                limits=state.limits,
            )
        except ContractError as error:
            raise CaseFailureError(error.message, reason=error.code, hint=error.hint) from error
        return CaseResult(
            outputs={output.port: output.path for output in state.outputs},
            qc=[QualityCheck(check.id, check.verdict, check.value) for check in result.qc],
            warnings=list(result.warnings),
        )

    @hookimpl
    def describe_environment(self) -> dict[str, str]:
        """Tool versions as the last container measured them."""
        return self._environment

    def _run(self, case: Case, state: RunState) -> Path:
        """Run the case and return the folder its container wrote to."""
        release = self.release
        # A container that lives has its image.
        if not (state.warm and state.warm.alive) and not state.engine.holds(release.image):
            raise ImageMissingError(
                f"the {state.engine.name} engine does not hold the image of {release.title}",
                subject=release.image,
                hint="build it (assay plugin build), or import a bundle that carries it (assay trial import)",
            )
        request = Request(
            case_id=case.id,
            seed=state.context.seed,
            threads=state.context.threads,
            gpu=state.context.gpu,
            inputs=dict(state.staged_names),
            outputs={port.name: port.kind for port in release.manifest.outputs},
            parameters=dict(case.parameters),
            weights={name: name for name in release.weights},
        )
        if state.warm is not None:
            return _run_warm(release, request, state, state.warm)
        write_request(request, state.folder)
        command = release.manifest.runtime.command
        with weights_folder(release, state.folder) as weights:
            state.exit = state.engine.run(
                ContainerSpec(
                    image_id=release.image,
                    argv=None if command is None else command_argv(command, request),
                    inputs=state.folder.inputs,
                    outputs=state.folder.outputs,
                    weights=weights,
                    limits=state.limits,
                    gpu=state.gpu,
                    environment=release.manifest.runtime.environment,
                    labels=state.labels,
                ),
                log_path=state.folder.log,
                cancelled=state.cancelled,
            )
        return state.folder.outputs

    def _answer(self, state: RunState, left_in: Path) -> Result:
        """Read what the container left, believing the engine's flags before the plugin's words."""
        ended = state.exit
        assert ended is not None  # noqa: S101 - _run has set it or raised
        _raise_for_flags(ended)
        if self.release.manifest.runtime.command is not None:
            return self._command_answer(self.release.manifest.runtime.command, ended, left_in)
        try:
            result = read_result(left_in)
        except ContractError as error:
            if ended.exit_code == wall.EXIT_GPU_UNUSABLE:
                raise CaseFailureError(
                    "the container ended with the exit code for a GPU that cannot be used, and no readable result.json",
                    reason="gpu-unusable",
                ) from error
            if ended.exit_code not in {wall.EXIT_OK, *EXIT_OF_OUTCOME["failed"]}:
                raise CaseFailureError(
                    f"the container ended with exit code {ended.exit_code} and no readable result.json",
                    reason="crashed",
                ) from error
            raise CaseFailureError(error.message, reason=error.code, hint=error.hint) from error
        if ended.exit_code not in EXIT_OF_OUTCOME[result.outcome]:
            raise CaseFailureError(
                f"result.json says {result.outcome}, but the container ended with exit code {ended.exit_code}",
                reason="contract-violation",
            )
        return result

    def _command_answer(self, command: Command, ended: ContainerExit, left_in: Path) -> Result:
        try:
            return read_command_result(self.release.manifest, command, ended.exit_code, left_in)
        except ContractError as error:
            raise CaseFailureError(error.message, reason=error.code, hint=error.hint) from error


def _run_warm(release: InstalledRelease, request: Request, state: RunState, warm: WarmContainer) -> Path:
    from host.warm.container import WarmCase

    answer = warm.run(
        WarmCase(
            release=release,
            request=request,
            context=state.context,
            folder=state.folder,
            limits=state.limits,
            gpu=state.gpu,
            labels=state.labels,
        ),
        cancelled=state.cancelled,
    )
    state.exit, state.note = answer.exit, answer.note
    if answer.fault is not None:
        raise answer.fault
    return answer.outputs


def _raise_for_flags(ended: ContainerExit) -> None:
    """Turn what the engine had to stop into the reason of a failed case."""
    if ended.timed_out:
        raise CaseFailureError(
            f"still running after {ended.duration_s:.0f} s; the limit is resources.case_timeout_s",
            reason="timeout",
        )
    if ended.oom_killed:
        peak = "unknown" if ended.memory_peak_bytes is None else f"{ended.memory_peak_bytes / MIB:.0f} MiB"
        raise CaseFailureError(
            f"out of memory: peak {peak}, limit {ended.memory_limit_bytes / MIB:.0f} MiB (resources.memory_mib)",
            reason="out-of-memory",
        )
    if ended.output_overflow:
        raise CaseFailureError(
            "the outputs passed the limit of resources.output_mib, or their number", reason="output-limit"
        )


class PluginCatalogue:
    """The host's ``pluggy`` manager with one proxy per release."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._registering = threading.Lock()
        self._manager.add_hookspecs(PluginHooks)

    def register(self, release: InstalledRelease) -> None:
        """Onboard a release; the same manifest and image are registered once."""
        with self._registering:
            if not self._manager.has_plugin(_name(release)):
                self._manager.register(ContainerPlugin(release), name=_name(release))

    def run_case(self, release: InstalledRelease, case: Case, state: RunState) -> CaseResult:
        """Call ``run_case`` of this release and of no other."""
        others = [plugin for name, plugin in self._manager.list_name_plugin() if name != _name(release)]
        hook = self._manager.subset_hook_caller(
            "run_case", remove_plugins=[one for one in others if one is not None]
        )
        result: CaseResult = hook(case=case, state=state)
        return result


def _name(release: InstalledRelease) -> str:
    """What a proxy is registered under: a manifest may come with more than one image."""
    return f"{release.manifest_digest}@{release.image}"
