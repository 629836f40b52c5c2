"""The pre-registered protocol of a kit: what is measured, how failures count, and what is accepted."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from plugin_spec.codes import UcumUnit
from plugin_spec.model import Identifier, PortName, StrictModel, parse_toml

MetricId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=3000)]


class Metric(StrictModel):
    """One figure computed per case: a registered metric applied to an output and its reference.

    ``masks``: ``label`` of a label-map ``port`` against ``reference_value`` in the reference label map of that port.
    ``numbers``: ``column`` of a measurements ``port`` against the reference value of that column.
    ``outcome``: 1 where the case ended as expected (an expected refusal is a success), otherwise 0.
    """

    id: MetricId
    kind: Literal["masks", "numbers", "outcome"]
    function: MetricId | None = None
    port: PortName | None = None
    label: PortName | None = None
    reference_value: int | None = Field(default=None, ge=1)
    column: PortName | None = None
    unit: UcumUnit
    definition: Text
    failed_case_counts_as: float | Literal["not met"]

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Metric":
        needed = {
            "masks": {"function", "port", "label", "reference_value"},
            "numbers": {"function", "port", "column"},
            "outcome": set(),
        }[self.kind]
        fields = ("function", "port", "label", "reference_value", "column")
        given = {name for name in fields if getattr(self, name) is not None}
        if given != needed:
            raise ValueError(
                f"a {self.kind} metric takes exactly: {', '.join(sorted(needed)) or 'nothing more'}"
            )
        return self


class Criterion(StrictModel):
    """An acceptance criterion, fixed before the first run."""

    id: MetricId
    requirement: Text
    metric: MetricId
    statistic: Literal["every_case"]
    comparator: Literal[">=", "<=", "abs<="]
    bound: float
    scope: Annotated[str, StringConstraints(pattern=r"^(overall|each:[a-z][a-z0-9_]{0,62})$")]
    min_cases: int = Field(ge=1)
    rationale: Text

    def holds(self, value: float) -> bool:
        """Whether one value satisfies the comparator and bound."""
        if self.comparator == ">=":
            return value >= self.bound
        return (abs(value) if self.comparator == "abs<=" else value) <= self.bound


class Protocol(StrictModel):
    """The whole plan. Its bytes are registered and cosigned before the first case runs."""

    contract: Literal["assay.protocol/1"]
    kit: Identifier
    version: str
    title: Text
    question: Text
    context_of_use: Text
    risk: Text
    sample_size_basis: Text
    multiplicity: Literal["all_criteria_must_pass"]
    metrics: tuple[Metric, ...] = Field(min_length=1)
    criteria: tuple[Criterion, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_fit_together(self) -> "Protocol":
        for what, ids in (
            ("metrics", [m.id for m in self.metrics]),
            ("criteria", [c.id for c in self.criteria]),
        ):
            if len(set(ids)) != len(ids):
                raise ValueError(f"{what}: each id may stand once")
        known = {metric.id for metric in self.metrics}
        for criterion in self.criteria:
            if criterion.metric not in known:
                raise ValueError(f"criterion {criterion.id}: no metric {criterion.metric!r}")
            failed = self.metric(criterion.metric).failed_case_counts_as
            if failed != "not met" and criterion.holds(failed):
                raise ValueError(
                    f"criterion {criterion.id}: a failed case would satisfy it, as {failed:g} does"
                )
        return self

    def metric(self, metric_id: str) -> Metric:
        """The metric called ``metric_id``; the model has checked that criteria name existing ones."""
        return next(metric for metric in self.metrics if metric.id == metric_id)

    def strata(self) -> list[str]:
        """Names of all strata that criteria look at one by one."""
        return sorted({name for metric in self.metrics for name in self.strata_of(metric.id)})

    def strata_of(self, metric_id: str) -> set[str]:
        """Names of the strata in which criteria on this metric are judged one by one."""
        scopes = {one.scope for one in self.criteria if one.metric == metric_id}
        return {scope.removeprefix("each:") for scope in scopes - {"overall"}}


def parse_protocol(data: bytes, path: Path) -> Protocol:
    """Parse the bytes of a ``protocol.toml``; the error names file and field."""
    return parse_toml(data, path, Protocol)
