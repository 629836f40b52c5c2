"""A card says what the manifest declares, in words that need no TOML, and lets no text of a stranger act."""

import html
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from host.card import ports
from host.card.compose import compose
from host.card.html import card_page
from host.card.model import Card, Paragraph, Table
from host.card.read import read_card
from host.card.text import card_lines
from plugin_spec.codes import UCUM_UNITS
from plugin_spec.manifest import Manifest
from plugin_spec.ports import Port
from tests.support.card_plugin import everything
from tests.support.clean_plugin import CleanPlugin, spoilt
from tests.support.manifests import manifest_document

ROOT = Path(__file__).parents[4]
DIGEST = "sha256:" + "d" * 64


def card_of(document: dict[str, Any]) -> Card:
    return compose(Manifest.model_validate_json(json.dumps(document)), digest=DIGEST)


def told(document: dict[str, Any], title: str) -> str:
    """One section as text, on one line."""
    card = card_of(document)
    (section,) = [one for one in card.sections if one.title == title]
    return " ".join(" ".join(card_lines(Card("", "", "", [section]), width=400)).split())


def every_text(card: Card) -> str:
    return " ".join(" ".join(card_lines(card, width=10_000)).split())


@pytest.fixture(scope="module")
def page() -> str:
    return card_page(card_of(everything())).decode()


def test_every_kind_of_port_can_be_told() -> None:
    assert set(ports._DESCRIBED) == set(Port.__subclasses__())


def texts(value: Any, key: str = "") -> Iterator[str]:
    """Every sentence a manifest holds: what is no name, number or word of a closed list."""
    if isinstance(value, str):
        if " " in value and key not in {"pattern"}:
            yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from texts(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one, key)


def test_no_sentence_of_a_manifest_is_left_out() -> None:
    document = everything()
    shown = every_text(card_of(document))
    missing = [text for text in texts(document) if text.isprintable() and text not in shown]
    assert missing == []


def test_every_name_of_a_port_parameter_label_and_test_is_there() -> None:
    document = everything()
    shown = every_text(card_of(document))
    named = [
        one["name"]
        for what in ("inputs", "outputs", "parameters", "tests", "weights")
        for one in document[what]
    ]
    assert [name for name in named if name not in shown] == []
    assert DIGEST in shown and "assay.plugin/1" in shown


SENTENCES = {
    "What goes in": [
        "MR image, FLAIR, with or without contrast agent; NIfTI-1 file of 3 axes, as scanned; values: arbitrary "
        "signal intensity. The first visit (baseline).",
        "A later visit (follow-up number 1), 80 to 400 days after baseline.",
        "NIfTI-1 file of 4 axes, the last of them time",
        "0 to 4 files.",
        "Optional.",
        "A licence file that the site supplies, at most 1,048,576 bytes.",
    ],
    "What comes out": [
        "Findings as boxes in patient coordinates (LPS, mm), each with a score from 0 to 1, each followed over visits",
        "It says active where the probability is 0.4 or more (Youden on the tuning set).",
        "0 to 100 %, with a 95% confidence interval, looking 2 years ahead.",
        "Rotation and translation from first to first",
        "no number is ever read from it by a machine",
        "volume_ml Volume. mL 0 to 500 mL Lesion (SCT 52988006) coefficient 0.12 mL (Smith 2020)",
        "Voxel for voxel on the grid of first.",
        "1 lesion Lesion (SCT 52988006) left may be absent",
    ],
    "Settings": [
        "fast Skips the second pass. off on or off yes",
        "1.5 mm 0 to 5 mm no",
        "near near or far yes",
    ],
    "Which images it takes": [
        "Manufacturer: Siemens, Philips or GE refused; if it is not known: answered with a flag The three vendors",
        "echo time (EchoTime): 80 to 120 ms answered with a flag; if it is not known: accepted Protocols of the sites.",
        "The algorithm itself refuses, as its tests show, with: no-brain.",
    ],
    "When the same scan is run again": [
        "differ by no more than this: - volume_ml: 0.01, in its unit "
        "- labels: Dice overlap of at least 0.99 - risk: 2 %"
    ],
    "Tests that come with it": [
        "table.volume_ml = 1.25 ± 0.05 mL risk = 30 % ± 10 % of it call = active found: 3 findings ± 1",
        "labels: Dice with tests/e.nii at least 0.9 smooth: differs from tests/f.nii by at most 0.5",
    ],
    "What it needs": [
        "4 GiB, and 2.5 MiB for each MiB of uncompressed image",
        "1 NVIDIA device(s) of 8 GiB or more, compute capability 7.0 or later, driver 525.60 or later.",
        "Tried on compute capability: 7.5 and 8.6.",
        "it runs on the processor, with results within the declared tolerances.",
        "at most 1 min for a case, 2 min to start",
    ],
    "How it is run": [
        "A program in a container: track --first <first> [--mask <mask>] [--fast]",
        "3 refused no-brain No brain was found.",
        "Data file of 230 MB, licence CC-BY-NC-4.0; mounted read-only.",
    ],
}


@pytest.mark.parametrize(
    ("title", "sentence"), [(title, one) for title, ones in SENTENCES.items() for one in ones]
)
def test_it_says(title: str, sentence: str) -> None:
    # Columns stand apart by their rules; the words are what counts.
    assert sentence in told(everything(), title)


def test_what_is_missing_is_said_too() -> None:
    bare = manifest_document()
    assert "No limits are declared: the host takes any image." in told(bare, "Which images it takes")
    assert told(bare, "Settings") == "Settings -------- None: it behaves the same in every run."
    assert "GPU none" in told(bare, "What it needs")
    assert "repeatability claimed" in told(bare, "What comes out") and "not coded" in told(
        bare, "What comes out"
    )


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("bitwise", "the same bytes, on any machine"),
        ("bitwise_same_device", "the same bytes on one kind of processor"),
        ("stochastic", "no bound is claimed"),
    ],
)
def test_a_claim_on_repeats_is_told_as_what_one_will_see(claim: str, words: str) -> None:
    document = manifest_document(determinism={"claim": claim})
    assert words in told(document, "When the same scan is run again")


def test_a_draft_says_first_that_it_is_one(tmp_path: Path) -> None:
    def drafted(plugin: CleanPlugin) -> None:
        plugin.document["attribution"]["not_for"] = "FILL IN: what it must not be used for"
        plugin.document["attribution"]["licence"] = "NOASSERTION"

    card = read_card(spoilt(tmp_path, drafted) / "plugin.toml")
    first = card.sections[0].blocks[0]
    said = "A draft: 2 text(s) below still wait for a human, and it cannot be submitted."
    assert first == Paragraph(said, strong=True)
    assert "assay plugin check has no remark." in every_text(card)


def test_every_unit_can_be_said() -> None:
    from host.card.words import quantity, unit_name

    for unit, name in UCUM_UNITS.items():
        assert name in unit_name(unit)
        assert "{" not in quantity(1.0, unit) and quantity(1.0, unit).startswith("1")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_longer_than_the_terminal_unless_a_word_is(width: int) -> None:
    for line in card_lines(card_of(everything()), width=width):
        assert len(line) <= width or len(max(line.split(), key=len)) > width - 30, line


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_table_that_does_not_fit_becomes_a_list_of_its_rows(width: int) -> None:
    card = read_card(ROOT / "plugins" / "brain-tissue-volumes" / "plugin.toml")
    shown = "\n".join(card_lines(card, width=width))
    for section in card.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                cells = [cell for row in block.rows for cell in row]
                assert all(word in shown for cell in cells for word in cell.split())


def test_text_that_would_steer_a_terminal_is_spelt_out() -> None:
    lines = card_lines(card_of(everything()), width=80)
    assert all(line.isprintable() for line in lines)
    assert "- Motion \\u001b[31mred \\u202egnp.exe" in lines


# ---- the page -----------------------------------------------------------------------------------------------------


class _Checker(HTMLParser):
    """Tags that are open, and what a page would load or run."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_loads_nothing_and_runs_nothing(page: str) -> None:
    checker = _Checker()
    checker.feed(page)
    assert checker.open == []
    assert not checker.tags & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert not {name for name in checker.attributes if name.startswith("on")}
    assert checker.links == ["https://doi.org/10.1000/(SICI)1522-2594%3C1%3E%22x"]
    assert "url(" not in page and "@import" not in page
    assert "default-src &#x27;none&#x27;; style-src &#x27;unsafe-inline&#x27;" in page


def test_texts_of_the_manifest_are_escaped(page: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "says &lt;what&gt; changed" in page
    assert "\x1b" not in page and "\u202e" not in page


def test_the_page_says_what_the_terminal_says() -> None:
    card = card_of(everything())
    body = card_page(card).decode().partition("<body>")[2]
    on_page = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())
    for section in card.sections:
        assert section.title in on_page
        for block in section.blocks:
            if isinstance(block, Table):
                assert all(
                    " ".join(cell.split()) in on_page
                    for row in block.rows
                    for cell in row
                    if cell.isprintable()
                )


def test_the_same_manifest_gives_the_same_page() -> None:
    assert card_page(card_of(everything())) == card_page(card_of(everything()))
