"""A picture for the page, and where on it it belongs."""

from dataclasses import dataclass

from host.reports.markup import Html


@dataclass(frozen=True)
class Figure:
    """A picture for the page.

    Attributes
    ----------
    id : str
        Lower case letters, digits and hyphens; unique on the page.
    title, caption : str
        Shown with it. The caption says how to read it.
    svg : Html
        From `host.reports.figures`; its text is escaped.
    place : str
        ``flow``, ``gallery``, or ``metric ID``: the section, and there the metric, that it belongs to.
    """

    id: str
    title: str
    caption: str
    svg: Html
    place: str
