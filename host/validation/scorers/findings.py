"""Findings as points or boxes, against those of the reference or the lesions of a reference label map."""

from collections.abc import Sequence

from host.errors import KitFitError
from host.kits.cases import KitCase
from host.metrics.findings import Findings, FindingsPair
from host.metrics.parameters import complete
from host.validation.metric import Metric
from host.validation.scorers.case_files import CaseFiles
from host.validation.scorers.lesions import missed_value
from host.validation.scorers.scorer import Scorer, function_of, registration_of
from plugin_spec.documents import DetectionsDocument, parse_document
from plugin_spec.host_hooks import Observed
from plugin_spec.manifest import Manifest
from plugin_spec.model import read_document
from plugin_spec.ports import DetectionsPort

_NOTHING = DetectionsDocument(contract="assay.detections/1", frame="LPS", detections=())


def _check(metric: Metric, manifest: Manifest, cases: Sequence[KitCase]) -> None:
    registration_of(metric)
    port = manifest.output(metric.port or "")
    if not isinstance(port, DetectionsPort):
        raise KitFitError(f"metric {metric.id}: {manifest.id} has no detections output {metric.port}")
    if metric.label is not None and metric.label not in {one.name for one in port.classes}:
        raise KitFitError(f"metric {metric.id}: {manifest.id} finds no {metric.port}.{metric.label}")


def _observe(metric: Metric, files: CaseFiles) -> Observed:
    return _compared(metric, files, answered_findings(metric, files))


def _impute(metric: Metric, files: CaseFiles) -> Observed:
    """Nothing found, and as many false findings as declared, surer than any."""
    nothing = Findings.of_document(_NOTHING)
    found, false = _compared(metric, files, nothing), metric.failed_false_positives or 0
    said = {"scores": (1.0,) * false, "matched": (-1.0,) * false}
    value = missed_value(metric, found.value, float(false))
    return _counted(metric, Observed(value=value, observations={**found.observations, **said}))


def _compared(metric: Metric, files: CaseFiles, predicted: Findings) -> Observed:
    found: Observed = function_of(metric)(FindingsPair(predicted, reference_findings(metric, files)))
    return _counted(metric, found)


def _counted(metric: Metric, found: Observed) -> Observed:
    """The findings that reach the metric's threshold, counted as lesions are."""
    threshold = float(complete(registration_of(metric), metric.parameters).get("threshold", 0.0))
    both = zip(found.observations["scores"], found.observations["matched"], strict=True)
    matched = [one for score, one in both if score >= threshold]
    right = float(sum(one >= 0 for one in matched))
    counts = {
        "predicted": (float(len(matched)),),
        "predicted_matched": (right,),
        "reference_found": (right,),  # findings are matched one to one
    }
    return Observed(value=found.value, observations={**found.observations, **counts})


def answered_findings(metric: Metric, files: CaseFiles) -> Findings:
    """What was detected, of the metric's label where it has one."""
    data = read_document(files.output(metric.port or ""))
    document = parse_document(data, DetectionsDocument, port=metric.port or "")
    return _of_label(metric, Findings.of_document(document))


def reference_findings(metric: Metric, files: CaseFiles) -> Findings:
    """What there is to find, of the metric's label where it has one; in the order that observations number it."""
    port = metric.port or ""
    if metric.reference_connectivity is None:
        data = read_document(files.references[port])
        document = parse_document(data, DetectionsDocument, port=f"reference of {port}")
        return _of_label(metric, Findings.of_document(document))
    found = files.reference_map(port)
    mask = Findings.of_mask(
        found.data == metric.reference_value,
        affine_ras=found.grid.affine,
        connectivity=metric.reference_connectivity,
        label=metric.label or "",
    )
    return _of_label(metric, mask)


def _of_label(metric: Metric, findings: Findings) -> Findings:
    return findings if metric.label is None else findings.only(metric.label)


FINDINGS = Scorer(_check, _observe, _impute)
