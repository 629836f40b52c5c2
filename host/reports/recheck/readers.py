"""Whether the report tells of the kit's readers what the registered kit says and its files give."""

from host.kits.reader_agreement import is_of_masks
from host.kits.readers import reader_section
from host.reports.recheck.evidence import Evidence


def readers_are_registered(evidence: Evidence) -> str:
    """Compare readers and their agreement; what was computed from masks, only where the kit's files are here."""
    told = evidence.report.readers
    if told is None and evidence.report.contract == "assay.report/1":
        return "the report tells of no readers, being of the first contract"
    registered = reader_section(evidence.kit, evidence.data)
    if evidence.data is None and told is not None:
        rest = tuple(one for one in told.agreement if not is_of_masks(one))
        if rest != told.agreement:
            told = told.model_copy(update={"agreement": rest})
            evidence.same("section on readers", told, registered)
            return "its readers are the registered kit's; their agreement on masks was not computed again"
    evidence.same("section on readers", told, registered)
    return (
        "its readers, and how far they agree, are the registered kit's"
        if told
        else "nobody read the reference"
    )
