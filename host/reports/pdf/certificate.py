"""Certificates for PDF signatures: a key of one signature, certified by the enrolled key of the person who signs.

Invariants
----------
* Two certificates stand in each signature. The person's holds their enrolled key and is signed with it; the
  document's holds an ECDSA P-256 key, made for this one signature and thrown away, and is signed by the person's key.
* The document's certificate says what its key signed for: the record, the meaning, the role and the time.
* Neither is trusted for itself: it counts where the trust root has the key enrolled for that person.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from host.errors import ReportSignatureError
from plugin_spec.model import StrictModel, first_fault
from registry import algorithms
from registry.canonical import Digest, canonical_json
from registry.keys import PublicKey, Signer
from registry.statements import ESignature, SignatureMeaning, Timestamp

# An arc under 2.25 is anybody's who has drawn a UUID (ITU-T X.667): f25f5c88-9f0b-4c4b-9b3c-6f2c6d1f27a4.
BINDING: Final = x509.ObjectIdentifier("2.25.322168319987445862801214689888710895524")
_NAME_LENGTH: Final = 64  # X.520: the upper bound of a part of a name
_FOREVER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280, 4.1.2.5: no well-defined end


class Binding(StrictModel):
    """What the key of a document signature signed for."""

    target: Digest
    actor: str
    role: str
    meaning: SignatureMeaning
    at: Timestamp

    @classmethod
    def of(cls, signature: ESignature) -> Self:
        """What an e-signature on a report says."""
        return cls(
            target=signature.target,
            actor=signature.actor,
            role=signature.role,
            meaning=signature.meaning,
            at=signature.at,
        )


@dataclass(frozen=True)
class Certified:
    """The key of one signature with its certificate, and the person's certificate that issued it."""

    person: x509.Certificate
    document: x509.Certificate
    key: EllipticCurvePrivateKey


def certify(signature: ESignature, organisation: str, signer: Signer) -> Certified:
    """Make the key of one signature, and the two certificates that lead from it to the person's enrolled key.

    Parameters
    ----------
    signature : ESignature
        Whose name, meaning and time the certificates carry.
    organisation : str
        Of the trust root.
    signer : Signer
        The person's key.
    """
    document = generate_private_key(SECP256R1())
    enrolled = algorithms.loaded(signer.public.algorithm, signer.public.raw)
    name = _name(signature, organisation, f"enrolled key {signer.public.keyid[:16]}")
    blank = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .not_valid_before(datetime.fromisoformat(signature.at))
        .not_valid_after(_FOREVER)
    )
    issuer = x509.SubjectKeyIdentifier.from_public_key(enrolled)
    person = (
        blank.public_key(enrolled)
        .subject_name(name)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(issuer, critical=False)
    )
    leaf = (
        blank.public_key(document.public_key())
        .subject_name(_name(signature, organisation, f"key of one signature: {signature.meaning}"))
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        .add_extension(x509.UnrecognizedExtension(BINDING, _utf8(Binding.of(signature))), critical=False)
    )
    return Certified(signer.certify(person), signer.certify(leaf), document)


def check_certificates(
    signature: ESignature, keys: frozenset[PublicKey], *, person: x509.Certificate, document: x509.Certificate
) -> None:
    """Check that a document's certificate leads to a person's enrolled key, and is about this e-signature.

    Parameters
    ----------
    signature : ESignature
        As logged.
    keys : frozenset of PublicKey
        That the signer was enrolled with when it was logged.
    person, document : x509.Certificate
        From the PDF.

    Raises
    ------
    ReportSignatureError
    """
    if algorithms.describe(person.public_key()) not in {(key.algorithm, key.raw) for key in keys}:
        raise _fault(signature, "the certificate's key is not the key enrolled for them")
    try:
        person.verify_directly_issued_by(person)
        document.verify_directly_issued_by(person)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise _fault(signature, "the certificate was not issued by their enrolled key") from error
    if _bound(signature, document) != Binding.of(signature):
        raise _fault(signature, "the certificate is about another signature")
    names = document.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if [one.value for one in names] != [signature.printed_name[:_NAME_LENGTH]]:
        raise _fault(signature, "the certificate prints another name")


def _bound(signature: ESignature, document: x509.Certificate) -> Binding:
    from asn1crypto.core import UTF8String

    try:
        found = document.extensions.get_extension_for_oid(BINDING).value
        text = UTF8String.load(found.value, strict=True).native if hasattr(found, "value") else ""
        return Binding.model_validate_json(text)
    except (x509.ExtensionNotFound, ValueError, TypeError) as error:
        reason = first_fault(error) if isinstance(error, ValidationError) else str(error)
        raise _fault(signature, f"the certificate does not say what it is about: {reason}") from error


def _fault(signature: ESignature, message: str) -> ReportSignatureError:
    return ReportSignatureError(
        f"the PDF signature of {signature.actor} ({signature.meaning}): {message}", subject=signature.target
    )


def _utf8(about: Binding) -> bytes:
    from asn1crypto.core import UTF8String

    data: bytes = UTF8String(canonical_json(about.model_dump(mode="json")).decode()).dump()
    return data


def _name(signature: ESignature, organisation: str, unit: str) -> x509.Name:
    """What a PDF reader shows; the whole of a long name stands in the signature itself."""
    parts = (
        (NameOID.ORGANIZATION_NAME, organisation),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.USER_ID, signature.actor),
        (NameOID.COMMON_NAME, signature.printed_name),
    )
    return x509.Name([x509.NameAttribute(kind, text[:_NAME_LENGTH]) for kind, text in parts])


def _usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})
