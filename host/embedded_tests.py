"""The tests a manifest carries: a case that must answer, and one that must be refused."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host.builds import check_plugin
from host.engines.interface import Engine
from host.home import Home
from host.workbench import BenchAnswer, run_once
from plugin_spec.manifest import EmbeddedTest


@dataclass(frozen=True)
class TestOutcome:
    """One embedded test: what was expected, how the case ended, and what does not hold (empty: all holds)."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    name: str
    expected: str
    outcome: str
    fault: str


def run_all(
    home: Home, folder: Path, engine: Engine, *, say: Callable[[str], None]
) -> tuple[TestOutcome, ...]:
    """Run every embedded test of a built plugin."""
    outcomes = []
    for test in check_plugin(folder).tests:
        say(f"test {test.name}: expect {test.expect}")
        inputs = {port: folder / files[0] for port, files in test.files().items()}
        answer = run_once(home, folder, engine, inputs=inputs, parameters=test.parameters, out=None, say=say)
        fault = judge(test, answer)
        if fault and answer.log:
            say(answer.log.rstrip())  # the author's own traceback
        outcomes.append(TestOutcome(test.name, test.expect, answer.execution.outcome, fault))
    return tuple(outcomes)


def judge(test: EmbeddedTest, answer: BenchAnswer) -> str:
    """What does not hold of a test, in one line; empty when all holds. Pure."""
    ended = answer.execution
    if ended.outcome != test.expect:
        return f"expected {test.expect}, ended {ended.outcome}: {ended.reason_code} {ended.message}".rstrip()
    if test.reason_code is not None and ended.reason_code != test.reason_code:
        return f"expected the reason {test.reason_code}, was {ended.reason_code}: {ended.message}"
    for one in test.compare:
        where = (one.port, one.column, one.row)
        values = [m.value for m in answer.measured if (m.port, m.column, m.row) == where]
        if one.value is None or not values or not isinstance(values[0], (int, float)):
            return f"{one.port}.{one.column} is missing"
        margin = one.absolute if one.absolute is not None else (one.relative or 0.0) * abs(one.value)
        if abs(values[0] - one.value) > margin:
            return f"{one.port}.{one.column} is {values[0]:g}, expected {one.value:g} ± {margin:g}"
    return ""
