"""Marked elements: what the page shows of the report so that a machine can read it back."""

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser

from host.errors import ReportMismatchError
from host.reports.fields import NO_VALUE, Field, report_fields
from host.reports.markup import Content, Html, element, join
from host.reports.model import Report
from registry.canonical import short


class Marks:
    """Writes fields of a report as marked elements, so that text and mark never differ.

    Parameters
    ----------
    fields : mapping of str to Field
        From `host.reports.fields.report_fields`.
    """

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields

    def has(self, name: str) -> bool:
        """Whether the report says anything under this name."""
        return name in self._fields

    def text(self, name: str, *, class_: str | None = None, tag: str = "span") -> Html:
        """A word, or a number within a sentence; ``tspan`` inside a figure."""
        field = self._fields[name]
        return element(tag, field.text, class_=class_, data_field=name, data_value=field.exact)

    def number(self, name: str, otherwise: str = NO_VALUE) -> Html:
        """A table cell with a number; its exact value is shown on hovering."""
        if name not in self._fields:
            return element("td", otherwise, class_="number")
        field = self._fields[name]
        return element(
            "td", field.text, class_="number", title=field.exact, data_field=name, data_value=field.exact
        )

    def digest(self, name: str) -> Html:
        """A digest, shortened for reading; the whole of it is shown on hovering."""
        whole = self._fields[name].exact
        return element("code", self._fields[name].text, title=whole, data_field=name, data_value=whole)

    def cells(self, key: str, names: Sequence[str]) -> tuple[Content, ...]:
        """Words of a row as table cells; empty where the row says nothing."""
        return tuple(self.text(f"{key}/{name}") if self.has(f"{key}/{name}") else "" for name in names)

    def interval(self, key: str, *, tag: str = "span") -> Html:
        """The interval of an estimate with its level, or that there is none."""
        if self.has(f"{key}/interval"):
            return self.text(f"{key}/interval", tag=tag)
        low, high, level = (self.text(f"{key}/{part}", tag=tag) for part in ("low", "high", "level"))
        return join((low, " to ", high, " (", level, ")"))


def shortened(digest: str) -> Html:
    """A digest that is no field of its own: shortened, the whole of it on hovering and in the appendix."""
    return element("code", short(digest), title=digest)


def check_agreement(report: Report, html: bytes) -> None:
    """Check that a page shows every marked figure and word of the report, and no other.

    The page's digest in ``renderings`` protects all of it; this finds a page made from another report.

    Raises
    ------
    ReportMismatchError
        A field is missing, unknown, or says something else than the JSON; the first one is named.
    """
    marks = _Marks()
    marks.feed(html.decode("utf-8", errors="replace"))
    marks.close()
    expected = report_fields(report)
    for name, found in marks.found:
        if name not in expected:
            raise ReportMismatchError(
                f"page: {name}: the report has no such field", subject=report.validation
            )
        if found != expected[name]:
            raise ReportMismatchError(
                f"page: {name}: shows {found.text!r} ({found.exact}), "
                f"the report says {expected[name].text!r} ({expected[name].exact})",
                subject=report.validation,
            )
    missing = sorted(expected.keys() - {name for name, _ in marks.found})
    if missing:
        raise ReportMismatchError(f"page: {missing[0]}: is not shown", subject=report.validation)


class _Marks(HTMLParser):
    """Collects the text and the exact value of every element with a ``data-field``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, Field]] = []
        self._open: tuple[str, str | None] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._open is not None:
            raise ReportMismatchError(f"page: {self._open[0]}: a marked element holds another element")
        values = dict(attrs)
        name = values.get("data-field")
        if name is not None:
            self._open, self._text = (name, values.get("data-value")), ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if self._open is not None:
            name, exact = self._open
            self.found.append((name, Field(self._text, self._text if exact is None else exact)))
            self._open = None
