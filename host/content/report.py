"""Reports for people: pages that nothing reads for their content.

A PDF is recognised by its first and last bytes, and no more is promised of it: whoever opens it trusts their reader to
ask before anything in it acts. HTML is shown beside our own pages, so it is held to a small subset in which nothing
acts and nothing is fetched, by a grammar of its own (`host.content.page`), not by a parser whose idea of a page may
differ from a browser's.
"""

from pathlib import PurePosixPath
from typing import Final

from host.cases.nifti_stream import ByteStream
from host.content.page import page_fault
from host.errors import OutputActiveContentError, OutputMalformedError
from plugin_spec.ports import ReportPort
from plugin_spec.resources import MIB

REPORT_BYTES_MAX: Final = 64 * MIB
_PDF_STARTS: Final = (b"%PDF-1.", b"%PDF-2.")
# ISO 32000-2, annex I of older editions: readers look for the end marker in the last 1024 bytes.
_PDF_END, _PDF_TAIL_BYTES = b"%%EOF", 1024


def check_report(port: ReportPort, file: ByteStream, path: str, size: int) -> None:
    """Check that a report is what its port calls it; of a page, also that it does nothing when it is opened.

    Parameters
    ----------
    port : ReportPort
    file : file object
        At its start.
    path : str
        As result.json gives it; people open the file by its ending.
    size : int
        Its length in bytes.
    """
    if PurePosixPath(path).suffix != f".{port.format}":
        raise OutputMalformedError(
            f"port {port.name}: {path} does not end in .{port.format}", subject=port.name
        )
    if size > REPORT_BYTES_MAX:
        raise OutputMalformedError(
            f"port {port.name}: {path} is larger than {REPORT_BYTES_MAX} bytes", subject=port.name
        )
    data = _whole(file)
    if port.format == "pdf":
        _check_pdf(port, data)
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OutputMalformedError(
            f"port {port.name}: byte {error.start} is not UTF-8", subject=port.name
        ) from error
    fault = page_fault(text)
    if fault:
        raise OutputActiveContentError(
            f"port {port.name}: {fault}",
            subject=port.name,
            hint="a report is plain HTML with its styles and pictures (data: PNG, JPEG or GIF) inside; "
            "see the author's guide",
        )


def _whole(file: ByteStream) -> bytes:
    parts = []
    while part := file.read(MIB):
        parts.append(part)
    return b"".join(parts)


def _check_pdf(port: ReportPort, data: bytes) -> None:
    if not data.startswith(_PDF_STARTS):
        raise OutputMalformedError(f"port {port.name}: no PDF: it does not start so", subject=port.name)
    if _PDF_END not in data[-_PDF_TAIL_BYTES:]:
        raise OutputMalformedError(
            f"port {port.name}: the PDF is cut short: its end marker is missing", subject=port.name
        )
