"""A manifest with one output of each kind that can be compared, called by its kind."""

from typing import Any

from plugin_spec.manifest import Manifest
from tests.support.manifests import minimal_manifest
from tests.support.output_ports import port_document

KINDS = ("measurements", "score", "classification", "detections", "label_map", "volume", "transform")


def every_output(claim: str = "bitwise", tolerances: list[dict[str, Any]] | None = None) -> Manifest:
    """Outputs named after their kinds; the measurements have the columns gm_ml and wm_ml."""
    outputs = []
    for kind in KINDS:
        extra = {"within": "t1"} if kind == "detections" else {}
        extra = {"from_port": "t1", "to_port": "t1"} if kind == "transform" else extra
        outputs.append({**port_document(kind, **extra), "name": kind})
    tests = [
        {"name": "answers", "inputs": {"t1": "a.nii"}, "expect": "ok"},
        {"name": "refuses", "inputs": {"t1": "a.nii"}, "expect": "refused", "reason_code": "empty-image"},
    ]
    determinism = {"claim": claim, "tolerances": tolerances or []}
    return minimal_manifest(outputs=outputs, tests=tests, determinism=determinism)
