"""The acceptance domain: the images on which the evidence holds, as rules the host checks before a run."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field, model_validator

from plugin_spec.codes import UcumUnit
from plugin_spec.model import PortName, StrictModel

# Geometry the host measures itself; every other tag is a DICOM keyword or BIDS sidecar key.
GEOMETRY_TAGS: dict[str, UcumUnit] = {
    "geometry.spacing_min_mm": "mm",
    "geometry.spacing_max_mm": "mm",
    "geometry.extent_min_mm": "mm",
    "geometry.extent_max_mm": "mm",
    "geometry.voxels": "{voxel}",
}
# What the numbers of a BIDS sidecar are measured in (BIDS 1.10, MRI, PET and CT metadata).
SIDECAR_UNITS: Final[Mapping[str, str]] = {
    "EchoTime": "s",
    "FlipAngle": "deg",
    "InversionTime": "s",
    "MagneticFieldStrength": "T",
    "RepetitionTime": "s",
    "RepetitionTimeExcitation": "s",
    "RepetitionTimePreparation": "s",
    "SliceThickness": "mm",
    "SpacingBetweenSlices": "mm",
}
_FACTORS: Final[Mapping[tuple[str, str | None], float]] = {
    ("s", "ms"): 1000.0,
    ("mm", "cm"): 0.1,
    ("s", "min"): 1 / 60,
}


def unit_factor(tag: str, unit: str | None) -> float | None:
    """What turns a sidecar's number for a tag into a unit; None where nothing does, 1 for a tag of no known unit."""
    given = SIDECAR_UNITS.get(tag)
    return 1.0 if given in (None, unit) else _FACTORS.get((str(given), unit))


class DomainRule(StrictModel):
    """One tag and the values on which the evidence holds.

    ``missing`` says what happens when the tag is absent, ``outside`` when its value is.

    Attributes
    ----------
    port : PortName
        Input the rule looks at.
    tag : str
        DICOM keyword or BIDS key, such as MagneticFieldStrength, or ``geometry.…``, which the host
        measures.
    one_of : tuple of str
        Values that are inside.
    minimum, maximum, unit : float or None
        Range that is inside, with its UCUM unit.
    missing : str
        What happens without the tag: ``refuse`` the case, ``flag`` it, or ``accept`` it.
    outside : str
        What happens outside: ``refuse`` the case, or ``flag`` it.
    evidence : str
        What the bounds rest on.
    """

    port: PortName
    tag: str = Field(pattern=r"^(geometry\.[a-z_]+|[A-Z][A-Za-z0-9]{1,63})$")
    one_of: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    unit: UcumUnit | None = None
    missing: Literal["refuse", "flag", "accept"]
    outside: Literal["refuse", "flag"]
    evidence: str = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _one_kind_of_rule(self) -> "DomainRule":
        ranged = self.minimum is not None or self.maximum is not None
        if ranged == (self.one_of is not None):
            raise ValueError("a rule has either one_of or a range; write one_of, or minimum and/or maximum")
        if ranged and self.unit is None:
            unit = GEOMETRY_TAGS.get(self.tag) or SIDECAR_UNITS.get(self.tag, "…")
            raise ValueError(f'a range needs its unit; add unit = "{unit}"')
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(
                f"minimum {self.minimum} must be below maximum {self.maximum}; exchange or correct them"
            )
        if self.tag.startswith("geometry."):
            if self.tag not in GEOMETRY_TAGS:
                raise ValueError(f"unknown geometry tag {self.tag!r}; known: {', '.join(GEOMETRY_TAGS)}")
            if self.unit != GEOMETRY_TAGS[self.tag]:
                raise ValueError(
                    f"{self.tag} is measured in {GEOMETRY_TAGS[self.tag]!r}, not {self.unit!r}; "
                    f'write unit = "{GEOMETRY_TAGS[self.tag]}"'
                )
        return self


STRICTNESS: Final[Mapping[str, int]] = {"accept": 0, "flag": 1, "refuse": 2}


def widening(rule: DomainRule, declared: tuple[DomainRule, ...]) -> str:
    """In what a rule that is to tighten an acceptance domain is wider than the declared rules on the same tag.

    Parameters
    ----------
    rule : DomainRule
        Of a trial lock.
    declared : tuple of DomainRule
        Of the manifest.

    Returns
    -------
    str
        Empty where it is nowhere wider: also where nothing was declared on the tag, for every rule narrows that.
    """
    for other in declared:
        if (other.port, other.tag) == (rule.port, rule.tag) and (found := _wider(rule, other)):
            return found
    return ""


def _wider(rule: DomainRule, other: DomainRule) -> str:
    if (rule.one_of is None) != (other.one_of is None) or rule.unit != other.unit:
        return "it is no rule of the same kind and unit"
    extra = sorted(set(rule.one_of or ()) - set(other.one_of or ()))
    if extra:
        return f"{extra[0]!r} is not among the declared values"
    if other.minimum is not None and (rule.minimum is None or rule.minimum < other.minimum):
        return f"its minimum is below the declared {other.minimum:g}"
    if other.maximum is not None and (rule.maximum is None or rule.maximum > other.maximum):
        return f"its maximum is above the declared {other.maximum:g}"
    for what in ("missing", "outside"):
        asked, said = getattr(rule, what), getattr(other, what)
        if STRICTNESS[asked] < STRICTNESS[said]:
            return f"{what} = {asked!r} is milder than the declared {said!r}"
    return ""
