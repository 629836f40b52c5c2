"""The built-in metrics of lesions and of findings: figures of a case, and what statistics over all cases count."""

import math
from collections.abc import Iterator

from host.metrics.lazy import function_of
from plugin_spec.host_hooks import MetricParameter, MetricRegistration

_LESION_RULE = (
    MetricParameter(
        name="connectivity",
        summary="voxels that touch by a face (6), also by an edge (18), also by a corner (26) are one lesion",
        choices=(6, 18, 26),
    ),
    MetricParameter(
        name="matching",
        summary="lesions belong together where they share a voxel, where threshold of one is covered, or where "
        "intersection over union reaches threshold",
        choices=("any_overlap", "overlap_fraction", "iou"),
    ),
    MetricParameter(
        name="assignment",
        summary="each lesion by itself, or each paired with at most one of the other mask",
        choices=("many_to_many", "one_to_one"),
    ),
    MetricParameter(name="threshold", summary="the least share that counts", maximum=1.0, default=0.0),
    MetricParameter(
        name="minimum_mm3", summary="smaller lesions are dropped from both masks first", default=0.0
    ),
    MetricParameter(
        name="minimum_voxels", summary="lesions of fewer voxels are dropped likewise", default=1.0
    ),
)
_FINDING_RULE = (
    MetricParameter(
        name="nearness",
        summary="findings belong together by the distance of the predicted one's centre, or by intersection over union",
        choices=("distance", "iou"),
    ),
    MetricParameter(
        name="limit_mm",
        summary="the greatest distance; 0 asks for a centre inside the reference's box",
        default=0.0,
    ),
    MetricParameter(
        name="minimum_iou",
        summary="the least intersection over union; 0 asks for any overlap",
        maximum=1.0,
        default=0.0,
    ),
    MetricParameter(
        name="repeats",
        summary="what a further finding on one already found counts as",
        choices=("false", "ignored"),
        default="false",
    ),
    MetricParameter(
        name="threshold",
        summary="findings with a lower score are left out of the case's value; FROC has all of them",
        maximum=1.0,
        default=0.0,
    ),
)


def lesion_metrics() -> Iterator[MetricRegistration]:
    """Figures of the connected components of two masks."""
    one_empty = "not evaluable if neither mask has a lesion, 0 if one has none"
    for figure, definition, empty_case, source in (
        ("f1", "harmonic mean of lesion sensitivity and lesion precision", one_empty, "Commowick 2018"),
        (
            "sensitivity",
            "share of the reference's lesions that were found",
            "not evaluable if the reference has no lesion",
            "Carass 2017",
        ),
        (
            "precision",
            "share of the predicted lesions that are right",
            "not evaluable if neither mask has a lesion, 0 if only the predicted one has none",
            "Commowick 2018",
        ),
    ):
        yield MetricRegistration(
            name=f"lesion_{figure}",
            definition=definition,
            empty_case=empty_case,
            operands="lesions",
            unit="1",
            better="higher",
            worst=0.0,
            source=source,
            load=function_of("lesions", "lesion_detection", figure=figure),
            parameters=_LESION_RULE,
        )
    yield MetricRegistration(
        name="lesion_false_positives",
        definition="number of predicted lesions that are not right",
        empty_case="0 if no lesion is predicted",
        operands="lesions",
        unit="1",
        better="lower",
        worst=math.inf,
        source="Carass 2017",
        load=function_of("lesions", "lesion_detection", figure="false_positives"),
        parameters=_LESION_RULE,
    )


def finding_metrics() -> Iterator[MetricRegistration]:
    """Figures of points or boxes against those of the reference."""
    for figure, definition, empty_case, source in (
        (
            "sensitivity",
            "share of the reference's findings that were found",
            "not evaluable if the reference has none",
            "Everingham 2010",
        ),
        (
            "f1",
            "2 TP / (predicted + reference) of findings matched one to one",
            "not evaluable if there is no finding at all, 0 if only one side has any",
            "Everingham 2010",
        ),
    ):
        yield MetricRegistration(
            name=f"finding_{figure}",
            definition=definition,
            empty_case=empty_case,
            operands="findings",
            unit="1",
            better="higher",
            worst=0.0,
            source=source,
            load=function_of("findings", "finding_detection", figure=figure),
            parameters=_FINDING_RULE,
        )
    yield MetricRegistration(
        name="finding_false_positives",
        definition="number of findings that match none of the reference",
        empty_case="0 if nothing is predicted",
        operands="findings",
        unit="1",
        better="lower",
        worst=math.inf,
        source="Setio 2017",
        load=function_of("findings", "finding_detection", figure="false_positives"),
        parameters=_FINDING_RULE,
    )
