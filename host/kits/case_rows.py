"""Reading ``cases.csv``: every fault of every cell, or the cases."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from host.errors import KitError
from host.kits.cases import LOCAL_FOLDER, SOURCE_FOLDER, CaseFile, KitCase
from plugin_spec.model import first_fault, one_line

MAX_CASES: Final = 10_000
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
_KNOWN_COLUMNS: Final = (
    "columns are case_id, subject_id, expected, evidence, smoke, session, and in., ref., value., stratum., param., "
    "class., time., event., baseline. or reader. with a name in lower case"
)
# The prefix of the columns that fill a field of a case.
_GROUPS: Final = {
    "inputs": "in",
    "references": "ref",
    "values": "value",
    "strata": "stratum",
    "parameters": "param",
    "classes": "class",
    "times": "time",
    "events": "event",
    "baselines": "baseline",
    "readers": "reader",
}
Cell = TypeVar("Cell")


@dataclass(frozen=True)
class CellFault:
    """What is wrong with one cell, or with a column of the header."""

    line: int
    column: str
    message: str
    fix: str = ""


@dataclass(frozen=True)
class CaseTable:
    """A table of cases as far as it could be read.

    Attributes
    ----------
    header : tuple of str
    cases : tuple
        The rows without a fault: line, counted from 1, and case.
    faults : tuple of CellFault
        Of every cell, in the order of the table.
    """

    header: tuple[str, ...]
    cases: tuple[tuple[int, KitCase], ...]
    faults: tuple[CellFault, ...]


def parse_cases(
    data: bytes, path: Path, *, sources: Mapping[str, CaseFile] | None = None, first: bool = False
) -> tuple[KitCase, ...]:
    """Parse the bytes of ``cases.csv``.

    Parameters
    ----------
    data, sources, first
        As in `read_cases`.
    path : Path
        Named in messages.

    Raises
    ------
    KitError
        One line with file, line and column.
    """
    table = read_cases(data, path, sources=sources or {}, first=first)
    if table.faults:
        one, more = table.faults[0], len(table.faults) - 1
        others = f" (and {more} more: assay kit check {path.parent})" if more else ""
        what = f"{one.column}: {one.message}" if one.column else one.message
        raise KitError(f"{path}:{one.line}: {what}{others}", subject=str(path), hint=one.fix)
    return tuple(case for _, case in table.cases)


def read_cases(data: bytes, path: Path, *, sources: Mapping[str, CaseFile], first: bool) -> CaseTable:
    """Read a table with every fault in it.

    Parameters
    ----------
    data : bytes
    path : Path
        Named in messages.
    sources : mapping of str to CaseFile
        The kit's sources, for cells that name one.
    first : bool
        Whether the kit is of ``assay.kit/1``, which had fewer columns.

    Raises
    ------
    KitError
        It is no table, has no rows or too many.
    """
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise KitError(f"{path}: cannot be read as CSV: {error}", subject=str(path)) from error
    if not 0 < len(rows) - 1 <= MAX_CASES:
        raise KitError(
            f"{path}: has {max(0, len(rows) - 1)} cases; 1 to {MAX_CASES} are allowed", subject=str(path)
        )
    header = rows[0][1]
    faults = list(_header_faults(header, first=first))
    cases: list[tuple[int, KitCase]] = []
    seen: dict[str, int] = {}
    for line, cells in rows[1:]:
        row = _Row(line, header, cells, sources)
        case = row.case()
        faults += row.faults
        if case is not None:
            cases.append((line, case))
            if case.case_id in seen:
                message = f"case_id repeated: {case.case_id} stands in line {seen[case.case_id]} too"
                faults.append(CellFault(line, "case_id", message, "give each case a name of its own"))
            seen.setdefault(case.case_id, line)
    return CaseTable(tuple(header), tuple(cases), tuple(faults))


def _header_faults(header: Sequence[str], *, first: bool) -> Iterator[CellFault]:
    for name, count in Counter(header).items():
        if count > 1:
            yield CellFault(1, name, "stands twice", "leave one of them out")
        elif not COLUMNS.fullmatch(name):
            yield CellFault(1, name, "is not known", _KNOWN_COLUMNS)
        elif first and not FIRST_COLUMNS.fullmatch(name):
            fix = 'remove it, or write contract = "assay.kit/2" in kit.toml'
            yield CellFault(1, name, "is not of assay.kit/1", fix)
        elif name.endswith(".sha256") and name.removesuffix(".sha256") not in header:
            file = name.removesuffix(".sha256")
            yield CellFault(1, name, f"has no column {file!r} beside it", f"add the column {file}")


class _CellError(Exception):
    """A cell does not hold what its column takes."""


class _Row:
    """The cells of a row, taken apart by their columns' names; ``faults`` fills while ``case`` reads it."""

    def __init__(
        self, line: int, header: Sequence[str], cells: Sequence[str], sources: Mapping[str, CaseFile]
    ) -> None:
        self._line = line
        self._sources = sources
        self._whole = len(cells) == len(header)
        pairs = zip(header, cells, strict=False)
        self._cells = {name: cell for name, cell in pairs if cell and COLUMNS.fullmatch(name)}
        self.faults: list[CellFault] = []

    def case(self) -> KitCase | None:
        """The case, unless a cell is wrong."""
        if not self._whole:
            message = "the row has another number of cells than the header"
            self.faults.append(CellFault(self._line, "", message, "a cell with a comma stands in quotes"))
            return None
        document = self._document()
        try:
            found = KitCase.model_validate(document)
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                self._add(*_told(fault))
            return None
        return None if self.faults else found

    def _add(self, column: str, message: str, fix: str = "") -> None:
        if all(one.column != column for one in self.faults):  # the first word on a cell is enough
            self.faults.append(CellFault(self._line, column, message, fix))

    def _document(self) -> dict[str, object]:
        """The row as `KitCase` takes it, without the cells that are wrong."""
        plain: dict[str, object] = {name: cell for name, cell in self._cells.items() if "." not in name}
        if "smoke" in plain:
            plain |= self._read("", ("smoke",), self._yes_no)
        return {
            **plain,
            "inputs": self._inputs(),
            "references": self._group("ref.", self._file),
            "values": self._group("value.", self._number),
            "strata": self._group("stratum.", self._word),
            "parameters": self._group("param.", self._word),
            "classes": self._group("class.", self._word),
            "times": self._group("time.", self._number),
            "events": self._group("event.", self._yes_no),
            "baselines": self._group("baseline.", self._number),
            "readers": self._readers(),
        }

    def _names(self, start: str) -> list[str]:
        """What follows ``start`` in the columns this row fills; a digest counts under its file's name."""
        names = (name.removeprefix(start) for name in self._cells if name.startswith(start))
        return list(dict.fromkeys(name.removesuffix(".sha256") for name in names))

    def _group(self, start: str, read: Callable[[str], Cell]) -> dict[str, Cell]:
        return self._read(start, self._names(start), read)

    def _read(self, start: str, names: Iterable[str], read: Callable[[str], Cell]) -> dict[str, Cell]:
        found: dict[str, Cell] = {}
        for name in names:
            try:
                found[name] = read(f"{start}{name}")
            except _CellError as error:
                self._add(f"{start}{name}", str(error))
        return found

    def _word(self, column: str) -> str:
        return self._cells[column]

    def _number(self, column: str) -> float:
        try:
            return float(self._cells[column])
        except ValueError as error:
            raise _CellError(f"{one_line(self._cells[column])!r} is no number") from error

    def _yes_no(self, column: str) -> bool:
        cell = self._cells[column]
        if cell not in _YES_NO:
            raise _CellError(f"{one_line(cell)!r} is neither yes nor no")
        return _YES_NO[cell]

    def _file(self, column: str) -> CaseFile:
        """The file a cell names, where it lies in the kit's data folder."""
        cell, stated = self._cells.get(column), self._cells.get(f"{column}.sha256")
        if cell is None:
            raise _CellError("there is a digest and no path")
        origin, colon, name = cell.partition(":")
        if colon and origin == "source":
            return self._source(name, stated)
        if stated is None:
            raise _CellError(f"the file has no digest; fill {column}.sha256")
        if colon and origin != "local":
            raise _CellError(f"write a path, source:NAME or local:PATH, not {one_line(cell)!r}")
        try:
            file = CaseFile(path=name if colon else cell, sha256=stated)
        except ValidationError as error:
            raise _CellError(first_fault(error)) from error
        top = file.path.partition("/")[0]
        if not colon and top in (SOURCE_FOLDER, LOCAL_FOLDER):
            raise _CellError(f"{top}/ is where sources and the kit's own files go; use another folder")
        return file.model_copy(update={"path": f"{LOCAL_FOLDER}/{file.path}"}) if colon else file

    def _source(self, name: str, stated: str | None) -> CaseFile:
        if name not in self._sources:
            raise _CellError(f"kit.toml has no source {one_line(name)!r}")
        source = self._sources[name]
        if stated not in (None, source.sha256):
            raise _CellError(f"source {name} has another digest in kit.toml; leave this one out")
        return source

    def _inputs(self) -> dict[str, tuple[CaseFile, ...]]:
        """The files of every port, those of a numbered port in the order of their numbers."""
        numbered: dict[str, dict[int, CaseFile]] = {}
        for name, file in self._group("in.", self._file).items():
            port, _, number = name.partition(".")
            numbered.setdefault(port, {})[int(number or 0)] = file
        for port, files in numbered.items():
            if sorted(files) not in ([0], list(range(1, len(files) + 1))):
                self._add(
                    f"in.{port}", "number its files 1, 2, … without a gap, or give one without a number"
                )
        return {port: tuple(file for _, file in sorted(files.items())) for port, files in numbered.items()}

    def _readers(self) -> dict[str, dict[str, dict[str, object]]]:
        found: dict[str, dict[str, dict[str, object]]] = {}
        for name in self._names("reader."):
            reader, _, rest = name.partition(".")
            column, kind = f"reader.{name}", "values"
            read: Callable[[str], object] = self._number
            if rest.startswith("class."):
                rest, kind, read = rest.removeprefix("class."), "classes", self._word
            elif f"{column}.sha256" in self._cells or ":" in self._cells.get(column, ""):
                kind, read = "files", self._file
            of = found.setdefault(reader, {"files": {}, "values": {}, "classes": {}})
            for value in self._read("reader.", (name,), read).values():
                of[kind][rest] = value
        return found


def _told(fault: ErrorDetails) -> tuple[str, str]:
    """Column and message of what `KitCase` finds wrong."""
    field, *rest = (str(part) for part in fault["loc"]) if fault["loc"] else ("",)
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "missing":
        message = "is missing"
    group = _GROUPS.get(field)
    column = ".".join((group, *rest[:1])) if group else field
    return column, message
