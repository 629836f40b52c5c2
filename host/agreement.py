"""Whether two runs of one case say the same, by what the plugin claims about its own repeatability.

| claim | an output agrees if |
|---|---|
| ``bitwise``, ``bitwise_same_device`` | its bytes are the same |
| ``tolerance`` | it lies within its tolerance; one without a tolerance must have the same bytes |
| ``stochastic`` | it lies within its tolerance, if it has one; nothing is asked of the others |

How the runs ended, and with which reason, is the same whatever the claim. Whatever is compared, a run with itself
agrees, and the order of the two does not matter.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.execution import Execution
from host.outputs import CheckedOutput
from plugin_spec.manifest import Manifest, Tolerance
from plugin_spec.ports import LabelMapPort, MeasurementsPort, OutputPort, VolumePort
from registry.statements import RunFinished


@dataclass(frozen=True)
class Answered:
    """How a run ended and what it left; the files must still be there.

    Attributes
    ----------
    outputs : mapping of str to (str, Path)
        Port to the digest of its file, and the file.
    """

    outcome: str
    reason_code: str
    outputs: Mapping[str, tuple[str, Path]]

    @classmethod
    def of(
        cls, execution: Execution, path_of: Callable[[CheckedOutput], Path] = lambda output: output.path
    ) -> "Answered":
        """What an execution left; ``path_of`` says where the file is by now."""
        outputs = {one.port: (one.digest, path_of(one)) for one in execution.outputs}
        return cls(execution.outcome, execution.reason_code, outputs)


def differences(manifest: Manifest, first: Answered, second: Answered) -> tuple[str, ...]:
    """What does not agree, one line each; empty when all does."""
    if (first.outcome, first.reason_code) != (second.outcome, second.reason_code):
        ends = [f"{one.outcome} {one.reason_code}".strip() for one in (first, second)]
        return (f"ended {ends[0]} and {ends[1]}",)
    return tuple(
        line for port in manifest.outputs for line in output_differences(manifest, port, first, second)
    )


def visibly_differ(manifest: Manifest, first: RunFinished, second: RunFinished) -> bool:
    """Whether two runs differ by their records alone; what needs the files themselves is not looked at."""
    if (first.outcome, first.reason_code) != (second.outcome, second.reason_code):
        return True
    ports = [{one.port: one.digest for one in run.outputs} for run in (first, second)]
    if set(ports[0]) != set(ports[1]):
        return True
    return manifest.determinism.claim.startswith("bitwise") and ports[0] != ports[1]


def is_comparable(manifest: Manifest) -> bool:
    """Whether equal outputs are claimed at all: a stochastic plugin without a tolerance claims nothing."""
    return manifest.determinism.claim != "stochastic" or bool(manifest.determinism.tolerances)


def output_differences(
    manifest: Manifest, port: OutputPort, first: Answered, second: Answered
) -> Iterator[str]:
    """What of one output does not agree, one line each."""
    one, other = first.outputs.get(port.name), second.outputs.get(port.name)
    if one is None or other is None:
        if one != other:
            yield f"{port.name}: written by one run and not by the other"
        return
    if one[0] == other[0]:
        return
    claim = manifest.determinism.claim
    tolerances = [tolerance for tolerance in manifest.determinism.tolerances if _is_about(tolerance, port)]
    if claim.startswith("bitwise") or (claim == "tolerance" and not tolerances):
        yield f"{port.name}: {one[0][:19]}… and {other[0][:19]}…"
    elif isinstance(port, MeasurementsPort):
        yield from _rows_differ(port, tolerances, one[1], other[1], strict=claim == "tolerance")
    elif tolerances:
        yield from _compare(port, tolerances[0], one[1], other[1])


def _is_about(tolerance: Tolerance, port: OutputPort) -> bool:
    if tolerance.column is None:
        return tolerance.port == port.name
    columns = [one.name for one in port.columns] if isinstance(port, MeasurementsPort) else []
    return tolerance.port in (None, port.name) and tolerance.column in columns


def _rows_differ(
    port: MeasurementsPort, tolerances: list[Tolerance], first: Path, second: Path, *, strict: bool
) -> Iterator[str]:
    rows, others = _rows(first), _rows(second)
    if len(rows) != len(others):
        yield f"{port.name}: {len(rows)} and {len(others)} rows"
        return
    by_column = {one.column: one for one in tolerances}
    for number, (row, other) in enumerate(zip(rows, others, strict=True)):
        for column in sorted({*row, *other}):
            tolerance = by_column.get(column)
            if tolerance is None and not strict:
                continue
            yield from _values_differ(
                f"{port.name}.{column} row {number}", row.get(column), other.get(column), tolerance
            )


def _rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file that the host has checked against its port."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return [{name: _cell(cell) for name, cell in row.items()} for row in csv.DictReader(stream)]
    rows: list[dict[str, Any]] = json.loads(path.read_bytes())["rows"]
    return rows


def _cell(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _compare(port: OutputPort, tolerance: Tolerance, first: Path, second: Path) -> Iterator[str]:
    if isinstance(port, (LabelMapPort, VolumePort)) and lie_apart(port, first, second):
        yield f"{port.name}: its voxels lie elsewhere"
    elif isinstance(port, LabelMapPort):
        yield from _labels_differ(port, tolerance, first, second)
    elif isinstance(port, VolumePort):
        yield from _voxels_differ(port, tolerance, first, second)
    else:
        yield from _values_differ(
            port.name, json.loads(first.read_bytes()), json.loads(second.read_bytes()), tolerance
        )


def lie_apart(port: LabelMapPort | VolumePort, first: Path, second: Path) -> bool:
    """Whether equal voxels of two images, of one shape, stand for other places."""
    from host.cases.geometry import same_grid
    from host.cases.nifti import read_header
    from host.content.images import GRID_TOLERANCE_MM

    ndim = port.ndim if isinstance(port, VolumePort) else 3
    one, other = (read_header(path, ndim=ndim).grid for path in (first, second))
    return one.shape == other.shape and not same_grid(one, other, tolerance_mm=GRID_TOLERANCE_MM)


def _labels_differ(port: LabelMapPort, tolerance: Tolerance, first: Path, second: Path) -> Iterator[str]:
    from host.cases.nifti import read_label_map
    from host.metrics.overlap import label_dice

    one, other = read_label_map(first), read_label_map(second)
    if one.data.shape != other.data.shape:
        yield f"{port.name}: shapes {one.data.shape} and {other.data.shape}"
        return
    lowest = tolerance.dice or 1.0
    for value in sorted({*one.voxel_counts, *other.voxel_counts} - {0}):
        overlap = label_dice(one.data, other.data, value)
        if overlap < lowest:
            yield f"{port.name} value {value}: Dice {overlap:.6g} (allowed: {lowest:g} and more)"


def _voxels_differ(port: VolumePort, tolerance: Tolerance, first: Path, second: Path) -> Iterator[str]:
    import numpy as np

    from host.embedded.difference import read_voxels

    one, other = (read_voxels(path, ndim=port.ndim) for path in (first, second))
    if one.shape != other.shape:
        yield f"{port.name}: shapes {one.shape} and {other.shape}"
        return
    allowed = (
        np.full(one.shape, tolerance.absolute)
        if tolerance.absolute is not None
        else (tolerance.relative or 0.0) * np.maximum(np.abs(one), np.abs(other))
    )
    apart = np.abs(one - other)
    if (apart > allowed).any():
        yield f"{port.name}: voxels up to {apart.max():g} apart ({_allowed(tolerance)})"


def _values_differ(where: str, one: Any, other: Any, tolerance: Tolerance | None) -> Iterator[str]:
    """Compare two JSON values, numbers within the tolerance and everything else exactly."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from _values_differ(f"{where}.{key}", one.get(key), other.get(key), tolerance)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (inner, matching) in enumerate(zip(one, other, strict=True)):
            yield from _values_differ(f"{where}.{number}", inner, matching, tolerance)
    elif not _is_close(one, other, tolerance):
        allowed = f" ({_allowed(tolerance)})" if tolerance else ""
        yield f"{where}: {one} and {other}{allowed}"


def _is_close(one: Any, other: Any, tolerance: Tolerance | None) -> bool:
    numbers = [isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other)]
    if not all(numbers) or tolerance is None:
        return type(one) is type(other) and one == other
    if tolerance.absolute is not None:
        return bool(abs(one - other) <= tolerance.absolute)
    return math.isclose(one, other, rel_tol=tolerance.relative or 0.0, abs_tol=0.0)


def _allowed(tolerance: Tolerance) -> str:
    if tolerance.absolute is not None:
        return f"allowed: absolute {tolerance.absolute:g}"
    return f"allowed: relative {tolerance.relative:g}"
