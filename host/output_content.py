"""What stands in an output file, against its port: grid, labels, range, rows and columns.

Invariant: every fault is a `ContractError` that names the port.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from host.cases.errors import ImageError, NonFiniteVoxelsError
from host.cases.geometry import Grid, same_grid
from host.cases.nifti import VOXEL_BYTES_MAX, decode_header, decode_label_map, decode_volume, decompressed
from host.errors import OutputGridError, OutputLabelsError, OutputMalformedError, OutputRangeError
from host.output_files import HashedFile
from plugin_spec.documents import MeasurementRows, parse_document
from plugin_spec.errors import ContractError
from plugin_spec.ports import Column, LabelMapPort, MeasurementsPort, VolumePort

# Affines are stored in float32: a few micrometres at the far corner of a scan, never a hundredth of a
# millimetre.
GRID_TOLERANCE_MM: Final = 0.01
_SHOWN_MAX: Final = 5
# Every value stands in the signed record of its run, and a record is read whole.
CELLS_MAX: Final = 20_000

Row = Mapping[str, float | str]


def check_image(port: VolumePort | LabelMapPort, file: HashedFile, path: str, expected: Grid | None) -> Grid:
    """Check a label map or volume; its grid.

    Parameters
    ----------
    port : VolumePort or LabelMapPort
    file : HashedFile
        At its start.
    path : str
        As result.json gives it; its ending says whether the file is compressed.
    expected : Grid or None
        Of the input that ``grid_of`` names.
    """
    name = f"port {port.name}: {path}"
    try:
        stream = decompressed(file, name)
        header = decode_header(stream, name)
        # Before the voxels are read: a wrong shape must not decide how much memory is taken.
        if expected is not None and not same_grid(header.grid, expected, tolerance_mm=GRID_TOLERANCE_MM):
            raise OutputGridError(_grid_fault(port, header.grid, expected), subject=port.name)
        if isinstance(port, LabelMapPort):
            labels = decode_label_map(stream, header, name, bytes_max=VOXEL_BYTES_MAX)
            _check_labels(port, set(labels.voxel_counts))
        else:
            volume = decode_volume(stream, header, name, bytes_max=VOXEL_BYTES_MAX)
            _check_values(port, volume.minimum, volume.maximum)
    except NonFiniteVoxelsError as fault:
        raise OutputRangeError(fault.message, subject=port.name) from fault
    except ImageError as fault:
        raise OutputMalformedError(fault.message, subject=port.name) from fault
    return header.grid


def _grid_fault(port: VolumePort | LabelMapPort, found: Grid, expected: Grid) -> str:
    if found.shape != expected.shape:
        return f"port {port.name}: shape {found.shape}, but {port.grid_of} has {expected.shape}"
    return f"port {port.name}: its voxels lie elsewhere than those of {port.grid_of}; copy its affine"


def _check_labels(port: LabelMapPort, found: set[int]) -> None:
    unknown = sorted(found - {0} - {label.value for label in port.labels})
    if unknown:
        raise OutputLabelsError(
            f"port {port.name}: holds the values {_first(unknown)}, which the manifest does not declare",
            subject=port.name,
        )
    absent = [label.name for label in port.labels if label.value not in found and not label.may_be_absent]
    if absent:
        raise OutputLabelsError(
            f"port {port.name}: no voxel is {_first(absent)}; declare may_be_absent if that can be right",
            subject=port.name,
        )


def _check_values(port: VolumePort, minimum: float, maximum: float) -> None:
    if port.value_min is not None and minimum < port.value_min:
        raise OutputRangeError(
            f"port {port.name}: smallest value {minimum:g} {port.unit} is below {port.value_min:g}",
            subject=port.name,
        )
    if port.value_max is not None and maximum > port.value_max:
        raise OutputRangeError(
            f"port {port.name}: largest value {maximum:g} {port.unit} is above {port.value_max:g}",
            subject=port.name,
        )


def check_rows(port: MeasurementsPort, data: bytes, label_names: set[str]) -> tuple[Row, ...]:
    """Check a measurements file.

    A row has exactly the declared columns. Where rows are per label or lesion, a further column called
    ``label`` or ``lesion`` says which one the row is about; labels are called as the label maps of the
    manifest call them.
    """
    try:
        rows = parse_document(data, MeasurementRows, port=port.name).rows
    except ContractError as fault:
        raise OutputMalformedError(fault.message, subject=port.name) from fault
    if port.rows_per == "case" and len(rows) != 1:
        raise OutputMalformedError(f"port {port.name}: {len(rows)} rows, but one per case", subject=port.name)
    if len(rows) * len(port.columns) > CELLS_MAX:
        raise OutputMalformedError(
            f"port {port.name}: {len(rows)} rows of {len(port.columns)} columns; a record holds {CELLS_MAX} values",
            subject=port.name,
        )
    identifier = "" if port.rows_per == "case" else port.rows_per
    expected = {column.name for column in port.columns} | ({identifier} if identifier else set())
    for number, row in enumerate(rows, start=1):
        if set(row) != expected:
            wrong = sorted(set(row) ^ expected)
            raise OutputMalformedError(
                f"port {port.name}: row {number} lacks or adds the columns {_first(wrong)}", subject=port.name
            )
        for column in port.columns:
            _check_cell(port, column, row[column.name], number)
    if identifier:
        _check_identifiers(port, [row[identifier] for row in rows], label_names)
    return rows


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


def _check_identifiers(port: MeasurementsPort, values: list[float | str], label_names: set[str]) -> None:
    if len(set(values)) != len(values):
        raise OutputMalformedError(
            f"port {port.name}: a {port.rows_per} stands in two rows", subject=port.name
        )
    unknown = [value for value in values if port.rows_per == "label" and value not in label_names]
    if unknown and label_names:
        raise OutputLabelsError(
            f"port {port.name}: rows for unknown labels {_first(unknown)}", subject=port.name
        )


def _first(values: Sequence[object]) -> str:
    shown = ", ".join(str(value) for value in values[:_SHOWN_MAX])
    return f"{shown} and {len(values) - _SHOWN_MAX} more" if len(values) > _SHOWN_MAX else shown
