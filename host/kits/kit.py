"""Validation kits: the folder an evidence claim starts from, read, checked and pinned by digest.

Invariants
----------
* Every file of a kit that matters to a result is under its digest; every case file has its own in cases.csv.
* Reading a kit runs nothing. Its generator is third-party code and runs in a container (``host.kits.data``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from host.errors import KitError
from host.kits.case_rows import parse_cases
from host.kits.cases import SOURCE_FOLDER, CaseFile, KitCase, evidence_of
from host.kits.declaration import Kit
from host.kits.fit import check_fit
from host.kits.sources import SourceFile, source_files
from host.perturbations.cases import check_perturbed, perturbed_cases
from host.validation.protocol import Protocol, parse_protocol
from plugin_spec.model import RelativePath, Sha256, StrictModel, parse_toml, read_document
from registry.canonical import canonical_json, digest


@dataclass(frozen=True)
class KitFolder:
    """A kit, wholly checked.

    Attributes
    ----------
    path : Path
        Where it lies, for messages; what counts are ``contents``.
    source_files : tuple of SourceFile
        Every file of its sources.
    contents : mapping of str to bytes
        Every file under the kit's digest, as it was read and parsed.
    listing : bytes
        The canonical list of names and digests; its own digest is the kit's.
    """

    path: Path
    kit: Kit
    protocol: Protocol
    cases: tuple[KitCase, ...]
    source_files: tuple[SourceFile, ...]
    contents: Mapping[str, bytes]
    listing: bytes

    @property
    def kit_digest(self) -> str:
        """Digest of the listing, and so of every file of the kit."""
        return digest(self.listing)

    @property
    def protocol_digest(self) -> str:
        """Digest of ``protocol.toml``."""
        return digest(self.contents["protocol.toml"])

    def selected(self, *, smoke: bool) -> tuple[KitCase, ...]:
        """All cases and their perturbed copies, or the small declared subset that proves the path and no claim."""
        every = (*self.cases, *perturbed_cases(self.protocol.perturbations, self.cases))
        return tuple(case for case in every if case.smoke or not smoke)


class Listing(StrictModel):
    """Names and digests of a kit's files."""

    contract: Literal["assay.kit-files/1"] = "assay.kit-files/1"
    files: dict[RelativePath, Sha256]


def read_kit(path: Path) -> KitFolder:
    """Read a kit folder, each file once, and check that its parts fit together.

    Raises
    ------
    KitError, InputError
        One line with the file and the field.
    """
    kit_bytes = read_document(path / "kit.toml", error=KitError)
    kit = parse_toml(kit_bytes, path / "kit.toml", Kit, error=KitError)
    generator = kit.generator
    names = ["protocol.toml", "cases.csv"]
    if generator is not None:
        names += [generator.script, *([generator.requirements] if generator.requirements else [])]
    names += [one.listing for one in kit.sources if one.listing is not None]
    contents = {name: read_document(path / name, error=KitError) for name in names}
    return parse_kit({"kit.toml": kit_bytes, **contents}, path)


def parse_kit(contents: Mapping[str, bytes], path: Path) -> KitFolder:
    """Parse a kit's files; ``path`` names their folder in messages."""
    kit = parse_toml(contents["kit.toml"], path / "kit.toml", Kit, error=KitError)
    protocol = parse_protocol(contents["protocol.toml"], path / "protocol.toml")
    if (protocol.kit, protocol.version) != (kit.id, kit.version):
        raise KitError(
            f"{path / 'protocol.toml'}: is for {protocol.kit} {protocol.version}, the kit is {kit.id} {kit.version}"
        )
    sources = {
        one.name: CaseFile(path=f"{SOURCE_FOLDER}/{one.file}", sha256=one.sha256) for one in kit.sources
    }
    cases = parse_cases(contents["cases.csv"], path / "cases.csv", sources=sources, first=kit.is_first)
    check_fit(path / "cases.csv", protocol, cases)
    check_perturbed(path / "cases.csv", protocol.perturbations, cases)
    weakest = evidence_of(cases, first=kit.is_first)
    if kit.evidence != weakest:
        raise KitError(
            f"{path / 'kit.toml'}: evidence is {kit.evidence!r}, but cases.csv holds {weakest} cases",
            hint="a kit's evidence is that of its weakest case whose answer is compared",
        )
    listing = Listing(files={name: digest(data) for name, data in contents.items()})
    return KitFolder(
        path,
        kit,
        protocol,
        cases,
        source_files(kit.sources, contents, path),
        dict(contents),
        canonical_json(listing.model_dump(mode="json")),
    )
