"""An acceptance criterion of a protocol: which figure, on which side of which bound, on how many subjects."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from host.added_fields import added, in_use
from host.validation.metric import MetricId, Text
from plugin_spec.model import PortName, StrictModel

EVERY_CASE = "every_case"
Judged = Literal["estimate", "ci_low", "ci_high", "interval"]
Level = Annotated[float, Field(ge=0.8, lt=1)]
Comparator = Literal[">=", "<=", "abs<=", "within"]
Scope = Annotated[
    str, StringConstraints(pattern=r"^(overall|each:[a-z][a-z0-9_]{0,62}|[a-z][a-z0-9_]{0,62}=[^=]{1,100})$")
]
_SIDES_THAT_MAKE_SENSE = {
    "estimate": {">=", "<=", "abs<=", "within"},
    "ci_low": {">="},
    "ci_high": {"<="},
    "interval": {"abs<=", "within"},
}


class Criterion(StrictModel):
    """An acceptance criterion, fixed before the first run.

    Attributes
    ----------
    statistic : str
        ``every_case``: the worst case decides; otherwise a registered statistic of the cases together.
    judged : str or None
        What of the statistic is compared with the bound: the estimate, an end of its interval, or both ends.
    bound, bound_high : float
        ``within`` has both; ``abs<=`` means within plus and minus ``bound``.
    level, sides : float, int or None
        Confidence of the statement, and whether it is one-sided; the protocol's where they are not given. A one-sided
        statement at level p uses the two-sided interval at 2p - 1.
    scope : str
        ``overall``, ``each:STRATUM``, or ``STRATUM=LEVEL``.
    min_cases, min_subjects : int
        Below either, the evidence is insufficient. Subjects are counted among the answered cases of patients.
    method : str or None
        The interval's method, where the statistic offers several.
    options : dict
        What else the statistic asks for: a horizon, an error ratio, the false positives per case.
    """

    id: MetricId
    requirement: Text
    metric: MetricId
    statistic: MetricId
    comparator: Comparator
    bound: float
    scope: Scope
    min_cases: int = Field(ge=1)
    rationale: Text
    judged: Judged | None = added(None)
    bound_high: float | None = added(None)
    level: Level | None = added(None)
    sides: Literal[1, 2] | None = added(None)
    min_subjects: Annotated[int, Field(ge=1)] | None = added(None)
    method: MetricId | None = added(None)
    options: dict[PortName, int | float | str] = added({})

    @model_validator(mode="after")
    def _bounds_fit_the_comparator(self) -> "Criterion":
        if (self.comparator == "within") != (self.bound_high is not None):
            raise ValueError("bound_high: stands with comparator 'within', and only there")
        if self.bound_high is not None and self.bound_high <= self.bound:
            raise ValueError(f"bound_high: {self.bound_high:g} must be above the bound {self.bound:g}")
        return self

    @model_validator(mode="after")
    def _judged_fits_the_statistic(self) -> "Criterion":
        if self.statistic == EVERY_CASE:
            unused = set(in_use(self)) - {"bound_high", "min_subjects"}
            if unused:
                raise ValueError(f"{min(unused)}: every_case judges each value; leave it out")
            return self
        if self.judged is None:
            raise ValueError(f"judged: say what of {self.statistic} is judged: estimate or an interval's end")
        if self.comparator not in _SIDES_THAT_MAKE_SENSE[self.judged]:
            sides = " or ".join(sorted(_SIDES_THAT_MAKE_SENSE[self.judged]))
            raise ValueError(f"comparator: {self.judged} is judged by {sides}, not by {self.comparator}")
        beside = in_use(self, "level", "sides", "method")
        if self.judged == "estimate" and beside:
            raise ValueError(f"{beside[0]}: no interval is judged; leave it out")
        return self

    @property
    def stratum(self) -> str:
        """The stratum that the scope names; empty for all cases."""
        return "" if self.scope == "overall" else self.scope.removeprefix("each:").partition("=")[0]

    @property
    def judges_interval(self) -> bool:
        """Whether an end of an interval decides."""
        return self.judged not in {None, "estimate"}

    @property
    def is_first_version(self) -> bool:
        """Whether a plan of the first version could have held it."""
        return self.statistic == EVERY_CASE and not in_use(self) and "=" not in self.scope

    def holds(self, value: float) -> bool:
        """Whether one value satisfies the comparator and its bounds."""
        if self.comparator == ">=":
            return value >= self.bound
        if self.comparator == "<=":
            return value <= self.bound
        low, high = self.allowed
        return low <= value <= high

    @property
    def allowed(self) -> tuple[float, float]:
        """The values that hold, both ends included; an infinite end is open."""
        if self.comparator == ">=":
            return self.bound, float("inf")
        if self.comparator == "<=":
            return float("-inf"), self.bound
        return (self.bound, self.bound_high) if self.bound_high is not None else (-self.bound, self.bound)
