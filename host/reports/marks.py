"""Marked elements: what a machine can read back from the page."""

from collections.abc import Mapping

from host.reports.markup import Html, element
from host.reports.write import Field
from registry.canonical import short


class Marks:
    """Writes fields of a report as marked elements, so that text and mark never differ.

    Parameters
    ----------
    fields : mapping of str to Field
        From `host.reports.write.report_fields`.
    """

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields

    def text(self, name: str, *, class_: str | None = None) -> Html:
        """A word, or a number within a sentence."""
        field = self._fields[name]
        return element("span", field.text, class_=class_, data_field=name, data_value=field.exact)

    def number(self, name: str) -> Html:
        """A table cell with a number; its exact value is shown on hovering."""
        field = self._fields[name]
        return element(
            "td", field.text, class_="number", title=field.exact, data_field=name, data_value=field.exact
        )

    def digest(self, name: str) -> Html:
        """A digest, shortened for reading; the whole of it is shown on hovering."""
        whole = self._fields[name].exact
        return element("code", self._fields[name].text, title=whole, data_field=name, data_value=whole)


def shortened(digest: str) -> Html:
    """A digest that is no field of its own: shortened, the whole of it on hovering and in the appendix."""
    return element("code", short(digest), title=digest)
