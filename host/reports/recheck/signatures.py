"""Whether the e-signatures on a report are by whom they say, in a role they held."""

from host.reports.recheck.evidence import Evidence
from registry.esignature import check, describe
from registry.statements import ESignature


def signatures_hold(evidence: Evidence) -> tuple[str, ...]:
    """Check every e-signature against the trust root of its time, and say each in one line."""
    registry, lines = evidence.registry, []
    for found in registry.records(ESignature.predicate_type, subject=evidence.record.digest):
        signature = found.statement.read(ESignature)
        check(signature, registry.roots.at(found.sequence))
        lines.append(f"signed: {describe(signature)}")
    return tuple(lines)
