"""What a report says of the release and of the kit: written from what was logged and registered, and checked by it."""

from host.kits.kit import KitFolder
from host.reports.model import KitSection, ReleaseSection
from plugin_spec.manifest import Manifest
from registry.registry import Registry
from registry.statements import Release


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


def limitations(folder: KitFolder, *, smoke: bool, subjects: int) -> tuple[str, ...]:
    """Say what the numbers do not show."""
    lines = [
        "Runs of this kit that were not recorded here (elsewhere, or by an author on a bench) cannot be excluded.",
        "A performance qualification at the customer's own site is not part of this report.",
    ]
    if folder.kit.evidence != "patient":
        lines.insert(
            0,
            f"All cases are {folder.kit.evidence} from {subjects} independent subject(s): they show how the "
            "algorithm answers to known changes of one image, not how it performs in patients. No interval is given.",
        )
    if smoke:
        lines.insert(
            0, "Only the kit's smoke subset ran: this report proves the path, and supports no claim."
        )
    return tuple(lines)
