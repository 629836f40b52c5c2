"""What every port has: a name, a sentence, how many files it takes, and its place in time."""

from typing import Literal

from pydantic import Field, model_validator

from plugin_spec.model import PortName, StrictModel

TimePoint = Literal["any", "baseline", "followup"]
MAX_FILES_PER_PORT = 64


class Interval(StrictModel):
    """How long after baseline a follow-up was acquired, in days."""

    minimum: float = Field(ge=0, le=36525)
    maximum: float = Field(gt=0, le=36525)

    @model_validator(mode="after")
    def _is_ordered(self) -> "Interval":
        if self.minimum >= self.maximum:
            raise ValueError(
                f"minimum {self.minimum} must be below maximum {self.maximum}; exchange or correct them"
            )
        return self


class Port(StrictModel):
    """The part that all kinds share.

    Attributes
    ----------
    name : PortName
        Name of the port: lower-case letters, digits and _.
    summary : str
        What it is, in a sentence.
    at_least, at_most : int
        How many files the port takes: 0 to 1 is an optional port; more than 1 arrives as a list.
    time_point : str
        Which visit the file belongs to.
    order : int or None
        Rank of the visit among several follow-ups, counted from 1.
    interval_days : Interval or None
        Days between the baseline port and this one, judged by the host on acquisition dates.
    """

    name: PortName
    summary: str = Field(min_length=1, max_length=300)
    at_least: int = Field(default=1, ge=0, le=MAX_FILES_PER_PORT)
    at_most: int = Field(default=1, ge=1, le=MAX_FILES_PER_PORT)
    time_point: TimePoint = "any"
    order: int | None = Field(default=None, ge=1, le=1000)
    interval_days: Interval | None = None

    @property
    def is_list(self) -> bool:
        """Whether the port's files arrive as a list."""
        return self.at_most > 1

    @model_validator(mode="after")
    def _place_is_possible(self) -> "Port":
        if self.at_least > self.at_most:
            raise ValueError(
                f"at_least {self.at_least} is above at_most {self.at_most}; exchange or correct them"
            )
        if self.time_point != "followup" and (self.order is not None or self.interval_days is not None):
            raise ValueError(
                'order and interval_days belong to a follow-up; write time_point = "followup", or remove them'
            )
        return self
