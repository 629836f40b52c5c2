"""The pre-registered protocol of a kit: what is measured, how failures count, and what is accepted.

Invariants
----------
* A plan of the first version has none of the later fields, and gives the verdict it always gave.
* No combination passes that would let a failed case help, or that a verdict could not be computed from.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationInfo, model_validator

from host.added_fields import added, in_use
from host.perturbations.declared import Perturbation
from host.sameness.declared import Sameness
from host.statistics.registrations import statistics
from host.validation.criterion import EVERY_CASE, Criterion, Level
from host.validation.metric import Metric, MetricId, Text
from host.validation.plan_rules import plan_faults
from plugin_spec.model import Identifier, PortName, StrictModel, parse_toml

__all__ = ["EVERY_CASE", "Criterion", "Metric", "MetricId", "Protocol", "parse_protocol"]

# In a validation context: rules on the plan are looked at afterwards, all of them.
EVERY_FAULT: Final = "every fault"
Multiplicity = Literal["all_criteria_must_pass", "all_strata_must_pass", "holm"]


class Protocol(StrictModel):
    """The whole plan. Its bytes are registered and cosigned before the first case runs.

    Attributes
    ----------
    multiplicity : str
        ``all_criteria_must_pass``, ``all_strata_must_pass``: the whole is met only where every one is, which needs no
        correction. ``holm``: each criterion is a claim of its own, and the levels are corrected (Holm 1979).
    seed, resamples : int
        Of every bootstrap.
    level, sides : float, int
        Of every criterion that says nothing else.
    clusters : str
        Whose cases belong together.
    resample_within : str or None
        Stratum within whose levels a bootstrap draws subjects; else from all.
    perturbations : tuple of Perturbation
        Known changes of cases; each copy is a case of its own, which only criteria about perturbations count.
    sameness : tuple of Sameness
        Ways of running cases again that must make no difference.
    """

    contract: Literal["assay.protocol/1", "assay.protocol/2"]
    kit: Identifier
    version: str
    title: Text
    question: Text
    context_of_use: Text
    risk: Text
    sample_size_basis: Text
    multiplicity: Multiplicity
    metrics: tuple[Metric, ...] = Field(min_length=1)
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    seed: Annotated[int, Field(ge=0, lt=2**32)] = added(0)
    resamples: Annotated[int, Field(ge=200, le=100_000)] = added(2000)
    level: Level = added(0.95)
    sides: Literal[1, 2] = added(2)
    clusters: Literal["subject"] = added("subject")
    resample_within: PortName | None = added(None)
    perturbations: tuple[Perturbation, ...] = added(())
    sameness: tuple[Sameness, ...] = added(())

    @model_validator(mode="after")
    def _later_fields_need_the_later_contract(self) -> "Protocol":
        if self.contract != "assay.protocol/1":
            return self
        later = in_use(self) or (["multiplicity"] if self.multiplicity != "all_criteria_must_pass" else [])
        if later:
            raise ValueError(f"{later[0]}: needs contract = 'assay.protocol/2'")
        for what, ones in (("metric", self.metrics), ("criterion", self.criteria)):
            for one in ones:
                if not one.is_first_version:
                    raise ValueError(
                        f"{what} {one.id}: says what only contract = 'assay.protocol/2' can; write that"
                    )
        return self

    @model_validator(mode="after")
    def _names_fit_together(self) -> "Protocol":
        ids_of: tuple[tuple[str, Sequence[Metric | Criterion | Perturbation | Sameness]], ...] = (
            ("metrics", self.metrics),
            ("criteria", self.criteria),
            ("perturbations", self.perturbations),
            ("sameness", self.sameness),
        )
        for what, ones in ids_of:
            if len({one.id for one in ones}) != len(ones):
                raise ValueError(f"{what}: each id may stand once")
        known = {metric.id for metric in self.metrics}
        for criterion in self.criteria:
            if criterion.metric not in known:
                raise ValueError(f"criterion {criterion.id}: no metric {criterion.metric!r}")
            failed = self.metric(criterion.metric).failed_case_counts_as
            if not isinstance(failed, str) and criterion.holds(failed):
                raise ValueError(
                    f"criterion {criterion.id}: a failed case would satisfy it, as {failed:g} does"
                )
        return self

    @model_validator(mode="after")
    def _comparisons_are_declared(self) -> "Protocol":
        compared = {one.id for one in self.sameness}
        for metric in self.metrics:
            if metric.against == "unperturbed" and not self.perturbations:
                raise ValueError(
                    f"metric {metric.id}: against 'unperturbed', and no perturbation is declared"
                )
            if metric.sameness is not None and metric.sameness not in compared:
                raise ValueError(f"metric {metric.id}: no [[sameness]] is called {metric.sameness!r}")
        return self

    @model_validator(mode="after")
    def _makes_sense(self, info: ValidationInfo) -> "Protocol":
        """Refuse a plan that breaks a rule; a check, which names every one, says so in the context."""
        if not (info.context or {}).get(EVERY_FAULT):
            for fault in self.faults():
                raise ValueError(fault)
        return self

    def faults(self) -> Iterator[str]:
        """What the plan may not ask for, one line each; the first version stays readable whatever it asks."""
        return plan_faults(self) if self.contract != "assay.protocol/1" else iter(())

    def metric(self, metric_id: str) -> Metric:
        """The metric called ``metric_id``; the model has checked that criteria name existing ones."""
        return next(metric for metric in self.metrics if metric.id == metric_id)

    def strata(self) -> list[str]:
        """Names of all strata that criteria look at one by one."""
        return sorted({name for metric in self.metrics for name in self.strata_of(metric.id)})

    def strata_of(self, metric_id: str) -> set[str]:
        """Names of the strata that criteria on this metric look at."""
        criteria = [one for one in self.criteria if one.metric == metric_id]
        named = {one.stratum for one in criteria if one.stratum} | {
            str(one.options[option.name])
            for one in criteria
            if one.statistic in statistics()
            for option in statistics()[one.statistic].options
            if option.is_stratum and option.name in one.options
        }
        return named | ({self.resample_within} if criteria and self.resample_within else set())


def parse_protocol(data: bytes, path: Path) -> Protocol:
    """Parse the bytes of a ``protocol.toml``; the error names file and field."""
    return parse_toml(data, path, Protocol)
