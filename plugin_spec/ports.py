"""Ports: the typed inputs and outputs of a plugin, a union on ``kind``."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from plugin_spec.codes import Concept, UcumUnit
from plugin_spec.model import ColumnName, PortName, StrictModel

Modality = Literal["MR", "CT", "PT", "NM", "US", "XA", "OT"]
TimePoint = Literal["any", "baseline", "followup"]


class Port(StrictModel):
    """What every port has: a name, a sentence, and its place in time."""

    name: PortName
    summary: str = Field(min_length=1, max_length=300)
    time_point: TimePoint = "any"


class VolumePort(Port):
    """A 3-D image as NIfTI-1: voxel axes (I, J, K), world frame RAS+ mm."""

    kind: Literal["volume"]
    modality: Modality
    sequence: str | None = None
    contrast_agent: Literal["none", "with", "any"] = "any"
    unit: UcumUnit
    value_min: float | None = None
    value_max: float | None = None
    grid_of: PortName | None = None

    @model_validator(mode="after")
    def _range_is_ordered(self) -> "VolumePort":
        if self.value_min is not None and self.value_max is not None and self.value_min >= self.value_max:
            raise ValueError(f"value_min {self.value_min} must be below value_max {self.value_max}")
        return self


class Label(StrictModel):
    """One value of a label map and the coded thing it stands for."""

    value: int = Field(ge=1, le=65535)
    name: PortName
    concept: Concept
    may_be_absent: bool = False


class LabelMapPort(Port):
    """An integer image whose values are declared; 0 is background."""

    kind: Literal["label_map"]
    labels: tuple[Label, ...] = Field(min_length=1)
    grid_of: PortName | None = None

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> "LabelMapPort":
        for what in ("value", "name"):
            seen = [getattr(label, what) for label in self.labels]
            if len(set(seen)) != len(seen):
                raise ValueError(f"labels: each {what} may stand once")
        return self


class Column(StrictModel):
    """One column of a measurements table: what is measured, in which unit, and what is plausible."""

    name: ColumnName
    summary: str = Field(min_length=1, max_length=300)
    concept: Concept | None = None
    unit: UcumUnit
    minimum: float
    maximum: float
    decimals: int = Field(ge=0, le=6)
    repeatability: str | None = None

    @model_validator(mode="after")
    def _range_is_ordered(self) -> "Column":
        if self.minimum >= self.maximum:
            raise ValueError(f"minimum {self.minimum} must be below maximum {self.maximum}")
        return self


class MeasurementsPort(Port):
    """Rows of numbers, one per case, label or lesion."""

    kind: Literal["measurements"]
    rows_per: Literal["case", "label", "lesion"]
    columns: tuple[Column, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _columns_are_distinct(self) -> "MeasurementsPort":
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError("columns: each name may stand once")
        return self


class IntParameter(StrictModel):
    """A whole number that the operator, or a trial lock, may set."""

    kind: Literal["int"]
    name: PortName
    summary: str = Field(min_length=1, max_length=300)
    default: int
    minimum: int
    maximum: int
    lockable: bool = True

    def accepts(self, value: object) -> bool:
        """Whether ``value`` may be given."""
        return (
            isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum
        )


class FloatParameter(StrictModel):
    """A real number that the operator, or a trial lock, may set."""

    kind: Literal["float"]
    name: PortName
    summary: str = Field(min_length=1, max_length=300)
    unit: UcumUnit
    default: float
    minimum: float
    maximum: float
    lockable: bool = True

    def accepts(self, value: object) -> bool:
        """Whether ``value`` may be given."""
        return (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and self.minimum <= value <= self.maximum
        )


class BoolParameter(StrictModel):
    """A switch that the operator, or a trial lock, may set."""

    kind: Literal["bool"]
    name: PortName
    summary: str = Field(min_length=1, max_length=300)
    default: bool
    lockable: bool = True

    def accepts(self, value: object) -> bool:
        """Whether ``value`` may be given."""
        return isinstance(value, bool)


class EnumParameter(StrictModel):
    """One word out of a closed list that the operator, or a trial lock, may set."""

    kind: Literal["enum"]
    name: PortName
    summary: str = Field(min_length=1, max_length=300)
    default: str
    values: tuple[str, ...] = Field(min_length=2)
    lockable: bool = True

    def accepts(self, value: object) -> bool:
        """Whether ``value`` may be given."""
        return value in self.values


InputPort = Annotated[VolumePort | LabelMapPort, Field(discriminator="kind")]
OutputPort = Annotated[VolumePort | LabelMapPort | MeasurementsPort, Field(discriminator="kind")]
Parameter = Annotated[
    IntParameter | FloatParameter | BoolParameter | EnumParameter, Field(discriminator="kind")
]
