"""Who made a kit's reference standard and how far they agree, as a report tells it."""

from pathlib import Path

from host.kits.declaration import Agreement
from host.kits.kit import KitFolder
from host.kits.reader_agreement import computed_agreement
from host.reports.sections import AgreementRow, ReaderRow, ReaderSection
from host.validation.estimate_row import EstimateRow

PUBLISHED = "as published"


def reader_section(folder: KitFolder, data: Path | None) -> ReaderSection | None:
    """The readers of a kit and their agreement; ``None`` where nobody read anything.

    Parameters
    ----------
    folder : KitFolder
    data : Path or None
        Its data folder; without it, agreement on files is left out.
    """
    standard = folder.kit.reference_standard
    computed = computed_agreement(folder.protocol, folder.cases, data)
    if not (standard.readers or computed):
        return None
    return ReaderSection(
        readers=tuple(
            ReaderRow(id=one.id, qualification=f"{one.role}; {one.experience}", blinded_to=one.blinded_to)
            for one in standard.reader
        ),
        adjudication=standard.adjudication,
        agreement=(*map(_declared, standard.agreement), *computed),
    )


def _declared(agreement: Agreement) -> AgreementRow:
    return AgreementRow(
        measure=agreement.statistic,
        between=agreement.between,
        estimate=EstimateRow(
            value=agreement.value,
            low=agreement.low,
            high=agreement.high,
            level=agreement.level,
            method=PUBLISHED,
            n=agreement.subjects,
            reason="" if agreement.low is not None else "no interval was published",
        ),
        source=agreement.source,
    )
