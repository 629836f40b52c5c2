"""PAdES signatures on a report's PDF: one per e-signature, each appended to the copy before it.

Invariants
----------
* The unsigned PDF, whose digest the report names, is a prefix of every signed copy, and each copy of the next.
* The key of a signature is certified by the key that the person is enrolled with (`host.reports.pdf.certificate`).

pyHanko is loaded here only; import this module where it is needed.
"""

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner, PdfSigningSession
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from host.reports.pdf.appearance import Place, appearance, place_of
from host.reports.pdf.certificate import Certified, certify
from registry.keys import Signer
from registry.statements import ESignature

FIELD: Final = "Signature"


def sign_copy(
    unsigned: bytes, newest: bytes, signature: ESignature, *, number: int, organisation: str, signer: Signer
) -> bytes:
    """Append one PAdES signature to a PDF.

    Parameters
    ----------
    unsigned, newest : bytes
        The PDF as printed, and its newest signed copy (the same where there is none).
    signature : ESignature
        What is signed for; it does not name the copy yet.
    number : int
        How many signatures there are already.
    organisation : str
        Of the trust root.
    signer : Signer
        The person's enrolled key.

    Raises
    ------
    ReportSignatureError
        The PDF has no section for signatures, or no room for one more.
    """
    looks = Looks(f"{FIELD}{number + 1}", place_of(unsigned, number), appearance(signature))
    return append_signature(newest, signature, looks, certify(signature, organisation, signer))


@dataclass(frozen=True)
class Looks:
    """How a signature stands in a PDF: its field, the place of its box, and the box as a page of its size."""

    field: str
    place: Place
    box: bytes


def append_signature(newest: bytes, signature: ESignature, looks: Looks, certified: Certified) -> bytes:
    """Append a signature by a certified key to a PDF; whether it will be accepted is for who checks it."""
    with TemporaryDirectory() as folder:
        box = Path(folder) / "box.pdf"
        box.write_bytes(looks.box)
        signing = _SignerAtATime(
            PdfSignatureMetadata(
                field_name=looks.field,
                subfilter=SigSeedSubFilter.PADES,
                md_algorithm="sha256",
                name=signature.printed_name,
                reason=reason_of(signature),
            ),
            signer=_one_time_signer(certified),
            stamp_style=StaticStampStyle.from_pdf_file(str(box), border_width=0),
            new_field_spec=SigFieldSpec(looks.field, on_page=looks.place.page, box=looks.place.box),
        )
        signing.time = datetime.fromisoformat(signature.at)
        signed = signing.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(newest)))
    data: bytes = signed.getvalue()
    return data


def reason_of(signature: ESignature) -> str:
    """What a PDF reader shows as the reason: the meaning, and why."""
    return f"{signature.meaning}: {signature.reason}"


class _SignerAtATime(PdfSigner):
    """Signs with the time that the e-signature says, so that the two never differ."""

    time: datetime

    def init_signing_session(
        self, pdf_out: BasePdfFileWriter, existing_fields_only: bool = False
    ) -> PdfSigningSession:
        session: PdfSigningSession = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self.time
        return session


def _one_time_signer(certified: Certified) -> SimpleSigner:
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # untyped there
    store.register(_asn1(certified.person))
    private = certified.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return SimpleSigner(
        signing_cert=_asn1(certified.document),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=store,
    )


def _asn1(certificate: x509.Certificate) -> Any:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
