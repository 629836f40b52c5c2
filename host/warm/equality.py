"""The host's own test that a warm container answers as fresh ones do, whatever it had answered before."""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from host.agreement import Answered, differences, is_comparable
from host.crew import Crew
from host.execution import CaseRequest
from host.workbench import Bench
from plugin_spec.manifest import Manifest
from registry.statements import Agreement

ItemT = TypeVar("ItemT")
# Twice through a container, in two orders: each case comes after others than the first time.
PASSES = 2


@dataclass(frozen=True)
class CaseAgreement:
    """How a case's warm answer compares with its fresh one; ``after`` is the case that the container had before."""

    case_id: str
    after: str | None
    differences: tuple[str, ...]


@dataclass(frozen=True)
class WarmEquality:
    """What the comparison found: one line per warm run, in the order they were made."""

    seed: int
    claim: str
    cases: tuple[CaseAgreement, ...]

    @property
    def agreement(self) -> Agreement:
        """Equal only if every warm answer agrees with the fresh one, and the plugin claims that anything should."""
        return agreement_of(self.claim, [one.differences for one in self.cases])


def agreement_of(claim: str, found: Sequence[Sequence[str]]) -> Agreement:
    """One word for a comparison; ``claim`` is empty where nothing is claimed that could be compared."""
    if any(found):
        return "different"
    return "equal" if claim else "not comparable"


def claimed(manifest: Manifest) -> str:
    """The determinism that is claimed; empty where a claim says nothing about two runs."""
    return manifest.determinism.claim if is_comparable(manifest) else ""


def shuffled(items: Sequence[ItemT], seed: int, passes: int = PASSES) -> list[ItemT]:
    """The items in a shuffled order, so many times over; the same for the same seed."""
    order = random.Random(seed)  # noqa: S311 - an order that can be told and repeated, not a secret
    mixed: list[ItemT] = []
    for _ in range(passes):
        once = list(items)
        order.shuffle(once)
        mixed += once
    return mixed


def compare_warm(bench: Bench, crew: Crew, cases: Sequence[CaseRequest], *, seed: int) -> WarmEquality:
    """Run the cases in fresh containers, then in one warm container in shuffled order, and compare.

    Parameters
    ----------
    bench : Bench
        Runs cases of one build, unrecorded; the caller holds ``Home.running``.
    crew : Crew
        Of the same release; its number of jobs does not matter.
    cases : sequence of CaseRequest
        With case ids of their own.
    seed : int
        Of the order; told with the result, so that it can be repeated.

    Raises
    ------
    InputError
        A case's input cannot be used.
    EngineError
        The engine failed.
    """
    manifest = crew.release.manifest
    with ExitStack() as kept:
        fresh = {case.case_id: kept.enter_context(_answer(bench, crew, case)) for case in cases}
        found: list[CaseAgreement] = []
        before: str | None = None
        with crew.warm_place(lambda: False) as place:
            for case in shuffled(cases, seed):
                with bench.staged(case) as prepared:
                    warm = Answered.of(bench.execute(prepared, place=place))
                    found.append(
                        CaseAgreement(case.case_id, before, differences(manifest, fresh[case.case_id], warm))
                    )
                before = case.case_id
    return WarmEquality(seed, claimed(manifest), tuple(found))


@contextmanager
def _answer(bench: Bench, crew: Crew, case: CaseRequest) -> Iterator[Answered]:
    """Run a case in a fresh container; what it left is there until the block ends."""
    with bench.staged(case) as prepared:
        yield Answered.of(bench.execute(prepared, place=crew.fresh_place()))
