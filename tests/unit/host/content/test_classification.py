"""Classifications: the class is declared, the probabilities are, and both say the same."""

import json

import pytest

from host.content.classification import check_classification
from host.errors import OutputContradictionError, OutputLabelsError, OutputMalformedError
from tests.support.output_ports import document, output_port

GOOD = {"lesion": 0.7, "healthy": 0.2, "unsure": 0.1}
POINT = {"positive": "lesion", "threshold": 0.3, "source": "Kit 1."}
TWO = [{"name": "lesion", "summary": "A."}, {"name": "healthy", "summary": "B."}]


def check(label="lesion", probabilities=GOOD, port=None):
    fields = {} if probabilities is None else {"probabilities": probabilities}
    return check_classification(
        port or output_port("classification"), document("classification", label=label, **fields)
    )


def test_a_sound_classification_is_read():
    answer = check()
    assert (answer.label, answer.probabilities) == ("lesion", GOOD)


VIOLATIONS = {
    "an undeclared class": ({"label": "tumour"}, OutputLabelsError, "'tumour' is not declared"),
    "no probabilities": ({"probabilities": None}, OutputMalformedError, "a probability per class"),
    "a class without one": (
        {"probabilities": {"lesion": 0.8, "healthy": 0.2}},
        OutputLabelsError,
        "lack or add the classes unsure",
    ),
    "a class too many": ({"probabilities": {**GOOD, "other": 0.0}}, OutputLabelsError, "other"),
    "a sum of less than 1": (
        {"probabilities": {**GOOD, "unsure": 0.0999}},
        OutputContradictionError,
        "sum to 0.9999",
    ),
    "percentages": (
        {"probabilities": {"lesion": 70, "healthy": 20, "unsure": 10}},
        OutputMalformedError,
        "probabilities.lesion",
    ),
    "a negative probability": (
        {"probabilities": {"lesion": 1.1, "healthy": -0.1, "unsure": 0.0}},
        OutputMalformedError,
        "probabilities",
    ),
    "a call that is not the likeliest": (
        {"label": "healthy"},
        OutputContradictionError,
        "the call is healthy at 0.2, but lesion has 0.7",
    ),
}


@pytest.mark.parametrize("fault", VIOLATIONS)
def test_a_classification_that_does_not_hold_is_refused(fault):
    changes, error, said = VIOLATIONS[fault]
    with pytest.raises(error, match="^port answer: ") as caught:
        check(**changes)
    assert said in caught.value.message


@pytest.mark.parametrize("digits", [6, 7])
def test_probabilities_rounded_to_six_decimals_still_sum_to_one(digits):
    thirds = {name: round(1 / 3, digits) for name in GOOD}
    assert check(probabilities=thirds).probabilities == thirds


@pytest.mark.parametrize("label", ["lesion", "healthy"])
def test_either_of_two_equal_classes_may_be_called(label):
    equal = {"lesion": 0.5, "healthy": 0.5, "unsure": 0.0}
    assert check(label, equal).label == label


@pytest.mark.parametrize(("probability", "call"), [(0.3, "lesion"), (0.2999, "healthy"), (0.9, "lesion")])
def test_the_operating_point_decides_the_call_where_there_is_one(probability, call):
    port = output_port("classification", classes=TWO, operating_point=POINT)
    both = {"lesion": probability, "healthy": 1 - probability}
    assert check(call, both, port).label == call
    other = ({"lesion", "healthy"} - {call}).pop()
    with pytest.raises(OutputContradictionError, match="is called from 0.3 on"):
        check(other, both, port)


def test_a_port_without_probabilities_takes_none():
    port = output_port("classification", probabilities=False)
    assert check("unsure", None, port).label == "unsure"
    with pytest.raises(OutputMalformedError, match="none is declared"):
        check("lesion", GOOD, port)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", json.dumps({"label": "lesion"}).encode()])
def test_bytes_that_are_no_classification_name_the_port(data):
    with pytest.raises(OutputMalformedError, match="^port answer: "):
        check_classification(output_port("classification"), data)
