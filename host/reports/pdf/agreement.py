"""Whether a PDF says what the page says, word by word, and holds the report that it shows.

The page agrees with the report field by field (``host.reports.marks``); here every text of the page has to stand in the
PDF in the same order, with nothing between but what printing adds: page heads and feet, bullets, the head of a table
that goes on, and the words of a drawing, which are painted after the text around it and have to follow each other
likewise. So a text that was changed, left out or exchanged in the PDF is found, and so is anything laid over a page
that is no link and no signature. What covers a text within a page is not seen here: the digest in the signed report
protects the file.
"""

import io
import re
from collections.abc import Mapping, Sequence, Set
from heapq import heappop, heappush
from typing import Final

from host.errors import ReportMismatchError
from host.reports.html import for_print
from host.reports.model import Report
from host.reports.page_texts import PageTexts, squeezed
from host.reports.pdf.render import ATTACHMENT, render_pdf
from host.reports.write import content_bytes

_BULLET: Final = "•"
# Links, and the boxes of signatures, which are judged where signatures are (``host.reports.pdf.signature``).
_LAID_OVER: Final = frozenset({("/Link", ""), ("/Widget", "/Sig")})


def print_page(report: Report, html: bytes) -> bytes:
    """Print a report's page, and check that the PDF says the same.

    Raises
    ------
    ReportPdfError
        It cannot be printed on this machine.
    ReportMismatchError
        A text of the page is missing in the PDF, or stands elsewhere.
    """
    pdf = render_pdf(report, for_print(html))
    check_pdf(report, html, pdf)
    return pdf


def check_pdf(report: Report, html: bytes, pdf: bytes) -> None:
    """Compare a PDF with the report and its unsigned page.

    Parameters
    ----------
    report : Report
    html : bytes
        The page from `host.reports.html.render`, without signatures.
    pdf : bytes
        As printed; appended signatures do not matter here.

    Raises
    ------
    ReportMismatchError
        It cannot be read, another report is attached, or a text differs; the first one is shown.
    """
    import pypdf
    from pypdf.errors import PyPdfError

    try:
        reader = pypdf.PdfReader(io.BytesIO(pdf))
        attached = reader.attachments.get(ATTACHMENT, [])
        pages = [page.extract_text() for page in reader.pages]
        laid_over = {
            (str(one["/Subtype"]), str(one.get("/FT", "")))
            for page in reader.pages
            for one in (reference.get_object() for reference in page.get("/Annots", ()))
        }
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReportMismatchError(f"pdf: cannot be read: {error}", subject=report.validation) from error
    if attached != [content_bytes(report)]:
        raise ReportMismatchError(f"pdf: {ATTACHMENT}: another report is attached", subject=report.validation)
    if strange := laid_over - _LAID_OVER:
        raise ReportMismatchError(f"pdf: {min(strange)[0]} is laid over a page", subject=report.validation)
    page = PageTexts.of(for_print(html))
    printed = "".join(squeezed(_body(report, text)) for text in pages)
    wrong = _first_difference(page.read, printed, added={*page.heads, *page.drawn}) or _first_difference(
        page.drawn, printed, added=None
    )
    if wrong:
        raise ReportMismatchError(f"pdf: {wrong}", subject=report.validation)


def _first_difference(texts: Sequence[str], printed: str, *, added: Set[str] | None) -> str:
    """Say which text is not at its place in what was printed; empty where all are.

    ``added`` are the texts that may stand between; None: anything may.
    """
    place = 0
    by_start: dict[str, list[str]] = {_BULLET: [_BULLET]}
    for one in added or ():
        by_start.setdefault(one[0], []).append(one)
    for text in texts:
        found = printed.find(text, place) if added is None else _found(text, printed, place, by_start)
        if found < 0:
            return _not_there(text, printed, place)
        place = found + len(text)
    if added is not None and _found("", printed, place, by_start) < 0:
        return _not_there("its end", printed, place)
    return ""


def _not_there(text: str, printed: str, place: int) -> str:
    return f"{text[:60]!r} is not where the page has it; there stands {printed[place : place + 60]!r}"


def _found(text: str, printed: str, place: int, added: Mapping[str, Sequence[str]]) -> int:
    """Where a text stands behind nothing but what printing adds; -1 where it does not. Of no text: the end.

    A short text may also stand inside of one that is added, so every way through what is added is followed.
    """
    reached = [place]
    seen = {place}
    while reached:
        at = heappop(reached)
        if printed.startswith(text, at) and (text or at == len(printed)):
            return at
        for one in added.get(printed[at : at + 1], ()):
            onward = at + len(one)
            if onward not in seen and printed.startswith(one, at):
                seen.add(onward)
                heappush(reached, onward)
    return -1


def _body(report: Report, text: str) -> str:
    """The text of a printed page without its head and foot."""
    head = re.escape(f"Assay validation report {report.validation}") + r"\s+content\s+sha256:[0-9a-f]{64}"
    return re.sub(rf"{head}|page \d+ of \d+\s*$", "", text)
