"""A hint that names a command names one that exists: whoever follows it must not meet "no such command"."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.cli import nouns

ROOT = Path(__file__).parents[2]
PACKAGES = ("plugin_spec", "registry", "host")
# Two lower-case words at most: what follows a verb is an argument.
NAMED = re.compile(r"\bassay ([a-z]+)(?: ([a-z]+))?")


def commands() -> dict[str, frozenset[str]]:
    """Every noun with its verbs; a command that stands alone has none."""
    return {noun: frozenset(getattr(nouns.load(noun), "commands", {})) for noun in nouns.NOUNS}


def named_commands(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, noun and verb of every command that a string literal names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for found in NAMED.finditer(node.value):
                yield node.lineno, found[1], found[2] or ""


def unknown(source: str) -> list[str]:
    """The commands named in ``source`` that the command line does not have."""
    known = commands()
    return [
        f"line {line}: assay {noun} {verb}".rstrip()
        for line, noun, verb in named_commands(source)
        if noun not in known or (verb and known[noun] and verb not in known[noun])
    ]


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
    assert unknown('hint = f"amend it: assay trial amend {trial}"') == ["line 1: assay trial amend"]
    assert unknown('hint = "assay trial import, or assay validate PLUGIN, or assay kit"') == []
    assert list(named_commands((ROOT / "registry" / "home.py").read_text()))
