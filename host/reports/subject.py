"""What a report says of the release and of the kit: written from what was logged and registered, and checked by it."""

from collections.abc import Sequence
from typing import Final

from host.kits.kit import KitFolder
from host.reports.model import KitSection, ReleaseSection
from host.reports.wording import counted
from host.validation.rows import CaseRow
from plugin_spec.manifest import Manifest
from registry.registry import Registry
from registry.statements import Evidence, Release

PATIENTS_MIN: Final = 20  # an engineering minimum; claims on repeatability in QIBA's style need about 35


def release_section(registry: Registry, record: str, signed: Release, manifest: Manifest) -> ReleaseSection:
    """Say which release was tested.

    Parameters
    ----------
    record : str
        Digest of the release's record.
    signed : Release
        What that record says.
    manifest : Manifest
        The one that ``signed`` names.
    """
    about = manifest.attribution
    return ReleaseSection(
        record=record,
        plugin=signed.plugin,
        version=signed.version,
        title=manifest.title,
        image=signed.image,
        manifest=signed.manifest,
        weights=signed.weights,
        intended_use=about.intended_use,
        not_for=about.not_for,
        known_failure_modes=about.known_failure_modes,
        citations=tuple(f"{one.text} doi:{one.doi}" for one in about.citations),
        author=registry.root.person(signed.actor).name,
    )


def kit_section(folder: KitFolder) -> KitSection:
    """Say which kit it was tested on."""
    kit = folder.kit
    return KitSection(
        id=kit.id,
        version=kit.version,
        title=kit.title,
        summary=kit.summary,
        evidence=kit.evidence,
        kit_digest=folder.kit_digest,
        protocol_digest=folder.protocol_digest,
        dataset=kit.dataset.title,
        dataset_doi=kit.dataset.doi,
        dataset_licence=kit.dataset.licence,
        provenance=kit.dataset.provenance,
        reference_standard=f"{kit.reference_standard.kind}: {kit.reference_standard.description}",
        operating_range=tuple(
            f"{one.title}: {one.operating_min:g} to {one.operating_max:g} {one.unit}"
            for one in kit.measurands
        ),
    )


def limitations(folder: KitFolder, rows: Sequence[CaseRow], *, smoke: bool) -> tuple[str, ...]:
    """Say what the numbers do not show."""
    lines = [
        *limits_of_evidence(rows, folder.kit.evidence),
        "Runs of this kit that were not recorded here (elsewhere, or by an author on a bench) cannot be excluded.",
        "A performance qualification at the customer's own site is not part of this report.",
    ]
    if smoke:
        lines.insert(
            0, "Only the kit's smoke subset ran: this report proves the path, and supports no claim."
        )
    return tuple(lines)


def limits_of_evidence(rows: Sequence[CaseRow], kit: Evidence) -> list[str]:
    """Say what the kinds of cases, and the number of patients, do not let one say.

    Parameters
    ----------
    rows : sequence of CaseRow
    kit : str
        The kind of the cases of a table that does not say it case by case.
    """
    shows = {
        "derived": "derived from other images: they show how the algorithm answers to known changes of an image",
        "phantom": "phantoms: they show how the algorithm answers to known objects",
    }
    lines = []
    for kind, words in shows.items():
        members = [row for row in rows if (row.evidence or kit) == kind]
        subjects = len({row.subject for row in members})
        if members:
            lines.append(
                f"{len(members)} of {counted(len(rows), 'case')} ({counted(subjects, 'subject')}) are {words}, not "
                "how it performs in patients. No interval rests on them."
            )
    patients = len({row.subject for row in rows if (row.evidence or kit) == "patient"})
    if 0 < patients < PATIENTS_MIN:
        lines.append(
            f"{counted(patients, 'patient')}: a case series. Below {PATIENTS_MIN} the figures say little of the "
            "patients to come, whatever the verdict."
        )
    return lines
