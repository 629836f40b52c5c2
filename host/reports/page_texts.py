"""The texts of a page that a reader sees, and whether a page says anything that its report does not make it say."""

from html.parser import HTMLParser
from typing import Final

from host.errors import ReportMismatchError
from host.reports.html import render
from host.reports.model import Report
from host.reports.pictures import draw

_UNSEEN: Final = frozenset({"head", "script", "style", "title", "desc"})
_ROOMS: Final = _UNSEEN | {"svg", "thead", "figure"}


def squeezed(text: str) -> str:
    """A text without its white space."""
    return "".join(text.split())


def check_says_no_more(report: Report, html: bytes) -> None:
    """Check that a page has the style and script, and outside of its figures no other text, than this host writes.

    For a page of this host's own version. Figures are left out, since pictures of cases are not drawn again here.

    Raises
    ------
    ReportMismatchError
        Its head is another one, or a text stands in it that does not follow from the report.
    """
    own = [render(report, figures) for figures in ((), draw(report, lambda case: None))]
    if _head(html) != _head(own[0]):
        raise ReportMismatchError(
            "page: its head, style or script is not this host's", subject=report.validation
        )
    known = {text for page in own for text in PageTexts.of(page).outside_figures}
    if more := [text for text in PageTexts.of(html).outside_figures if text not in known]:
        raise ReportMismatchError(
            f"page: {more[0][:60]!r} does not follow from the report", subject=report.validation
        )


def _head(html: bytes) -> bytes:
    return html.partition(b"<body")[0]


class PageTexts(HTMLParser):
    """Collects the texts a reader sees, without white space, in document order.

    Attributes
    ----------
    read, drawn, heads, outside_figures : list of str
        Outside of drawings, inside of them; and among the former in the heads of tables, and outside of figures.
    """

    @classmethod
    def of(cls, html: bytes) -> "PageTexts":
        """Read a page."""
        page = cls()
        page.feed(html.decode("utf-8", errors="replace"))
        page.close()
        return page

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read: list[str] = []
        self.drawn: list[str] = []
        self.heads: list[str] = []
        self.outside_figures: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter a part of the page that matters here."""
        if tag in _ROOMS:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave it."""
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        """Keep a text where it is seen."""
        text = squeezed(data)
        if not text or not _UNSEEN.isdisjoint(self._inside):
            return
        (self.drawn if "svg" in self._inside else self.read).append(text)
        if "thead" in self._inside:
            self.heads.append(text)
        if not {"svg", "figure"} & set(self._inside):
            self.outside_figures.append(text)
