"""Text for people at a terminal: wrapped to its width, plain in a pipe."""

import shutil
import textwrap

NARROWEST, WIDEST = 60, 110


def terminal_width() -> int:
    """Columns to write in: the terminal's, within what reads well; 100 where there is none."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((100, 24)).columns))


def printable(text: str) -> str:
    """Text of a stranger without what could steer a terminal or turn a line around: such characters are spelt out."""
    return "".join(one if one.isprintable() else _spelt(one) for one in text)


def _spelt(character: str) -> str:
    if character.isspace() and ord(character) not in range(0x1C, 0x20):
        return " "
    return f"\\u{ord(character):04x}"


def wrapped(text: str, *, width: int, first: str = "", indent: str | None = None) -> list[str]:
    """Wrap a paragraph.

    Parameters
    ----------
    first : str, optional
        What the first line begins with.
    indent : str, optional
        What the others begin with; spaces as wide as ``first`` unless said.
    """
    return textwrap.wrap(
        " ".join(printable(text).split()),
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first) if indent is None else indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 case``, ``2 cases``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
