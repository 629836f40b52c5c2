"""The file protocol between host and container: where files lie, and what the two JSON documents hold."""

import json
import os
from pathlib import Path
from typing import Any, Dict, Final, List, Mapping, Optional, Sequence

from plugin_spec.hookspecs import Case, CaseResult, Context, QualityCheck

REQUEST_CONTRACT: Final = "assay.request/1"
RESULT_CONTRACT: Final = "assay.result/1"
MEASUREMENTS_CONTRACT: Final = "assay.measurements/1"

MAX_MESSAGE_CHARACTERS: Final = 2000

EXIT_OK = 0
EXIT_REFUSED = 10
EXIT_UNREADABLE_INPUT = 11
EXIT_PLUGIN_ERROR = 20
EXIT_GPU_UNUSABLE = 30


class Folders:
    """The four folders the host gives to a container."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.inputs = root / "assay" / "in"
        self.outputs = root / "assay" / "out"
        self.weights = root / "assay" / "weights"
        self.scratch = root / "scratch"


def read_request(folders: Folders) -> Dict[str, Any]:
    """Read request.json. The host wrote and checked it; only the contract's version is looked at here."""
    request: Dict[str, Any] = json.loads((folders.inputs / "request.json").read_text(encoding="utf-8"))
    if request.get("contract") != REQUEST_CONTRACT:
        raise ValueError(
            f"request.json: contract is {request.get('contract')!r}, expected {REQUEST_CONTRACT!r}"
        )
    return request


def context_of(request: Mapping[str, Any], folders: Folders) -> Context:
    """Build what ``setup`` receives."""
    return Context(
        weights={name: folders.weights / path for name, path in request["weights"].items()},
        seed=request["seed"],
        threads=request["threads"],
        gpu=tuple(request.get("gpu", ())),
    )


def case_of(request: Mapping[str, Any], folders: Folders) -> Case:
    """Build what ``run_case`` receives."""
    return Case(
        id=request["case_id"],
        inputs={port: folders.inputs / path for port, path in request["inputs"].items()},
        parameters=dict(request["parameters"]),
        output_folder=folders.outputs,
        scratch_folder=folders.scratch,
    )


def write_outputs(result: CaseResult, folders: Folders) -> List[Dict[str, str]]:
    """Write measurement rows as files and list every output by port and path in the output folder."""
    listed = []
    for port, value in sorted(result.outputs.items()):
        if isinstance(value, (str, os.PathLike)):
            path = Path(value)
        else:
            path = folders.outputs / f"{port}.json"
            path.write_text(
                json.dumps(
                    {"contract": MEASUREMENTS_CONTRACT, "rows": list(value)}, allow_nan=False, sort_keys=True
                ),
                encoding="utf-8",
            )
        listed.append({"port": port, "path": os.path.relpath(path, folders.outputs)})
    return listed


def write_result(
    folders: Folders,
    outcome: str,
    *,
    reason_code: str = "",
    message: str = "",
    outputs: Sequence[Mapping[str, str]] = (),
    qc: Sequence[QualityCheck] = (),
    warnings: Sequence[str] = (),
    environment: Optional[Mapping[str, str]] = None,
) -> None:
    """Write result.json under a temporary name and rename it, so that a killed container leaves none."""
    document = {
        "contract": RESULT_CONTRACT,
        "outcome": outcome,
        "reason_code": reason_code,
        "message": message[:MAX_MESSAGE_CHARACTERS],
        "outputs": list(outputs),
        "qc": [{"id": check.id, "verdict": check.verdict, "value": check.value} for check in qc],
        "warnings": list(warnings),
        "environment": {str(key): str(value) for key, value in (environment or {}).items()},
    }
    temporary = folders.outputs / ".result.json.part"
    temporary.write_text(json.dumps(document, allow_nan=False, sort_keys=True), encoding="utf-8")
    os.replace(temporary, folders.outputs / "result.json")
