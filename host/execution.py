"""Run one case of one release: stage, check the domain, call the container, check the outputs.

The outcome is always a value: ok, refused or failed, with a reason. Only an engine that fails, or a cancelled run,
raises, since then nothing can be said about the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from host.cases.domain import DomainFinding, DomainVerdict
from host.cases.geometry import Grid
from host.engines.interface import ContainerExit, Engine, Limits
from host.errors import CaseFailureError, CaseRefusedError
from host.gpu.grant import NO_GPU, GpuGrant, granted
from host.gpu.visibility import difference
from host.input_staging import StagedInput, stage_inputs
from host.inputs import inspect_inputs
from host.outputs import CheckedOutput
from host.planning import check_ports, complete_parameters, plan_limits
from host.plugins import PluginCatalogue, RunState
from host.releases import InstalledRelease
from host.staging import RunFolder
from plugin_spec.case import Result, Scalar
from plugin_spec.errors import AssayError
from plugin_spec.hookspecs import Case, Context, Refuse
from registry.statements import InputRef

if TYPE_CHECKING:
    from host.warm.container import WarmContainer


@dataclass(frozen=True)
class CaseRequest:
    """What an operator, or a kit, asks to be run: per input port a file, or several in their order."""

    case_id: str
    inputs: Mapping[str, Path | Sequence[Path]]
    parameters: Mapping[str, Scalar]

    @property
    def files(self) -> dict[str, tuple[Path, ...]]:
        """The files of every input, as lists."""
        return {
            port: (given,) if isinstance(given, Path) else tuple(given) for port, given in self.inputs.items()
        }


@dataclass(frozen=True)
class PreparedRun:
    """A case staged in its run folder and planned, ready to be recorded as started."""

    run_id: str
    request: CaseRequest
    release: InstalledRelease
    folder: RunFolder
    inputs: tuple[StagedInput, ...]
    parameters: dict[str, Scalar]
    grids: Mapping[str, Grid]
    findings: tuple[DomainFinding, ...]
    unreadable: str
    limits: Limits
    remedy: str = ""
    gpu: GpuGrant = NO_GPU

    @property
    def staged(self) -> tuple[InputRef, ...]:
        """The inputs as the record names them."""
        return tuple(file.ref for one in self.inputs for file in one.files)

    @property
    def sidecars(self) -> tuple[InputRef, ...]:
        """The sidecars that the acceptance domain was judged on."""
        return tuple(file.sidecar for one in self.inputs for file in one.files if file.sidecar is not None)

    @property
    def listings(self) -> tuple[bytes, ...]:
        """The listings that the digests of DICOM series are of."""
        return tuple(one.series.listing for one in self.inputs if one.series is not None)

    @property
    def refusing(self) -> DomainFinding | None:
        """The first finding for which the case is refused before a container is started."""
        return next((one for one in self.findings if one.verdict is DomainVerdict.REFUSE), None)


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
    """Stage the inputs, look at them and judge the acceptance domain.

    An input that cannot be read is kept as ``unreadable``: the run is recorded and fails with that reason. One that
    does not fit its port is a finding for which the case is refused.

    Raises
    ------
    InputError
        A port or parameter that is not declared, or a file that is not there.
    """
    check_ports(release.manifest, {port: len(files) for port, files in request.files.items()})
    parameters = complete_parameters(release.manifest, request.parameters)
    inputs = stage_inputs(release.manifest, request.files, folder)
    facts = inspect_inputs(release.manifest, inputs, folder)
    return PreparedRun(
        run_id=run_id,
        request=request,
        release=release,
        folder=folder,
        inputs=inputs,
        parameters=parameters,
        grids=facts.grids,
        findings=facts.findings,
        unreadable=facts.unreadable,
        limits=plan_limits(release.manifest, facts.value_bytes),
        remedy=facts.remedy,
    )


@contextmanager
def with_gpu(
    prepared: PreparedRun,
    engine: Engine,
    *,
    say: Callable[[str], None],
    cancelled: Callable[[], bool],
    held: GpuGrant | None = None,
) -> Iterator[PreparedRun]:
    """Hold what the manifest asks for of a GPU until the block ends; a case that starts no container needs none.

    Parameters
    ----------
    held : GpuGrant, optional
        What the caller holds already, and for longer than this case: a warm container keeps its device between cases.

    Raises
    ------
    GpuUnsuitableError, GpuLeaseError, RunCancelledError
        As from `host.gpu.grant.granted`; nothing was started.
    """
    if prepared.unreadable or prepared.refusing is not None:
        yield prepared
        return
    if held is not None:
        yield replace(prepared, gpu=held)
        return
    need = prepared.release.manifest.resources.gpu
    with granted(need, engine, run_id=prepared.run_id, say=say, cancelled=cancelled) as grant:
        yield replace(prepared, gpu=grant)


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
    if prepared.refusing is not None:
        return Execution("refused", prepared.refusing.reason, prepared.refusing.message, warnings=flags)
    flags += prepared.gpu.warnings
    state = _state(prepared, engine, labels, cancelled, warm)
    case = _case(prepared)
    catalogue.register(prepared.release)
    try:
        _call(catalogue, prepared, case, state)
    except Refuse as refusal:
        ended = Execution("refused", refusal.reason_code, refusal.message)
    except CaseFailureError as failure:
        ended = Execution("failed", failure.reason, failure.message, hint=failure.hint)
    else:
        ended = Execution(
            "ok", "", "", outputs=state.outputs, warnings=state.result.warnings if state.result else ()
        )
    warnings = flags + _notes(prepared, state) + ended.warnings
    return replace(ended, exit=state.exit, result=state.result, warnings=warnings)


def _call(catalogue: PluginCatalogue, prepared: PreparedRun, case: Case, state: RunState) -> None:
    """Call the hook; whatever it answers, a refusal too, counts only from the leased devices."""
    try:
        catalogue.run_case(prepared.release, case, state)
    except Refuse:
        _require_leased_devices(prepared, state)
        raise
    _require_leased_devices(prepared, state)


def _require_leased_devices(prepared: PreparedRun, state: RunState) -> None:
    """Fail a case whose numbers come from a device that was not leased for it."""
    seen = state.result.gpu if state.result else None
    if not prepared.gpu.devices or seen is None:
        return
    if told := difference(prepared.gpu.devices, seen):
        raise CaseFailureError(
            told,
            reason="gpu-not-as-leased",
            hint="look for what else passes GPUs on: a default runtime of the engine, or a spec file that names all",
        )


def _notes(prepared: PreparedRun, state: RunState) -> tuple[str, ...]:
    """What the operator should know beside what the plugin itself says."""
    notes = [state.note] if state.note else []
    if prepared.gpu.devices and state.result is not None and state.result.gpu is None:
        notes.append("the container did not say which GPU it saw: that it was the leased one is not verified")
    return tuple(notes)


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
        context=Context(
            weights=prepared.release.weights,
            seed=runtime.seed,
            threads=runtime.threads,
            gpu=prepared.gpu.uuids,
        ),
        limits=prepared.limits,
        gpu=prepared.gpu.request,
        folder=prepared.folder,
        staged_names={one.port.name: one.names for one in prepared.inputs},
        grids=prepared.grids,
        labels=labels,
        cancelled=cancelled,
        warm=warm,
    )


def _case(prepared: PreparedRun) -> Case:
    return Case(
        id=prepared.request.case_id,
        inputs={one.port.name: one.paths for one in prepared.inputs},
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
