"""The documents of ports, by themselves: closed, strict, finite, bounded."""

import json
from typing import Any

import pytest

from plugin_spec.documents import (
    DOCUMENTS,
    MAX_DETECTIONS,
    MAX_DOCUMENT_BYTES,
    DetectionsDocument,
    parse_document,
)
from plugin_spec.errors import ContractError
from tests.support.output_ports import GOOD_FIELDS, document


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_sound_document_is_read(kind: str) -> None:
    parse_document(document(kind, **GOOD_FIELDS[kind]), DOCUMENTS[kind], port="answer")


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize(
    "changes", [{"contract": "assay.other/1"}, {"further": 1}, {"contract": None}], ids=str
)
def test_a_document_of_another_kind_or_with_more_in_it_is_refused(kind: str, changes: dict[str, Any]) -> None:
    data = json.dumps({**json.loads(document(kind, **GOOD_FIELDS[kind])), **changes}).encode()
    with pytest.raises(ContractError, match="^port answer: (contract|further)"):
        parse_document(data, DOCUMENTS[kind], port="answer")


@pytest.mark.parametrize(
    ("kind", "text", "field"),
    [
        ("classification", '"label": "healthy", "label": "lesion"', "label"),
        ("score", '"value": 0.5, "value": 0.9', "value"),
        ("measurements", '"rows": [{"gm_ml": 1.0, "gm_ml": 2.0}]', "gm_ml"),
        ("score", '"contract": "assay.score/1", "value": 0.5', "contract"),
    ],
)
def test_a_field_that_stands_twice_is_refused_since_readers_would_differ(
    kind: str, text: str, field: str
) -> None:
    data = f'{{"contract": "assay.{kind}/1", {text}}}'.encode()
    with pytest.raises(ContractError, match=f"^port answer: the field '{field}' stands twice"):
        parse_document(data, DOCUMENTS[kind], port="answer")


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_past_the_limit_is_not_parsed(kind: str) -> None:
    with pytest.raises(ContractError, match="larger than"):
        parse_document(b" " * (MAX_DOCUMENT_BYTES + 1), DOCUMENTS[kind], port="answer")


def test_findings_are_bounded() -> None:
    finding = {"label": "a", "point": [0.0, 0.0, 0.0]}
    with pytest.raises(ContractError, match="detections"):
        parse_document(
            document("detections", frame="LPS", detections=[finding] * (MAX_DETECTIONS + 1)),
            DetectionsDocument,
            port="answer",
        )
