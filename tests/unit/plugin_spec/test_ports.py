"""Ports and parameters: distinct labels and columns, ordered ranges, and what a parameter accepts."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from plugin_spec.ports import InputPort, OutputPort, Parameter

input_port: TypeAdapter[InputPort] = TypeAdapter(InputPort)
output_port: TypeAdapter[OutputPort] = TypeAdapter(OutputPort)
parameter: TypeAdapter[Parameter] = TypeAdapter(Parameter)

VOLUME = {"kind": "volume", "name": "t1", "summary": "A scan.", "modality": "MR", "unit": "{arbitrary}"}
CONCEPT = {"value": "12738006", "scheme": "SCT", "meaning": "Brain"}
COLUMN = {
    "name": "brain_ml",
    "summary": "Volume.",
    "unit": "mL",
    "minimum": 0.0,
    "maximum": 3000.0,
    "decimals": 1,
}


def label(value: int, name: str) -> dict[str, Any]:
    return {"value": value, "name": name, "concept": CONCEPT}


def label_map(*labels: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "label_map", "name": "tissue", "summary": "Labels.", "labels": labels}


def measurements(*columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "measurements",
        "name": "volumes",
        "summary": "Rows.",
        "rows_per": "case",
        "columns": columns,
    }


def bounded(kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": "p",
        "summary": "A knob.",
        "minimum": 1,
        "maximum": 4,
        "default": 2,
        **fields,
    }


def test_a_volume_is_an_input_and_an_output() -> None:
    assert input_port.validate_python(VOLUME) == output_port.validate_python(VOLUME)


def test_measurements_are_an_input_and_an_output() -> None:
    assert input_port.validate_python(measurements(COLUMN)) == output_port.validate_python(
        measurements(COLUMN)
    )


def test_a_report_is_no_input() -> None:
    report = {"kind": "report", "name": "page", "summary": "A page.", "format": "pdf"}
    assert output_port.validate_python(report).format == "pdf"
    with pytest.raises(ValidationError, match="report"):
        input_port.validate_python(report)


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match="'volume', 'label_map'"):
        input_port.validate_python({**VOLUME, "kind": "picture"})


def test_intensities_that_fit_no_range_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"value_min 4\.0 must be below value_max 0\.0"):
        input_port.validate_python({**VOLUME, "value_min": 4.0, "value_max": 0.0})


def test_labels_keep_their_values_and_names_apart() -> None:
    port = output_port.validate_python(label_map(label(1, "grey"), label(2, "white")))
    assert port.kind == "label_map"
    for pair in ((label(1, "grey"), label(1, "white")), (label(1, "grey"), label(2, "grey"))):
        with pytest.raises(ValidationError, match="may stand once"):
            output_port.validate_python(label_map(*pair))


@pytest.mark.parametrize("value", [0, -1, 65536])
def test_a_label_is_neither_background_nor_past_sixteen_bits(value: int) -> None:
    with pytest.raises(ValidationError, match="value"):
        output_port.validate_python(label_map(label(value, "grey")))


def test_two_columns_do_not_share_a_name() -> None:
    with pytest.raises(ValidationError, match="columns: each name may stand once"):
        output_port.validate_python(measurements(COLUMN, COLUMN))


@pytest.mark.parametrize("maximum", [0.0, -1.0])
def test_a_column_has_an_ordered_range(maximum: float) -> None:
    with pytest.raises(ValidationError, match=r"minimum 0\.0 must be below maximum"):
        output_port.validate_python(measurements({**COLUMN, "maximum": maximum}))


@pytest.mark.parametrize(
    ("declared", "accepted", "refused"),
    [
        (bounded("int"), [1, 4], [0, 5, 2.0, True, "2"]),
        (
            bounded("float", unit="mm", minimum=1.0, maximum=4.0, default=2.0),
            [1, 1.0, 4.0],
            [0.99, 4.01, float("nan"), True, "2"],
        ),
        (
            {"kind": "bool", "name": "p", "summary": "A switch.", "default": True},
            [True, False],
            [0, 1, "yes"],
        ),
        (
            {"kind": "enum", "name": "p", "summary": "A word.", "default": "a", "values": ("a", "b")},
            ["a", "b"],
            ["c", "A", 1],
        ),
    ],
    ids=["int", "float", "bool", "enum"],
)
def test_a_parameter_accepts_its_own_kind_within_bounds(
    declared: dict[str, Any], accepted: list[object], refused: list[object]
) -> None:
    checked = parameter.validate_python(declared)
    assert [checked.accepts(value) for value in accepted] == [True] * len(accepted)
    assert [checked.accepts(value) for value in refused] == [False] * len(refused)
