"""Validation kits: the folder an evidence claim starts from, read, checked and pinned by digest.

Invariants
----------
* Every file of a kit that matters to a result is under its digest; every case file has its own in cases.csv.
* Reading a kit runs nothing. Its generator is third-party code and runs in a container (``host.kit_data``).
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from host.errors import KitError
from host.protocol import Protocol, read_protocol
from plugin_spec.case import CaseId
from plugin_spec.codes import UcumUnit
from plugin_spec.model import Identifier, PortName, RelativePath, Sha256, StrictModel, first_fault, read_toml
from registry.canonical import canonical_json, digest

Evidence = Literal["patient", "derived", "phantom"]
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
    """A kit as it lies on disk, wholly checked."""

    path: Path
    kit: Kit
    protocol: Protocol
    cases: tuple[KitCase, ...]
    kit_digest: str
    protocol_digest: str

    def selected(self, *, smoke: bool) -> tuple[KitCase, ...]:
        """All cases, or the small declared subset that proves the path and no claim."""
        return tuple(case for case in self.cases if case.smoke or not smoke)


def read_kit(path: Path) -> KitFolder:
    """Read a kit folder and check that its parts fit together.

    Raises
    ------
    KitError, InputError
        One line with the file and the field.
    """
    kit = read_toml(path / "kit.toml", Kit, error=KitError)
    protocol = read_protocol(path / "protocol.toml")
    if (protocol.kit, protocol.version) != (kit.id, kit.version):
        raise KitError(
            f"{path / 'protocol.toml'}: is for {protocol.kit} {protocol.version}, the kit is {kit.id} {kit.version}"
        )
    cases = read_cases(path / "cases.csv")
    _check_fit(path, protocol, cases)
    files = ["kit.toml", "protocol.toml", "cases.csv", kit.generator.script]
    files += [kit.generator.requirements] if kit.generator.requirements else []
    digests = {name: _file_digest(path / name) for name in files}
    return KitFolder(
        path=path,
        kit=kit,
        protocol=protocol,
        cases=cases,
        kit_digest=digest(canonical_json({"contract": "assay.kit-files/1", "files": digests})),
        protocol_digest=digests["protocol.toml"],
    )


def read_cases(path: Path) -> tuple[KitCase, ...]:
    """Read ``cases.csv``.

    Columns: ``case_id, subject_id, expected, evidence, smoke``; ``in.PORT`` and ``in.PORT.sha256``;
    ``ref.PORT`` and ``ref.PORT.sha256``; ``value.COLUMN``; ``stratum.NAME``. An empty cell is absent.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            table = list(csv.DictReader(stream, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise KitError(f"{path}: cannot be read as CSV: {error}", subject=str(path)) from error
    if not 0 < len(table) <= MAX_CASES:
        raise KitError(f"{path}: has {len(table)} cases; 1 to {MAX_CASES} are allowed", subject=str(path))
    cases = tuple(_parse_case(row, f"{path}:{line}") for line, row in enumerate(table, start=2))
    repeated = sorted({c.case_id for c in cases if [d.case_id for d in cases].count(c.case_id) > 1})
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
    for case in cases:
        if case.expected == "refused":
            continue
        for metric in protocol.metrics:
            if metric.kind == "masks" and metric.port not in case.references:
                raise KitError(
                    f"{path / 'cases.csv'}: case {case.case_id} has no ref.{metric.port}, which {metric.id} needs"
                )
            if metric.kind == "numbers" and metric.column not in case.values:
                raise KitError(
                    f"{path / 'cases.csv'}: case {case.case_id} has no value.{metric.column}, which {metric.id} needs"
                )
        missing = [name for name in protocol.strata() if name not in case.strata]
        if missing:
            raise KitError(f"{path / 'cases.csv'}: case {case.case_id} has no stratum.{missing[0]}")


def _file_digest(path: Path) -> str:
    try:
        return digest(path.read_bytes())
    except OSError as error:
        raise KitError(f"{path}: {error.strerror}", subject=str(path)) from error
