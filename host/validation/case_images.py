"""Which images of a case its picture in the report is drawn from, and what is drawn on them."""

import numpy as np
from numpy.typing import NDArray

from host.kits.places import PlacedCase
from host.metrics.findings import Findings
from host.reports.figures.marked import FindingMark, MarkKind
from host.reports.pictures import CaseImages
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.scorers.case_files import CaseFiles
from host.validation.scorers.findings import answered_findings, reference_findings
from plugin_spec.ports import DetectionsPort, LabelMapPort

LABELS_MAX = 12  # what a picture can tell apart


def case_images(protocol: Protocol, row: CaseRow, placed: PlacedCase, files: CaseFiles) -> CaseImages | None:
    """The picture of a case that answered: its label map over the image it lies on, else its findings on theirs.

    ``None`` where there is no such answer, or no image in one file to draw it on.
    """
    answered = {one.port for one in files.execution.outputs}
    metrics = [one for one in protocol.metrics if one.port in answered and one.against == "reference"]
    maps = [one for one in metrics if one.kind in {"masks", "lesions"} and one.port in placed.references]
    if maps:
        return _label_maps(maps, placed, files)
    findings = [one for one in metrics if one.kind == "findings" and one.port in placed.references]
    return _findings(findings[0], row, placed, files) if findings else None


def _label_maps(metrics: list[Metric], placed: PlacedCase, files: CaseFiles) -> CaseImages | None:
    name = metrics[0].port or ""
    port = files.manifest.output(name)
    assert isinstance(port, LabelMapPort)  # noqa: S101 - check_fit has looked
    shown = placed.inputs.get(port.grid_of or "")
    if shown is None or shown[0].is_dir():
        return None
    values = {label.name: label.value for label in port.labels}
    looked_at = {(one.label or "", one.reference_value or 0) for one in metrics if one.port == name}
    labels = sorted(looked_at, key=lambda pair: pair[1])[:LABELS_MAX]
    return CaseImages(
        image=shown[0],
        predicted=files.output(name),
        reference=placed.references[name],
        codes={values[label]: value for label, value in labels},
        labels={value: label for label, value in labels},
    )


def _findings(metric: Metric, row: CaseRow, placed: PlacedCase, files: CaseFiles) -> CaseImages | None:
    port = files.manifest.output(metric.port or "")
    assert isinstance(port, DetectionsPort)  # noqa: S101 - check_fit has looked
    shown = placed.inputs.get(port.within or "")
    if shown is None or shown[0].is_dir():
        return None
    found = {int(one) for one in row.observations.get(metric.id, {}).get("matched", ()) if one >= 0}
    reference = [
        _mark("found" if at in found else "missed", place)
        for at, place in enumerate(_centres(reference_findings(metric, files)))
    ]
    detected = [_mark("detected", place) for place in _centres(answered_findings(metric, files))]
    return CaseImages(image=shown[0], marks=(*reference, *detected))


def _mark(kind: MarkKind, place_lps_mm: NDArray[np.float64]) -> FindingMark:
    x, y, z = (float(one) for one in place_lps_mm)
    return FindingMark(kind, (-x, -y, z))


def _centres(findings: Findings) -> NDArray[np.float64]:
    centres: NDArray[np.float64] = (findings.lower_mm + findings.upper_mm) / 2
    return centres
