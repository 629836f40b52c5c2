"""The cases of a kit: what a row of ``cases.csv`` gives, and what its outputs are compared with.

Columns. A kit of ``assay.kit/1`` has the first group only; an empty cell is absent.

| column | what it holds |
|---|---|
| ``case_id``, ``subject_id``, ``expected``, ``evidence``, ``smoke`` | who it is; ok or refused; yes or no |
| ``in.PORT``, ``ref.PORT`` with ``….sha256`` | a file given to the plugin; the reference file of an output |
| ``value.COLUMN``, ``stratum.NAME`` | a reference number; the subgroup it belongs to |
| ``session`` | the visit |
| ``in.PORT.1``, ``in.PORT.2``, … with ``….sha256`` | the files of a port that takes several, in order |
| ``param.NAME`` | a parameter that differs from its default |
| ``class.PORT`` | the reference class of a classification output |
| ``time.PORT``, ``event.PORT`` | time to event or censoring, and whether the event was seen (yes or no) |
| ``baseline.PORT`` | the risk score of the comparator that a prediction has to beat |
| ``reader.READER.PORT`` with ``….sha256`` | one reader's own reference file |
| ``reader.READER.COLUMN``, ``reader.READER.class.PORT`` | one reader's own number or class |

A file is ``PATH``, made by the kit's generator, or ``source:NAME``, a source of ``kit.toml`` as it is, whose digest
stands there, or ``local:PATH``, a file of the kit's own folder. A path that ends in ``/`` is a folder, such as a DICOM
series.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator

from host.errors import KitError
from plugin_spec.case import CaseId
from plugin_spec.model import PortName, RelativePath, Sha256, StrictModel, first_fault, one_line

Evidence = Literal["patient", "derived", "phantom"]
EVIDENCE_ORDER: tuple[Evidence, ...] = ("patient", "derived", "phantom")  # strongest first
MAX_CASES = 10_000
SOURCE_FOLDER: Final = "source"
LOCAL_FOLDER: Final = "local"
# Columns of assay.kit/1; all others came with assay.kit/2.
FIRST_COLUMNS: Final = re.compile(
    r"case_id|subject_id|expected|evidence|smoke|(in|ref)\.[^.]*(\.sha256)?|(value|stratum)\.[^.]*"
)
_NAME: Final = r"[a-z][a-z0-9_]{0,62}"
COLUMNS: Final = re.compile(
    rf"case_id|subject_id|expected|evidence|smoke|session"
    rf"|(in\.{_NAME}(\.[1-9][0-9]{{0,3}})?|ref\.{_NAME}|reader\.{_NAME}\.{_NAME})(\.sha256)?"
    rf"|(value|stratum|param|class|time|event|baseline|reader\.{_NAME}\.class)\.{_NAME}"
)
_YES_NO: Final = {"yes": True, "no": False}
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class CaseFile(StrictModel):
    """A file, or a folder whose path ends in ``/``, in the kit's data folder, and the digest it must have."""

    path: RelativePath
    sha256: Sha256

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder: its digest is then that of the listing of its files."""
        return self.path.endswith("/")


class ReaderReference(StrictModel):
    """What one reader found in a case, apart from the reference standard made of all of them."""

    files: dict[PortName, CaseFile] = {}
    values: dict[PortName, float] = {}
    classes: dict[PortName, Word] = {}


class KitCase(StrictModel):
    """One row of ``cases.csv``.

    Attributes
    ----------
    case_id, subject_id : str
        The evaluated unit, and the person it counts under.
    expected : str
        ``ok``: it is to answer; ``refused``: it is to refuse.
    evidence : str
        ``patient``, ``derived`` or ``phantom``.
    smoke : bool
        Whether it belongs to the small subset that proves the path.
    inputs : dict
        Port to its files, in order; one for most ports.
    references : dict
        Output port to the file it is compared with, of the kind that the port is of.
    values : dict
        Column to its reference number.
    strata : dict
        Stratum to the level this case belongs to.
    session : str or None
        The visit.
    parameters : dict
        Parameter to its cell, which is read as the plugin declares it.
    classes, times, events, baselines : dict
        Output port to its reference class; time to event or censoring; whether the event was seen; and the
        comparator's score.
    readers : dict
        Reader to what they found.
    """

    case_id: CaseId
    subject_id: CaseId
    expected: Literal["ok", "refused"]
    evidence: Evidence
    smoke: bool
    inputs: dict[PortName, Annotated[tuple[CaseFile, ...], Field(min_length=1)]]
    references: dict[PortName, CaseFile]
    values: dict[PortName, float]
    strata: dict[PortName, str]
    session: CaseId | None = None
    parameters: dict[PortName, Word] = {}
    classes: dict[PortName, Word] = {}
    times: dict[PortName, Annotated[float, Field(ge=0)]] = {}
    events: dict[PortName, bool] = {}
    baselines: dict[PortName, float] = {}
    readers: dict[PortName, ReaderReference] = {}

    @model_validator(mode="after")
    def _times_have_events(self) -> "KitCase":
        if alone := sorted(set(self.times) ^ set(self.events)):
            raise ValueError(f"time.{alone[0]} and event.{alone[0]} stand together")
        return self

    def files(self) -> Iterator[CaseFile]:
        """Every file it names: inputs, references, readers' references."""
        for given in self.inputs.values():
            yield from given
        yield from self.references.values()
        for reader in self.readers.values():
            yield from reader.files.values()


def parse_cases(
    data: bytes, path: Path, *, sources: Mapping[str, CaseFile] | None = None, first: bool = False
) -> tuple[KitCase, ...]:
    """Parse the bytes of ``cases.csv``.

    Parameters
    ----------
    data : bytes
    path : Path
        Named in messages.
    sources : mapping of str to CaseFile, optional
        The kit's sources, for cells that name one.
    first : bool, optional
        Whether the kit is of ``assay.kit/1``, which had fewer columns.

    Raises
    ------
    KitError
        One line with file, line and column.
    """
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise KitError(f"{path}: cannot be read as CSV: {error}", subject=str(path)) from error
    header, table = (rows[0], [row for row in rows[1:] if row]) if rows else ([], [])
    if not 0 < len(table) <= MAX_CASES:
        raise KitError(f"{path}: has {len(table)} cases; 1 to {MAX_CASES} are allowed", subject=str(path))
    _check_header(header, path, first=first)
    cases = tuple(
        _parse_case(header, row, f"{path}:{line}", sources or {}) for line, row in enumerate(table, start=2)
    )
    counts = Counter(case.case_id for case in cases)
    repeated = sorted(case_id for case_id, count in counts.items() if count > 1)
    if repeated:
        raise KitError(f"{path}: case_id repeated: {', '.join(repeated)}", subject=str(path))
    return cases


def _check_header(header: Sequence[str], path: Path, *, first: bool) -> None:
    for name, count in Counter(header).items():
        fault = hint = ""
        if count > 1:
            fault = "stands twice"
        elif not COLUMNS.fullmatch(name):
            fault = "is not known"
            hint = "columns: case_id, subject_id, expected, evidence, smoke, session, and in., ref., value., stratum., "
            hint += "param., class., time., event., baseline. or reader. with a name"
        elif first and not FIRST_COLUMNS.fullmatch(name):
            fault = "is not of assay.kit/1"
            hint = 'remove it, or write contract = "assay.kit/2" in kit.toml'
        elif name.endswith(".sha256") and name.removesuffix(".sha256") not in header:
            fault = f"has no column {name.removesuffix('.sha256')!r} beside it"
        if fault:
            raise KitError(f"{path}:1: column {name!r} {fault}", subject=str(path), hint=hint)


def _parse_case(
    header: Sequence[str], row: Sequence[str], where: str, sources: Mapping[str, CaseFile]
) -> KitCase:
    if len(row) != len(header):
        raise KitError(f"{where}: the row has another number of cells than the header", subject=where)
    cells = {name: cell for name, cell in zip(header, row, strict=True) if cell}
    try:
        return KitCase.model_validate(_Row(cells, sources).document())
    except ValidationError as error:
        raise KitError(f"{where}: {first_fault(error)}", subject=where) from error
    except ValueError as error:
        raise KitError(f"{where}: {error}", subject=where) from error


class _Row:
    """The cells of a row, taken apart by their columns' names; what is wrong is a `ValueError` with the column."""

    def __init__(self, cells: Mapping[str, str], sources: Mapping[str, CaseFile]) -> None:
        self._cells = cells
        self._sources = sources

    def document(self) -> dict[str, object]:
        """The row as `KitCase` takes it."""
        plain: dict[str, object] = {name: cell for name, cell in self._cells.items() if "." not in name}
        if "smoke" in plain:
            plain["smoke"] = self._yes_no("smoke")
        return {
            **plain,
            "inputs": self._inputs(),
            "references": self._files("ref."),
            "values": self._numbers("value."),
            "strata": self._words("stratum."),
            "parameters": self._words("param."),
            "classes": self._words("class."),
            "times": self._numbers("time."),
            "events": {name: self._yes_no(f"event.{name}") for name in self._names("event.")},
            "baselines": self._numbers("baseline."),
            "readers": self._readers(),
        }

    def _names(self, start: str) -> list[str]:
        """What follows ``start`` in the columns this row fills; a digest counts under its file's name."""
        names = (name.removeprefix(start) for name in self._cells if name.startswith(start))
        return list(dict.fromkeys(name.removesuffix(".sha256") for name in names))

    def _words(self, start: str) -> dict[str, str]:
        return {name: self._cells[f"{start}{name}"] for name in self._names(start)}

    def _numbers(self, start: str) -> dict[str, float]:
        return {name: self._number(f"{start}{name}") for name in self._names(start)}

    def _number(self, column: str) -> float:
        try:
            return float(self._cells[column])
        except ValueError as error:
            raise ValueError(f"{column}: {one_line(self._cells[column])!r} is no number") from error

    def _yes_no(self, column: str) -> bool:
        cell = self._cells[column]
        if cell not in _YES_NO:
            raise ValueError(f"{column}: {one_line(cell)!r} is neither yes nor no")
        return _YES_NO[cell]

    def _files(self, start: str) -> dict[str, CaseFile]:
        return {name: self._file(f"{start}{name}") for name in self._names(start)}

    def _file(self, column: str) -> CaseFile:
        """The file a cell names, where it lies in the kit's data folder."""
        cell, stated = self._cells.get(column), self._cells.get(f"{column}.sha256")
        if cell is None:
            raise ValueError(f"{column}: there is a digest and no path")
        origin, colon, name = cell.partition(":")
        if colon and origin == "source":
            if name not in self._sources:
                raise ValueError(f"{column}: kit.toml has no source {one_line(name)!r}")
            source = self._sources[name]
            if stated not in (None, source.sha256):
                raise ValueError(f"{column}.sha256: source {name} has another digest in kit.toml")
            return source
        if stated is None:
            raise ValueError(f"{column}.sha256: the file has no digest")
        if colon and origin != "local":
            raise ValueError(f"{column}: write a path, source:NAME or local:PATH, not {one_line(cell)!r}")
        try:
            file = CaseFile(path=name if colon else cell, sha256=stated)
        except ValidationError as error:
            raise ValueError(f"{column}: {first_fault(error)}") from error
        reserved = file.path.partition("/")[0] in (SOURCE_FOLDER, LOCAL_FOLDER)
        if not colon and reserved:
            raise ValueError(
                f"{column}: {file.path.partition('/')[0]}/ is where sources and the kit's own files go"
            )
        return file.model_copy(update={"path": f"{LOCAL_FOLDER}/{file.path}"}) if colon else file

    def _inputs(self) -> dict[str, tuple[CaseFile, ...]]:
        """The files of every port, those of a numbered port in the order of their numbers."""
        numbered: dict[str, dict[int, CaseFile]] = {}
        for name in self._names("in."):
            port, _, number = name.partition(".")
            numbered.setdefault(port, {})[int(number or 0)] = self._file(f"in.{name}")
        for port, files in numbered.items():
            if sorted(files) not in ([0], list(range(1, len(files) + 1))):
                raise ValueError(
                    f"in.{port}: number its files 1, 2, … without a gap, or give one without a number"
                )
        return {port: tuple(file for _, file in sorted(files.items())) for port, files in numbered.items()}

    def _readers(self) -> dict[str, ReaderReference]:
        found: dict[str, dict[str, dict[str, object]]] = {}
        for name in self._names("reader."):
            reader, _, rest = name.partition(".")
            group, _, port = rest.rpartition(".")
            column = f"reader.{name}"
            of = found.setdefault(reader, {"files": {}, "values": {}, "classes": {}})
            if group == "class":
                of["classes"][port] = self._cells[column]
            elif f"{column}.sha256" in self._cells or ":" in self._cells[column]:
                of["files"][rest] = self._file(column)
            else:
                of["values"][rest] = self._number(column)
        return {reader: ReaderReference.model_validate(of) for reader, of in found.items()}
