"""A metric of a protocol: what is computed per case, and what a case that failed counts as."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from host.added_fields import added, in_use
from plugin_spec.codes import UcumUnit
from plugin_spec.model import PortName, StrictModel

MetricId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=3000)]
Kind = Literal["masks", "lesions", "findings", "numbers", "classes", "survival", "outcome", "sameness"]
Against = Literal["reference", "unperturbed", "locked_release"]
Classes = Annotated[tuple[PortName, ...], Field(min_length=2, max_length=50)]
FailedAs = Literal["not met", "image_diagonal", "adverse", "complete_case", "wrong", "all_missed"]

# Per kind: fields it must have, fields it may have, and the words a failed case may count as beside a number.
_FIELDS: dict[Kind, tuple[set[str], set[str]]] = {
    "masks": ({"function", "port", "label", "reference_value"}, {"parameters", "against", "adverse_by"}),
    "lesions": (
        {"function", "port", "label", "reference_value"},
        {"parameters", "against", "failed_false_positives"},
    ),
    "findings": (
        {"function", "port"},
        {"parameters", "label", "reference_value", "reference_connectivity", "failed_false_positives"},
    ),
    "numbers": ({"port", "column"}, {"function", "parameters", "against", "adverse_by"}),
    "classes": ({"port", "classes"}, {"positive"}),
    "survival": ({"port", "column", "higher_score_means"}, {"probabilities"}),
    "outcome": (set(), set()),
    "sameness": ({"sameness"}, set()),
}
_FAILED_AS: dict[Kind, set[FailedAs]] = {
    "masks": {"not met", "image_diagonal", "adverse", "complete_case"},
    "lesions": {"not met", "all_missed", "complete_case"},
    "findings": {"not met", "all_missed", "complete_case"},
    "numbers": {"not met", "adverse", "complete_case"},
    "classes": {"not met", "wrong", "complete_case"},
    "survival": {"not met", "wrong", "complete_case"},
    "outcome": set(),
    "sameness": {"not met"},
}


class RiskColumn(StrictModel):
    """Where a predicted risk stands: ``column`` of a measurements port, or ``value`` of a score.

    Attributes
    ----------
    horizon : float
        In the unit of the kit's times.
    column : str
    port : str or None
        The metric's own where it is not given.
    """

    horizon: float = Field(gt=0)
    column: PortName
    port: PortName | None = added(None)


class Metric(StrictModel):
    """What is computed per case, from an output and its reference: ``function`` with ``parameters``, as registered.

    ``masks``: ``label`` of a label-map ``port`` against ``reference_value`` in the reference label map of that port.
    ``lesions``: the connected components of the same two masks; ``parameters`` say what is one and when it is found.
    ``findings``: detections of a ``port`` (with ``label``, where given) against reference points or boxes, or against
    the components of ``reference_value`` in a reference label map.
    ``numbers``: ``column`` of a measurements ``port``, or ``value`` of a score, against its reference value; without a
    ``function``, the measured number itself, as repeated measurements need it.
    ``classes``: the label of a classification ``port`` against the reference class, in the order of ``classes``.
    ``survival``: a score against the time and event of the case, and its comparator's, which points the same way;
    ``probabilities`` name the predicted risks of an event within their horizons.
    ``outcome``: 1 where the case ended as expected (an expected refusal is a success), otherwise 0.
    ``sameness``: 1 where the declared comparison ``sameness`` found the same answer again, otherwise 0.

    A failed case counts as a number (the worst value), as ``not met``, or as one of: ``image_diagonal`` (the longest
    distance in the image), ``adverse`` (``adverse_by`` too much and too little; the worse verdict counts), ``wrong``
    (the wrong class; the worst rank), ``all_missed`` (no lesion found, and ``failed_false_positives`` false ones),
    ``complete_case`` (left out, where a criterion on an outcome metric bounds the failures).
    """

    id: MetricId
    kind: Kind
    function: MetricId | None = None
    port: PortName | None = None
    label: PortName | None = None
    reference_value: int | None = Field(default=None, ge=1)
    column: PortName | None = None
    unit: UcumUnit
    definition: Text
    failed_case_counts_as: float | FailedAs
    parameters: dict[PortName, int | float | str] = added({})
    classes: Classes | None = added(None)
    positive: PortName | None = added(None)
    higher_score_means: Literal["earlier event", "later event"] | None = added(None)
    probabilities: Annotated[tuple[RiskColumn, ...], Field(min_length=1)] | None = added(None)
    reference_connectivity: Literal[6, 18, 26] | None = added(None)
    sameness: PortName | None = added(None)
    against: Against = added("reference")
    adverse_by: Annotated[float, Field(gt=0)] | None = added(None)
    failed_false_positives: Annotated[int, Field(ge=1, le=10_000)] | None = added(None)

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Metric":
        needed, allowed = _FIELDS[self.kind]
        every = {name for pair in _FIELDS.values() for names in pair for name in names}
        given = {name for name in every if getattr(self, name) != type(self).model_fields[name].default}
        if not needed <= given <= needed | allowed:
            more = f"; optional: {', '.join(sorted(allowed))}" if allowed and given - needed else ""
            raise ValueError(
                f"{self._named} takes exactly: {', '.join(sorted(needed)) or 'nothing more'}{more}"
            )
        return self

    @model_validator(mode="after")
    def _failed_case_fits_its_kind(self) -> "Metric":
        counted = self.failed_case_counts_as
        if isinstance(counted, str) and counted not in _FAILED_AS[self.kind]:
            words = ", ".join(sorted(_FAILED_AS[self.kind])) or "no word"
            raise ValueError(
                f"failed_case_counts_as: {self._named} takes a number or: {words}; not {counted!r}"
            )
        if (counted == "adverse") != (self.adverse_by is not None):
            raise ValueError("adverse_by: stands with failed_case_counts_as = 'adverse', and only there")
        if counted == "adverse" and self.function is None:
            raise ValueError("failed_case_counts_as: adverse is relative to a reference; name a function")
        if counted == "image_diagonal" and self.unit != "mm":
            raise ValueError(f"failed_case_counts_as: an image diagonal is in mm, the metric in {self.unit}")
        if self.failed_false_positives is not None and counted != "all_missed":
            raise ValueError(
                "failed_false_positives: stands with failed_case_counts_as = 'all_missed', and only there"
            )
        return self

    @model_validator(mode="after")
    def _findings_of_a_mask_are_its_components(self) -> "Metric":
        if self.kind != "findings":
            return self
        given = [one is not None for one in (self.reference_value, self.reference_connectivity, self.label)]
        if any(given[:2]) and not all(given):
            raise ValueError("reference_value: of findings, stands with reference_connectivity and label")
        return self

    @model_validator(mode="after")
    def _classes_and_horizons_are_distinct(self) -> "Metric":
        classes = self.classes or ()
        if len(set(classes)) != len(classes):
            raise ValueError("classes: each may stand once")
        if self.positive is not None and self.positive not in classes:
            raise ValueError(f"positive: {self.positive!r} is none of the classes")
        horizons = [one.horizon for one in self.probabilities or ()]
        if sorted(set(horizons)) != horizons:
            raise ValueError("probabilities: horizons must rise")
        return self

    @property
    def _named(self) -> str:
        return f"{'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind} metric"

    @property
    def is_first_version(self) -> bool:
        """Whether a plan of the first version could have held it."""
        if self.kind not in {"masks", "numbers", "outcome"} or in_use(self):
            return False
        if self.kind == "numbers" and self.function is None:
            return False
        return not isinstance(self.failed_case_counts_as, str) or self.failed_case_counts_as == "not met"
