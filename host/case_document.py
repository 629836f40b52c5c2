"""The document of an unrecorded case, built from what was planned and what was seen. Pure but for the clock."""

from typing import Literal

from host.batch_results import CaseDocument
from host.execution import Execution, PreparedRun
from host.home import now
from host.records import measured
from host.releases import InstalledRelease
from registry.statements import OutputRef


def case_document(
    release: InstalledRelease,
    case_id: str,
    container: Literal["fresh", "warm"],
    *,
    prepared: PreparedRun | None = None,
    execution: Execution | None = None,
) -> CaseDocument:
    """What is known of a case: planned only, or ended too."""
    seen = execution.exit if execution else None
    ended = execution or Execution("failed", "planned", "")
    return CaseDocument(
        case_id=case_id,
        plugin=release.manifest.id,
        version=release.manifest.version,
        image=release.image,
        manifest=release.manifest_digest,
        weights=release.weight_refs,
        inputs=prepared.staged + prepared.sidecars if prepared else (),
        parameters=prepared.parameters if prepared else {},
        container=container,
        outcome=ended.outcome,
        reason_code=ended.reason_code,
        message=ended.message,
        outputs=tuple(
            OutputRef(port=one.port, name=one.path.name, digest=one.digest, bytes=one.bytes)
            for one in ended.outputs
        ),
        measured=measured(release.manifest, ended),
        warnings=ended.warnings,
        duration_s=round(seen.duration_s, 3) if seen else 0.0,
        memory_peak_bytes=seen.memory_peak_bytes if seen else None,
        memory_limit_bytes=seen.memory_limit_bytes if seen else 0,
        finished_at=now().isoformat(timespec="seconds"),
    )
