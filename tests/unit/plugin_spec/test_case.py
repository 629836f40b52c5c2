"""The documents that cross the container wall, read as claims of a stranger."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from plugin_spec.case import Request, parse_result, request_bytes
from plugin_spec.documents import MeasurementRows, parse_document
from plugin_spec.errors import ContractError


def result(**changes: Any) -> bytes:
    return json.dumps({"contract": "assay.result/1", "outcome": "ok", **changes}).encode()


def rows(*values: dict[str, Any]) -> bytes:
    return json.dumps({"contract": "assay.measurements/1", "rows": values}).encode()


def request(**changes: Any) -> Request:
    fields: dict[str, Any] = {
        "case_id": "sub-01",
        "seed": 0,
        "threads": 1,
        "inputs": {"t1": "t1.nii.gz"},
        "parameters": {"rounds": 2, "fast": True, "sigma": 1.5},
        "weights": {},
    }
    return Request(**{**fields, **changes})


def test_a_request_survives_the_wall_unchanged() -> None:
    assert Request.model_validate_json(request_bytes(request())) == request()


def test_a_switch_does_not_become_a_number_on_the_way() -> None:
    parameters = json.loads(request_bytes(request()))["parameters"]
    assert parameters["fast"] is True
    assert parameters["rounds"] == 2


@pytest.mark.parametrize("case_id", ["../sub-01", "", ".hidden", "a b", "x" * 64])
def test_a_case_id_that_could_leave_its_folder_is_refused(case_id: str) -> None:
    with pytest.raises(ValidationError, match="case_id"):
        request(case_id=case_id)


def test_the_shortest_result_is_read() -> None:
    parsed = parse_result(result())
    assert (parsed.outcome, parsed.outputs, parsed.warnings) == ("ok", (), ())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"outcome": "fine"}, "outcome"),
        ({"contract": "assay.result/2"}, "contract"),
        ({"extra": 1}, "extra: unknown field"),
        ({"outputs": [{"port": "t1", "path": "/etc/passwd"}]}, "outputs.0.path"),
        ({"outputs": [{"port": "t1", "path": "../t1.nii"}]}, "outputs.0.path"),
        ({"qc": [{"id": "snr", "verdict": "good", "value": 1.0}]}, "qc.0.verdict"),
        ({"reason_code": "Bad Code"}, "reason_code"),
        ({"message": "x" * 2001}, "message"),
        ({"warnings": ["x"] * 257}, "warnings"),
    ],
)
def test_a_result_that_breaks_the_contract_names_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ContractError) as caught:
        parse_result(result(**changes))
    assert str(caught.value).startswith(f"result.json: {field}")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_bytes_that_are_no_result_are_a_contract_violation(data: bytes) -> None:
    with pytest.raises(ContractError, match=r"result\.json: "):
        parse_result(data)


def test_a_result_past_the_limit_is_not_parsed() -> None:
    with pytest.raises(ContractError, match="larger than 1048576 bytes"):
        parse_result(b" " * (1024 * 1024 + 1))


def test_rows_hold_numbers_and_words() -> None:
    parsed = parse_document(
        rows({"gm_ml": 612.3, "side": "left"}, {"gm_ml": 1}), MeasurementRows, port="volumes"
    )
    assert parsed.rows == ({"gm_ml": 612.3, "side": "left"}, {"gm_ml": 1.0})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), True, None, [1.0]])
def test_a_value_that_is_no_finite_number_names_the_port(number: object) -> None:
    with pytest.raises(ContractError, match=r"^port volumes: rows\.0\.gm_ml"):
        parse_document(rows({"gm_ml": number}), MeasurementRows, port="volumes")
