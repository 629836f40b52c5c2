"""Measurements as a tool without Python writes them: CSV with a header, read so that nothing is guessed.

Comma-separated, UTF-8, at most 1 MiB; the header has exactly the declared columns in any order; a number is written
with a point and without blanks, units or thousands separators; no cell is empty.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Final

from host.content.wording import first_of
from host.errors import OutputMalformedError
from plugin_spec.documents import MAX_DOCUMENT_BYTES
from plugin_spec.ports import MeasurementsPort
from plugin_spec.runtime.protocol import MAX_MESSAGE_CHARACTERS

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_FINITE_MAX: Final = 1.7976931348623157e308


def parse_csv(
    port: MeasurementsPort, data: bytes, *, identifier: str
) -> tuple[Mapping[str, float | str], ...]:
    """Read the rows of a CSV file.

    Parameters
    ----------
    port : MeasurementsPort
    data : bytes
    identifier : str
        The column that holds words (which label, lesion or time-point the row is about); empty: there is none.

    Raises
    ------
    OutputMalformedError
        With the port, the line and the column.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise _fault(port, f"larger than {MAX_DOCUMENT_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise _fault(port, f"byte {error.start} is not UTF-8") from error
    except csv.Error as error:
        raise _fault(port, f"not CSV: {error}") from error
    if not lines:
        raise _fault(port, "the CSV file is empty; its first line names the columns")
    header, *table = lines
    expected = [column.name for column in port.columns] + ([identifier] if identifier else [])
    if sorted(header) != sorted(expected):
        wrong = sorted(set(header) ^ set(expected)) or sorted(header)
        raise _fault(port, f"the header of the CSV file lacks, adds or repeats {first_of(wrong)}")
    return tuple(
        _row(port, header, cells, number=number, identifier=identifier)
        for number, cells in enumerate(table, start=1)
    )


def _row(
    port: MeasurementsPort, header: Sequence[str], cells: Sequence[str], *, number: int, identifier: str
) -> dict[str, float | str]:
    if len(cells) != len(header):
        raise _fault(port, f"row {number} has {len(cells)} cells, the header {len(header)}")
    row: dict[str, float | str] = {}
    for name, cell in zip(header, cells, strict=True):
        if name == identifier:
            if not 0 < len(cell) <= MAX_MESSAGE_CHARACTERS:
                raise _fault(port, f"row {number}, {name} is empty or too long")
            row[name] = cell
        elif _NUMBER.fullmatch(cell) is None or abs(float(cell)) > _FINITE_MAX:
            raise _fault(port, f"row {number}, {name} is {cell[:40]!r}, not a number such as 12.5")
        else:
            row[name] = float(cell)
    return row


def _fault(port: MeasurementsPort, what: str) -> OutputMalformedError:
    return OutputMalformedError(f"port {port.name}: {what}", subject=port.name)
