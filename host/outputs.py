"""What a container answered, against the manifest: ok only if every declared output is sound.

Invariants: result.json is a claim; each file is opened safely, read once and hashed as it is read; every
violation is a `ContractError` that names the port.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.cases.geometry import Grid
from host.content.document_ports import Document, DocumentPort, Surroundings, check_document
from host.content.images import check_image
from host.content.measurements import CELLS_MAX, Row
from host.content.report import check_report
from host.engines.interface import Limits
from host.errors import OutputMalformedError, OutputMissingError, OutputUndeclaredError
from host.output_files import check_entries, open_output, read_output
from plugin_spec.case import MAX_RESULT_BYTES, OutputEntry, Result, parse_result
from plugin_spec.documents import MAX_DOCUMENT_BYTES, ClassificationDocument, MeasurementRows
from plugin_spec.manifest import Manifest
from plugin_spec.ports import OutputPort, ReportPort

RESULT_NAME: Final = "result.json"


@dataclass(frozen=True)
class CheckedOutput:
    """An output that was checked against its port.

    Attributes
    ----------
    port : str
    path : Path
        Where the file stands now.
    digest : str
        ``sha256:…`` of the bytes that were checked.
    bytes : int
        Size of the file.
    rows : tuple of mapping, or None
        Of a measurements output: column to value, in the column's unit.
    grid : Grid or None
        Of an image output.
    document : model or None
        Of a classification, detections, score or transform output.
    """

    port: str
    path: Path
    digest: str
    bytes: int
    rows: tuple[Row, ...] | None = None
    grid: Grid | None = None
    document: Document | None = None

    @property
    def values(self) -> int:
        """How many values of it stand in the record of its run."""
        if isinstance(self.document, ClassificationDocument):
            return 1 + len(self.document.probabilities or {})
        return sum(len(row) for row in self.rows or ())


def read_result(folder: Path) -> Result:
    """Read result.json as a container left it.

    Raises
    ------
    ContractError
        It is missing, not a plain file, too large, or a field does not fit.
    """
    data, _ = read_output(folder, RESULT_NAME, port=RESULT_NAME, bytes_max=MAX_RESULT_BYTES)
    return parse_result(data)


def collect_outputs(
    manifest: Manifest,
    result: Result,
    folder: Path,
    *,
    grids: Mapping[str, Grid],
    files: Mapping[str, int],
    limits: Limits,
) -> tuple[CheckedOutput, ...]:
    """Check everything an ok run left behind.

    Parameters
    ----------
    manifest : Manifest
        What was declared.
    result : Result
        What the container says it wrote. What a refused or failed run left is not looked at.
    folder : Path
        The output folder, after the container is gone.
    grids : mapping of str to Grid
        Of every image input of one file.
    files : mapping of str to int
        How many files each input port was given.
    limits : Limits
        ``output_bytes`` and ``output_files`` are applied.

    Returns
    -------
    tuple of CheckedOutput
        One per declared port, in the manifest's order; an optional port may be absent. Empty when the outcome is
        not ok.

    Raises
    ------
    ContractError
        A subclass per violation.
    """
    if result.outcome != "ok":
        return ()
    listed = _listed(manifest, result)
    paths = {entry.path for entry in listed.values()}
    check_entries(folder, paths | {RESULT_NAME}, bytes_max=limits.output_bytes, files_max=limits.output_files)
    surroundings = Surroundings.of(manifest, grids, files)
    checked = tuple(
        _check(port, folder, listed[port.name].path, surroundings)
        for port in manifest.outputs
        if port.name in listed
    )
    total = sum(one.values for one in checked)
    if total > CELLS_MAX:
        raise OutputMalformedError(f"the outputs hold {total} values together; a record holds {CELLS_MAX}")
    return checked


def _listed(manifest: Manifest, result: Result) -> dict[str, OutputEntry]:
    """The entry of each port that has one; port and file name stand once each, since files are copied out flat."""
    listed: dict[str, OutputEntry] = {}
    names = {RESULT_NAME}
    for entry in result.outputs:
        if manifest.output(entry.port) is None:
            raise OutputUndeclaredError(
                f"result.json lists port {entry.port!r}, which the manifest does not declare"
            )
        name = Path(entry.path).name
        if entry.port in listed or name in names:
            raise OutputMalformedError(
                f"port {entry.port}: result.json lists the port or the file name {name} twice",
                subject=entry.port,
            )
        if entry.path != Path(entry.path).as_posix():
            raise OutputMalformedError(
                f"port {entry.port}: {entry.path!r} is not a plain path", subject=entry.port
            )
        listed[entry.port] = entry
        names.add(name)
    for port in manifest.outputs:
        if port.at_least and port.name not in listed:
            raise OutputMissingError(f"port {port.name}: result.json lists no file for it", subject=port.name)
    return listed


def _check(port: OutputPort, folder: Path, path: str, surroundings: Surroundings) -> CheckedOutput:
    where = folder / path
    if isinstance(port, DocumentPort):
        data, digest = read_output(folder, path, port=port.name, bytes_max=MAX_DOCUMENT_BYTES)
        document = check_document(port, data, surroundings, csv=path.endswith(".csv"))
        if isinstance(document, MeasurementRows):
            return CheckedOutput(port.name, where, digest, len(data), rows=document.rows)
        return CheckedOutput(port.name, where, digest, len(data), document=document)
    with open_output(folder, path, port=port.name) as file:
        if isinstance(port, ReportPort):
            check_report(port, file, path, file.size)
            return CheckedOutput(port.name, where, file.finish(), file.size)
        image = check_image(port, file, path, surroundings.grid(port.grid_of))
        return CheckedOutput(port.name, where, file.finish(), file.size, grid=image.grid)
