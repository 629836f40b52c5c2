"""The documents of ports: whatever a field holds, the answer is a document or one line that names the port."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_spec.documents import DOCUMENTS, ScoreDocument, TransformDocument, parse_document
from plugin_spec.errors import ContractError
from tests.support.output_ports import GOOD_FIELDS, document

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", DOCUMENTS)
@given(data=st.data())
def test_whatever_a_field_holds_the_answer_is_a_document_or_one_line(kind: str, data: st.DataObject) -> None:
    fields = dict(GOOD_FIELDS[kind])
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
    matrix = [
        [c, -s, 0.0, 1.0],
        [s, c, 0.0, 2.0],
        [0.0, 0.0, scale, 3.0],
        GOOD_FIELDS["transform"]["matrix"][3],
    ]
    parsed = parse_document(document("transform", matrix=matrix), TransformDocument, port="answer")
    assert parsed.determinant == pytest.approx(scale**3)
