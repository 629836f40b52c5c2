"""Parameters: values that the operator, or a trial lock, may set within declared bounds."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, model_validator
from pydantic_core import SchemaError

from plugin_spec.codes import UcumUnit
from plugin_spec.model import PortName, StrictModel

MAX_TEXT_CHARACTERS = 200


class ParameterBase(StrictModel):
    """What every parameter has; ``lockable`` says whether a trial lock may freeze it.

    Attributes
    ----------
    name : PortName
        Name of the parameter: lower-case letters, digits and _.
    summary : str
        What it changes.
    lockable : bool
        Whether a trial lock may freeze it.
    """

    name: PortName
    summary: str = Field(min_length=1, max_length=300)
    lockable: bool = True


class IntParameter(ParameterBase):
    """A whole number."""

    kind: Literal["int"]
    default: int
    minimum: int
    maximum: int

    def accepts(self, value: object) -> bool:
        """Whether ``value`` may be given."""
        return (
            isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum
        )


class FloatParameter(ParameterBase):
    """A real number."""

    kind: Literal["float"]
    unit: UcumUnit
    default: float
    minimum: float
    maximum: float

    def accepts(self, value: object) -> bool:
        """Whether ``value`` may be given."""
        return (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and self.minimum <= value <= self.maximum
        )


class BoolParameter(ParameterBase):
    """A switch."""

    kind: Literal["bool"]
    default: bool

    def accepts(self, value: object) -> bool:
        """Whether ``value`` may be given."""
        return isinstance(value, bool)


class EnumParameter(ParameterBase):
    """One word out of a closed list."""

    kind: Literal["enum"]
    default: str
    values: tuple[str, ...] = Field(min_length=2)

    def accepts(self, value: object) -> bool:
        """Whether ``value`` may be given."""
        return value in self.values


class StrParameter(ParameterBase):
    """A short text, all of which must match ``pattern``.

    The pattern is matched by pydantic's engine, whose time is linear in the text whatever the pattern.
    """

    kind: Literal["str"]
    default: str = Field(max_length=MAX_TEXT_CHARACTERS)
    pattern: str = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _pattern_compiles(self) -> "StrParameter":
        try:
            self._matcher()
        except SchemaError as error:
            raise ValueError(
                f"pattern {self.pattern!r} is not a regular expression; mend it: {error}"
            ) from error
        return self

    def accepts(self, value: object) -> bool:
        """Whether ``value`` may be given."""
        try:
            self._matcher().validate_python(value, strict=True)
        except ValidationError:
            return False
        return True

    def _matcher(self) -> TypeAdapter[str]:
        constraint = StringConstraints(pattern=f"^(?:{self.pattern})$", max_length=MAX_TEXT_CHARACTERS)
        return TypeAdapter(Annotated[str, constraint])


Parameter = Annotated[
    IntParameter | FloatParameter | BoolParameter | EnumParameter | StrParameter, Field(discriminator="kind")
]
