"""Signing a logged report: the e-signature as a record and, where the report has a PDF, as one in a copy of that."""

from dataclasses import dataclass
from datetime import datetime

from registry.canonical import Digest
from registry.esignature import KEY_AND_PASSPHRASE, Signing, compose
from registry.keys import Signer
from registry.record import Record
from registry.registry import Registry
from registry.statements import ESignature, SignatureMeaning, SignedCopy, ValidationReport
from registry.trust_root import Role


@dataclass(frozen=True)
class ReportSigner:
    """Who signs a report: enrolled id, the role they act in, their key, and what they mean by it."""

    person: str
    role: str
    signer: Signer
    meaning: SignatureMeaning
    reason: str
    authentication: str = KEY_AND_PASSPHRASE


def sign_report(
    registry: Registry, record: Record, who: ReportSigner, *, at: datetime
) -> tuple[Record, ESignature]:
    """Sign a report; the caller has checked it (`host.reports.recheck`).

    Parameters
    ----------
    registry : Registry
    record : Record
        The logged report.
    who : ReportSigner
    at : datetime
        Now, with a zone.

    Raises
    ------
    PolicyError
        The signer may not sign it, or somebody else signed meanwhile.
    ReportSignatureError, ReportPdfError
        The signature cannot be put on the PDF; nothing is logged.
    """
    logged = record.statement.read(ValidationReport)
    shown = Signing(
        target=record.digest,
        meaning=who.meaning,
        reason=who.reason,
        rendering=logged.report_html.digest,
        authentication=who.authentication,
    )
    signature = compose(registry.root.person(who.person), Role(who.role), shown, at=at)
    if logged.report_pdf is not None:
        copy = _signed_copy(registry, record, logged.report_pdf.digest, signature, who.signer)
        signature = signature.model_copy(update={"signed_copy": copy})
    return registry.act(signature, who.signer, [("report", record.digest)]), signature


def _signed_copy(
    registry: Registry, record: Record, unsigned: Digest, signature: ESignature, signer: Signer
) -> SignedCopy:
    """Make and store the next signed copy of a report's PDF."""
    from host.reports.pdf.signature import sign_copy

    before = [one.signed_copy for one in signatures_on(registry, record) if one.signed_copy is not None]
    newest = before[-1].digest if before else unsigned
    for blob in {unsigned, newest}:
        registry.blobs.verify(blob)
    data = sign_copy(
        registry.blobs.path(unsigned).read_bytes(),
        registry.blobs.path(newest).read_bytes(),
        signature,
        number=len(before),
        organisation=registry.root.organisation,
        signer=signer,
    )
    stored = registry.blobs.put_bytes(data)
    name = f"report-signed-{len(before) + 1}.pdf"
    return SignedCopy(name=name, digest=stored.digest, bytes=stored.bytes, extends=newest)


def signatures_on(registry: Registry, record: Record) -> list[ESignature]:
    """The e-signatures on a record, oldest first."""
    named = registry.records(ESignature.predicate_type, subject=record.digest)
    found = [one.statement.read(ESignature) for one in named]
    return [one for one in found if one.target == record.digest]
