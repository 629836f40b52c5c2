"""Run one case of one release: stage, check the domain, call the container, check the outputs.

The outcome is always a value: ok, refused or failed, with a reason. Only an engine that fails, or a cancelled run,
raises, since then nothing can be said about the case.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from host.cases.domain import DomainFinding, DomainVerdict, evaluate, geometry_tags
from host.cases.geometry import Grid
from host.cases.nifti import read_label_map, read_volume
from host.cases.sidecar import read_sidecar
from host.engines.interface import ContainerExit, Engine, Limits
from host.errors import CaseFailureError, CaseRefusedError
from host.outputs import CheckedOutput
from host.planning import check_ports, complete_parameters, plan_gpu, plan_limits
from host.plugins import PluginCatalogue, RunState
from host.releases import InstalledRelease
from host.staging import RunFolder, stage_inputs, stage_sidecars
from host.warm.container import WarmContainer
from plugin_spec.case import Result, Scalar
from plugin_spec.errors import AssayError, InputError
from plugin_spec.hookspecs import Case, Context, Refuse
from plugin_spec.ports import VolumePort
from registry.statements import InputRef


@dataclass(frozen=True)
class CaseRequest:
    """What an operator, or a kit, asks to be run."""

    case_id: str
    inputs: Mapping[str, Path]
    parameters: Mapping[str, Scalar]


@dataclass(frozen=True)
class PreparedRun:
    """A case staged in its run folder and planned, ready to be recorded as started."""

    run_id: str
    request: CaseRequest
    release: InstalledRelease
    folder: RunFolder
    staged: tuple[InputRef, ...]
    sidecars: tuple[InputRef, ...]
    parameters: dict[str, Scalar]
    grids: dict[str, Grid]
    findings: tuple[DomainFinding, ...]
    unreadable: str
    limits: Limits
    remedy: str = ""


@dataclass(frozen=True)
class Execution:
    """How a case ended, and everything its record needs."""

    outcome: Literal["ok", "refused", "failed"]
    reason_code: str
    message: str
    exit: ContainerExit | None = None
    result: Result | None = None
    outputs: tuple[CheckedOutput, ...] = ()
    warnings: tuple[str, ...] = ()
    hint: str = ""


def prepare(
    release: InstalledRelease, request: CaseRequest, folder: RunFolder, *, run_id: str
) -> PreparedRun:
    """Stage the inputs, read their geometry and judge the acceptance domain.

    An input that is not a usable image is kept as ``unreadable``: the run is recorded and fails with that reason.

    Raises
    ------
    InputError
        A port or parameter that is not declared, or a file that is not there.
    """
    check_ports(release.manifest, request.inputs)
    parameters = complete_parameters(release.manifest, request.parameters)
    staged = stage_inputs(request.inputs, folder)
    sidecars = stage_sidecars(request.inputs, folder)
    grids: dict[str, Grid] = {}
    findings: tuple[DomainFinding, ...] = ()
    unreadable, remedy, input_bytes = "", "", 0
    try:
        for port, ref in zip(sorted(release.manifest.inputs, key=lambda one: one.name), staged, strict=True):
            image = (read_volume if isinstance(port, VolumePort) else read_label_map)(
                folder.inputs / ref.name
            )
            grids[ref.port] = image.grid
            input_bytes += image.data.nbytes
        tags = {
            port: {**read_sidecar(folder.sidecars / f"{port}.nii"), **geometry_tags(grid)}
            for port, grid in grids.items()
        }
        findings = evaluate(release.manifest.domain, tags)
    except InputError as error:
        unreadable, remedy = folder.without_paths(error.message), error.hint
    return PreparedRun(
        run_id=run_id,
        request=request,
        release=release,
        folder=folder,
        staged=staged,
        sidecars=sidecars,
        parameters=parameters,
        grids=grids,
        findings=findings,
        unreadable=unreadable,
        limits=plan_limits(release.manifest, input_bytes),
        remedy=remedy,
    )


def execute(
    prepared: PreparedRun,
    *,
    catalogue: PluginCatalogue,
    engine: Engine,
    labels: Mapping[str, str],
    cancelled: Callable[[], bool],
    warm: WarmContainer | None = None,
) -> Execution:
    """Run a prepared case through the release's hooks.

    Parameters
    ----------
    warm : WarmContainer, optional
        Where the case is run; by default in a fresh container of its own.

    Returns
    -------
    Execution
        ok with checked outputs, refused with a reason, or failed with a reason.
    """
    flags = tuple(one.message for one in prepared.findings if one.verdict is DomainVerdict.FLAG)
    if prepared.unreadable:
        return Execution("failed", "unreadable-input", prepared.unreadable, hint=prepared.remedy)
    refusing = next((one for one in prepared.findings if one.verdict is DomainVerdict.REFUSE), None)
    if refusing is not None:
        return Execution("refused", "outside-domain", refusing.message, warnings=flags)
    state = _state(prepared, engine, labels, cancelled, warm)
    case = _case(prepared)
    catalogue.register(prepared.release)
    try:
        catalogue.run_case(prepared.release, case, state)
    except Refuse as refusal:
        return Execution(
            "refused",
            refusal.reason_code,
            refusal.message,
            exit=state.exit,
            result=state.result,
            warnings=flags + _notes(state),
        )
    except CaseFailureError as failure:
        return Execution(
            "failed",
            failure.reason,
            failure.message,
            exit=state.exit,
            result=state.result,
            warnings=flags + _notes(state),
            hint=failure.hint,
        )
    answered = state.result
    return Execution(
        "ok",
        "",
        "",
        exit=state.exit,
        result=answered,
        outputs=state.outputs,
        warnings=flags + _notes(state) + (answered.warnings if answered else ()),
    )


def _notes(state: RunState) -> tuple[str, ...]:
    return (state.note,) if state.note else ()


def _state(
    prepared: PreparedRun,
    engine: Engine,
    labels: Mapping[str, str],
    cancelled: Callable[[], bool],
    warm: WarmContainer | None,
) -> RunState:
    runtime = prepared.release.manifest.runtime
    return RunState(
        engine=engine,
        context=Context(weights=prepared.release.weights, seed=runtime.seed, threads=runtime.threads),
        limits=prepared.limits,
        gpu=plan_gpu(prepared.release.manifest),
        folder=prepared.folder,
        staged_names={ref.port: ref.name for ref in prepared.staged},
        grids=prepared.grids,
        labels=labels,
        cancelled=cancelled,
        warm=warm,
    )


def _case(prepared: PreparedRun) -> Case:
    return Case(
        id=prepared.request.case_id,
        inputs={ref.port: prepared.folder.inputs / ref.name for ref in prepared.staged},
        parameters=prepared.parameters,
        output_folder=prepared.folder.outputs,
        scratch_folder=prepared.folder.path,
    )


def fault_of(outcome: str, *, reason: str, message: str, hint: str) -> AssayError | None:
    """The error an outcome ends a command with; ``None`` where it is ok."""
    if outcome == "refused":
        return CaseRefusedError(message, subject=reason, hint=hint)
    if outcome == "failed":
        return CaseFailureError(message, reason=reason, hint=hint)
    return None
