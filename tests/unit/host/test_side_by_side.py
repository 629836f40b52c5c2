"""Work side by side: in order, on several threads, with little ahead, and over at once when something fails."""

import threading
from collections.abc import Iterator

import pytest

from host.side_by_side import AHEAD, side_by_side


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    assert list(side_by_side(lambda item: item * item, range(40), workers=workers)) == [
        n * n for n in range(40)
    ]


def test_several_threads_work_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=20)  # broken unless three items are in work at once
    assert len(list(side_by_side(lambda item: meeting.wait(), range(6), workers=3))) == 6


def test_no_more_is_taken_than_is_needed_to_keep_the_workers_busy() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    for done, _ in enumerate(side_by_side(lambda item: item, items(), workers=2), start=1):
        assert len(taken) - done <= AHEAD * 2


def test_the_first_failure_in_order_is_raised_and_what_had_not_begun_never_does() -> None:
    begun = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 3:
            raise ValueError("item 3")
        return item

    found = []
    with pytest.raises(ValueError, match="item 3"):
        found.extend(side_by_side(work, range(1000), workers=2))
    assert max(begun) < 3 + AHEAD * 2 + 1


def test_whoever_stops_listening_stops_the_work() -> None:
    begun: list[int] = []
    results = side_by_side(begun.append, range(1000), workers=2)
    next(results)
    results.close()  # type: ignore[attr-defined]  # a generator, as every iterator of ours
    count = len(begun)
    assert count <= AHEAD * 2
    assert len(begun) == count
