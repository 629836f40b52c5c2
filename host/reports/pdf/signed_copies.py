"""Whether the signed copies of a report's PDF hold the e-signatures that were logged, and nothing else.

Invariants
----------
* pyHanko's whole judgement counts (``bottom_line``): bytes, signature, certificates, and what came after.
* Nothing is added to the printed PDF but signatures: each copy ends where its newest signature ends, each box stands at
  its place and says who signed what and when, and the first signature's revision is compared with the unsigned PDF too.

pyHanko is loaded here only; import this module where it is needed.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pypdf
from cryptography import x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, ModificationLevel, SuspiciousModification
from pyhanko.sign.general import CMSExtractionError, SigningError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pypdf.errors import PyPdfError

from host.errors import ReportSignatureError
from host.reports.pdf.appearance import place_of, says
from host.reports.pdf.certificate import check_certificates
from host.reports.pdf.signature import reason_of
from registry.keys import PublicKey
from registry.statements import ESignature

_FAULTS = (
    PdfError, PyPdfError, CMSExtractionError, SignatureValidationError, SigningError, SuspiciousModification,
    ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True)
class Copy:
    """A signed copy of a PDF, as the log tells of it.

    Attributes
    ----------
    signature : ESignature
        Which it was made for.
    keys : frozenset of PublicKey
        That the signer was enrolled with at the signature's place in the log.
    data : bytes
        The copy.
    """

    signature: ESignature
    keys: frozenset[PublicKey]
    data: bytes


def check_copies(unsigned: bytes, copies: Sequence[Copy]) -> None:
    """Verify the signed copies of a PDF, oldest first.

    Raises
    ------
    ReportSignatureError
        The first thing that is not as it was logged.
    """
    if not copies:
        return
    newest = copies[-1].data
    for before, after in zip([unsigned, *(one.data for one in copies)], copies, strict=False):
        if not after.data.startswith(before) or len(after.data) == len(before):
            raise fault(after, "the copy does not begin with the PDF that was signed")
    try:
        reader = PdfFileReader(io.BytesIO(newest))
        found = list(reader.embedded_signatures)
        _check_only_signatures(copies, reader, found, unsigned)
        for number, (copy, embedded) in enumerate(zip(copies, found, strict=True)):
            _check_signature(copy, embedded, is_last=copy is copies[-1])
            _check_box(copy, unsigned, number)
    except _FAULTS as error:  # a PDF from outside may break its reader in any of these ways
        raise fault(copies[-1], f"the PDF cannot be read or was changed: {error}") from error


def fault(copy: Copy, message: str) -> ReportSignatureError:
    """Make the error of a signed copy that is not as it was logged."""
    one = copy.signature
    return ReportSignatureError(
        f"the PDF signature of {one.actor} ({one.meaning}): {message}",
        subject=one.target,
        hint="compare it with the copy that the registry keeps: assay report show --pdf FILE",
    )


def _check_only_signatures(
    copies: Sequence[Copy], reader: PdfFileReader, found: Sequence[EmbeddedPdfSignature], unsigned: bytes
) -> None:
    """Check that as many signatures stand in the file as in the log, and that nothing else was added to the print."""
    fields = reader.root["/AcroForm"]["/Fields"] if "/AcroForm" in reader.root else []
    if len(found) != len(copies) or len(fields) != len(copies):
        raise fault(copies[-1], f"the PDF has {len(found)} signatures, the log {len(copies)}")
    last = PdfFileReader(io.BytesIO(unsigned)).xrefs.total_revisions - 1
    added = DEFAULT_DIFF_POLICY.review_file(reader, last)
    if isinstance(added, SuspiciousModification) or added.modification_level > ModificationLevel.FORM_FILLING:
        raise fault(copies[0], f"more than signatures was added to the PDF: {added}")


def _check_signature(copy: Copy, embedded: EmbeddedPdfSignature, *, is_last: bool) -> None:
    """Check one signature: what it covers, whose key made it, and what it says."""
    person, document = _certificates(copy, embedded)
    check_certificates(copy.signature, copy.keys, person=person, document=document)
    start, _, second, length = embedded.byte_range
    if start != 0 or int(second) + int(length) != len(copy.data):
        raise fault(copy, "it does not cover its copy to the end")
    context = ValidationContext(
        trust_roots=list(embedded.other_embedded_certs),
        allow_fetching=False,
        moment=datetime.fromisoformat(copy.signature.at),
    )
    # What was added after it is compared once for all of them, from the unsigned PDF on: it takes pyHanko seconds.
    status = validate_pdf_signature(embedded, signer_validation_context=context, skip_diff=True)
    if not _holds(status, is_last=is_last):
        raise fault(copy, f"does not verify: {status.summary()}")
    said = embedded.sig_object
    one = copy.signature
    told = (said.get("/Name"), said.get("/Reason"), embedded.self_reported_timestamp)
    if told != (one.printed_name, reason_of(one), datetime.fromisoformat(one.at)):
        raise fault(copy, "name, reason or time are not those of the logged signature")


def _holds(status: PdfSignatureStatus, *, is_last: bool) -> bool:
    """Whether pyHanko's whole judgement is good, and the signature covers its revision, the last one the file."""
    least = SignatureCoverageLevel.ENTIRE_FILE if is_last else SignatureCoverageLevel.ENTIRE_REVISION
    return status.bottom_line and status.coverage >= least


def _certificates(copy: Copy, embedded: EmbeddedPdfSignature) -> tuple[x509.Certificate, x509.Certificate]:
    others = list(embedded.other_embedded_certs)
    if len(others) != 1:
        raise fault(copy, f"it carries {len(others)} certificates beside its own, not one")
    person, document = (
        x509.load_der_x509_certificate(one.dump()) for one in (others[0], embedded.signer_cert)
    )
    return person, document


def _check_box(copy: Copy, unsigned: bytes, number: int) -> None:
    """Check that the box stands at its place and prints name, meaning and time as they were logged."""
    place = place_of(unsigned, number)
    page = pypdf.PdfReader(io.BytesIO(copy.data)).pages[place.page]
    boxes = [one.get_object() for one in page.get("/Annots", []) if one.get_object().get("/FT") == "/Sig"]
    box: Any = boxes[number] if number < len(boxes) else {"/Rect": ()}
    if tuple(round(float(one)) for one in box["/Rect"]) != place.box or not says(
        page.extract_xform_text(box["/AP"]["/N"].get_object()), copy.signature
    ):
        raise fault(copy, "its box on the page is not where or what it has to be")
