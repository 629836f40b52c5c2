"""Builders of output ports and of documents that fit them: the good twin of every violation."""

import json
from typing import Any

from pydantic import TypeAdapter

from plugin_spec.ports import OutputPort

_ADAPTER: TypeAdapter[Any] = TypeAdapter(OutputPort)
_CLASSES = [{"name": name, "summary": "A class."} for name in ("lesion", "healthy", "unsure")]
_COLUMNS = [
    {"name": name, "summary": "A column.", "unit": "mL", "minimum": 0.0, "maximum": 100.0, "decimals": 1}
    for name in ("gm_ml", "wm_ml")
]
_FIELDS: dict[str, dict[str, Any]] = {
    "volume": {"modality": "MR", "unit": "1"},
    "label_map": {
        "labels": [
            {"value": 1, "name": "grey", "concept": {"value": "1", "scheme": "99T", "meaning": "Grey"}},
            {
                "value": 2,
                "name": "white",
                "concept": {"value": "2", "scheme": "99T", "meaning": "White"},
                "may_be_absent": True,
            },
        ]
    },
    "measurements": {"rows_per": "case", "columns": _COLUMNS},
    "classification": {"classes": _CLASSES},
    "detections": {"shape": "point", "classes": _CLASSES, "within": "scan"},
    "score": {"unit": "{probability}", "minimum": 0.0, "maximum": 1.0, "interval": "confidence"},
    "transform": {"model": "rigid", "from_port": "scan", "to_port": "other"},
    "report": {"format": "html"},
}

IDENTITY = [[float(row == column) for column in range(4)] for row in range(4)]
GOOD_FIELDS: dict[str, dict[str, Any]] = {
    "measurements": {"rows": [{"gm_ml": 1.5, "side": "left"}]},
    "classification": {"label": "lesion", "probabilities": {"lesion": 0.9, "healthy": 0.1}},
    "detections": {"frame": "LPS", "detections": [{"label": "lesion", "point": [1.0, 2.0, 3.0]}]},
    "score": {"value": 0.5, "lower": 0.4, "upper": 0.6},
    "transform": {"matrix": IDENTITY},
}


def output_port(kind: str, **changes: Any) -> Any:
    """A port of this kind called ``answer``, with fields replaced."""
    return _ADAPTER.validate_json(json.dumps(port_document(kind, **changes)))


def port_document(kind: str, **changes: Any) -> dict[str, Any]:
    """The declaration of `output_port` as plain data."""
    return {"kind": kind, "name": "answer", "summary": "An answer.", **_FIELDS[kind], **changes}


def document(kind: str, **fields: Any) -> bytes:
    """A document of this kind; fields of the model, as they stand."""
    return json.dumps({"contract": f"assay.{kind}/1", **fields}).encode()
