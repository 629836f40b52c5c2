"""Builder of Container Device Interface spec files."""

import copy
import json
from pathlib import Path
from typing import Any

_DOCUMENT: dict[str, Any] = {
    "cdiVersion": "0.6.0",
    "kind": "vendor.example/gpu",
    "devices": [
        {"name": name, "containerEdits": {"deviceNodes": [{"path": "/dev/null"}], "env": [f"SEEN_{name}=1"]}}
        for name in ("one", "two")
    ],
    "containerEdits": {"env": ["COMMON=1"]},
}


def cdi_document(**changes: Any) -> dict[str, Any]:
    """A spec file of two devices that are really ``/dev/null``, with top-level fields replaced."""
    return {**copy.deepcopy(_DOCUMENT), **changes}


def device(name: str, **edits: Any) -> dict[str, Any]:
    """One device of a spec file."""
    return {"name": name, "containerEdits": edits or {"env": ["A=1"]}}


def write_cdi(folder: Path, name: str = "vendor.json", **changes: Any) -> Path:
    """Write a spec file into a folder that only its owner may write to; return the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    path = folder / name
    path.write_text(json.dumps(cdi_document(**changes)), encoding="utf-8")
    path.chmod(0o644)
    return path
