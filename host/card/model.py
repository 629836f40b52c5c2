"""What a card is made of: sections of paragraphs, lists, facts and tables. Plain text; each page escapes it itself."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """Text that leads somewhere."""

    text: str
    href: str


Cell = str | Link


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; ``strong`` where it must not be overlooked."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: Sequence[Cell]


@dataclass(frozen=True)
class Facts:
    """Names and what they are; a fact with several parts has them on lines of their own."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """Rows under headings, with a title where a section has several."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""


Block = Paragraph | Bullets | Facts | Table


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Card:
    """The whole card.

    Attributes
    ----------
    name : str
        Id and version.
    title, summary : str
        What it is called and what it does.
    sections : sequence of Section
        In the order of reading.
    """

    name: str
    title: str
    summary: str
    sections: Sequence[Section]
