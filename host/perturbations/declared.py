"""What a protocol declares of a perturbation: a known change of a case's images, and the cases it is made of. Pure.

| kind | level | unit | takes |
|---|---|---|---|
| ``noise`` | standard deviation | ``%`` of a reference intensity, or the port's unit | ``distribution``, ``seed`` |
| ``bias`` | span of the field: 20 % runs from 0.9 to 1.1 | ``%`` | ``seed`` |
| ``intensity`` | factor | ``1`` | |
| ``blur`` | full width at half maximum of a Gaussian | ``mm`` | |
| ``rotation`` | angle, right-handed about the world axis through the image's centre | ``deg`` | ``axis`` |
| ``resampling`` | edge of the new voxels | ``mm`` | ``axis``, to change the voxels along one axis only |
"""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from plugin_spec.case import CaseId
from plugin_spec.codes import UcumUnit
from plugin_spec.model import PortName, StrictModel

PerturbationId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
PerturbationKind = Literal["noise", "bias", "intensity", "blur", "rotation", "resampling"]
STRATUM: Final = "perturbation"
MOVES: Final = frozenset({"rotation", "resampling"})  # the voxels of the output lie elsewhere too
_TAKES: Final[dict[str, frozenset[str]]] = {
    "noise": frozenset({"distribution", "seed"}),
    "bias": frozenset({"seed"}),
    "intensity": frozenset(),
    "blur": frozenset(),
    "rotation": frozenset({"axis"}),
    "resampling": frozenset(),
}
_MAY_TAKE: Final[dict[str, frozenset[str]]] = {
    "noise": frozenset({"reference_intensity", "reference_percentile", "within"}),
    "bias": frozenset({"within"}),
    "resampling": frozenset({"axis"}),
}
_UNITS: Final = {"bias": "%", "intensity": "1", "blur": "mm", "rotation": "deg", "resampling": "mm"}
_LEVELS: Final[dict[str, tuple[float, float]]] = {
    "noise": (0.0, 1e6),
    "bias": (0.0, 199.0),  # at 200 % the field reaches zero
    "intensity": (0.0, 1e3),
    "blur": (0.0, 50.0),
    "rotation": (-180.0, 180.0),
    "resampling": (0.0, 50.0),
}


class Perturbation(StrictModel):
    """One known change of the images of some cases.

    Attributes
    ----------
    id : str
        Names the copies: the copy of case ``C`` is called ``C--ID``, in the stratum ``perturbation=ID``.
    inputs : tuple of str
        Input ports whose images are changed. What moves voxels has to name every image of a case: moving some and not
        others would test a misregistration.
    cases : "all" or tuple of str
        Cases that get a copy. ``all``: every case that is to be answered.
    reference_intensity, reference_percentile : float or None
        What ``%`` of noise is relative to: a value, or a percentile of the image's own voxels. One of the two.
    within : str
        ``nonzero``: voxels of exactly 0 stay 0, and the percentile and the field's span are those of the others; for
        images whose background was masked.
    """

    id: PerturbationId
    kind: PerturbationKind
    level: float
    unit: UcumUnit
    inputs: tuple[PortName, ...] = Field(min_length=1)
    cases: Literal["all"] | Annotated[tuple[CaseId, ...], Field(min_length=1)] = "all"
    seed: int | None = Field(default=None, ge=0, lt=2**32)
    distribution: Literal["gaussian", "rician"] | None = None
    reference_intensity: float | None = Field(default=None, gt=0)
    reference_percentile: float | None = Field(default=None, gt=0, le=100)
    within: Literal["image", "nonzero"] | None = None
    axis: Literal["x", "y", "z"] | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> "Perturbation":
        self._check_fields()
        low, high = _LEVELS[self.kind]
        if not low <= self.level <= high or self.level == 0 or (self.kind, self.level) == ("intensity", 1.0):
            raise ValueError(
                f"level {self.level:g} {self.unit} changes nothing, or is out of reach: {low:g} to {high:g}"
            )
        expected = _UNITS.get(self.kind)
        if expected is not None and self.unit != expected:
            raise ValueError(f"unit: {self.kind} is in {expected}, not {self.unit}")
        for name in ("inputs", "cases"):
            given = getattr(self, name)
            if given != "all" and len(set(given)) != len(given):
                raise ValueError(f"{name}: each may stand once")
        return self

    def _check_fields(self) -> None:
        known = frozenset.union(*_TAKES.values(), *_MAY_TAKE.values())
        given = {name for name in known if getattr(self, name) is not None}
        missing = _TAKES[self.kind] - given
        strange = given - _TAKES[self.kind] - _MAY_TAKE.get(self.kind, frozenset())
        if missing or strange:
            what = (
                f"lacks {', '.join(sorted(missing))}" if missing else f"takes no {', '.join(sorted(strange))}"
            )
            raise ValueError(f"{self.kind} {what}")
        references = (self.reference_intensity is not None) + (self.reference_percentile is not None)
        if self.kind == "noise" and references != (self.unit == "%"):
            raise ValueError(
                "noise in % takes either reference_intensity or reference_percentile; in the image's unit, neither"
            )

    @property
    def moves(self) -> bool:
        """Whether voxels of the copy lie elsewhere than those of the original, so that references move too."""
        return self.kind in MOVES

    @property
    def summary(self) -> str:
        """What is done, in a few words."""
        if self.kind == "intensity":
            return f"intensity times {self.level:g}"
        kind = f"{self.distribution} noise" if self.distribution else self.kind
        about = {"rotation": " about ", "resampling": " along "}.get(self.kind, "")
        return f"{kind} {self.level:g} {self.unit}{about + self.axis if self.axis else ''}"
