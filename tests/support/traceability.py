"""From requirements and attacks to the tests that show them: read from the markers, written for QA to read.

``python -m tests.support.traceability`` writes ``registry/TRACEABILITY.md`` anew. Results come from
``build/traceability.json``, which every run of pytest writes; a test that the last run left out keeps the result that
the page had, and is ``not run`` where it had none.
"""

import ast
import json
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "registry" / "requirements.toml"
ATTACKS = ROOT / "tests" / "redteam" / "attacks.toml"
PAGE = ROOT / "registry" / "TRACEABILITY.md"
RESULTS = ROOT / "build" / "traceability.json"
MARKERS = ("requirement", "attack")
NOT_RUN = "not run"
TWIN = " (honest twin)"
# Of the phases and parameters of one test, the worst counts.
ORDER = ("passed", "skipped", "failed")

HEAD = """# Requirements and attacks, the tests that show them, and their results

Made by `python -m tests.support.traceability` from `registry/requirements.toml`, `tests/redteam/attacks.toml` and the
markers on the tests; do not edit. A result is that of the test's last recorded run.
"""


@dataclass(frozen=True, slots=True)
class Test:
    """A test function: its id without parameters, its source, and what its markers name."""

    id: str
    source: str
    requirements: tuple[str, ...]
    attacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attack:
    """A row of the table of attacks; without a code no test shows it yet.

    ``record`` is where it shows afterwards; the words are explained in the table itself.
    """

    name: str
    code: str | None
    record: str
    honest: str | None


@cache
def requirements() -> Mapping[str, str]:
    """Text by number."""
    texts: dict[str, str] = tomllib.loads(REQUIREMENTS.read_text("utf-8"))["requirement"]
    return texts


@cache
def without_test() -> tuple[str, ...]:
    """The requirements that are admitted to have no test yet."""
    return tuple(tomllib.loads(REQUIREMENTS.read_text("utf-8"))["no_test_yet"])


@cache
def attacks() -> Mapping[str, Attack]:
    """The table of attacks by name, in its order."""
    rows = tomllib.loads(ATTACKS.read_text("utf-8"))["attack"]
    read = [Attack(one["name"], one.get("code"), one.get("record", ""), one.get("honest")) for one in rows]
    names = [one.name for one in read]
    if len(set(names)) != len(names):
        raise ValueError(f"{ATTACKS}: an attack is listed twice")
    return {one.name: one for one in read}


@cache
def functions(root: Path = ROOT) -> Mapping[str, Test]:
    """Every test function under ``tests`` by its id, read without importing anything."""
    found: dict[str, Test] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        text = path.read_text("utf-8")
        for one in _tests_of(text, path.relative_to(root).as_posix()):
            found[one.id] = one
    return found


def _tests_of(text: str, where: str) -> Iterator[Test]:
    tree = ast.parse(text)
    whole = [mark for node in tree.body for mark in _module_marks(node)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = [*whole, *node.decorator_list]
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            source = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
            yield Test(f"{where}::{node.name}", source, *(tuple(_named(marks, one)) for one in MARKERS))


def _module_marks(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
        return list(node.value.elts) if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
    return []


def _named(marks: list[ast.expr], marker: str) -> Iterator[str]:
    """The words that markers of one kind carry; only literal ones, so that they can be read."""
    for mark in marks:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == f"pytest.mark.{marker}":
            for word in mark.args:
                if not isinstance(word, ast.Constant) or not isinstance(word.value, str):
                    raise ValueError(
                        f"a marker {marker} names something else than a word: {ast.unparse(mark)}"
                    )
                yield word.value


def showing(marker: str) -> dict[str, list[str]]:
    """Ids of the tests by the requirement or attack that they name."""
    found: dict[str, list[str]] = {}
    for one in functions().values():
        for name in one.requirements if marker == "requirement" else one.attacks:
            found.setdefault(name, []).append(one.id)
    return found


def unknown_names(names: Collection[str], marker: str) -> list[str]:
    """The names that a marker may not carry."""
    return sorted(set(names) - set(requirements() if marker == "requirement" else attacks()))


def worst(results: Collection[str]) -> str:
    """The worst of some results."""
    return max(results, key=ORDER.index)


def recorded() -> dict[str, str]:
    """Results by test id: those of the last run, else those the page had."""
    before: dict[str, str] = {}
    if PAGE.is_file():
        for line in PAGE.read_text("utf-8").splitlines():
            result, _, test = line.removeprefix("- ").removesuffix(TWIN).partition(": ")
            if result in (*ORDER, NOT_RUN):
                before[test] = result
    run: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
    return before | {name: result for found in run.values() for name, result in found.items()}


def page(results: Mapping[str, str]) -> str:
    """The page that QA reads."""
    from tests.support.attack_table import table

    shown = showing("requirement")
    lines = [HEAD]
    for number, text in requirements().items():
        lines.append(f"## {number}: {text}\n")
        lines += [f"- {results.get(name, NOT_RUN)}: {name}" for name in shown.get(number, ())] or [
            "- no test yet"
        ]
        lines.append("")
    return "\n".join([*lines, *table(results)]) + "\n"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(recorded()), "utf-8")
    sys.stdout.write(f"{PAGE}: {len(requirements())} requirements, {len(attacks())} attacks\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
