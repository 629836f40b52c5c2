"""A table of cases, ``cases.csv``: one row per case, one column per input port and parameter.

An empty cell is absent: an optional input without a file, a parameter at its default. Relative paths start at the
table's folder.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.errors import CaseTableError
from host.planning import allowed, check_ports
from plugin_spec.case import Scalar
from plugin_spec.errors import InputError
from plugin_spec.manifest import Manifest
from plugin_spec.model import read_document
from plugin_spec.ports import BoolParameter, FloatParameter, IntParameter, Parameter

CASE_COLUMN: Final = "case_id"
MAX_CASES: Final = 10_000
_CASE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
# Names of the table's own results in the folder that holds one folder per case.
RESULT_TABLES: Final = ("results.csv", "results.json")


@dataclass(frozen=True)
class TableCase:
    """One row: what is to be run."""

    case_id: str
    inputs: dict[str, Path | tuple[Path, ...]]
    parameters: dict[str, Scalar]


def read_case_table(path: Path, manifest: Manifest) -> tuple[TableCase, ...]:
    """Read a table and check it against the manifest before anything runs.

    Raises
    ------
    CaseTableError
        One line that names file, line and column.
    """
    try:
        text = read_document(path, error=CaseTableError).decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CaseTableError(f"{path}: cannot be read as CSV: {error}", subject=str(path)) from error
    if not rows:
        raise CaseTableError(f"{path}: is empty; the first line names the columns", subject=str(path))
    columns = _Columns(path, manifest, rows[0][1])
    if not 0 < len(rows) - 1 <= MAX_CASES:
        raise CaseTableError(
            f"{path}: has {len(rows) - 1} cases; 1 to {MAX_CASES} are allowed", subject=str(path)
        )
    cases = tuple(columns.case(line, row) for line, row in rows[1:])
    seen: dict[str, int] = {}
    for (line, _), case in zip(rows[1:], cases, strict=True):
        # Results go to folders of these names, and not every file system tells upper from lower case.
        if case.case_id.lower() in seen:
            raise columns.fault(
                line, CASE_COLUMN, f"{case.case_id!r} stands in line {seen[case.case_id.lower()]} too"
            )
        seen[case.case_id.lower()] = line
    return cases


class _Columns:
    """The header of a table, checked; reads its rows."""

    def __init__(self, path: Path, manifest: Manifest, header: Sequence[str]) -> None:
        self._path = path
        self._manifest = manifest
        self._header = header
        self._inputs = {port.name: port for port in manifest.inputs}
        self._parameters = {one.name: one for one in manifest.parameters}
        known = [CASE_COLUMN, *sorted(self._inputs), *sorted(self._parameters)]
        for name in header:
            if name not in known:
                raise self.fault(1, name, f"is neither input nor parameter; there are: {', '.join(known)}")
            if header.count(name) > 1:
                raise self.fault(1, name, "stands twice")
        if CASE_COLUMN not in header:
            raise self.fault(1, CASE_COLUMN, "is missing")

    def fault(self, line: int, column: str, message: str) -> CaseTableError:
        """One line with file, line and column."""
        return CaseTableError(f"{self._path}:{line}: column {column!r}: {message}", subject=str(self._path))

    def case(self, line: int, row: Sequence[str]) -> TableCase:
        """Read one row."""
        if len(row) != len(self._header):
            raise CaseTableError(
                f"{self._path}:{line}: has {len(row)} cells, the header has {len(self._header)}",
                subject=str(self._path),
            )
        cells = {name: cell.strip() for name, cell in zip(self._header, row, strict=True) if cell.strip()}
        case_id = cells.pop(CASE_COLUMN, "")
        if case_id.lower() in RESULT_TABLES:
            raise self.fault(
                line, CASE_COLUMN, f"{case_id!r} is the name of a table of results: name it otherwise"
            )
        if not _CASE_ID.fullmatch(case_id):
            raise self.fault(
                line,
                CASE_COLUMN,
                f"{case_id!r} is no case id: up to 63 letters, digits, dots, hyphens, underscores",
            )
        inputs = {name: self._input(line, name, cell) for name, cell in cells.items() if name in self._inputs}
        counts = {name: 1 if isinstance(given, Path) else len(given) for name, given in inputs.items()}
        try:
            check_ports(self._manifest, counts)
        except InputError as error:
            raise CaseTableError(f"{self._path}:{line}: {error.message}", subject=str(self._path)) from error
        parameters = {
            name: self._parameter(line, self._parameters[name], cell)
            for name, cell in cells.items()
            if name in self._parameters
        }
        return TableCase(case_id, inputs, parameters)

    def _input(self, line: int, name: str, cell: str) -> Path | tuple[Path, ...]:
        """The file of a cell; of a port that takes several, all of them, separated by semicolons."""
        if self._inputs[name].is_list:
            return tuple(self._file(line, name, one.strip()) for one in cell.split(";"))
        return self._file(line, name, cell)

    def _file(self, line: int, name: str, cell: str) -> Path:
        path = self._path.absolute().parent / cell
        if not path.exists():
            raise self.fault(line, name, f"{path}: no such file")
        return path

    def _parameter(self, line: int, parameter: Parameter, cell: str) -> Scalar:
        try:
            return parameter_value(parameter, cell)
        except ValueError as error:
            raise self.fault(line, parameter.name, str(error)) from error


def parameter_value(parameter: Parameter, cell: str) -> Scalar:
    """Read a cell as the parameter is declared.

    Raises
    ------
    ValueError
        No value of its kind, or one that is not allowed; the words go after the column's name.
    """
    value: Scalar = cell
    try:
        if isinstance(parameter, BoolParameter):
            value = {"true": True, "false": False}[cell]
        elif isinstance(parameter, IntParameter):
            value = int(cell)
        elif isinstance(parameter, FloatParameter):
            value = float(cell)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{cell!r} is no value of kind {parameter.kind}") from error
    if not parameter.accepts(value):
        raise ValueError(f"{cell!r} is not allowed; {allowed(parameter)}")
    return value
