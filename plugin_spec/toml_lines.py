"""Where the fields of a TOML document stand: each statement is parsed by itself, by the real parser.

tomllib keeps no positions. A statement (a table's header, or a key with its value) is the smallest number of lines
that parses alone, so its own keys say which field begins at its first line. What stands inside an inline table or a
list has the line of its statement.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from plugin_spec.faults import Fault

Path = tuple[str | int, ...]
# A statement of more lines is not looked through: its fields then have the line of the table they stand in.
MAX_STATEMENT_LINES = 1500


def lines_of(text: str) -> dict[Path, int]:
    """The line of every statement, counted from 1, under the path of its field.

    Parameters
    ----------
    text : str
        A document that parses as a whole.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text.splitlines()):
        keys = tuple(_keys(tomllib.loads(statement)))
        if statement.lstrip().startswith("["):
            table = _table(keys, counts, repeated=statement.lstrip().startswith("[["))
            found[table] = line
            if isinstance(table[-1], int):
                found.setdefault(table[:-1], line)
        else:
            found.setdefault((*table, *keys), line)
    return found


def line_at(lines: Mapping[Path, int], path: Path) -> int | None:
    """The line of a field, or of the nearest block around it that has one."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def located(faults: Iterable[Fault], text: str) -> list[Fault]:
    """Add to each fault the line of its field in the document."""
    lines = lines_of(text)
    return [replace(one, line=line_at(lines, tuple(_parts(one.path)))) for one in faults]


def _parts(path: str) -> Iterator[str | int]:
    for part in path.split(".") if path else ():
        yield int(part) if part.isdigit() else part


def _statements(lines: list[str]) -> Iterator[tuple[int, str]]:
    start = 0
    while start < len(lines):
        if not lines[start].strip() or lines[start].lstrip().startswith("#"):
            start += 1
            continue
        end = _end(lines, start)
        if end is None:
            return
        yield start + 1, "\n".join(lines[start:end])
        start = end


def _end(lines: list[str], start: int) -> int | None:
    for end in range(start + 1, min(len(lines), start + MAX_STATEMENT_LINES) + 1):
        if end > start + 1 and lines[end - 1].rstrip().endswith(","):
            continue  # inside a list still: nothing ends here
        try:
            tomllib.loads("\n".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
        return end
    return None


def _keys(document: dict[str, Any]) -> Iterator[str]:
    """The keys of a document of one statement, outermost first, down to its value."""
    at: Any = document
    while isinstance(at, dict) and len(at) == 1:
        key, at = next(iter(at.items()))
        yield key
        if isinstance(at, list) and at == [{}]:
            return


def _table(keys: tuple[str, ...], counts: dict[Path, int], *, repeated: bool) -> Path:
    """The path of a table's header: the last element of every list of tables on the way."""
    path: Path = ()
    for place, key in enumerate(keys):
        path = (*path, key)
        if repeated and place == len(keys) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
