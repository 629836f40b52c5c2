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
    data = read_document(files.output(metric.port or ""))
    return _compared(metric, files, parse_document(data, DetectionsDocument, port=metric.port or ""))


def _impute(metric: Metric, files: CaseFiles) -> Observed:
    """Nothing found, and as many false findings as declared, surer than any."""
    found, false = _compared(metric, files, _NOTHING), metric.failed_false_positives or 0
    said = {"scores": (1.0,) * false, "matched": (-1.0,) * false}
    value = missed_value(metric, found.value, float(false))
    return _counted(metric, Observed(value=value, observations={**found.observations, **said}))


def _compared(metric: Metric, files: CaseFiles, answer: DetectionsDocument) -> Observed:
    pair = FindingsPair(Findings.of_document(answer), _reference(metric, files))
    if metric.label is not None:
        pair = FindingsPair(pair.predicted.only(metric.label), pair.reference.only(metric.label))
    found: Observed = function_of(metric)(pair)
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


def _reference(metric: Metric, files: CaseFiles) -> Findings:
    port = metric.port or ""
    if metric.reference_connectivity is None:
        data = read_document(files.references[port])
        return Findings.of_document(parse_document(data, DetectionsDocument, port=f"reference of {port}"))
    found = files.reference_map(port)
    return Findings.of_mask(
        found.data == metric.reference_value,
        affine_ras=found.grid.affine,
        connectivity=metric.reference_connectivity,
        label=metric.label or "",
    )


FINDINGS = Scorer(_check, _observe, _impute)
