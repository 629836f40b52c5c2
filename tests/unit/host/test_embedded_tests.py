"""Embedded tests of a plugin: what does not hold is said in one line."""

import pytest

from host.embedded_tests import judge
from host.execution import Execution
from host.workbench import BenchAnswer
from plugin_spec.manifest import Comparison, EmbeddedTest
from registry.statements import Measured

EXPECTS_OK = EmbeddedTest(
    name="answers",
    inputs={"t1": "a.nii"},
    expect="ok",
    compare=(Comparison(port="numbers", column="gm_ml", value=600.0, absolute=5.0),),
)
EXPECTS_REFUSAL = EmbeddedTest(
    name="refuses", inputs={"t1": "a.nii"}, expect="refused", reason_code="empty-image"
)


def answer(
    outcome: str = "ok", reason: str = "", message: str = "", value: float | str | None = 600.0, row: int = 0
) -> BenchAnswer:
    measured = (
        () if value is None else (Measured(port="numbers", row=row, column="gm_ml", value=value, unit="mL"),)
    )
    return BenchAnswer(Execution(outcome, reason, message), measured, (), "")  # type: ignore[arg-type]  # a word of three


@pytest.mark.parametrize("value", [595.0, 600.0, 605.0])
def test_a_value_within_its_tolerance_holds(value: float) -> None:
    assert judge(EXPECTS_OK, answer(value=value)) == ""


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (answer(value=605.5), "numbers.gm_ml is 605.5, expected 600 ± 5"),
        (answer(value=None), "numbers.gm_ml is missing"),
        (answer(value="many"), "numbers.gm_ml is missing"),
        (answer(row=1), "numbers.gm_ml is missing"),
        (answer("failed", "timeout", "too slow"), "expected ok, ended failed: timeout too slow"),
    ],
)
def test_what_does_not_hold_is_said(given: BenchAnswer, fault: str) -> None:
    assert judge(EXPECTS_OK, given) == fault


def test_a_refusal_holds_only_for_the_expected_reason() -> None:
    assert judge(EXPECTS_REFUSAL, answer("refused", "empty-image", value=None)) == ""
    fault = judge(EXPECTS_REFUSAL, answer("refused", "outside-domain", "2-D", value=None))
    assert fault == "expected the reason empty-image, was outside-domain: 2-D"
    assert judge(EXPECTS_REFUSAL, answer()).startswith("expected refused, ended ok")
