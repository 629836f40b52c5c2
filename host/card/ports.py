"""What goes in and what comes out, port by port."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from host.card.model import Block, Facts, Paragraph, Table
from host.card.words import MODALITIES, coded, listed, number, quantity, span, spoken, unit_name
from plugin_spec.manifest import Manifest
from plugin_spec.ports import (
    ClassificationPort,
    DetectionsPort,
    DicomSeriesPort,
    FilePort,
    LabelMapPort,
    MeasurementsPort,
    Port,
    ReportPort,
    ScorePort,
    TransformPort,
    VolumePort,
)
from plugin_spec.ports.numbers import Column, Repeatability

_ROWS: Final = {
    "case": "one row per case",
    "label": "one row per label",
    "lesion": "one row per lesion",
    "time_point": "one row per time point",
}
_CONTRAST: Final = {
    "none": ", without contrast agent",
    "with": ", with contrast agent",
    "any": ", with or without contrast agent",
}


def inputs(manifest: Manifest) -> Iterator[Block]:
    """Every input as facts."""
    for port in manifest.inputs:
        yield Facts([(port.name, "\n".join(_about(port)))])


def outputs(manifest: Manifest) -> Iterator[Block]:
    """Every output as facts, with a table of what it measures or may say."""
    for port in manifest.outputs:
        yield Facts([(port.name, "\n".join(_about(port)))])
        yield from _TABLES[type(port)](port) if type(port) in _TABLES else ()


def settings(manifest: Manifest) -> Iterator[Block]:
    """The parameters."""
    if not manifest.parameters:
        yield Paragraph("None: it behaves the same in every run.")
        return
    rows = [
        (
            one.name,
            one.summary,
            _value(one.default, getattr(one, "unit", None)),
            _allowed(one),
            "yes" if one.lockable else "no",
        )
        for one in manifest.parameters
    ]
    yield Table(("setting", "what it changes", "unless set", "allowed", "frozen by a trial lock"), rows)


def _about(port: Port) -> list[str]:
    """Lines on a port: its own sentence, what it is, how many, when, and on which grid."""
    lines = [port.summary, _DESCRIBED[type(port)](port)]
    if port.at_most > 1:
        lines.append(f"{port.at_least} to {port.at_most} files.")
    elif port.at_least == 0:
        lines.append("Optional.")
    if port.time_point != "any":
        lines.append(_visit(port))
    grid = getattr(port, "grid_of", None)
    if grid:
        lines.append(f"Voxel for voxel on the grid of {grid}.")
    return lines


def _visit(port: Port) -> str:
    if port.time_point == "baseline":
        return "The first visit (baseline)."
    interval = port.interval_days
    return (
        "A later visit"
        + (f" (follow-up number {port.order})" if port.order else "")
        + (f", {span(interval.minimum, interval.maximum, 'd')} after baseline" if interval else "")
        + "."
    )


def _volume(port: VolumePort) -> str:
    what = f"{MODALITIES[port.modality]} image" + (f", {port.sequence}" if port.sequence else "")
    if port.contrast_agent != "any" or port.modality in {"MR", "CT"}:
        what += _CONTRAST[port.contrast_agent]
    axes = "3 axes" if port.ndim == 3 else "4 axes, the last of them time"
    where = "as scanned" if port.space == "scanner" else f"in the space {port.space}"
    values = span(port.value_min, port.value_max, port.unit)
    return f"{what}; NIfTI-1 file of {axes}, {where}; values: {unit_name(port.unit)}{f', {values}' if values else ''}."


def _label_map(port: LabelMapPort) -> str:
    return f"Image of labels: background and {len(port.labels)} more; NIfTI-1 file of whole numbers."


def _series(port: DicomSeriesPort) -> str:
    count = f"{port.instances_min:,} to {port.instances_max:,} instances"
    classes = listed(port.sop_classes, "or")
    return (
        f"{MODALITIES[port.modality]} series; a folder of one DICOM series of {count}; SOP class {classes}."
    )


def _measurements(port: MeasurementsPort) -> str:
    return f"Table of numbers, {_ROWS[port.rows_per]}."


def _classification(port: ClassificationPort) -> str:
    what = f"One of {len(port.classes)} classes" + (", with probabilities" if port.probabilities else "")
    point = port.operating_point
    if point is None:
        return f"{what}."
    return f"{what}. It says {point.positive} where the probability is {point.threshold:g} or more ({point.source})."


def _detections(port: DetectionsPort) -> str:
    shape = "points" if port.shape == "point" else "boxes"
    more = [
        *(["each with a score from 0 to 1"] if port.scored else []),
        *(["each followed over visits"] if port.tracked else []),
        *([f"all inside the field of view of {port.within}"] if port.within else []),
    ]
    return f"Findings as {shape} in patient coordinates (LPS, mm){''.join(f', {one}' for one in more)}."


def _score(port: ScorePort) -> str:
    interval = {
        "none": "without an interval of uncertainty",
        "confidence": f"with a {port.level:.0%} confidence interval",
        "prediction": f"with a {port.level:.0%} prediction interval",
    }[port.interval]
    ahead = f", looking {quantity(port.horizon.value, port.horizon.unit)} ahead" if port.horizon else ""
    return (
        f"One number: {coded(port.concept)}, {unit_name(port.unit)}, {span(port.minimum, port.maximum, port.unit)}, "
        f"{interval}{ahead}."
    )


def _transform(port: TransformPort) -> str:
    what = "Rotation and translation" if port.model == "rigid" else "Linear mapping"
    return f"{what} from {port.from_port} to {port.to_port}, as a 4 x 4 matrix (RAS+, mm)."


def _report(port: ReportPort) -> str:
    return f"A page for people ({port.format.upper()}); no number is ever read from it by a machine."


def _file(port: FilePort) -> str:
    what = "A licence file that the site supplies" if port.role == "licence" else "A file handed on as it is"
    return f"{what}, at most {number(port.bytes_max)} bytes."


def _columns(port: MeasurementsPort) -> Iterator[Block]:
    rows = [
        (
            one.name,
            one.summary,
            spoken(one.unit) or "-",
            span(one.minimum, one.maximum, one.unit),
            coded(one.concept),
            _repeats(one.repeatability, one),
        )
        for one in port.columns
    ]
    yield Table(("number", "what", "unit", "plausible", "coded as", "repeatability claimed"), rows)


def _repeats(claim: Repeatability | None, column: Column) -> str:
    if claim is None:
        return "none"
    figure = (
        f"wCV {claim.wcv_percent:g} %"
        if claim.coefficient is None
        else f"coefficient {quantity(claim.coefficient, column.unit)}"
    )
    return f"{figure} ({claim.source})"


def _labels(port: LabelMapPort) -> Iterator[Block]:
    rows = [
        (
            str(one.value),
            one.name,
            coded(one.concept),
            one.laterality or "-",
            "may be absent" if one.may_be_absent else "always there",
        )
        for one in port.labels
    ]
    yield Table(("value", "label", "coded as", "side", "in an answer"), rows)


def _classes(port: ClassificationPort | DetectionsPort) -> Iterator[Block]:
    yield Table(
        ("class", "what", "coded as"), [(one.name, one.summary, coded(one.concept)) for one in port.classes]
    )


def _value(value: object, unit: str | None) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return quantity(value, unit) if isinstance(value, (int, float)) else str(value)


def _allowed(parameter: Any) -> str:
    if parameter.kind in {"int", "float"}:
        return span(parameter.minimum, parameter.maximum, getattr(parameter, "unit", None))
    if parameter.kind == "bool":
        return "on or off"
    return (
        listed(parameter.values, "or")
        if parameter.kind == "enum"
        else f"text of the form {parameter.pattern}"
    )


_DESCRIBED: Final[dict[type, Callable[[Any], str]]] = {
    VolumePort: _volume,
    LabelMapPort: _label_map,
    DicomSeriesPort: _series,
    MeasurementsPort: _measurements,
    ClassificationPort: _classification,
    DetectionsPort: _detections,
    ScorePort: _score,
    TransformPort: _transform,
    ReportPort: _report,
    FilePort: _file,
}
_TABLES: Final[dict[type, Callable[[Any], Iterator[Block]]]] = {
    MeasurementsPort: _columns,
    LabelMapPort: _labels,
    ClassificationPort: _classes,
    DetectionsPort: _classes,
}
