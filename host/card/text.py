"""A card at a terminal: plain, wrapped to its width."""

from collections.abc import Iterator, Sequence
from typing import Final

from host.card.model import Block, Bullets, Card, Facts, Link, Paragraph, Table
from host.paragraphs import wrapped

_INDENT: Final = "  "
_NARROWEST_COLUMN: Final = 16


def card_lines(card: Card, *, width: int) -> list[str]:
    """Write a card in lines of at most ``width`` characters, words longer than that apart."""
    lines = [*wrapped(card.title, width=width), card.name, "", *wrapped(card.summary, width=width)]
    for section in card.sections:
        lines += ["", section.title, "-" * len(section.title)]
        for place, block in enumerate(section.blocks):
            if place and not (isinstance(block, Facts) and isinstance(section.blocks[place - 1], Facts)):
                lines.append("")
            lines += _block(block, width)
    return lines


def _block(block: Block, width: int) -> Iterator[str]:
    match block:
        case Paragraph():
            yield from wrapped(block.text, width=width, first="! " if block.strong else "")
        case Bullets():
            for item in block.items:
                yield from wrapped(item.text if isinstance(item, Link) else item, width=width, first="- ")
                if isinstance(item, Link):
                    yield f"  {item.href}"
        case Facts():
            yield from _facts(block, width)
        case Table():
            yield from _table(block, width)


def _facts(block: Facts, width: int) -> Iterator[str]:
    name_width = max(16, *(len(name) + 2 for name, _ in block.pairs))
    for name, text in block.pairs:
        first = name.ljust(name_width)
        for part in text.split("\n"):
            yield from wrapped(part, width=width, first=first)
            first = " " * name_width


def _table(block: Table, width: int) -> Iterator[str]:
    widths = _column_widths(block, width - len(_INDENT))
    if widths is None:
        yield from _records(block, width)
        return
    yield from _row(block.head, widths)
    yield from _row(["-" * size for size in widths], widths)
    for row in block.rows:
        yield from _row(row, widths)


def _row(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    columns = [
        [line for part in cell.split("\n") for line in wrapped(part, width=size)]
        for cell, size in zip(cells, widths, strict=True)
    ]
    for place in range(max(len(column) for column in columns)):
        parts = [column[place] if place < len(column) else "" for column in columns]
        yield (
            _INDENT + "  ".join(part.ljust(size) for part, size in zip(parts, widths, strict=True))
        ).rstrip()


def _column_widths(block: Table, width: int) -> list[int] | None:
    """Widths that fit: the widest columns give way first; None where cells would be too narrow to read."""
    columns = list(zip(block.head, *block.rows, strict=True))
    widths = [max(len(part) for cell in column for part in cell.split("\n")) for column in columns]
    words = [max((len(word) for cell in column for word in cell.split()), default=1) for column in columns]
    room = width - 2 * (len(widths) - 1)
    while sum(widths) > room:
        widest = max(range(len(widths)), key=lambda at: widths[at] - words[at] / 1000)
        widths[widest] -= 1
        if widths[widest] < max(words[widest], min(_NARROWEST_COLUMN, len(block.head[widest]))):
            return None
    return widths


def _records(block: Table, width: int) -> Iterator[str]:
    """Each row by itself: its first cell, and a line for each of the others."""
    name_width = max(len(name) for name in block.head[1:]) + 2
    for row in block.rows:
        yield from wrapped(row[0], width=width, first=_INDENT)
        for name, cell in zip(block.head[1:], row[1:], strict=True):
            first = f"{_INDENT * 2}{name.ljust(name_width)}"
            for part in cell.split("\n"):
                yield from wrapped(part, width=width, first=first)
                first = " " * len(first)
