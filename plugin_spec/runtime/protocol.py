"""The file protocol between host and container: where files lie, and what the two JSON documents hold."""

import json
import os
from pathlib import Path
from typing import Any, Dict, Final, List, Mapping, Optional, Sequence, Union

from plugin_spec.hookspecs import Case, CaseResult, Context, QualityCheck

REQUEST_CONTRACT: Final = "assay.request/1"
RESULT_CONTRACT: Final = "assay.result/1"
MEASUREMENTS_CONTRACT: Final = "assay.measurements/1"
# Kinds of output that an adapter may answer with as plain values; the runtime writes their documents.
DOCUMENT_CONTRACTS: Final[Mapping[str, str]] = {
    "measurements": MEASUREMENTS_CONTRACT,
    "classification": "assay.classification/1",
    "detections": "assay.detections/1",
    "score": "assay.score/1",
    "transform": "assay.transform/1",
}
SERVE_CONTRACT: Final = "assay.serve/1"
# Set by the host to the path of its socket: the container then serves many cases (`plugin_spec.runtime.serve`).
SERVE_VARIABLE: Final = "ASSAY_SERVE"

MAX_MESSAGE_CHARACTERS: Final = 2000

EXIT_OK = 0
EXIT_REFUSED = 10
EXIT_UNREADABLE_INPUT = 11
EXIT_PLUGIN_ERROR = 20
EXIT_GPU_UNUSABLE = 30
# What the runtime itself says of a case that failed, and how its container then ends.
CODE_OF_REASON: Final[Mapping[str, int]] = {
    "unreadable-input": EXIT_UNREADABLE_INPUT,
    "gpu-unusable": EXIT_GPU_UNUSABLE,
    "plugin-error": EXIT_PLUGIN_ERROR,
}


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
        inputs={port: _staged(given, folders) for port, given in request["inputs"].items()},
        parameters=dict(request["parameters"]),
        output_folder=folders.outputs,
        scratch_folder=folders.scratch,
    )


def _staged(given: Union[str, Sequence[str]], folders: Folders) -> Union[Path, List[Path]]:
    if isinstance(given, str):
        return folders.inputs / given
    return [folders.inputs / name for name in given]


def write_outputs(result: CaseResult, folders: Folders, kinds: Mapping[str, str]) -> List[Dict[str, str]]:
    """Write the answers given as values, and list every output by port and path in the output folder.

    Parameters
    ----------
    result : CaseResult
        Paths of written files, or the values themselves.
    folders : Folders
    kinds : mapping of str to str
        Kind of each output port, as request.json gives it; a port it does not name holds measurements.
    """
    listed = []
    for port, value in sorted(result.outputs.items()):
        kind = kinds.get(port, "measurements")
        # A word is a path, but for the one kind whose answer is a word; its file is given as a Path.
        if isinstance(value, os.PathLike) or (isinstance(value, str) and kind != "classification"):
            path = Path(value)
        else:
            path = folders.outputs / f"{port}.json"
            document = document_of(port, kind, value)
            text = json.dumps(document, allow_nan=False, sort_keys=True, default=_plain)
            path.write_text(text, encoding="utf-8")
        listed.append({"port": port, "path": os.path.relpath(path, folders.outputs)})
    return listed


def _plain(value: Any) -> Any:
    """Numbers and arrays of numerical packages as plain ones."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"an output holds a {type(value).__name__}, which a JSON document cannot hold")


def document_of(port: str, kind: str, value: Any) -> Dict[str, Any]:
    """The document that says ``value``: rows, a list of findings, a matrix, or a mapping of the document's fields.

    Raises
    ------
    TypeError
        A port of this kind takes the path of a written file.
    """
    if kind not in DOCUMENT_CONTRACTS:
        raise TypeError(
            f"output {port!r} is a {kind}: answer with the path of the file, not with {type(value).__name__}"
        )
    document: Dict[str, Any] = {"contract": DOCUMENT_CONTRACTS[kind]}
    if kind == "measurements":
        document["rows"] = [value] if isinstance(value, dict) else list(value)
    elif kind == "detections":
        document.update(frame="LPS", detections=list(value))
    elif kind == "transform":
        document["matrix"] = [[float(number) for number in row] for row in value]
    elif kind == "score" and not isinstance(value, dict):
        document["value"] = value
    elif kind == "classification" and isinstance(value, str):
        document["label"] = value
    else:
        document.update(value)
    return document


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
    gpu: Optional[Sequence[Mapping[str, Any]]] = None,
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
        "gpu": gpu,
    }
    temporary = folders.outputs / ".result.json.part"
    temporary.write_text(json.dumps(document, allow_nan=False, sort_keys=True), encoding="utf-8")
    os.replace(temporary, folders.outputs / "result.json")
