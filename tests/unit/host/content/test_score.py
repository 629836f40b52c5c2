"""Scores: in range, with an interval exactly where one is declared."""

import pytest

from host.content.score import check_score
from host.errors import OutputMalformedError, OutputRangeError
from tests.support.output_ports import document, output_port

GOOD = {"value": 0.31, "lower": 0.22, "upper": 0.42}
VIOLATIONS = {
    "no value": ({"lower": 0.1, "upper": 0.2}, OutputMalformedError, "value"),
    "a value above the range": ({**GOOD, "value": 1.2, "upper": 1.3}, OutputRangeError, "value is 1.2"),
    "an interval that leaves the range": ({**GOOD, "lower": -0.1}, OutputRangeError, "lower is -0.1"),
    "no interval": ({"value": 0.3}, OutputMalformedError, "a confidence interval is declared"),
    "half an interval": ({"value": 0.3, "lower": 0.2}, OutputMalformedError, "stand together"),
    "a value outside its interval": (
        {**GOOD, "value": 0.5},
        OutputMalformedError,
        "outside its own interval",
    ),
    "NaN": ({**GOOD, "value": float("nan")}, OutputMalformedError, "value"),
    "text": ({**GOOD, "value": "0.31"}, OutputMalformedError, "value"),
}


def test_a_sound_score_is_read():
    answer = check_score(output_port("score"), document("score", **GOOD))
    assert (answer.value, answer.lower, answer.upper) == (0.31, 0.22, 0.42)


@pytest.mark.parametrize("fault", VIOLATIONS)
def test_a_score_that_does_not_hold_is_refused(fault):
    fields, error, said = VIOLATIONS[fault]
    with pytest.raises(error, match="^port answer: ") as caught:
        check_score(output_port("score"), document("score", **fields))
    assert said in caught.value.message


def test_a_score_without_a_declared_interval_has_none():
    port = output_port("score", interval="none")
    assert check_score(port, document("score", value=1.0)).lower is None
    with pytest.raises(OutputMalformedError, match="none is declared"):
        check_score(port, document("score", **GOOD))
