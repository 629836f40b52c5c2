"""A report as PDF: it says what the page says, holds the report, and a changed one is found out."""

import io
from collections.abc import Callable

import pypdf
import pytest
from pypdf.annotations import FreeText

from host.errors import ReportMismatchError, ReportPdfError
from host.reports.html import for_print, render
from host.reports.model import Report
from host.reports.pdf.agreement import _found, check_pdf, print_page
from host.reports.pdf.render import ATTACHMENT, render_pdf
from host.reports.pictures import draw
from host.reports.write import content_bytes
from tests.support.capability_reports import CAPABILITIES
from tests.support.reports import make_report


@pytest.fixture(scope="module")
def report() -> Report:
    return make_report()


@pytest.fixture(scope="module")
def html(report: Report) -> bytes:
    return render(report, draw(report, lambda case: None))


@pytest.fixture(scope="module")
def pdf(report: Report, html: bytes) -> bytes:
    return print_page(report, html)


def test_the_print_says_what_the_page_says_and_holds_the_report(
    report: Report, html: bytes, pdf: bytes
) -> None:
    check_pdf(report, html, pdf)
    assert pypdf.PdfReader(io.BytesIO(pdf)).attachments[ATTACHMENT] == [content_bytes(report)]


def test_the_same_page_prints_to_the_same_bytes(report: Report, html: bytes, pdf: bytes) -> None:
    assert render_pdf(report, for_print(html)) == pdf


def test_the_print_points_to_its_own_signatures_and_does_not_call_itself_unsigned(pdf: bytes) -> None:
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    assert not any("UNSIGNED" in page for page in pages)
    alone = next(page for page in pages if "15. E-signatures" in page and "PAdES" in page)
    assert "Appendix" not in alone  # the rest of that page is room for signatures


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a figure": lambda page: page.replace(b">0.931<", b">0.991<"),
    "the verdict": lambda page: page.replace(b">not met<", b">met<"),
    "two figures exchanged": lambda page: (
        page.replace(b">0.931<", b">0.9x<").replace(b">0.912<", b">0.931<").replace(b">0.9x<", b">0.912<")
    ),
    "a sentence more": lambda page: page.replace(b"</body>", b"<p>All criteria are met.</p></body>"),
    "a sentence less": lambda page: page.replace(b"One scanner vendor only.", b""),
    "a word in a drawing": lambda page: page.replace(b">6 cases of 2 subjects<", b">7 cases of 2 subjects<"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_print_of_a_changed_page_is_found_out(report: Report, html: bytes, change: str) -> None:
    changed = CHANGES[change](for_print(html))
    assert changed != for_print(html)
    with pytest.raises(ReportMismatchError, match="pdf: "):
        check_pdf(report, html, render_pdf(report, changed))


def test_a_print_that_holds_another_report_is_found_out(report: Report, html: bytes) -> None:
    other = report.model_copy(update={"executed_by": "somebody-else"})
    with pytest.raises(ReportMismatchError, match="another report is attached"):
        check_pdf(report, html, render_pdf(other, for_print(html)))


@pytest.mark.parametrize("cut", [0, 20, 3000])
def test_a_file_that_is_no_pdf_is_named_as_such(report: Report, html: bytes, pdf: bytes, cut: int) -> None:
    with pytest.raises(ReportMismatchError, match="pdf: "):
        check_pdf(report, html, pdf[:cut])


def test_nothing_is_loaded_from_elsewhere(report: Report, html: bytes) -> None:
    page = for_print(html).replace(b"</body>", b'<img src="https://example.org/a.png" alt="a"></body>')
    with pytest.raises(ReportPdfError, match="cannot be printed"):
        render_pdf(report, page)


def test_numbers_of_a_drawing_may_run_into_each_other_and_hold_the_text_that_follows() -> None:
    added = {"0": ["0", "0.5"], "1": ["15", "1"], "5": ["5"], "•": ["•"]}
    assert _found("4", "00.511554", 0, added) == 8
    assert _found("5", "00.5•5x", 0, added) == 5
    assert _found("", "00.511", 0, added) == 6
    assert _found("4", "00.6114", 0, added) == -1
    assert _found("", "00.5x", 0, added) == -1


@pytest.mark.slow
@pytest.mark.parametrize("capability", CAPABILITIES)
def test_the_report_of_every_capability_prints_as_its_page_says(capability: str) -> None:
    report = CAPABILITIES[capability]()
    print_page(report, render(report, draw(report, lambda case: None)))


def test_a_note_laid_over_a_page_is_found_out(report: Report, html: bytes, pdf: bytes) -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf))
    note = FreeText(text="VERDICT: MET", rect=(50, 550, 400, 650))
    writer.add_annotation(page_number=0, annotation=note)
    painted = io.BytesIO()
    writer.write(painted)
    with pytest.raises(ReportMismatchError, match="/FreeText is laid over a page"):
        check_pdf(report, html, painted.getvalue())
