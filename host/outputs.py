"""What a container answered, against the manifest: ok only if every declared output is sound.

Invariants: result.json is a claim; each file is opened safely, read once and hashed as it is read; every
violation is a `ContractError` that names the port.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.cases.geometry import Grid
from host.engines.interface import Limits
from host.errors import OutputMalformedError, OutputMissingError, OutputUndeclaredError
from host.output_content import Row, check_image, check_rows
from host.output_files import check_entries, open_output, read_output
from plugin_spec.case import MAX_RESULT_BYTES, OutputEntry, Result, parse_result
from plugin_spec.manifest import Manifest
from plugin_spec.ports import LabelMapPort, MeasurementsPort, OutputPort, VolumePort

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
    """

    port: str
    path: Path
    digest: str
    bytes: int
    rows: tuple[Row, ...] | None = None
    grid: Grid | None = None


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
    manifest: Manifest, result: Result, folder: Path, *, grids: Mapping[str, Grid], limits: Limits
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
        Of every input port.
    limits : Limits
        ``output_bytes`` and ``output_files`` are applied.

    Returns
    -------
    tuple of CheckedOutput
        One per declared port, in the manifest's order; empty when the outcome is not ok.

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
    return tuple(_check(port, folder, listed[port.name].path, grids, manifest) for port in manifest.outputs)


def _listed(manifest: Manifest, result: Result) -> dict[str, OutputEntry]:
    """The entry of every declared port; each port and each file name stands once, since files are copied out flat."""
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
        if port.name not in listed:
            raise OutputMissingError(f"port {port.name}: result.json lists no file for it", subject=port.name)
    return listed


def _check(
    port: OutputPort,
    folder: Path,
    path: str,
    grids: Mapping[str, Grid],
    manifest: Manifest,
) -> CheckedOutput:
    if isinstance(port, MeasurementsPort):
        data, digest = read_output(folder, path, port=port.name, bytes_max=MAX_RESULT_BYTES)
        rows = check_rows(port, data, _label_names(manifest))
        return CheckedOutput(port.name, folder / path, digest, len(data), rows=rows)
    if not isinstance(port, (VolumePort, LabelMapPort)):
        raise OutputMalformedError(
            f"port {port.name}: this host does not check outputs of kind {port.kind}", subject=port.name
        )
    with open_output(folder, path, port=port.name) as file:
        grid = check_image(port, file, path, grids.get(port.grid_of or ""))
        return CheckedOutput(port.name, folder / path, file.finish(), file.size, grid=grid)


def _label_names(manifest: Manifest) -> set[str]:
    return {
        label.name for port in manifest.outputs if isinstance(port, LabelMapPort) for label in port.labels
    }
