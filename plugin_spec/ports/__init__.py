"""Ports: the typed inputs and outputs of a plugin, a union on ``kind``; and its parameters.

What a port declares is what the host checks: an input before the container starts, an output before a case counts.
"""

from typing import Annotated

from pydantic import Field

from plugin_spec.ports.files import FilePort, ReportPort, TransformPort
from plugin_spec.ports.images import DicomSeriesPort, Label, LabelMapPort, Modality, VolumePort
from plugin_spec.ports.numbers import (
    ClassificationPort,
    Column,
    DetectionsPort,
    MeasurementsPort,
    Repeatability,
    ScorePort,
)
from plugin_spec.ports.parameters import (
    BoolParameter,
    EnumParameter,
    FloatParameter,
    IntParameter,
    Parameter,
    StrParameter,
)
from plugin_spec.ports.port import Interval, Port, TimePoint

__all__ = [
    "BoolParameter",
    "ClassificationPort",
    "Column",
    "DetectionsPort",
    "DicomSeriesPort",
    "EnumParameter",
    "FilePort",
    "FloatParameter",
    "InputPort",
    "IntParameter",
    "Interval",
    "Label",
    "LabelMapPort",
    "MeasurementsPort",
    "Modality",
    "OutputPort",
    "Parameter",
    "Port",
    "Repeatability",
    "ReportPort",
    "ScorePort",
    "StrParameter",
    "TimePoint",
    "TransformPort",
    "VolumePort",
]

InputPort = Annotated[
    VolumePort
    | LabelMapPort
    | DicomSeriesPort
    | MeasurementsPort
    | DetectionsPort
    | TransformPort
    | FilePort,
    Field(discriminator="kind"),
]
OutputPort = Annotated[
    VolumePort
    | LabelMapPort
    | MeasurementsPort
    | ClassificationPort
    | DetectionsPort
    | ScorePort
    | TransformPort
    | ReportPort,
    Field(discriminator="kind"),
]
