"""Which releases a reader of the catalogue asks for: by what they are for, and by how far they have come."""

from collections.abc import Iterable
from typing import Literal

from host.installed import read_stored_manifest
from plugin_spec.manifest import Manifest
from plugin_spec.model import StrictModel
from registry.catalogue import REACH, CatalogueEntry
from registry.registry import Registry

Area = Literal["neurology", "oncology", "cardiology", "every area"]
Standing = Literal["submitted", "evaluated", "approved", "suspended", "recalled", "retired"]
EvidenceClass = Literal["patient", "derived", "phantom"]
ApprovedScope = Literal["demonstration", "exploratory", "endpoint"]


class Wanted(StrictModel):
    """What is asked for; None asks for nothing.

    Attributes
    ----------
    area, disease, modality, capability : str or None
        As the manifest declares them. A plugin for every area, or for any disease, is found under each; a disease is
        found by a part of its name, whatever the case of its letters.
    state : str or None
        Where the release stands.
    evidence : str or None
        The class of a report that counts.
    scope : str or None
        Approved for that or more.
    """

    area: Area | None = None
    disease: str | None = None
    modality: str | None = None
    capability: str | None = None
    state: Standing | None = None
    evidence: EvidenceClass | None = None
    scope: ApprovedScope | None = None

    @property
    def of_manifest(self) -> bool:
        """Whether anything is asked that only the manifest says."""
        return any((self.area, self.disease, self.modality, self.capability))


def select(registry: Registry, entries: Iterable[CatalogueEntry], wanted: Wanted) -> list[CatalogueEntry]:
    """The releases that are all that is asked for, in the order given; manifests are read only where needed."""
    found = [entry for entry in entries if _stands(entry, wanted)]
    if not wanted.of_manifest:
        return found
    manifests = {
        name: read_stored_manifest(registry, name) for name in {entry.release.manifest for entry in found}
    }
    return [entry for entry in found if _is_for(manifests[entry.release.manifest], wanted)]


def _stands(entry: CatalogueEntry, wanted: Wanted) -> bool:
    return (
        wanted.state in (None, str(entry.state))
        and wanted.evidence in (None, *(one.report.evidence for one in entry.evaluations))
        and (wanted.scope is None or any(REACH[one.scope] >= REACH[wanted.scope] for one in entry.approvals))
    )


def _is_for(manifest: Manifest, wanted: Wanted) -> bool:
    return (
        any(_is_indicated(one.area, one.disease, wanted) for one in manifest.indications)
        and wanted.modality in (None, *manifest.modalities)
        and wanted.capability in (None, *manifest.capabilities)
    )


def _is_indicated(area: str, disease: str, wanted: Wanted) -> bool:
    in_area = wanted.area is None or area in (wanted.area, "every area")
    of_disease = wanted.disease is None or disease == "any" or wanted.disease.lower() in disease.lower()
    return in_area and of_disease
