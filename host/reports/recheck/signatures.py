"""Whether the e-signatures on a report are by whom they say, in a role they held."""

from collections.abc import Sequence

from host.reports.recheck.evidence import Evidence
from registry.esignature import check, describe
from registry.record import Record
from registry.statements import ESignature


def signatures_hold(evidence: Evidence) -> tuple[str, ...]:
    """Check every e-signature against the trust root of its time, and say each in one line."""
    signed = _signatures(evidence)
    for record, signature in signed:
        check(signature, evidence.registry.roots.at(record.sequence))
    return (*_copies_hold(evidence, signed), *(f"signed: {describe(one)}" for _, one in signed))


def _signatures(evidence: Evidence) -> list[tuple[Record, ESignature]]:
    named = evidence.registry.records(ESignature.predicate_type, subject=evidence.record.digest)
    found = [(one, one.statement.read(ESignature)) for one in named]
    return [(record, one) for record, one in found if one.target == evidence.record.digest]


def _copies_hold(evidence: Evidence, signed: Sequence[tuple[Record, ESignature]]) -> tuple[str, ...]:
    """Check the PDF signatures: one for each e-signature, by the key that its signer was enrolled with then."""
    pdf, registry = evidence.logged.report_pdf, evidence.registry
    if pdf is None or not signed:
        return ()
    from host.reports.pdf.signed_copies import Copy, check_copies

    copies, newest = [], pdf.digest
    for record, one in signed:
        if one.signed_copy is None or one.signed_copy.extends != newest:
            raise evidence.fault(f"the e-signature of {one.actor} has no PDF signature on the newest copy")
        newest = one.signed_copy.digest
        registry.blobs.verify(newest)
        person = registry.roots.at(record.sequence).person(one.actor)
        keys = frozenset(key for key in person.keys if key.keyid in record.signers)
        copies.append(Copy(one, keys, registry.blobs.path(newest).read_bytes()))
    check_copies(registry.blobs.path(pdf.digest).read_bytes(), copies)
    return (
        f"the signed PDF holds {len(copies)} PAdES signatures and nothing else that the unsigned one does not, each by "
        "the key its signer was enrolled with",
    )
