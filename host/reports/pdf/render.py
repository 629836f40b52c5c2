"""Print a report's page as PDF/A-3, with the report itself attached: one file holds what is read and what is meant.

Invariants
----------
* Nothing is loaded from elsewhere: an address that is not inside the page is refused, not skipped.
* The same page, on the same machine, gives the same bytes.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import ModuleType
from typing import Any, Final

from host.errors import ReportPdfError
from host.reports.model import Report
from host.reports.write import content_bytes

ATTACHMENT: Final = "report.json"  # the report without its renderings, which name this file by its digest
_LIBRARIES: Final = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"


def require_pdf() -> ModuleType:
    """Load what prints pages, before anything runs whose report is to be printed.

    Raises
    ------
    ReportPdfError
        A system library or every font is missing; says how to install them.
    """
    try:
        import weasyprint
    except OSError as error:  # a shared library cannot be loaded
        raise ReportPdfError(
            f"reports cannot be printed as PDF here: {str(error).splitlines()[0]}", hint=_LIBRARIES
        ) from error
    printer: ModuleType = weasyprint
    return printer


def render_pdf(report: Report, html: bytes) -> bytes:
    """Print the page of a report.

    Parameters
    ----------
    report : Report
        Attached without its renderings, as `content_bytes`.
    html : bytes
        Its page, as `host.reports.html.render` made it.

    Raises
    ------
    ReportPdfError
        The page asks for something from elsewhere, or for a glyph that no font here has.
    """
    weasyprint = require_pdf()
    told = datetime.fromisoformat(report.finished_at)
    attached = weasyprint.Attachment(
        string=content_bytes(report),
        name=ATTACHMENT,
        description="The report that this file shows, without the digests of its renderings",
        created=told,
        modified=told,
        relationship="Source",
    )
    return print_html(
        html.decode(), pdf_variant="pdf/a-3u", attachments=[attached], finisher=_with_room_for_signatures
    )


def print_html(page: str, **options: Any) -> bytes:
    """Print a page that asks for nothing from elsewhere; ``options`` are WeasyPrint's. Raises `ReportPdfError`."""
    weasyprint = require_pdf()
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols={"data"})
    with _complaints() as heard:
        data: bytes = weasyprint.HTML(string=page, url_fetcher=fetcher).write_pdf(**options)
    if heard:
        raise ReportPdfError(f"the report cannot be printed: {heard[0]}", hint=_LIBRARIES)
    return data


def _with_room_for_signatures(_: object, pdf: Any) -> None:
    """Give the print an empty form, so that all a signature later changes of it is that form and its page's notes."""
    import pydyf

    # 3: it is for signatures, and to be appended to only (ISO 32000-1, table 219).
    pdf.catalog["AcroForm"] = pydyf.Dictionary({"Fields": pydyf.Array([]), "SigFlags": 3})


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what the printer could not do; it only logs that. Style properties it does not know are no matter."""
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.ERROR:
                heard.append(record.getMessage())

    logger, listener = logging.getLogger("weasyprint"), Listener()
    logger.addHandler(listener)
    try:
        yield heard
    finally:
        logger.removeHandler(listener)
