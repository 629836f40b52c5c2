"""Electronic signatures (21 CFR 11.50, 11.70): who signed which record, under which name and meaning.

A signature is a statement of its own whose target is the payload digest of the signed record, so it can
neither be cut out of one record and put on another nor survive a change of what was signed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from registry.canonical import Digest, short
from registry.errors import RoleError, SignatureNameError
from registry.statements import ESignature, SignatureMeaning, ValidationReport
from registry.trust_root import Person, Role, TrustRoot
from registry.values import named_faults

KEY_AND_PASSPHRASE = "key file and passphrase"  # noqa: S105 - names the method
FIRST_OF_SERIES = "id and pass phrase, given for this signing; key file"


def within_series(begun: str) -> str:
    """The methods of a later signing in a series (21 CFR 11.200): one component that is the person's alone."""
    return f"pass phrase, in a series begun {begun} with id and pass phrase; key file"


@dataclass(frozen=True, slots=True)
class Signing:
    """What the signer was shown and means: everything a signature says besides who and in which role."""

    target: Digest
    meaning: SignatureMeaning
    reason: str
    rendering: Digest | None = None
    authentication: str = KEY_AND_PASSPHRASE


def compose(person: Person, role: Role, signing: Signing, *, at: datetime) -> ESignature:
    """Fill in a signature for a person; sign and log it with `Registry.act`."""
    with named_faults(person.id):
        return ESignature(
            actor=person.id,
            role=role.value,
            at=at.isoformat(timespec="seconds"),
            reason=signing.reason,
            target=signing.target,
            printed_name=person.name,
            meaning=signing.meaning,
            rendering=signing.rendering,
            authentication=signing.authentication,
        )


def check(signature: ESignature, root: TrustRoot) -> None:
    """Refuse a signature whose printed name or role is not the enrolled one.

    Raises
    ------
    SignatureNameError
        The printed name is another than the signer's enrolled name.
    RoleError
        Nobody of this id, or a role they do not hold.
    """
    person = root.person(signature.actor)
    if signature.printed_name != person.name:
        raise SignatureNameError(
            f"{person.id} signs as {signature.printed_name!r} but is enrolled as {person.name!r}",
            subject=person.id,
        )
    if signature.role not in person.roles:
        raise RoleError(f"{person.id} does not hold the role {signature.role!r}", subject=person.id)


def newest_copy(report: ValidationReport, signatures: Iterable[ESignature]) -> Digest | None:
    """The PDF that the next signature on a report adds to; None where the report has no PDF.

    Parameters
    ----------
    report : ValidationReport
    signatures : iterable of ESignature
        On it, in the order of the log.
    """
    copies = [one.signed_copy.digest for one in signatures if one.signed_copy is not None]
    unsigned = [report.report_pdf.digest] if report.report_pdf is not None else []
    return next(reversed([*unsigned, *copies]), None)


def describe(signature: ESignature) -> str:
    """Return the line that every view shows (11.50): name, role, meaning, time, and what was signed."""
    return (
        f"{signature.printed_name} ({signature.role}) - {signature.meaning} - {signature.at} - "
        f"record {short(signature.target)} - {signature.reason}"
    )
