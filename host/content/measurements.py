"""Measurements: rows, columns, ranges, and what each row is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from host.content.csv_rows import parse_csv
from host.content.wording import first_of
from host.errors import OutputLabelsError, OutputMalformedError, OutputMissingError, OutputRangeError
from plugin_spec.documents import MeasurementRows, parse_document
from plugin_spec.errors import ContractError
from plugin_spec.manifest import Manifest
from plugin_spec.ports import Column, LabelMapPort, MeasurementsPort

# Every value stands in the signed record of its run, and a record is read whole.
CELLS_MAX: Final = 20_000
IDENTIFIER_CHARACTERS_MAX: Final = 63

Row = Mapping[str, float | str]


@dataclass(frozen=True)
class RowSubjects:
    """What rows of a case can be about.

    Attributes
    ----------
    labels : frozenset of str
        Names of all labels of the manifest's label maps.
    time_points : frozenset of str
        Of the case's inputs: ``baseline``, ``followup``, ``followup-2`` …; empty where no input has a place in time.
    """

    labels: frozenset[str] = frozenset()
    time_points: frozenset[str] = frozenset()

    @classmethod
    def of(cls, manifest: Manifest, files: Mapping[str, int]) -> "RowSubjects":
        """From the manifest, and how many files each input port was given."""
        labels = {
            label.name
            for port in (*manifest.inputs, *manifest.outputs)
            if isinstance(port, LabelMapPort)
            for label in port.labels
        }
        points: set[str] = set()
        for port in manifest.inputs:
            count = files.get(port.name, 0)
            if port.time_point == "any" or not count:
                continue
            if port.time_point == "baseline" or (port.order is None and not port.is_list):
                points.add(port.time_point)
            else:
                ranks = [port.order] if port.order is not None else range(1, count + 1)
                points |= {f"followup-{rank}" for rank in ranks}
        return cls(frozenset(labels), frozenset(points))


def check_rows(
    port: MeasurementsPort, data: bytes, subjects: RowSubjects, *, csv: bool = False
) -> MeasurementRows:
    """Check a measurements file.

    A row has exactly the declared columns. Where rows are per label, lesion or time-point, a further column called
    ``label``, ``lesion`` or ``time_point`` says which one the row is about. Labels are called as the label maps of
    the manifest call them; each time-point of the case has its row.

    Parameters
    ----------
    port : MeasurementsPort
    data : bytes
    subjects : RowSubjects
    csv : bool, optional
        Whether the bytes are CSV with a header instead of the JSON document.
    """
    identifier = "" if port.rows_per == "case" else port.rows_per
    rows = parse_csv(port, data, identifier=identifier) if csv else _parse_json(port, data)
    if port.rows_per == "case" and len(rows) != 1:
        raise OutputMalformedError(f"port {port.name}: {len(rows)} rows, but one per case", subject=port.name)
    expected = {column.name for column in port.columns} | ({identifier} if identifier else set())
    if len(rows) * len(expected) > CELLS_MAX:
        raise OutputMalformedError(
            f"port {port.name}: {len(rows)} rows of {len(expected)} columns; a record holds {CELLS_MAX} values",
            subject=port.name,
        )
    for number, row in enumerate(rows, start=1):
        if set(row) != expected:
            lacks, adds = sorted(expected - set(row)), sorted(set(row) - expected)
            told = [f"lacks {first_of(lacks)}"] * bool(lacks) + [f"adds {first_of(adds)}"] * bool(adds)
            raise OutputMalformedError(
                f"port {port.name}: row {number} {' and '.join(told)}; declared: {first_of(sorted(expected))}",
                subject=port.name,
            )
        for column in port.columns:
            _check_cell(port, column, row[column.name], number)
    if identifier:
        _check_identifiers(port, [row[identifier] for row in rows], subjects)
    return MeasurementRows(rows=tuple(dict(row) for row in rows))


def _parse_json(port: MeasurementsPort, data: bytes) -> tuple[Row, ...]:
    try:
        return parse_document(data, MeasurementRows, port=port.name).rows
    except ContractError as fault:
        raise OutputMalformedError(fault.message, subject=port.name) from fault


def _check_cell(port: MeasurementsPort, column: Column, value: float | str, number: int) -> None:
    if isinstance(value, str):
        raise OutputMalformedError(
            f"port {port.name}: row {number}, {column.name} is text, not a number", subject=port.name
        )
    if not column.minimum <= value <= column.maximum:
        raise OutputRangeError(
            f"port {port.name}: row {number}, {column.name} is {value:g} {column.unit}; "
            f"{column.minimum:g} to {column.maximum:g} is declared",
            subject=port.name,
        )


def _check_identifiers(port: MeasurementsPort, values: Sequence[float | str], subjects: RowSubjects) -> None:
    what = port.rows_per.replace("_", "-")
    if len(set(values)) != len(values):
        raise OutputMalformedError(f"port {port.name}: a {what} stands in two rows", subject=port.name)
    if not all(0 < len(str(one)) <= IDENTIFIER_CHARACTERS_MAX and str(one).isprintable() for one in values):
        raise OutputMalformedError(
            f"port {port.name}: a {what} has no name of 1 to {IDENTIFIER_CHARACTERS_MAX} printable characters",
            subject=port.name,
        )
    known = {"label": subjects.labels, "time_point": subjects.time_points}.get(port.rows_per)
    if not known:  # lesions have no names of their own; nor have labels where no label map is declared
        return
    unknown = [value for value in values if value not in known]
    if unknown:
        raise OutputLabelsError(
            f"port {port.name}: rows for unknown {what}s {first_of(unknown)}", subject=port.name
        )
    missing = sorted(known - {str(value) for value in values})
    if port.rows_per == "time_point" and missing:
        raise OutputMissingError(f"port {port.name}: no row for {first_of(missing)}", subject=port.name)
