"""Where two documents differ: every field, by a path that a reader can follow."""

import pytest

from host.validation.differences import Difference, differences

TOLD = {
    "verdict": {"criteria": [{"criterion": "overlap", "scope": "size=2", "verdict": "met"}]},
    "cases": [{"row": {"values": {"dice": 0.5, "outcome": None}}}],
    "words": ["a", "b"],
}


def test_equal_documents_differ_nowhere() -> None:
    assert list(differences(TOLD, TOLD)) == []


@pytest.mark.parametrize(
    ("again", "field"),
    [
        (
            {"verdict": {"criteria": [{"criterion": "overlap", "scope": "size=2", "verdict": "not met"}]}},
            "verdict.criteria[overlap size=2].verdict",
        ),
        ({"cases": [{"row": {"values": {"dice": 0.5, "outcome": 1.0}}}]}, "cases[0].row.values.outcome"),
        ({"cases": [{"row": {"values": {"dice": 0.5}}}]}, "cases[0].row.values.outcome"),
        ({"cases": []}, "cases"),
        ({"words": ["a", "c"]}, "words[1]"),
        ({"words": "ab"}, "words"),
        ({"words": ("a", "b", "c")}, "words"),
    ],
)
def test_a_field_that_differs_is_named_by_its_path(again: dict[str, object], field: str) -> None:
    assert [one.field for one in differences(TOLD, {**TOLD, **again})] == [field]


@pytest.mark.parametrize(
    ("told", "again", "rounding"),
    [(0.1, 0.1 + 1e-15, True), (0.1, 0.1001, False), (1, 1.0, False), (True, 1, False), (None, 0.0, False)],
)
def test_only_the_last_digits_of_a_number_are_rounding(told: object, again: object, rounding: bool) -> None:
    (found,) = differences(told, again, "x")
    assert (found, found.is_rounding) == (Difference("x", told, again), rounding)
