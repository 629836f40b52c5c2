"""``bench.json`` keeps what others wrote; the table tells every benchmark, those that could not run included."""

import json
from pathlib import Path

import pytest

from tests.bench import results
from tests.bench.benchmark import Benchmark, Goal
from tests.bench.catalogue import EXPERIMENTS
from tests.bench.measure import Row

FAST = Row(Benchmark("fast", "fast thing", "a", "b", Goal(2)), 1.23456, 9, "1 ms against 1 ms")
SLOW = Row(Benchmark("slow", "slow thing", "a", "b", Goal(2)), 3.0, 9, "3 ms against 1 ms")
ABSENT = Row(Benchmark("absent", "absent thing", "a", "b", Goal(1)), None, 0, "cannot run: no engine")
PEER = Row(Benchmark("peer", "a peer", "a", "b"), 7.0, 9, "7 ms against 1 ms")
ROWS = (FAST, SLOW, ABSENT, PEER)


def test_every_entry_has_the_agreed_fields() -> None:
    made = results.entries(ROWS, machine="a machine", date="2026-11-25")
    assert made["fast"] == {
        "ratio": 1.235,
        "goal": "<= 2",
        "met": True,
        "runs": 9,
        "machine": "a machine",
        "date": "2026-11-25",
        "note": "1 ms against 1 ms",
    }
    assert (made["slow"]["met"], made["absent"]["met"], made["peer"]["met"]) == (False, None, None)
    assert made["absent"]["ratio"] is None


def test_another_benchmark_s_entries_stay(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    results.merge(path, {"other": {"ratio": 1.0}})
    results.merge(path, results.entries([FAST], machine="m", date="d"))
    results.merge(path, results.entries([SLOW], machine="m", date="d"))
    assert set(json.loads(path.read_text())) == {"other", "fast", "slow"}


def test_the_table_says_what_was_met_what_was_not_and_what_never_ran() -> None:
    titles = {row.benchmark.name: row.benchmark.title for row in ROWS} | {"later": "a later thing"}
    lines = results.table(titles, results.entries(ROWS, machine="m", date="d"))
    assert lines[2:] == [
        "| fast thing (`fast`) | 1.24 × | ≤ 2 × | yes | 9 | 1 ms against 1 ms |",
        "| slow thing (`slow`) | 3.00 × | ≤ 2 × | **no** | 9 | 3 ms against 1 ms |",
        "| absent thing (`absent`) | – | ≤ 1 × | – | 0 | cannot run: no engine |",
        "| a peer (`peer`) | 7.00 × | – | – | 9 | 7 ms against 1 ms |",
        "| a later thing (`later`) | – | – | – | 0 | never run |",
    ]


def test_the_table_takes_the_marked_place_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table -->\nold\n<!-- end of table -->\nafter\n")
    results.write_between(page, "table", ["new", "lines"])
    assert page.read_text() == "before\n<!-- table -->\nnew\nlines\n<!-- end of table -->\nafter\n"
    with pytest.raises(ValueError, match="no place marked 'other'"):
        results.write_between(page, "other", [])


def test_no_two_benchmarks_have_one_name_and_each_compares_two_subjects() -> None:
    listed = [one for experiment in EXPERIMENTS for one in experiment.benchmarks]
    assert len({one.name for one in listed}) == len(listed)
    assert all(one.subject != one.reference for one in listed)
