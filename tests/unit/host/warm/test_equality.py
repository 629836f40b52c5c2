"""Warm equals fresh: the host looks for itself, in orders of its own, and finds a plugin that remembers."""

from pathlib import Path

import pytest

from host.builds import as_release, read_build
from host.crew import Crew
from host.engines.cgroup import MemoryUse
from host.execution import CaseRequest
from host.machine import Room
from host.scheduling import Share
from host.warm.equality import WarmEquality, agreement_of, compare_warm, shuffled
from host.workbench import Bench
from plugin_spec.manifest import read_manifest
from tests.support import built
from tests.support.tiny import write_scan
from tests.support.warm_process import REMEMBERS


def compare(
    folder: Path, server: str | None = None, behaviours: tuple[str, ...] = ("answer",) * 3
) -> WarmEquality:
    author = built.Bench(folder, "serve")
    author.engine.server = server or author.engine.server
    manifest = read_manifest(author.plugin / "plugin.toml")
    release = as_release(author.home, read_build(author.home, manifest, author.plugin), manifest)
    cases = [
        CaseRequest(f"case-{rank}", {"scan": write_scan(folder / f"{rank}.nii", behaviour, rank)}, {})
        for rank, behaviour in enumerate(behaviours, start=1)
    ]
    bench = Bench(author.home, release, author.engine)
    probe = {"probe": lambda pid: MemoryUse(1, 0)}
    crew = Crew(author.engine, author.home.runs, release, Room(Share(2.0, 2**33)), **probe)
    found = compare_warm(bench, crew, cases, seed=7)
    assert sum(spec.control is not None for spec in author.engine.ran) == 1
    assert list(author.home.runs.iterdir()) == []
    return found


def test_a_plugin_that_keeps_nothing_between_cases_is_equal(tmp_path: Path) -> None:
    found = compare(tmp_path, behaviours=("answer", "refuse", "answer"))
    assert found.agreement == "equal"
    assert len(found.cases) == 6
    assert found.cases[0].after is None
    assert [one.after for one in found.cases[1:]] == [one.case_id for one in found.cases[:-1]]


def test_a_plugin_that_remembers_its_last_case_is_found_out(tmp_path: Path) -> None:
    found = compare(tmp_path, REMEMBERS)
    assert found.agreement == "different"
    assert [bool(one.differences) for one in found.cases] == [False, True, True, True, True, True]
    assert found.cases[1].differences[0].startswith("volumes: sha256:")


def test_the_order_is_shuffled_and_can_be_repeated() -> None:
    items = list(range(20))
    once = shuffled(items, 1)
    assert sorted(once[:20]) == sorted(once[20:]) == items
    assert once[:20] != items
    assert once[:20] != once[20:]
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
    assert agreement_of(claim, found) == word
