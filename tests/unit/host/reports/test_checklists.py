"""The appendix on reporting guidelines: every item is answered, and what is not covered is said and why."""

import json
import re
from html import unescape

import pytest
from pydantic import ValidationError

from host.reports.checklist_sections import Item, read_checklists
from host.reports.html import render
from tests.support.reports import make_report

# Items as published: FDA's seven steps; CLAIM 2024 has 44; STARD-AI has 40, five of them in parts, 48 in all.
COUNTS = {"fda-2025": 7, "claim-2024": 44, "stard-ai-2025": 48}


def test_every_item_of_every_guideline_is_listed_once_and_in_order() -> None:
    found = {one.id: [item.number for item in one.items] for one in read_checklists()}
    assert {name: len(numbers) for name, numbers in found.items()} == COUNTS
    assert found["claim-2024"] == [str(number) for number in range(1, 45)]
    plain = [int(re.sub(r"[a-d]$", "", number)) for number in found["stard-ai-2025"]]
    assert plain == sorted(plain)
    assert sorted(set(plain)) == list(range(1, 41))
    assert len(set(found["stard-ai-2025"])) == 48


def test_every_section_that_an_item_names_stands_on_the_page() -> None:
    places = set(re.findall(r'<h2 id="([^"]+)"', render(make_report(), ()).decode()))
    assert {key for one in read_checklists() for item in one.items for key in item.where} <= places


def test_the_page_says_what_is_not_covered_and_why() -> None:
    page = unescape(render(make_report(), ()).decode())
    for one in read_checklists():
        for item in one.items:
            if item.status != "covered":
                assert item.why in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "covered"},
        {"status": "covered", "where": ["flow"], "why": "reasons"},
        {"status": "partly", "where": ["flow"]},
        {"status": "not covered", "where": ["flow"], "why": "reasons"},
        {"status": "not applicable"},
    ],
)
def test_an_item_says_where_it_is_covered_and_why_it_is_not(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="item 1"):
        Item.model_validate_json(json.dumps({"number": "1", "topic": "a topic", **wrong}))
