"""Workers side by side: results in order, one failure stops all, and nothing is left."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from host.crew import Cancelled, Crew, Place
from host.errors import EngineDiedError, RunCancelledError
from host.machine import Room
from host.planning import plan_limits
from host.scheduling import Share
from tests.support.tiny_host import TinyHost


@pytest.fixture
def crew(host: TinyHost) -> Crew:
    return Crew(host.engine, host.home.runs, host.release, Room(Share(8.0, 2**33)), jobs=3)


def told(_: int, __: object) -> None:
    """Nobody listens."""


def workers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "case-worker"]


def test_results_come_in_the_order_of_the_cases_and_are_told_as_they_end(crew: Crew) -> None:
    ended: list[int] = []

    def run(wait_s: float, place: Place, cancelled: Cancelled) -> float:
        time.sleep(wait_s)
        return wait_s

    results = crew.work([0.3, 0.0, 0.1], run, done=lambda number, result: ended.append(number))
    assert results == [0.3, 0.0, 0.1]
    assert ended == [1, 2, 0]


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_no_more_cases_run_at_once_than_jobs(crew: Crew, jobs: int) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def run(item: int, place: Place, cancelled: Cancelled) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return item

    replace(crew, jobs=jobs).work(range(6), run, done=told)
    assert most == jobs


def test_a_failing_engine_stops_the_batch_and_what_had_ended_was_told(crew: Crew) -> None:
    ended: list[int] = []
    stopped = threading.Event()

    def run(item: int, place: Place, cancelled: Cancelled) -> int:
        if item == 1:
            time.sleep(0.1)
            raise EngineDiedError("gone")
        while item and not cancelled():
            time.sleep(0.01)
        if item:
            stopped.set()
        return item

    with pytest.raises(EngineDiedError):
        crew.work(range(9), run, done=lambda number, result: ended.append(number))
    assert ended[0] == 0
    assert stopped.is_set()
    assert len(ended) < 9
    assert workers() == []


def test_ctrl_c_stops_every_worker_before_it_is_raised(crew: Crew) -> None:
    def run(item: int, place: Place, cancelled: Cancelled) -> int:
        while item and not cancelled():
            time.sleep(0.01)
        return item

    def interrupt(number: int, result: int) -> None:
        if number == 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crew.work(range(5), run, done=interrupt)
    assert workers() == []


def test_an_operators_wish_to_stop_reaches_the_cases(crew: Crew) -> None:
    stop = threading.Event()

    def run(item: int, place: Place, cancelled: Cancelled) -> bool:
        stop.set()
        return cancelled()

    with pytest.raises(RunCancelledError):
        crew.work(range(5), run, done=told, cancelled=stop.is_set)


def test_a_warm_crew_has_one_container_per_worker_and_closes_it(crew: Crew, host: TinyHost) -> None:
    places: set[int] = set()

    def run(item: int, place: Place, cancelled: Cancelled) -> None:
        assert place.warm is not None
        places.add(id(place.warm))
        time.sleep(0.05)

    replace(crew, warm=True, jobs=2).work(range(6), run, done=told)
    assert len(places) == 2
    assert list(Path(host.home.runs).iterdir()) == []


def test_a_fresh_place_waits_for_room(crew: Crew) -> None:
    narrow = replace(crew, room=Room(Share(1.0, 2**33)))
    running, most, lock = 0, 0, threading.Lock()

    def run(item: int, place: Place, cancelled: Cancelled) -> None:
        nonlocal running, most
        with place.reserved(plan_limits(crew.release.manifest, 0), cancelled):
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.03)
            with lock:
                running -= 1

    narrow.work(range(5), run, done=told)
    assert most == 1
