"""A pytest plugin: refuses unknown requirements and attacks, and writes what a run showed of the known ones."""

import json
from collections.abc import Sequence

import pytest

from tests.support import traceability


class TracedRun:
    """Results of the marked tests of one run, by requirement, then by test."""

    def __init__(self) -> None:
        self._shown: dict[str, list[str]] = {}
        self._results: dict[str, list[str]] = {}

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Note what each test shows. Raises `pytest.UsageError` for a name that is in no table."""
        twins = {one.honest: one.name for one in traceability.attacks().values()}
        for item in items:
            plain = _plain(item.nodeid)
            if plain in twins:
                self._shown.setdefault(plain, []).append(f"honest twin: {twins[plain]}")
            for marker in traceability.MARKERS:
                names = [str(name) for mark in item.iter_markers(marker) for name in mark.args]
                if unknown := traceability.unknown_names(names, marker):
                    raise pytest.UsageError(f"{item.nodeid}: no {marker} {unknown[0]!r} is listed")
                self._shown.setdefault(plain, []).extend(
                    names if marker == "requirement" else [f"attack: {one}" for one in names]
                )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep each phase's outcome; a test's is the worst of them."""
        if self._shown.get(_plain(report.nodeid)):
            self._results.setdefault(_plain(report.nodeid), []).append(report.outcome)

    def pytest_sessionfinish(self) -> None:
        """Write what was run into ``build/traceability.json``, beside what earlier runs showed of other tests."""
        found = self._earlier() if self._results else {}
        for test, results in sorted(self._results.items()):
            for name in sorted(set(self._shown[test])):
                found.setdefault(name, {})[test] = traceability.worst(results)
        if found:
            traceability.RESULTS.parent.mkdir(exist_ok=True)
            found = {name: tests for name, tests in found.items() if tests}
            partial = traceability.RESULTS.with_suffix(".partial")
            partial.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
            partial.replace(traceability.RESULTS)

    def _earlier(self) -> dict[str, dict[str, str]]:
        if not traceability.RESULTS.is_file():
            return {}
        kept: dict[str, dict[str, str]] = json.loads(traceability.RESULTS.read_text("utf-8"))
        return {
            name: {test: result for test, result in tests.items() if test not in self._results}
            for name, tests in kept.items()
        }


def _plain(nodeid: str) -> str:
    """A test's id without its parameters."""
    return nodeid.partition("[")[0]
