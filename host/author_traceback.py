"""The author's own traceback out of a container's log: the runtime's frames cut off, the adapter's line first. Pure.

The log itself stays whole; what is cut here is cut for reading only.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_START: Final = "Traceback (most recent call last):"
_FRAME: Final = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<name>.+))?$')
# What calls an adapter, and says nothing about a fault in it.
_RUNTIME: Final = re.compile(
    r"(^|/)(plugin_spec/(runtime/\w+|typed|hookspecs)|pluggy/\w+|importlib/\w+|runpy)\.py$|^<frozen "
)
_LIBRARY: Final = re.compile(r"^/opt/site/|/(site|dist)-packages/|/lib/python\d|^<")
_LINKS: Final = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)


@dataclass(frozen=True)
class Frame:
    """One call: its file, line and function, and the lines that show it."""

    file: str
    line: int
    function: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class AuthorTraceback:
    """An exception that left the adapter.

    Attributes
    ----------
    error : str
        Its last line: type and message.
    frames : tuple of Frame
        Outermost first, without the runtime's.
    lines : tuple of str
        All that remains to be read, exceptions that led to it included.
    """

    error: str
    frames: tuple[Frame, ...]
    lines: tuple[str, ...]

    def place(self, adapter: str) -> Frame | None:
        """The innermost line of the author's own: in the adapter if it is there, else outside of libraries."""
        own = [one for one in self.frames if one.file.rpartition("/")[2] == adapter]
        own = own or [one for one in self.frames if not _LIBRARY.search(one.file)]
        return own[-1] if own else None


def find_traceback(log: str) -> AuthorTraceback | None:
    """Find the last exception that a log tells of; ``None`` when it tells of none."""
    lines = log.splitlines()
    starts = [number for number, line in enumerate(lines) if line == _START]
    if not starts:
        return None
    blocks = [_read(lines, start) for start in starts]
    last = blocks[-1]
    shown = list(last.shown)
    for before in reversed(blocks[:-1]):
        between = [line for line in lines[before.end : last.start] if line.strip()]
        if len(between) != 1 or between[0] not in _LINKS:
            break
        shown = [*before.shown, "", between[0], "", *shown]
        last = before
    return AuthorTraceback(blocks[-1].error, blocks[-1].frames, tuple(shown))


@dataclass(frozen=True)
class _Block:
    start: int
    end: int
    error: str
    frames: tuple[Frame, ...]
    shown: tuple[str, ...]


def _read(lines: Sequence[str], start: int) -> _Block:
    """One traceback: its frames, then the lines of the exception up to the next empty line or traceback."""
    frames: list[Frame] = []
    position = start + 1
    while position < len(lines) and (found := _FRAME.match(lines[position])):
        end = position + 1
        while end < len(lines) and lines[end].startswith("    "):
            end += 1
        shown = tuple(lines[position:end])
        frames.append(Frame(found["file"], int(found["line"]), found["name"] or "", shown))
        position = end
        while position < len(lines) and lines[position].startswith("  [Previous line repeated"):
            position += 1
    error = list(_error_lines(lines, position))
    kept = tuple(one for one in frames if not _RUNTIME.search(one.file))
    head = [_START] if kept else []
    return _Block(
        start,
        position + len(error),
        error[0] if error else "",
        kept,
        (*head, *[line for frame in kept for line in frame.shown], *error),
    )


def _error_lines(lines: Sequence[str], position: int) -> Iterator[str]:
    for line in lines[position:]:
        if not line.strip() or line == _START or line in _LINKS or line.startswith("[assay: "):
            return
        yield line
