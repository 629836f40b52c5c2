"""Units: the list is closed, and a near miss is answered with the right spelling."""

import pytest
from pydantic import TypeAdapter, ValidationError

from plugin_spec.codes import UCUM_UNITS, Concept, UcumUnit

unit = TypeAdapter(UcumUnit)


@pytest.mark.parametrize("code", sorted(UCUM_UNITS))
def test_every_listed_unit_is_accepted_unchanged(code: str) -> None:
    assert unit.validate_python(code) == code


@pytest.mark.parametrize(("wrong", "right"), [("ml", "mL"), ("MM", "mm"), ("BQ/ML", "Bq/mL"), ("t", "T")])
def test_a_unit_in_the_wrong_case_names_the_right_one(wrong: str, right: str) -> None:
    with pytest.raises(ValidationError, match=f"did you mean '{right}'"):
        unit.validate_python(wrong)


def test_an_unknown_unit_is_answered_with_the_list() -> None:
    with pytest.raises(ValidationError, match="'cc' is not a known UCUM unit; known: 1 % mm"):
        unit.validate_python("cc")


def test_no_two_units_differ_by_case_alone() -> None:
    assert len({code.casefold() for code in UCUM_UNITS}) == len(UCUM_UNITS)


def test_a_coded_concept_has_the_lengths_of_dicom() -> None:
    concept = Concept(value="12738006", scheme="SCT", meaning="Brain")
    assert concept.scheme == "SCT"
    with pytest.raises(ValidationError, match="at most 16"):
        Concept(value="1" * 17, scheme="SCT", meaning="Brain")
