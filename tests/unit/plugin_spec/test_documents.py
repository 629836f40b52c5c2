"""The documents of ports, by themselves: closed, strict, finite, bounded."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_spec.documents import (
    DOCUMENTS,
    MAX_DETECTIONS,
    MAX_DOCUMENT_BYTES,
    DetectionsDocument,
    ScoreDocument,
    TransformDocument,
    parse_document,
)
from plugin_spec.errors import ContractError
from tests.support.output_ports import document

IDENTITY = [[float(row == column) for column in range(4)] for row in range(4)]
GOOD: dict[str, dict[str, Any]] = {
    "measurements": {"rows": [{"gm_ml": 1.5, "side": "left"}]},
    "classification": {"label": "lesion", "probabilities": {"lesion": 0.9, "healthy": 0.1}},
    "detections": {"frame": "LPS", "detections": [{"label": "lesion", "point": [1.0, 2.0, 3.0]}]},
    "score": {"value": 0.5, "lower": 0.4, "upper": 0.6},
    "transform": {"matrix": IDENTITY},
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_sound_document_is_read(kind: str) -> None:
    parse_document(document(kind, **GOOD[kind]), DOCUMENTS[kind], port="answer")


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize(
    "changes", [{"contract": "assay.other/1"}, {"further": 1}, {"contract": None}], ids=str
)
def test_a_document_of_another_kind_or_with_more_in_it_is_refused(kind: str, changes: dict[str, Any]) -> None:
    data = json.dumps({**json.loads(document(kind, **GOOD[kind])), **changes}).encode()
    with pytest.raises(ContractError, match="^port answer: (contract|further)"):
        parse_document(data, DOCUMENTS[kind], port="answer")


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_past_the_limit_is_not_parsed(kind: str) -> None:
    with pytest.raises(ContractError, match="larger than"):
        parse_document(b" " * (MAX_DOCUMENT_BYTES + 1), DOCUMENTS[kind], port="answer")


@pytest.mark.parametrize("kind", DOCUMENTS)
@given(data=st.data())
def test_whatever_a_field_holds_the_answer_is_a_document_or_one_line(kind: str, data: st.DataObject) -> None:
    fields = dict(GOOD[kind])
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(json_values)
    try:
        parsed = parse_document(document(kind, **fields), DOCUMENTS[kind], port="answer")
    except ContractError as error:
        assert error.message.startswith("port answer: ")
        assert "\n" not in error.message
    else:
        numbers = json.loads(parsed.model_dump_json())
        assert "NaN" not in json.dumps(numbers)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_one_line(data: bytes) -> None:
    for model in DOCUMENTS.values():
        with pytest.raises(ContractError, match="^port answer: "):
            parse_document(data, model, port="answer")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3))
def test_a_score_lies_inside_its_interval_or_is_refused(numbers: list[float]) -> None:
    lower, value, upper = numbers
    data = document("score", value=value, lower=lower, upper=upper)
    if lower <= value <= upper:
        assert parse_document(data, ScoreDocument, port="answer").value == value
    else:
        with pytest.raises(ContractError, match="outside its own interval"):
            parse_document(data, ScoreDocument, port="answer")


@given(st.floats(-math.pi, math.pi), st.floats(0.1, 10))
def test_the_determinant_is_the_factor_of_volumes(angle: float, scale: float) -> None:
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    matrix = [[c, -s, 0.0, 1.0], [s, c, 0.0, 2.0], [0.0, 0.0, scale, 3.0], IDENTITY[3]]
    parsed = parse_document(document("transform", matrix=matrix), TransformDocument, port="answer")
    assert parsed.determinant == pytest.approx(scale**3)


def test_findings_are_bounded() -> None:
    finding = {"label": "a", "point": [0.0, 0.0, 0.0]}
    with pytest.raises(ContractError, match="detections"):
        parse_document(
            document("detections", frame="LPS", detections=[finding] * (MAX_DETECTIONS + 1)),
            DetectionsDocument,
            port="answer",
        )
