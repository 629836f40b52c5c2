"""How a command answers: results on stdout (lines, or one JSON document), progress and hints on stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from host.paragraphs import printable

if TYPE_CHECKING:
    from plugin_spec.errors import AssayError

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]


def show(document: object, lines: Iterable[str], *, as_json: bool, next_command: str = "") -> None:
    """Print a command's result.

    Parameters
    ----------
    document : object
        What ``--json`` prints: plain types, or pydantic models inside mappings and sequences.
    lines : iterable of str
        What people read.
    as_json : bool
    next_command : str, optional
        The last line of a success: what one would do next.
    """
    if as_json:
        print(json.dumps(_plain(document), sort_keys=True))
        return
    for line in lines:
        print(clean(line))
    if next_command:
        say(f"next: {next_command}")


def say(line: str) -> None:
    """One line of progress, on stderr."""
    print(clean(line), file=sys.stderr, flush=True)


def clean(lines: str) -> str:
    """Lines without what could steer a terminal: much of what is said comes out of images and containers."""
    return "\n".join(printable(one) for one in lines.split("\n"))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Plain columns, for results that other programs may read too."""
    if not rows:
        return ["(none)"]
    widths = [max(len(str(line[i])) for line in (headings, *rows)) for i in range(len(headings))]
    return [
        "  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (headings, *rows)
    ]


def _plain(value: object) -> object:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def conclude(fault: "AssayError | None") -> int:
    """End a command whose result was shown: say what is wrong on stderr, and return the exit code.

    The result itself, with its outcome, is the one document that ``--json`` prints.
    """
    if fault is None:
        return 0
    say_fault(fault)
    return int(fault.exit_code)


def say_fault(fault: "AssayError") -> None:
    """One line for an error, and one for what to do next."""
    say(printable(f"assay: {fault.code}: {fault.message}"))  # in one line, whatever the message holds
    if fault.hint:
        say(printable(f"  next: {fault.hint}"))
