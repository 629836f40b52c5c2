"""A card as one HTML page: nothing is loaded from elsewhere, nothing runs, all text is escaped, and it prints well."""

from importlib import resources
from typing import Final

from host.card.model import Block, Bullets, Card, Facts, Link, Paragraph, Table
from host.paragraphs import printable
from host.reports.markup import Html, bullets, element, facts, join, table

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
LONG_WORD: Final = 24


def card_page(card: Card) -> bytes:
    """Write the page; the same card gives the same bytes."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", printable(f"{card.title} ({card.name})")),
        element("style", Html(_style("host.reports", "report.css") + _style("host.card", "card.css"))),
    )
    sections = [
        element("section", element("h2", section.title), *[_block(block) for block in section.blocks])
        for section in card.sections
    ]
    body = element(
        "body",
        element("p", f"Plugin card: {card.name}", class_="kicker"),
        element("h1", printable(card.title)),
        element("p", printable(card.summary), class_="summary"),
        *sections,
    )
    return ("<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n").encode()


def _style(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def _block(block: Block) -> Html:
    match block:
        case Paragraph():
            return element("p", printable(block.text), class_="notice" if block.strong else None)
        case Bullets():
            return bullets([_cell(item) for item in block.items], none="None.")
        case Facts():
            return facts([(printable(name), _lines(text)) for name, text in block.pairs])
        case Table():
            return table(block.head, [[_lines(cell) for cell in row] for row in block.rows])


def _cell(item: str | Link) -> Html:
    if isinstance(item, Link):
        address = element("a", item.href, href=item.href, rel="noreferrer")
        return join((printable(item.text), element("br"), address))
    return _breakable(item)


def _lines(text: str) -> Html:
    first, *others = text.split("\n")
    return join((_breakable(first), *(join((element("br"), _breakable(one))) for one in others)))


def _breakable(line: str) -> Html:
    """Let a word that is wider than a column, such as a digest, be broken; no other word is."""
    words = printable(line).split(" ")
    marked = [element("span", word, class_="long") if len(word) > LONG_WORD else word for word in words]
    return join(part for word in marked for part in (word, " "))
