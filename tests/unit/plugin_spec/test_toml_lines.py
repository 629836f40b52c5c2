"""Where fields stand: the line of every statement, whatever TOML's way of writing it."""

import tomllib
from pathlib import Path

import pytest

from plugin_spec.toml_lines import line_at, lines_of

DOCUMENT = '''\
# a comment
id = "x"

text = """
[not.a.table]
key = 1
"""
list = [
    1, # one,
    2,
]
"a.b" = 1
a.b.c = 2

[[inputs]]
name = "t1"

[[inputs]]
name = "t2"
[inputs.interval]
minimum = 1
[[inputs.labels]]
value = 1
[[inputs.labels]]
value = 2

[runtime.command]
argv = ["tool", { x = 1 }]
'''
LINES = {
    ("id",): 2,
    ("text",): 4,
    ("list",): 8,
    ("a.b",): 12,
    ("a", "b", "c"): 13,
    ("inputs",): 15,
    ("inputs", 0): 15,
    ("inputs", 0, "name"): 16,
    ("inputs", 1): 18,
    ("inputs", 1, "name"): 19,
    ("inputs", 1, "interval"): 20,
    ("inputs", 1, "interval", "minimum"): 21,
    ("inputs", 1, "labels"): 22,
    ("inputs", 1, "labels", 0): 22,
    ("inputs", 1, "labels", 0, "value"): 23,
    ("inputs", 1, "labels", 1): 24,
    ("inputs", 1, "labels", 1, "value"): 25,
    ("runtime", "command"): 27,
    ("runtime", "command", "argv"): 28,
}
ROOT = Path(__file__).parents[3]


def test_every_statement_has_its_line() -> None:
    tomllib.loads(DOCUMENT)
    assert lines_of(DOCUMENT) == LINES


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("runtime", "command", "argv", 1, "x"), 28),
        (("inputs", 1, "missing"), 18),
        (("inputs", 7), 15),
        (("runtime", "mode"), None),
        ((), None),
    ],
)
def test_a_field_inside_a_statement_or_missing_has_the_nearest_line(
    path: tuple[str | int, ...], line: int | None
) -> None:
    assert line_at(lines_of(DOCUMENT), path) == line


@pytest.mark.parametrize(
    "manifest", sorted(ROOT.glob("plugins/*/plugin.toml")), ids=lambda path: path.parent.name
)
def test_in_a_real_manifest_the_line_of_a_key_holds_the_key(manifest: Path) -> None:
    text = manifest.read_text()
    written = text.splitlines()
    lines = lines_of(text)
    assert len(lines) > 50
    for path, line in lines.items():
        name = next(part for part in reversed(path) if isinstance(part, str))
        assert name in written[line - 1], path


@pytest.mark.parametrize("text", ["", "\n\n# only a comment", "x = 1"])
def test_short_documents_have_lines_too(text: str) -> None:
    assert set(lines_of(text)) == {(name,) for name in tomllib.loads(text)}


def test_a_statement_of_thousands_of_lines_does_not_take_minutes() -> None:
    text = "labels = [\n" + "    { value = 1 },\n" * 20_000 + "]\nlast = 1\n"
    assert lines_of(text) == {}  # given up, never guessed
