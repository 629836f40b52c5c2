"""A hint that names a command names one that exists: whoever follows it must not meet "no such command"."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host.cli import nouns

ROOT = Path(__file__).parents[2]
PACKAGES = ("plugin_spec", "registry", "host")
# Two lower-case words at most: what follows a verb is an argument.
DOCUMENTS = [
    ROOT / "plugin_spec" / "README.md",
    *(path for path in sorted((ROOT / "host" / "scaffold" / "templates").iterdir()) if path.is_file()),
]
Named = Callable[[str], Iterator[tuple[int, str, str]]]
NAMED = re.compile(r"\bassay ([a-z]+)(?: ([a-z]+(?:-[a-z]+)*))?")


def commands() -> dict[str, frozenset[str]]:
    """Every noun with its verbs; a command that stands alone has none."""
    return {noun: frozenset(getattr(nouns.load(noun), "commands", {})) for noun in nouns.NOUNS}


def named_commands(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, noun and verb of every command that a string literal names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for found in NAMED.finditer(node.value):
                yield node.lineno, found[1], found[2] or ""


def named_in_text(text: str) -> Iterator[tuple[int, str, str]]:
    """The same for a document: what stands in backquotes, or at the start of a line, as in a console."""
    for number, line in enumerate(text.splitlines(), start=1):
        for found in re.finditer(rf"(?:^|^\$ |`){NAMED.pattern}", line):
            yield number, found[1], found[2] or ""


def unknown(source: str, named: Named = named_commands) -> list[str]:
    """The commands named in ``source`` that the command line does not have."""
    known = commands()
    return [
        f"line {line}: assay {noun} {verb}".rstrip()
        for line, noun, verb in named(source)
        if noun not in known or (verb and known[noun] and verb not in known[noun])
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_named_in_a_document_for_authors_exists(path: Path) -> None:
    assert unknown(path.read_text(encoding="utf-8"), named_in_text) == []


def test_a_document_is_searched_where_it_shows_commands() -> None:
    text = "An assay trial is not meant.\nassay plugin lint .\n$ assay plugin mend\nsay `assay kits` and `assay kit`"
    assert unknown(text, named_in_text) == [
        "line 2: assay plugin lint",
        "line 3: assay plugin mend",
        "line 4: assay kits",
    ]
    named = [found for path in DOCUMENTS for found in named_in_text(path.read_text(encoding="utf-8"))]
    assert {("plugin", verb) for verb in ("check", "build", "test", "run", "lock", "new", "base")} <= {
        (noun, verb) for _, noun, verb in named
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_every_command_named_in_a_string_exists(package: str) -> None:
    faults = {
        str(path.relative_to(ROOT)): found
        for path in sorted((ROOT / package).rglob("*.py"))
        if (found := unknown(path.read_text()))
    }
    assert faults == {}


def test_the_search_finds_hints_and_tells_real_commands_from_others() -> None:
    assert {noun for noun, _ in commands().items()} >= {"trust", "trial", "validate", "audit"}
    assert unknown('hint = "a witness cosigns it: assay log cosign"') == ["line 1: assay log cosign"]
    assert unknown('hint = f"undo it: assay trial undo {trial}"') == ["line 1: assay trial undo"]
    assert unknown('hint = "assay trial import, or assay validate PLUGIN, or assay kit"') == []
    assert unknown('hint = "assay kit self-test, or assay kit self-made"') == ["line 1: assay kit self-made"]
    assert list(named_commands((ROOT / "registry" / "home.py").read_text()))
