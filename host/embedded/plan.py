"""Which test runs when, and in which container. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ContainerKind = Literal["fresh", "warm"]


@dataclass(frozen=True)
class PlannedRun:
    """One run of one test; ``number`` counts from 1 over all of them."""

    number: int
    test: str
    container: ContainerKind

    @property
    def label(self) -> str:
        """How the run is called in messages."""
        return f"run {self.number} ({self.container})"


@dataclass(frozen=True)
class Plan:
    """All runs: each fresh one has a container of its own, the warm ones share one."""

    fresh: tuple[PlannedRun, ...]
    warm: tuple[PlannedRun, ...]

    @property
    def runs(self) -> tuple[PlannedRun, ...]:
        """In the order of their numbers."""
        return self.fresh + self.warm


def plan_runs(tests: Sequence[str], *, repeats: int, warm: bool, seed: int) -> Plan:
    """Plan every test ``repeats`` times, the first time in the manifest's order and then shuffled.

    Parameters
    ----------
    tests : sequence of str
        Names, in the manifest's order.
    repeats : int
        At least 1.
    warm : bool
        Whether the same number of runs follows in one warm container, each round in another order, so that most
        cases come after another one.
    seed : int
        Of the orders.
    """
    chance = random.Random(seed)  # noqa: S311 - an order to test in, no secret
    names = list(tests)
    orders = [names]
    for _ in range(repeats - 1 + (repeats if warm else 0)):
        orders.append(chance.sample(names, len(names)))
    planned = [
        PlannedRun(number, test, "fresh" if number <= repeats * len(names) else "warm")
        for number, test in enumerate((name for order in orders for name in order), start=1)
    ]
    return Plan(
        tuple(one for one in planned if one.container == "fresh"),
        tuple(one for one in planned if one.container == "warm"),
    )
