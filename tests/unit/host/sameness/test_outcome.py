"""What a comparison of warm and fresh runs comes to."""

import pytest

from host.sameness.outcome import agreement_of, shuffled


def test_the_order_is_shuffled_and_can_be_repeated() -> None:
    items = list(range(20))
    once = shuffled(items, 1)
    assert sorted(once) == items
    assert once != items
    assert once == shuffled(items, 1)
    assert once != shuffled(items, 2)


@pytest.mark.parametrize(
    ("claim", "found", "word"),
    [
        ("bitwise", [(), ()], "equal"),
        ("bitwise", [(), ("x",)], "different"),
        ("", [(), ()], "not comparable"),
        ("", [("ended ok and failed",)], "different"),
    ],
)
def test_one_word_says_what_was_found(claim: str, found: list[tuple[str, ...]], word: str) -> None:
    assert agreement_of(claim, found, answered=True) == word


def test_cases_that_failed_alike_have_compared_nothing() -> None:
    assert agreement_of("bitwise", [(), ()], answered=False) == "not comparable"
    assert agreement_of("bitwise", [("ended ok and failed",)], answered=False) == "different"
