"""The appendix on reporting guidelines: which of their items this report answers, and which it does not."""

from collections import Counter
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from host.reports.markup import Content, Html, element, join, table
from plugin_spec.model import StrictModel, parse_toml

Status = Literal["covered", "partly", "not covered", "not applicable"]
STATUS_CLASS: dict[Status, str | None] = {
    "covered": "good",
    "partly": "open",
    "not covered": "bad",
    "not applicable": None,
}


class Item(StrictModel):
    """One item of a checklist, in our own words, and where the report answers it."""

    number: str
    topic: str
    status: Status
    where: tuple[str, ...] = ()
    why: str = ""

    @model_validator(mode="after")
    def _says_where_or_why(self) -> "Item":
        if (self.status in {"covered", "partly"}) != bool(self.where):
            raise ValueError(f"item {self.number}: where: stands with covered and partly, and only there")
        if (self.status == "covered") == bool(self.why):
            raise ValueError(
                f"item {self.number}: why: stands with everything that is not covered, and only there"
            )
        return self


class Checklist(StrictModel):
    """A published guideline, where it is published, and how to read our answers."""

    id: str
    title: str
    source: str
    note: str
    items: tuple[Item, ...] = Field(min_length=1)


class Checklists(StrictModel):
    """All of them."""

    checklists: tuple[Checklist, ...]


def read_checklists() -> tuple[Checklist, ...]:
    """The checklists as they stand in ``checklists.toml``."""
    name = "checklists.toml"
    data = resources.files("host.reports").joinpath(name).read_bytes()
    return parse_toml(data, Path(name), Checklists).checklists


def checklists(sections: Mapping[str, str]) -> Html:
    """Every item of every checklist.

    Parameters
    ----------
    sections : mapping of str to str
        Key of a section to its number on the page.
    """
    intro = element(
        "p",
        "Guidelines were written for studies and articles; this is a report of one validation. An item that needs what "
        "neither kit nor plugin records is marked as not covered. “Covered” says that the report answers the item, not "
        "that the answer is good.",
    )
    return join((intro, *(_checklist(one, sections) for one in read_checklists())))


def _checklist(one: Checklist, sections: Mapping[str, str]) -> Html:
    counts = Counter(item.status for item in one.items)
    tally = ", ".join(f"{counts[status]} {status}" for status in STATUS_CLASS if counts[status])
    rows = [_item(item, sections) for item in one.items]
    return join(
        (
            element("h3", one.title),
            element("p", f"{one.source} {one.note} Of {len(one.items)} items: {tally}.", class_="note"),
            table(
                ("Item", "Topic", "In this report", "Section", "Why not, or not wholly"), rows, class_="dense"
            ),
        )
    )


def _item(item: Item, sections: Mapping[str, str]) -> tuple[Content, ...]:
    where = join(
        join((", " if at else "", element("a", sections[key], href=f"#{key}")))
        for at, key in enumerate(item.where)
    )
    status = element("span", item.status, class_=STATUS_CLASS[item.status])
    return item.number, item.topic, status, where, item.why
