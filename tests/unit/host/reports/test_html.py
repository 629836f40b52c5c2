"""The page: what its first screen says, that it loads and runs nothing, and that all text is escaped."""

import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from host.errors import ReportMismatchError
from host.reports.figure import Figure
from host.reports.html import render, script, with_signatures
from host.reports.markup import Html
from host.reports.model import RegistrationSection, Report
from host.reports.write import content_digest, read_report, report_bytes
from tests.support.reports import make_case, make_report, make_signature

SVG = Html('<svg xmlns="http://www.w3.org/2000/svg"></svg>')
FIGURE = Figure("flow", "Case flow", "Where cases went.", SVG, "flow")
LOADING = {"src", "href", "srcset", "action", "data", "poster", "background"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parse(page: bytes) -> _Tags:
    tags = _Tags()
    tags.feed(page.decode())
    tags.close()
    return tags


def first_screen(page: bytes) -> str:
    """The text before the first numbered section, style sheet left out."""
    body = page.decode().split("<body>", 1)[1]
    return re.sub(r"\s+", " ", parse(body.split("<nav", 1)[0].encode()).text)


def all_met(report: Report | None = None) -> Report:
    cases = tuple(make_case(number) for number in range(1, 7))
    return report or make_report(cases=cases)


@pytest.mark.requirement("R12")
def test_the_first_screen_says_what_was_tested_on_what_with_which_verdict_and_by_whom_signed() -> None:
    screen = first_screen(render(make_report(), (FIGURE,), (make_signature(),)))
    for words in (
        "Brain tissue volumes 1.2.0",
        "Acceptance criteria: not met",
        "On derived data. Of 4 criteria and strata: 1 met, 3 not met.",
        "brain-tissue-small 1.0.0, 6 cases of 2 independent subjects",
        "No case is a patient",
        "Logged first: registered 2026-11-20 09:00:00+00:00",
        "Quinn Quality, review, 2026-11-24 10:15:00+01:00",
    ):
        assert words in screen
    assert "UNSIGNED" not in screen


def test_an_unsigned_report_says_so_on_its_first_screen_and_at_its_end() -> None:
    page = render(make_report(), ())
    assert "UNSIGNED" in first_screen(page)
    assert page.count(b"UNSIGNED") == 2


def test_a_smoke_run_says_that_it_supports_no_claim() -> None:
    smoke = make_report().model_copy(update={"subset": "smoke"})
    assert "supports no claim" in first_screen(render(smoke, ()))
    assert "supports no claim" not in first_screen(render(make_report(), ()))


@pytest.mark.parametrize(
    "change",
    [
        {"logged_at": "2026-11-23T15:00:02+01:00", "first_run_started_at": "2026-11-23T14:00:01+00:00"},
        {"cosigned_by": ("dev-devi",)},
        {"cosigned_by": ()},
        {"cosigned_checkpoint_size": 7},
    ],
)
def test_a_protocol_that_was_not_shown_to_come_first_is_called_so(change: dict[str, object]) -> None:
    report = make_report()
    proof = RegistrationSection.model_validate(report.registration.model_dump() | change)
    screen = first_screen(render(report.model_copy(update={"registration": proof}), ()))
    assert "NOT SHOWN TO BE LOGGED FIRST" in screen
    assert "Logged first" not in screen


def test_the_sections_stand_in_the_order_that_qa_reads_them() -> None:
    headings = re.findall(r"<h2 id=[^>]*>([^<]+)</h2>", render(make_report(), (FIGURE,)).decode())
    assert headings == [
        "1. Identity and digests",
        "2. Context of use and risk",
        "3. Protocol, approvals, and the proof that it was logged first",
        "4. Installation checks and self-test of the statistics",
        "5. Case flow, failures included",
        "6. Requirements, criteria and verdicts",
        "7. Results by metric and stratum",
        "8. Worst cases",
        "9. Sensitivity analyses",
        "10. Robustness and sameness",
        "11. Change from the version before",
        "12. Deviations and attempts",
        "13. Leak check, readers, operating range and limitations",
        "14. Conclusion",
        "15. E-signatures",
        "Appendix A. Every case",
        "Appendix B. Reporting guidelines, and what is not covered",
        "Appendix C. Digests in full",
    ]


def test_every_link_leads_to_a_place_on_the_page() -> None:
    tags = parse(render(make_report(), (FIGURE,))).tags
    links = {str(attributes["href"]) for tag, attributes in tags if tag == "a"}
    places = {f"#{attributes['id']}" for _, attributes in tags if "id" in attributes}
    assert links
    assert links <= places


@pytest.mark.parametrize("report", [make_report(), all_met()], ids=["not met", "met"])
def test_no_verdict_is_worded_as_validated(report: Report) -> None:
    assert not re.search(r"\bvalidated\b", parse(render(report, (FIGURE,))).text, re.IGNORECASE)


def test_a_met_report_names_no_unmet_criterion() -> None:
    screen = first_screen(render(all_met(), ()))
    assert "Acceptance criteria: met" in screen
    assert "not met" not in screen


def test_the_failed_case_stands_in_the_criteria_table_with_what_it_counts_as() -> None:
    text = parse(render(make_report(), ())).text
    assert "failed: value by the protocol" in text
    assert "failed: counts as not met" in text


def test_nothing_is_loaded_and_one_script_of_ours_runs() -> None:
    data = render(make_report(), (FIGURE,), (make_signature(),))
    page = parse(data)
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [{}]
    assert data.decode().count(f"<script>{script()}</script>") == 1
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in LOADING & attributes.keys():
            assert str(attributes[name]).startswith("#" if tag == "a" else "data:image/png;base64,")
    assert not re.search(r"https?://|file:|//[a-z]|@import|url\(", page.text)


def test_the_content_policy_allows_this_script_and_style_sheet_by_digest_and_no_other() -> None:
    page = render(make_report(), ())
    (policy,) = [
        str(attributes["content"])
        for tag, attributes in parse(page).tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.decode(), re.DOTALL)
        digest = b64encode(sha256(inside.encode()).digest()).decode()
        assert allowed.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert allowed == {
        "default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"
    }  # fmt: skip


def test_every_printed_page_names_the_report_and_its_content() -> None:
    report = make_report()
    page = render(report, ()).decode()
    assert f'@top-left {{ content: "Assay validation report {report.validation}" }}' in page
    assert f'@top-right {{ content: "content {content_digest(report)}" }}' in page


ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;"


def test_text_of_a_plugin_a_kit_and_a_signer_is_escaped() -> None:
    report = make_report(title=ATTACK)
    release = report.release.model_copy(update={"intended_use": ATTACK, "known_failure_modes": (ATTACK,)})
    kit = report.kit.model_copy(update={"title": ATTACK, "operating_range": (ATTACK,)})
    case = report.cases[0].model_copy(update={"message": ATTACK, "warnings": (ATTACK,)})
    report = report.model_copy(
        update={"release": release, "kit": kit, "cases": (case, *report.cases[1:]), "limitations": (ATTACK,)}
    )
    figure = Figure("flow", ATTACK, ATTACK, SVG, "flow")
    page = render(report, (figure,), (make_signature(name=ATTACK),))
    parsed = parse(page)
    assert [tag for tag, _ in parsed.tags].count("script") == 1  # our own
    assert [
        attributes for tag, attributes in parsed.tags if tag == "img" and attributes.get("src") == "x"
    ] == []
    assert parsed.text.count(ATTACK) >= 9


def test_the_same_report_gives_the_same_page_also_after_reading_it_back() -> None:
    report = make_report()
    page = render(report, (FIGURE,))
    assert page == render(report, (FIGURE,))
    assert page == render(read_report(report_bytes(report)), (FIGURE,))


def test_rendering_a_page_loads_neither_matplotlib_nor_numpy() -> None:
    program = (
        "import sys, host.reports.html; "
        "sys.exit(' '.join({'matplotlib', 'numpy', 'nibabel'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_digest_stands_in_full_in_the_appendix() -> None:
    report = make_report()
    appendix = render(report, ()).decode().rsplit("Digests in full", 1)[1]
    for digest in (report.release.image, report.kit.protocol_digest, report.release.weights[0].digest):
        assert digest in appendix


@pytest.mark.requirement("R12")
def test_a_signed_copy_is_the_page_that_was_rendered_with_the_signatures() -> None:
    report, signature = make_report(), make_signature()
    assert with_signatures(render(report, ()), [signature]) == render(report, (), [signature])


def test_a_signed_copy_is_not_made_twice() -> None:
    signed = render(make_report(), (), [make_signature()])
    with pytest.raises(ReportMismatchError):
        with_signatures(signed, [make_signature()])
