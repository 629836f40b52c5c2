"""The JSON documents that ports hold: measurements, classification, detections, score and transform.

Invariant: a document is read strictly and stands by itself; whether it fits its port is the host's next question.
"""

import json
import math
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator

from plugin_spec.errors import ContractError
from plugin_spec.model import ColumnName, ModelT, PortName, StrictModel, first_fault
from plugin_spec.runtime.protocol import DOCUMENT_CONTRACTS, MAX_MESSAGE_CHARACTERS, MEASUREMENTS_CONTRACT

Line = Annotated[str, StringConstraints(max_length=MAX_MESSAGE_CHARACTERS)]
MAX_DOCUMENT_BYTES = 1024 * 1024
MAX_DETECTIONS = 10_000
Probability = Annotated[float, Field(ge=0, le=1)]
Point = tuple[float, float, float]
TrackId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]


class MeasurementRows(StrictModel):
    """A measurements file: rows of named numbers or words."""

    contract: Literal["assay.measurements/1"] = MEASUREMENTS_CONTRACT
    rows: tuple[dict[PortName, float | Line], ...] = Field(max_length=100_000)


class ClassificationDocument(StrictModel):
    """A classification file: the call, and a probability per class where the port declares them."""

    contract: Literal["assay.classification/1"]
    label: ColumnName
    probabilities: dict[ColumnName, Probability] | None = None


class Detection(StrictModel):
    """One finding, in patient coordinates (LPS, mm): a point, or two opposite corners of a box."""

    label: ColumnName
    point: Point | None = None
    box: tuple[Point, Point] | None = None
    score: Probability | None = None
    track_id: TrackId | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> "Detection":
        if (self.point is None) == (self.box is None):
            raise ValueError("a detection has either a point or a box")
        if self.box is not None and any(low > high for low, high in zip(*self.box, strict=True)):
            raise ValueError("box: the first corner must have the lower coordinates")
        return self

    def corners(self) -> tuple[Point, ...]:
        """The positions that say where it is: the point, or both corners."""
        return self.box if self.box is not None else (self.point,) if self.point is not None else ()


class DetectionsDocument(StrictModel):
    """A detections file. ``frame`` is written out, since RAS and LPS differ by two signs and look alike."""

    contract: Literal["assay.detections/1"]
    frame: Literal["LPS"]
    detections: tuple[Detection, ...] = Field(max_length=MAX_DETECTIONS)


class ScoreDocument(StrictModel):
    """A score file: a value, and its interval where the port declares one."""

    contract: Literal["assay.score/1"]
    value: float
    lower: float | None = None
    upper: float | None = None

    @model_validator(mode="after")
    def _interval_holds_the_value(self) -> "ScoreDocument":
        if (self.lower is None) != (self.upper is None):
            raise ValueError("lower and upper stand together")
        if self.lower is not None and self.upper is not None and not self.lower <= self.value <= self.upper:
            raise ValueError(f"{self.value:g} lies outside its own interval {self.lower:g} to {self.upper:g}")
        return self


class TransformDocument(StrictModel):
    """A transform file: a 4 x 4 matrix that maps points (RAS+, mm, column vectors) of one image to another."""

    contract: Literal["assay.transform/1"]
    matrix: tuple[tuple[float, float, float, float], ...] = Field(min_length=4, max_length=4)

    @model_validator(mode="after")
    def _is_affine(self) -> "TransformDocument":
        if self.matrix[3] != (0.0, 0.0, 0.0, 1.0):
            raise ValueError("matrix: the last row must be 0 0 0 1")
        if math.isclose(self.determinant, 0.0, abs_tol=1e-9):
            raise ValueError("matrix: it cannot be inverted")
        return self

    @property
    def determinant(self) -> float:
        """Of the linear part; the factor by which volumes change, negative where left and right are swapped."""
        (a, b, c, _), (d, e, f, _), (g, h, i, _) = self.matrix[:3]
        return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


DOCUMENTS: dict[str, type[StrictModel]] = {
    "measurements": MeasurementRows,
    "classification": ClassificationDocument,
    "detections": DetectionsDocument,
    "score": ScoreDocument,
    "transform": TransformDocument,
}
assert set(DOCUMENTS) == set(DOCUMENT_CONTRACTS)  # noqa: S101 - both sides of the wall know the same kinds


def parse_document(data: bytes, model: type[ModelT], *, port: str) -> ModelT:
    """Read a document as a plugin, or an operator, left it.

    Raises
    ------
    ContractError
        Too large, not JSON, a field that stands twice (readers would differ about it), or one that does not fit; the
        port and the field are named.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise ContractError(f"port {port}: larger than {MAX_DOCUMENT_BYTES} bytes", subject=port)
    repeated = _repeated_field(data)
    if repeated is not None:
        raise ContractError(f"port {port}: the field {repeated!r} stands twice", subject=port)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise ContractError(f"port {port}: {first_fault(error)}", subject=port) from error


class _RepeatedFieldError(Exception):
    """An object of a document has a field twice."""


def _repeated_field(data: bytes) -> str | None:
    """A field that stands twice in one object; ``None`` where none does, or where the bytes are no JSON at all."""
    try:
        json.loads(data, object_pairs_hook=_distinct)
    except _RepeatedFieldError as error:
        return str(error)[:60]
    except (ValueError, RecursionError):  # the model says what is wrong
        return None
    return None


def _distinct(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise _RepeatedFieldError(next(name for name in names if names.count(name) > 1))
