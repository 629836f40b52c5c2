"""Validation kits: the folder an evidence claim starts from, read, checked and pinned by digest.

Invariants
----------
* Every file of a kit that matters to a result is under its digest; every case file has its own in cases.csv.
* Reading a kit runs nothing. Its generator is third-party code and runs in a container (``host.kits.data``).
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from host.errors import KitError
from host.validation.protocol import Protocol, parse_protocol
from plugin_spec.case import CaseId
from plugin_spec.codes import UcumUnit
from plugin_spec.model import (
    Identifier,
    PortName,
    RelativePath,
    Sha256,
    StrictModel,
    first_fault,
    parse_toml,
    read_document,
)
from registry.canonical import canonical_json, digest

Evidence = Literal["patient", "derived", "phantom"]
EVIDENCE_ORDER: tuple[Evidence, ...] = ("patient", "derived", "phantom")  # strongest first
MAX_CASES = 10_000


class Measurand(StrictModel):
    """What the kit's numbers are numbers of."""

    column: PortName
    title: str = Field(min_length=1, max_length=200)
    unit: UcumUnit
    operating_min: float
    operating_max: float


class Dataset(StrictModel):
    """Where the images come from and what may be done with them."""

    title: str = Field(min_length=1, max_length=300)
    doi: str
    licence: str
    provenance: str
    deidentification: str


class ReferenceStandard(StrictModel):
    """What the outputs are compared with, and how it was made."""

    kind: Literal["expert", "consensus", "derived", "constructed"]
    description: str
    readers: int = Field(ge=0)


class Source(StrictModel):
    """A pinned file the generator reads, under ``file`` in its input folder. ``uri`` as in ``host.sources``."""

    name: PortName
    uri: str = Field(min_length=1, max_length=500)
    file: RelativePath
    sha256: Sha256
    bytes: int = Field(gt=0)


class Generator(StrictModel):
    """A script that makes the case files from the sources, in a container without a network."""

    script: RelativePath
    requirements: RelativePath | None = None


class Kit(StrictModel):
    """The declarations of ``kit.toml``."""

    contract: Literal["assay.kit/1"]
    id: Identifier
    version: str
    title: str = Field(min_length=1, max_length=200)
    summary: str = Field(min_length=1, max_length=1000)
    capability: Literal["detection", "segmentation", "classification", "quantification", "prediction"]
    area: Literal["neurology", "oncology", "cardiology", "every area"]
    disease: str
    evidence: Evidence
    licence: str
    context_of_use: str
    measurands: tuple[Measurand, ...] = Field(min_length=1)
    dataset: Dataset
    reference_standard: ReferenceStandard
    sources: tuple[Source, ...] = Field(min_length=1)
    generator: Generator


class CaseFile(StrictModel):
    """A generated file and the digest it must have."""

    path: RelativePath
    sha256: Sha256


class KitCase(StrictModel):
    """One row of ``cases.csv``."""

    case_id: CaseId
    subject_id: CaseId
    expected: Literal["ok", "refused"]
    evidence: Evidence
    smoke: bool
    inputs: dict[PortName, CaseFile]
    references: dict[PortName, CaseFile]
    values: dict[str, float]
    strata: dict[PortName, str]


@dataclass(frozen=True)
class KitFolder:
    """A kit, wholly checked.

    Attributes
    ----------
    path : Path
        Where it lies, for messages; what counts are ``contents``.
    contents : mapping of str to bytes
        Every file under the kit's digest, as it was read and parsed.
    listing : bytes
        The canonical list of names and digests; its own digest is the kit's.
    """

    path: Path
    kit: Kit
    protocol: Protocol
    cases: tuple[KitCase, ...]
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
        """All cases, or the small declared subset that proves the path and no claim."""
        return tuple(case for case in self.cases if case.smoke or not smoke)


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
    generator = parse_toml(kit_bytes, path / "kit.toml", Kit, error=KitError).generator
    names = ["protocol.toml", "cases.csv", generator.script]
    names += [generator.requirements] if generator.requirements else []
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
    cases = parse_cases(contents["cases.csv"], path / "cases.csv")
    _check_fit(path / "cases.csv", protocol, cases)
    weakest = max((case.evidence for case in cases), key=EVIDENCE_ORDER.index)
    if kit.evidence != weakest:
        raise KitError(
            f"{path / 'kit.toml'}: evidence is {kit.evidence!r}, but cases.csv holds {weakest} cases",
            hint="a kit's evidence is that of its weakest case",
        )
    listing = Listing(files={name: digest(data) for name, data in contents.items()})
    return KitFolder(
        path, kit, protocol, cases, dict(contents), canonical_json(listing.model_dump(mode="json"))
    )


def parse_cases(data: bytes, path: Path) -> tuple[KitCase, ...]:
    """Parse the bytes of ``cases.csv``.

    Columns: ``case_id, subject_id, expected, evidence, smoke``; ``in.PORT`` and ``in.PORT.sha256``;
    ``ref.PORT`` and ``ref.PORT.sha256``; ``value.COLUMN``; ``stratum.NAME``. An empty cell is absent.
    """
    try:
        table = list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise KitError(f"{path}: cannot be read as CSV: {error}", subject=str(path)) from error
    if not 0 < len(table) <= MAX_CASES:
        raise KitError(f"{path}: has {len(table)} cases; 1 to {MAX_CASES} are allowed", subject=str(path))
    cases = tuple(_parse_case(row, f"{path}:{line}") for line, row in enumerate(table, start=2))
    counts = Counter(case.case_id for case in cases)
    repeated = sorted(case_id for case_id, count in counts.items() if count > 1)
    if repeated:
        raise KitError(f"{path}: case_id repeated: {', '.join(repeated)}", subject=str(path))
    return cases


def _parse_case(row: Mapping[str | None, str | list[str] | None], where: str) -> KitCase:
    plain: dict[str, object] = {}
    groups: dict[str, dict[str, object]] = {"in": {}, "ref": {}, "value": {}, "stratum": {}}
    for column, cell in row.items():
        if column is None or not isinstance(cell, str):
            raise KitError(f"{where}: the row has another number of cells than the header")
        prefix, _, name = column.partition(".")
        if prefix not in groups:
            plain[column] = cell
        elif cell:
            groups[prefix][name] = cell
    try:
        return KitCase.model_validate(
            {
                **plain,
                "smoke": {"yes": True, "no": False}.get(str(plain.get("smoke")), plain.get("smoke")),
                "inputs": _files(groups["in"]),
                "references": _files(groups["ref"]),
                "values": {name: float(str(cell)) for name, cell in groups["value"].items()},
                "strata": groups["stratum"],
            }
        )
    except ValidationError as error:
        raise KitError(f"{where}: {first_fault(error)}", subject=where) from error
    except ValueError as error:
        raise KitError(f"{where}: a value column holds no number: {error}", subject=where) from error


def _files(cells: Mapping[str, object]) -> dict[str, dict[str, object]]:
    names = {name.removesuffix(".sha256") for name in cells}
    return {
        name: {
            key: cells[cell] for key, cell in (("path", name), ("sha256", f"{name}.sha256")) if cell in cells
        }
        for name in names
    }


def _check_fit(path: Path, protocol: Protocol, cases: tuple[KitCase, ...]) -> None:
    """Every case has what the metrics that concern it compare with, and a place in every stratum judged."""
    for case in cases:
        for metric in protocol.metrics:
            if case.expected == "refused" and metric.kind != "outcome":
                continue
            missing = ""
            if metric.kind == "masks" and metric.port not in case.references:
                missing = f"ref.{metric.port}"
            if metric.kind == "numbers" and metric.column not in case.values:
                missing = f"value.{metric.column}"
            for name in protocol.strata_of(metric.id) - set(case.strata):
                missing = f"stratum.{name}"
            if missing:
                raise KitError(f"{path}: case {case.case_id} has no {missing}, which {metric.id} needs")
