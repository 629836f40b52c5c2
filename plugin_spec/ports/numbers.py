"""Ports that hold numbers: measurements, classifications, detections and scores."""

from typing import Literal

from pydantic import Field, model_validator

from plugin_spec.codes import Concept, UcumUnit
from plugin_spec.model import ColumnName, PortName, StrictModel
from plugin_spec.ports.port import Port


class Repeatability(StrictModel):
    """The author's claim about test and retest: a repeatability coefficient in the column's unit, or a wCV.

    Attributes
    ----------
    coefficient : float or None
        Repeatability coefficient in the column's unit.
    wcv_percent : float or None
        Within-subject coefficient of variation.
    source : str
        The test-retest study.
    """

    coefficient: float | None = Field(default=None, gt=0)
    wcv_percent: float | None = Field(default=None, gt=0, le=100)
    source: str = Field(min_length=1, max_length=300)

    @model_validator(mode="after")
    def _one_figure(self) -> "Repeatability":
        if (self.coefficient is None) == (self.wcv_percent is None):
            raise ValueError("repeatability is one figure; give either coefficient or wcv_percent")
        return self


class Column(StrictModel):
    """One column of a measurements table: what is measured, in which unit, and what is plausible.

    Attributes
    ----------
    name : ColumnName
        Name of the column: lower-case letters, digits and _.
    summary : str
        What is measured.
    concept : Concept or None
        Coded concept, so that numbers of two plugins can be told to be of one thing.
    unit : UcumUnit
        UCUM unit.
    minimum, maximum : float
        What is plausible; outside, the host refuses the answer.
    decimals : int
        Digits that are shown and compared.
    repeatability : Repeatability or None
        What is claimed about test and retest.
    """

    name: ColumnName
    summary: str = Field(min_length=1, max_length=300)
    concept: Concept | None = None
    unit: UcumUnit
    minimum: float
    maximum: float
    decimals: int = Field(ge=0, le=6)
    repeatability: Repeatability | None = None

    @model_validator(mode="after")
    def _range_is_ordered(self) -> "Column":
        if self.minimum >= self.maximum:
            raise ValueError(
                f"minimum {self.minimum} must be below maximum {self.maximum}; exchange or correct them"
            )
        return self


class MeasurementsPort(Port):
    """Rows of numbers, one per case, label, lesion or time-point.

    Attributes
    ----------
    rows_per : str
        What a row stands for.
    columns : tuple of Column
        What is measured.
    """

    kind: Literal["measurements"]
    rows_per: Literal["case", "label", "lesion", "time_point"]
    columns: tuple[Column, ...] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _columns_are_distinct(self) -> "MeasurementsPort":
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError("columns: each name may stand once; rename the others")
        return self


class ClassLabel(StrictModel):
    """One class an answer may name."""

    name: ColumnName
    summary: str = Field(min_length=1, max_length=300)
    concept: Concept | None = None


class OperatingPoint(StrictModel):
    """The rule that turns probabilities into a call: ``positive`` where its probability is ``threshold`` or more."""

    positive: ColumnName
    threshold: float = Field(gt=0, lt=1)
    source: str = Field(min_length=1, max_length=300)


class ClassificationPort(Port):
    """One class out of a closed list, with probabilities where ``probabilities`` says so.

    The classes exclude each other: probabilities sum to 1. Without an operating point the call is the class of the
    highest probability.
    """

    kind: Literal["classification"]
    classes: tuple[ClassLabel, ...] = Field(min_length=2, max_length=1000)
    probabilities: bool = True
    operating_point: OperatingPoint | None = None

    @model_validator(mode="after")
    def _classes_fit(self) -> "ClassificationPort":
        names = [one.name for one in self.classes]
        if len(set(names)) != len(names):
            raise ValueError("classes: each name may stand once; rename the others")
        if self.operating_point is not None:
            if not self.probabilities:
                raise ValueError(
                    "operating_point needs probabilities; write probabilities = true, or remove it"
                )
            if len(names) != 2:
                raise ValueError("operating_point needs exactly two classes; remove it, or declare two")
            if self.operating_point.positive not in names:
                known = ", ".join(names)
                raise ValueError(
                    f"operating_point: {self.operating_point.positive!r} is not a class; write one of: {known}"
                )
        return self


class DetectionsPort(Port):
    """Findings as points or boxes, in patient coordinates (LPS, mm).

    Attributes
    ----------
    shape : str
        ``point`` is one position; ``box`` two opposite corners of an axis-aligned box.
    classes : tuple of str
        What a finding may be.
    scored : bool
        Whether each finding carries a score from 0 to 1.
    tracked : bool
        Whether each finding carries a ``track_id`` that stays the same across time-points.
    within : PortName or None
        The image input inside whose field of view every finding must lie.
    """

    kind: Literal["detections"]
    shape: Literal["point", "box"]
    classes: tuple[ClassLabel, ...] = Field(min_length=1, max_length=1000)
    scored: bool = True
    tracked: bool = False
    within: PortName | None = None

    @model_validator(mode="after")
    def _classes_are_distinct(self) -> "DetectionsPort":
        names = [one.name for one in self.classes]
        if len(set(names)) != len(names):
            raise ValueError("classes: each name may stand once; rename the others")
        return self


class Horizon(StrictModel):
    """How far ahead a prediction looks."""

    value: float = Field(gt=0)
    unit: Literal["d", "mo", "a"]


class ScorePort(Port):
    """One number with its uncertainty: a risk, an index, a predicted time.

    ``interval`` is the kind that comes with every value: a confidence interval (of a mean or parameter) or a
    prediction interval (of one new observation), two-sided at ``level``.

    Attributes
    ----------
    concept, unit : Concept or None
        What the number is, and its UCUM unit.
    minimum, maximum : float
        What is plausible; outside, the host refuses the answer.
    decimals : int
        Digits that are shown and compared.
    level : float
        Coverage of the interval.
    horizon : Horizon or None
        How far ahead a prediction looks.
    """

    kind: Literal["score"]
    concept: Concept | None = None
    unit: UcumUnit
    minimum: float
    maximum: float
    decimals: int = Field(default=4, ge=0, le=6)
    interval: Literal["none", "confidence", "prediction"]
    level: float = Field(default=0.95, gt=0.5, lt=1)
    horizon: Horizon | None = None

    @model_validator(mode="after")
    def _range_is_ordered(self) -> "ScorePort":
        if self.minimum >= self.maximum:
            raise ValueError(
                f"minimum {self.minimum} must be below maximum {self.maximum}; exchange or correct them"
            )
        return self
