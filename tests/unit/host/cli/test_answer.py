"""Answers: results on stdout, hints on stderr, and one JSON document when it is asked for."""

import json
from pathlib import Path

import pytest

from host.cli.answer import say, show, table
from registry.statements import FileRef

FILE = FileRef(name="x", digest="sha256:" + "0" * 64, bytes=1)


def test_lines_go_to_stdout_and_the_next_command_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    show({"a": 1}, ["one", "two"], as_json=False, next_command="assay kit list")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("one\ntwo\n", "next: assay kit list\n")


def test_json_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    show({"file": FILE, "paths": (Path("a"),), 1: {"x"}}, ["line"], as_json=True, next_command="assay")
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"file": FILE.model_dump(mode="json"), "paths": ["a"], "1": ["x"]}
    assert printed.err == ""


def test_a_table_lines_its_columns_up_and_an_empty_one_says_so() -> None:
    assert table(("a", "b"), [("long", "x"), ("s", "")]) == ["a     b", "long  x", "s"]
    assert table(("a",), []) == ["(none)"]


def test_nothing_that_an_image_printed_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\u202e"
    say(f"  | {hostile}first\nsecond")
    show({}, [f"warning: {hostile}"], as_json=False)
    printed = capsys.readouterr()
    assert printed.err == "  | \\u001b]0;owned\\u0007\\u001b[2J\\u202efirst\nsecond\n"
    assert printed.out == "warning: \\u001b]0;owned\\u0007\\u001b[2J\\u202e\n"
