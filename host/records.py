"""The two records of a run, built from what was planned and what was seen. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from host.engines.interface import EngineInfo
from host.execution import Execution, PreparedRun
from plugin_spec.documents import ClassificationDocument, DetectionsDocument, ScoreDocument
from plugin_spec.manifest import Manifest
from plugin_spec.ports import DetectionsPort, MeasurementsPort, ScorePort
from registry.statements import (
    Container,
    GpuRef,
    GpuVisible,
    Measured,
    OutputRef,
    RerunReason,
    RunFinished,
    RunStarted,
)


@dataclass(frozen=True)
class RunContext:
    """Why a run takes place and for whom: the same for all runs of one command."""

    actor: str
    role: str
    purpose: Literal["validation", "trial"]
    reason: str
    engine: EngineInfo
    host_version: str
    validation: str | None = None
    trial: str | None = None
    lock: str | None = None
    rerun_of: str | None = None
    rerun_reason: RerunReason | None = None


@dataclass(frozen=True)
class Again:
    """Which comparison of a validation a run is made for, and which repetition of it, from 1."""

    comparison: str
    repetition: int


@dataclass(frozen=True)
class ChainLink:
    """Where a record stands in its node's chain of run records."""

    number: int
    previous: str | None


def run_started(
    prepared: PreparedRun,
    context: RunContext,
    link: ChainLink,
    *,
    subject: str,
    visit: str,
    container: Container,
    again: Again | None,
    at: str,
) -> RunStarted:
    """The record that is logged before the container starts."""
    release = prepared.release
    return RunStarted(
        actor=context.actor,
        role=context.role,
        at=at,
        reason=context.reason,
        run=prepared.run_id,
        purpose=context.purpose,
        release=release.record,
        image=release.image,
        manifest=release.manifest_digest,
        weights=release.weight_refs,
        container=container,
        comparison=again.comparison if again else "",
        repetition=again.repetition if again else 0,
        case=prepared.request.case_id,
        subject=subject,
        visit=visit,
        inputs=prepared.staged + prepared.sidecars,
        parameters=prepared.parameters,
        engine=context.engine.name,
        engine_version=context.engine.version,
        gpu=prepared.gpu.uuids,
        gpu_devices=_devices(prepared),
        gpu_fallback=prepared.gpu.fallback,
        host_version=context.host_version,
        validation=context.validation,
        trial=context.trial,
        lock=context.lock,
        rerun_of=context.rerun_of,
        rerun_reason=context.rerun_reason,
        chain=link.number,
        previous=link.previous,
    )


def _devices(prepared: PreparedRun) -> tuple[GpuRef, ...]:
    return tuple(
        GpuRef(
            uuid=one.uuid,
            model=one.model,
            vram_bytes=one.vram_bytes,
            driver=one.driver,
            compute_capability=one.compute_capability,
            parent=one.parent,
        )
        for one in prepared.gpu.devices
    )


def _visible(execution: Execution) -> tuple[GpuVisible, ...]:
    seen = execution.result.gpu if execution.result else None
    return tuple(
        GpuVisible(
            source=one.source,
            uuid=one.uuid,
            model=one.model,
            compute_capability=one.compute_capability,
            driver=one.driver,
        )
        for one in seen or ()
    )


def run_finished(
    prepared: PreparedRun,
    execution: Execution,
    context: RunContext,
    link: ChainLink,
    *,
    started: str,
    log: str | None,
    at: str,
) -> RunFinished:
    """The record of how the run ended."""
    seen, answered = execution.exit, execution.result
    return RunFinished(
        actor=context.actor,
        role=context.role,
        at=at,
        reason=context.reason,
        run=prepared.run_id,
        started=started,
        outcome=execution.outcome,
        reason_code=execution.reason_code,
        message=execution.message,
        exit_code=seen.exit_code if seen else None,
        outputs=tuple(
            OutputRef(port=one.port, name=one.path.name, digest=one.digest, bytes=one.bytes)
            for one in execution.outputs
        ),
        measured=measured(prepared.release.manifest, execution),
        qc=tuple(
            f"{check.id}: {check.verdict} ({check.value})" for check in (answered.qc if answered else ())
        ),
        warnings=execution.warnings,
        environment=dict(answered.environment) if answered else {},
        gpu_visible=_visible(execution),
        duration_s=round(seen.duration_s, 3) if seen else 0.0,
        memory_peak_bytes=seen.memory_peak_bytes if seen else None,
        # A warm container may have been made for a case that needed more.
        memory_limit_bytes=seen.memory_limit_bytes if seen else prepared.limits.memory_bytes,
        log=log,
        chain=link.number,
        previous=link.previous,
    )


def run_interrupted(
    started: RunStarted, *, started_digest: str, node: str, role: str, at: str, link: ChainLink
) -> RunFinished:
    """The record for a run whose host stopped before it could say how the run ended."""
    return RunFinished(
        actor=node,
        role=role,
        at=at,
        reason="found at the next start: the run has no end",
        run=started.run,
        started=started_digest,
        outcome="failed",
        reason_code="interrupted",
        message="the host stopped during the run; nothing of it is kept",
        exit_code=None,
        outputs=(),
        measured=(),
        qc=(),
        warnings=(),
        environment={},
        duration_s=0.0,
        memory_peak_bytes=None,
        memory_limit_bytes=0,
        log=None,
        chain=link.number,
        previous=link.previous,
    )


def measured(manifest: Manifest, execution: Execution) -> tuple[Measured, ...]:
    """Every number and call of the outputs, with its unit, rounded to the declared decimals.

    | output | columns |
    |---|---|
    | measurements | what the row is about (``label``, ``lesion``, ``time_point``), then the declared columns |
    | classification | ``label``, then ``probability.CLASS`` |
    | score | ``value``, and ``lower`` and ``upper`` where an interval is declared |
    | detections | ``count``, then ``count.CLASS``; the findings stay in their file |

    Images, transforms and reports are recorded by digest alone.
    """
    found: list[Measured] = []
    for output in execution.outputs:
        port = manifest.output(output.port)
        if isinstance(port, MeasurementsPort) and output.rows is not None:
            for number, row in enumerate(output.rows):
                found += _row(port, number, row)
        elif isinstance(output.document, ClassificationDocument):
            found += _call(output.port, output.document)
        elif isinstance(port, ScorePort) and isinstance(output.document, ScoreDocument):
            found += _score(port, output.document)
        elif isinstance(port, DetectionsPort) and isinstance(output.document, DetectionsDocument):
            found += _counts(port, output.document)
    return tuple(found)


def _row(port: MeasurementsPort, number: int, row: Mapping[str, float | str]) -> Iterator[Measured]:
    if port.rows_per != "case":
        yield Measured(port=port.name, row=number, column=port.rows_per, value=row[port.rows_per])
    for column in port.columns:
        value = row[column.name]
        if isinstance(value, float):
            value = round(value, column.decimals)
        yield Measured(port=port.name, row=number, column=column.name, value=value, unit=column.unit)


def _call(port: str, document: ClassificationDocument) -> Iterator[Measured]:
    yield Measured(port=port, row=0, column="label", value=document.label)
    for name, probability in sorted((document.probabilities or {}).items()):
        yield Measured(
            port=port, row=0, column=f"probability.{name}", value=probability, unit="{probability}"
        )


def _score(port: ScorePort, document: ScoreDocument) -> Iterator[Measured]:
    for column in ("value", "lower", "upper"):
        number = getattr(document, column)
        if number is not None:
            value = round(number, port.decimals)
            yield Measured(port=port.name, row=0, column=column, value=value, unit=port.unit)


def _counts(port: DetectionsPort, document: DetectionsDocument) -> Iterator[Measured]:
    counts = Counter(one.label for one in document.detections)
    yield Measured(port=port.name, row=0, column="count", value=float(counts.total()), unit="1")
    for one in port.classes:
        yield Measured(
            port=port.name, row=0, column=f"count.{one.name}", value=float(counts[one.name]), unit="1"
        )
