"""Builder of manifests: the smallest that is valid, as a document, as a model and as ``plugin.toml``."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plugin_spec.manifest import Manifest

_DOCUMENT: dict[str, Any] = {
    "contract": "assay.plugin/1",
    "id": "mean-intensity",
    "version": "1.0.0",
    "title": "Mean intensity",
    "summary": "Averages the intensities of one T1-weighted image.",
    "capabilities": ["quantification"],
    "indications": [{"area": "neurology", "disease": "any"}],
    "modalities": ["MR"],
    "runtime": {"mode": "exec", "adapter": "adapter.py"},
    "inputs": [
        {
            "kind": "volume",
            "name": "t1",
            "summary": "The scan.",
            "modality": "MR",
            "unit": "{arbitrary}",
        }
    ],
    "outputs": [
        {
            "kind": "measurements",
            "name": "numbers",
            "summary": "One row per case.",
            "rows_per": "case",
            "columns": [
                {
                    "name": "mean",
                    "summary": "Mean intensity.",
                    "unit": "{arbitrary}",
                    "minimum": 0.0,
                    "maximum": 1e6,
                    "decimals": 2,
                }
            ],
        }
    ],
    "resources": {"cpus": 1.0, "memory_mib": 256, "scratch_mib": 64, "output_mib": 64, "case_timeout_s": 60},
    "determinism": {"claim": "bitwise"},
    "tests": [
        {
            "name": "answers",
            "inputs": {"t1": "tests/ramp.nii.gz"},
            "expect": "ok",
            "compare": [{"port": "numbers", "column": "mean", "value": 1.0, "absolute": 0.1}],
        },
        {
            "name": "refuses",
            "inputs": {"t1": "tests/empty.nii.gz"},
            "expect": "refused",
            "reason_code": "empty-image",
        },
    ],
    "attribution": {
        "intended_use": "Tests of the contract.",
        "not_for": "Patients.",
        "device_status": "Not a medical device.",
        "training_data": "None.",
        "known_failure_modes": ["Images without contrast."],
        "citations": [{"text": "Dice 1945", "doi": "10.2307/1932409"}],
        "authors": ["The Assay authors"],
        "licence": "MIT",
        "commercial_use": "allowed",
    },
}


def manifest_document(**changes: Any) -> dict[str, Any]:
    """The smallest valid manifest as plain data, with top-level fields replaced."""
    return {**copy.deepcopy(_DOCUMENT), **changes}


def minimal_manifest(**changes: Any) -> Manifest:
    """The smallest valid manifest, with top-level fields replaced by plain data."""
    return Manifest.model_validate_json(json.dumps(manifest_document(**changes)))


def write_manifest(folder: Path, **changes: Any) -> Path:
    """Write the manifest as ``plugin.toml`` and return its path."""
    return write_document(folder / "plugin.toml", manifest_document(**changes))


def write_document(path: Path, document: Mapping[str, Any]) -> Path:
    """Write plain data as TOML and return its path."""
    lines = (f"{key} = {_toml(value)}\n" for key, value in document.items())
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return json.dumps(value)
