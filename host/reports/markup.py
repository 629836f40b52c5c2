"""HTML by construction: every text is escaped, unless it is markup that this module made."""

from collections.abc import Iterable, Sequence
from html import escape

Content = str | int
_VOID = frozenset({"img", "meta", "br", "wbr"})
_NUMBER = '<td class="number'


class Html(str):
    """Markup that was escaped already."""

    __slots__ = ()


def element(tag: str, *children: Content, **attributes: str | None) -> Html:
    """Make an element.

    Parameters
    ----------
    tag : str
    children : str, int or Html
        Text is escaped, `Html` is taken as it is.
    attributes : str or None, optional
        ``None`` leaves the attribute out; a trailing underscore is dropped (``class_``), others become
        hyphens.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def join(children: Iterable[Content]) -> Html:
    """Put parts one after another."""
    return Html("".join(one if isinstance(one, Html) else escape(str(one)) for one in children))


def table(head: Sequence[Content], rows: Iterable[Sequence[Content]], *, class_: str | None = None) -> Html:
    """Make a table; a cell that is a ``td`` already stays as it is, and a head stands above its numbers."""
    written = [[_cell(one) for one in row] for row in rows]
    numeric = {at for row in written for at, cell in enumerate(row) if cell.startswith(_NUMBER)}
    cells = [
        element("th", one, class_="number" if at in numeric else None, scope="col")
        for at, one in enumerate(head)
    ]
    body = [element("tr", *row) for row in written]
    return element("table", element("thead", element("tr", *cells)), element("tbody", *body), class_=class_)


def facts(pairs: Iterable[tuple[str, Content]], *, class_: str = "facts") -> Html:
    """Make a two-column table of names and what they are."""
    rows = [element("tr", element("th", name, scope="row"), _cell(value)) for name, value in pairs]
    return element("table", element("tbody", *rows), class_=class_)


def bullets(items: Iterable[Content], *, none: str) -> Html:
    """Make a list, or say that there is nothing to list."""
    listed = [element("li", item) for item in items]
    return element("ul", *listed) if listed else element("p", none)


def number(content: Content, *, title: str | None = None, note: Content = "") -> Html:
    """Make a table cell for a number."""
    return element("td", content, note, class_="number", title=title)


def moment(timestamp: str) -> Html:
    """Write a time with its zone so that it stays on one line."""
    return element("time", timestamp.replace("T", " ", 1), datetime=timestamp)


def breakable(name: str) -> Html:
    """Write a name of many words so that a line may end after an underscore."""
    first, *others = name.split("_")
    return join((first, *(join(("_", element("wbr"), part)) for part in others)))


def _cell(content: Content) -> Html:
    if isinstance(content, Html) and content.startswith("<td"):
        return content
    return element("td", content)
