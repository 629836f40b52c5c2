"""What a signature looks like on the page, and where it stands.

The box is printed by what prints the report, so that its font is embedded and any name can be written.
"""

import html
import io
from dataclasses import dataclass
from typing import Final

from host.errors import ReportSignatureError
from host.reports.pdf.render import print_html
from registry.canonical import short
from registry.statements import ESignature

SECTION: Final = "signatures"  # the id of the page's section, which its print has as a destination
WIDTH, HEIGHT, GAP = 255, 82, 8  # points
ROOM_BELOW_HEADING, MARGIN = 96, 48
REASON_LENGTH: Final = 90
_STYLE: Final = (
    f"@page {{ size: {WIDTH}pt {HEIGHT}pt; margin: 0 }}"
    "body { margin: 0; font: 7.5pt/1.35 'DejaVu Sans', sans-serif; color: #1a202c }"
    f"div {{ box-sizing: border-box; width: {WIDTH}pt; height: {HEIGHT}pt; padding: 5pt 7pt; overflow: hidden;"
    " border: .8pt solid #1a202c }"
    "p { margin: 0 } .name { font-size: 10pt; font-weight: bold } .meaning { font-weight: bold }"
    ".small { font-size: 6pt; color: #4a5568 }"
)


@dataclass(frozen=True)
class Place:
    """A box on a page.

    Attributes
    ----------
    page : int
        From 0.
    box : tuple of int
        Left, bottom, right and top, in points from the lower left corner.
    """

    page: int
    box: tuple[int, int, int, int]


def place_of(pdf: bytes, number: int) -> Place:
    """Where a signature stands: two beside each other, from below the heading of the section on signatures.

    Parameters
    ----------
    pdf : bytes
        The unsigned PDF.
    number : int
        Of the signature, from 0.

    Raises
    ------
    ReportSignatureError
        The PDF has no such section, or no room for one more.
    """
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(pdf))
    heading = reader.named_destinations.get(SECTION)
    page = None if heading is None else reader.get_destination_page_number(heading)
    if heading is None or page is None or heading.top is None:
        raise ReportSignatureError("the PDF has no section for signatures")
    row, column = divmod(number, 2)
    left = round(float(heading.left or 0)) + column * (WIDTH + GAP)
    top = round(float(heading.top)) - ROOM_BELOW_HEADING - row * (HEIGHT + GAP)
    if top - HEIGHT < MARGIN:
        raise ReportSignatureError(f"the PDF has no room for signature {number + 1}")
    return Place(page, (left, top - HEIGHT, left + WIDTH, top))


def words(signature: ESignature) -> tuple[str, ...]:
    """The lines of a signature's box: printed name, meaning and time with zone, role, reason, record (21 CFR 11.50)."""
    reason = signature.reason
    return (
        signature.printed_name,
        f"{signature.meaning}, {signature.at.replace('T', ' ', 1)}",
        f"{signature.actor}, {signature.role}",
        reason if len(reason) <= REASON_LENGTH else f"{reason[: REASON_LENGTH - 1]}…",
        f"signed record {short(signature.target)}",
    )


def appearance(signature: ESignature) -> bytes:
    """Print the box of a signature as a page of its size.

    Raises
    ------
    ReportSignatureError
        No font here has the letters of a name.
    """
    import pypdf

    lines = zip(("name", "meaning", "", "", "small"), words(signature), strict=True)
    body = "".join(f'<p class="{kind}">{html.escape(text)}</p>' for kind, text in lines)
    document = f"<!DOCTYPE html><html lang=en><style>{_STYLE}</style><body><div>{body}</div></body></html>"
    printed = print_html(document)
    if not says(pypdf.PdfReader(io.BytesIO(printed)).pages[0].extract_text(), signature):
        raise ReportSignatureError(
            f"the name, reason or id of {signature.actor} cannot be written with the fonts of this machine",
            subject=signature.actor,
            hint="install a font that has the letters: apt-get install fonts-noto",
        )
    return printed


def says(text: str, signature: ESignature) -> bool:
    """Whether the text of a box, as it is read out of a PDF, is the signature's; white space does not matter."""
    return "".join(text.split()) == "".join("".join(words(signature)).split())
