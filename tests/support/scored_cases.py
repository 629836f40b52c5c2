"""Cases that were answered, or were not, as they are scored: small files, made where they are asked for."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from host.execution import Execution
from host.kits.cases import KitCase
from host.outputs import CheckedOutput
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.scoring import score
from plugin_spec.manifest import Manifest, read_manifest
from registry.statements import Measured
from tests.support.nifti_files import write_nifti
from tests.support.output_ports import document, output_port
from tests.support.tiny import HERE

LABELS = [{"value": 1, "name": "lesion", "concept": {"value": "1", "scheme": "99T", "meaning": "Lesion"}}]
COLUMN = {"summary": "A column.", "unit": "mL", "minimum": 0.0, "maximum": 1e4, "decimals": 1}
RISK = {"summary": "A risk.", "unit": "{probability}", "minimum": 0.0, "maximum": 1.0, "decimals": 3}


def make_manifest(**changed: Any) -> Manifest:
    """A plugin with one output for every kind of metric; ports are replaced by name, by ``None`` left out."""
    ports = {
        "mask": output_port("label_map", name="mask", labels=LABELS),
        "found": output_port("detections", name="found", within=None),
        "volumes": output_port("measurements", name="volumes", columns=[{"name": "ml", **COLUMN}]),
        "grade": output_port(
            "classification",
            name="grade",
            classes=[{"name": name, "summary": "A class."} for name in ("high", "low")],
        ),
        "risk": output_port("score", name="risk", interval="none"),
        "risks": output_port(
            "measurements", name="risks", columns=[{"name": name, **RISK} for name in ("risk_12", "risk_24")]
        ),
    }
    outputs = tuple(port for port in {**ports, **changed}.values() if port is not None)
    return read_manifest(HERE / "tiny_plugin" / "plugin.toml").model_copy(update={"outputs": outputs})


def make_case(**changes: Any) -> KitCase:
    """A patient's case that is to answer."""
    fields = {
        "case_id": "case-1", "subject_id": "subject-1", "expected": "ok", "evidence": "patient", "smoke": False,
        "inputs": {}, "references": {}, "values": {}, "strata": {},
    }  # fmt: skip
    return KitCase.model_validate_json(json.dumps({**fields, **changes}))


def write_map(path: Path, lesions: str, *, spacing_mm: float = 1.0) -> Path:
    """A label map along one axis: ``#`` is a lesion voxel, anything else background."""
    data = np.array([one == "#" for one in lesions], np.uint8).reshape(-1, 1, 1)
    return write_nifti(path, data, np.diag([spacing_mm, 1.0, 1.0, 1.0]))


def write_points(path: Path, *points: tuple[float, float]) -> Path:
    """Findings on the first axis, each with its score."""
    findings = [{"label": "lesion", "point": [-at, 0.0, 0.0], "score": score} for at, score in points]
    path.write_bytes(document("detections", frame="LPS", detections=findings))
    return path


def score_one(
    protocol: Protocol,
    *,
    case: KitCase,
    outputs: dict[str, Path] | None = None,
    references: dict[str, Path] | None = None,
    measured: tuple[tuple[str, str, float | str], ...] = (),
    outcome: str = "ok",
    manifest: Manifest | None = None,
) -> CaseRow:
    """The row of a case that left these files and numbers."""
    checked = tuple(
        CheckedOutput(port, path, "sha256:" + "0" * 64, path.stat().st_size)
        for port, path in (outputs or {}).items()
    )
    return score(
        case,
        Execution(outcome, "" if outcome == "ok" else "timeout", "", outputs=checked),  # type: ignore[arg-type]  # a word of three
        manifest=manifest or make_manifest(),
        protocol=protocol,
        measured=tuple(
            Measured(port=port, row=0, column=name, value=value) for port, name, value in measured
        ),
        references=references or {},
    )
