"""Answers given as values: the runtime writes the document of each kind, and a file stays a file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin_spec.documents import DOCUMENTS, parse_document
from plugin_spec.hookspecs import CaseResult
from plugin_spec.runtime.protocol import Folders, write_outputs

MATRIX = [[1.0, 0.0, 0.0, 5.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


def written(root: Path, kind: str, value: Any) -> Any:
    """The document that an answer of this kind becomes, read as the host reads it."""
    folders = Folders(root)
    folders.outputs.mkdir(parents=True)
    (entry,) = write_outputs(CaseResult(outputs={"answer": value}), folders, {"answer": kind})
    return parse_document((folders.outputs / entry["path"]).read_bytes(), DOCUMENTS[kind], port="answer")


ANSWERS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "one row": ("measurements", {"mean": 1.5}, {"rows": [{"mean": 1.5}]}),
    "rows": ("measurements", [{"mean": 1.5}, {"mean": 2.0}], {"rows": [{"mean": 1.5}, {"mean": 2.0}]}),
    "a class": ("classification", "positive", {"label": "positive"}),
    "a class with probabilities": (
        "classification",
        {"label": "a", "probabilities": {"a": 0.9, "b": 0.1}},
        {"label": "a", "probabilities": {"a": 0.9, "b": 0.1}},
    ),
    "a number": ("score", 0.25, {"value": 0.25}),
    "a number with its interval": (
        "score",
        {"value": 0.25, "lower": 0.2, "upper": 0.3},
        {"value": 0.25, "lower": 0.2, "upper": 0.3},
    ),
    "findings": (
        "detections",
        [{"label": "a", "point": [1.0, 2.0, 3.0]}],
        {"frame": "LPS", "detections": [{"label": "a", "point": [1.0, 2.0, 3.0]}]},
    ),
    "a matrix": ("transform", MATRIX, {"matrix": MATRIX}),
    "a matrix of numpy's": ("transform", np.array(MATRIX, np.float32), {"matrix": MATRIX}),
    "a number of numpy's": ("score", np.float32(0.25), {"value": 0.25}),
    "a place of numpy's": (
        "detections",
        [{"label": "a", "point": np.array([1, 2, 3], np.float32)}],
        {"detections": [{"label": "a", "point": [1.0, 2.0, 3.0]}]},
    ),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_a_value_becomes_the_document_of_its_kind(tmp_path: Path, what: str) -> None:
    kind, value, expected = ANSWERS[what]
    found = json.loads(written(tmp_path, kind, value).model_dump_json(exclude_none=True))
    assert expected.items() <= found.items()


@pytest.mark.parametrize("kind", ["measurements", "classification", "score"])
def test_a_path_is_a_written_file_whatever_the_kind(tmp_path: Path, kind: str) -> None:
    folders = Folders(tmp_path)
    folders.outputs.mkdir(parents=True)
    path = folders.outputs / "mine.json"
    assert write_outputs(CaseResult(outputs={"answer": path}), folders, {"answer": kind}) == [
        {"port": "answer", "path": "mine.json"}
    ]


def test_a_value_where_a_file_is_due_says_so(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.outputs.mkdir(parents=True)
    with pytest.raises(TypeError, match="output 'answer' is a volume: answer with the path"):
        write_outputs(CaseResult(outputs={"answer": [1.0]}), folders, {"answer": "volume"})


@pytest.mark.parametrize("value", [{"value": object()}, {"value": float("nan")}, {"value": {1}}])
def test_what_no_document_can_hold_is_the_authors_error(tmp_path: Path, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        written(tmp_path, "score", value)
