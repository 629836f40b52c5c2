"""Whether a run of a test ended as its manifest expects: one line for what does not hold."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Final

from host.agreement import lie_apart
from host.embedded.difference import label_dices, volume_difference
from host.embedded.observation import Observation
from plugin_spec.documents import ClassificationDocument, DetectionsDocument, ScoreDocument
from plugin_spec.errors import AssayError
from plugin_spec.manifest import Comparison, Manifest
from plugin_spec.ports import LabelMapPort, VolumePort


def fault_of_run(seen: Observation, manifest: Manifest, folder: Path) -> str:
    """What does not hold of a run, in one line; empty when all holds.

    Parameters
    ----------
    folder : Path
        The plugin's folder, which holds the references.
    """
    ended, test = seen.execution, seen.test
    if ended.outcome != test.expect:
        return f"expected {test.expect}, ended {ended.outcome}: {ended.reason_code} {ended.message}".rstrip(
            ": "
        )
    if test.reason_code is not None and ended.reason_code != test.reason_code:
        return f"expected the reason {test.reason_code}, was {ended.reason_code}: {ended.message}"
    for one in test.compare:
        port = manifest.output(one.port)
        if port is None or seen.output(one.port) is None:
            return f"{one.port} is missing"
        fault = _COMPARISONS[port.kind](one, seen, manifest, folder)
        if fault:
            return fault
    return ""


def _measurements(one: Comparison, seen: Observation, manifest: Manifest, folder: Path) -> str:
    where = (one.port, one.column, one.row)
    values = [m.value for m in seen.measured if (m.port, m.column, m.row) == where]
    if not values or not isinstance(values[0], (int, float)):
        return f"{one.port}.{one.column} is missing" + (f" in row {one.row}" if one.row else "")
    return _number(f"{one.port}.{one.column}", float(values[0]), one)


def _score(one: Comparison, seen: Observation, manifest: Manifest, folder: Path) -> str:
    document = _document(seen, one.port)
    assert isinstance(document, ScoreDocument)  # noqa: S101 - the host has checked the output against its port
    return _number(one.port, document.value, one)


def _classification(one: Comparison, seen: Observation, manifest: Manifest, folder: Path) -> str:
    document = _document(seen, one.port)
    assert isinstance(document, ClassificationDocument)  # noqa: S101 - as above
    return "" if document.label == one.equals else f"{one.port} is {document.label}, expected {one.equals}"


def _detections(one: Comparison, seen: Observation, manifest: Manifest, folder: Path) -> str:
    document = _document(seen, one.port)
    assert isinstance(document, DetectionsDocument)  # noqa: S101 - as above
    found, margin = len(document.detections), one.absolute or 0
    if one.count is not None and abs(found - one.count) <= margin:
        return ""
    return f"{one.port} holds {found} findings, expected {one.count}" + (f" ± {margin:g}" if margin else "")


def _label_map(one: Comparison, seen: Observation, manifest: Manifest, folder: Path) -> str:
    port, file = manifest.output(one.port), seen.file(one.port)
    assert isinstance(port, LabelMapPort) and file is not None and one.reference  # noqa: S101 - rule C304
    try:
        found = label_dices(port, file, folder / one.reference)
        if lie_apart(port, file, folder / one.reference):
            return _elsewhere(one)
    except AssayError as error:
        return f"{one.port}: the reference cannot be compared with: {error.message}"
    wanted = [one.label] if one.label else [label.name for label in port.labels]
    for label in wanted:
        value = found.get(label, math.nan)
        if one.label is None and math.isnan(value):
            continue  # neither of them has the label
        if not value >= (one.dice or 1.0):
            return f"{one.port}: Dice of {label} is {value:.4f}, expected at least {one.dice:g}"
    return ""


def _volume(one: Comparison, seen: Observation, manifest: Manifest, folder: Path) -> str:
    port, file = manifest.output(one.port), seen.file(one.port)
    assert isinstance(port, VolumePort) and file is not None and one.reference  # noqa: S101 - rule C304
    try:
        found = volume_difference(file, folder / one.reference, ndim=port.ndim)
        if lie_apart(port, file, folder / one.reference):
            return _elsewhere(one)
    except AssayError as error:
        return f"{one.port}: the reference cannot be compared with: {error.message}"
    if found.largest <= (one.absolute or 0.0):
        return ""
    return (
        f"{one.port} differs from {one.reference} by up to {found.largest:g} {port.unit}, "
        f"in {found.voxels} voxels; {one.absolute:g} is allowed"
    )


def _elsewhere(one: Comparison) -> str:
    return f"{one.port}: its voxels lie elsewhere than those of {one.reference}"


def _nothing(one: Comparison, seen: Observation, manifest: Manifest, folder: Path) -> str:
    return f"{one.port} is not compared by anything"


def _number(what: str, value: float, one: Comparison) -> str:
    assert one.value is not None  # noqa: S101 - rule C304
    margin = one.absolute if one.absolute is not None else (one.relative or 0.0) * abs(one.value)
    if abs(value - one.value) <= margin:
        return ""
    return f"{what} is {value:g}, expected {one.value:g} ± {margin:g}"


def _document(seen: Observation, port: str) -> object:
    found = seen.output(port)
    return found.document if found else None


_COMPARISONS: Final[dict[str, Callable[[Comparison, Observation, Manifest, Path], str]]] = {
    "measurements": _measurements,
    "score": _score,
    "classification": _classification,
    "detections": _detections,
    "label_map": _label_map,
    "volume": _volume,
    "transform": _nothing,
    "report": _nothing,
}
