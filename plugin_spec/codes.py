"""Closed vocabularies: UCUM units and coded concepts.

Units are UCUM codes (Schadow & McDonald, The Unified Code for Units of Measure, case sensitive). The list is
closed on purpose: a unit that nobody reviewed is a unit that nobody compares correctly.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from plugin_spec.model import StrictModel

UCUM_UNITS: dict[str, str] = {
    "1": "dimensionless",
    "%": "percent",
    "mm": "millimetre",
    "cm": "centimetre",
    "mm2": "square millimetre",
    "mm3": "cubic millimetre",
    "cm3": "cubic centimetre",
    "mL": "millilitre",
    "mL/m2": "millilitre per square metre",
    "ms": "millisecond",
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "mo": "month",
    "a": "year",
    "g": "gram",
    "kg": "kilogram",
    "MiBy": "mebibyte",
    "T": "tesla",
    "deg": "degree of plane angle",
    "Bq/mL": "becquerel per millilitre",
    "MBq": "megabecquerel",
    "[hnsf'U]": "Hounsfield unit",
    "g/mL": "gram per millilitre (standardised uptake value, body weight)",
    "{SUVR}": "standardised uptake value ratio",
    "{CL}": "Centiloid",
    "{lesion}": "lesion count",
    "{voxel}": "voxel count",
    "{probability}": "probability",
    "{arbitrary}": "arbitrary signal intensity",
}


def _known_unit(code: str) -> str:
    if code not in UCUM_UNITS:
        lowered = {unit.casefold(): unit for unit in UCUM_UNITS}
        near = lowered.get(code.casefold())
        hint = f"did you mean {near!r}? UCUM is case sensitive" if near else "known: " + " ".join(UCUM_UNITS)
        raise ValueError(f"{code!r} is not a known UCUM unit; {hint}")
    return code


UcumUnit = Annotated[
    str, AfterValidator(_known_unit), WithJsonSchema({"type": "string", "enum": list(UCUM_UNITS)})
]


class Concept(StrictModel):
    """A coded concept, as DICOM writes it: value, coding scheme, meaning.

    Attributes
    ----------
    value : str
        Code, such as 12738006.
    scheme : str
        Coding scheme, such as SCT for SNOMED CT.
    meaning : str
        Name of the concept.
    """

    value: str = Field(min_length=1, max_length=16)
    scheme: str = Field(min_length=1, max_length=16)
    meaning: str = Field(min_length=1, max_length=64)
