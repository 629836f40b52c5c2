"""What a report says of its own limits: kinds of data, and too few patients."""

import pytest

from host.reports.subject import PATIENTS_MIN, limits_of_evidence
from host.validation.rows import CaseRow
from tests.support.plans import make_row


def rows(kind: str | None, count: int) -> list[CaseRow]:
    return [make_row(f"{kind}-{at}", 0.9, evidence=kind) for at in range(count)]


def test_enough_patients_are_no_limit_and_one_fewer_is_a_case_series() -> None:
    assert limits_of_evidence(rows("patient", PATIENTS_MIN), "patient") == []
    (line,) = limits_of_evidence(rows("patient", PATIENTS_MIN - 1), "patient")
    assert line.startswith("19 patients: a case series.")


def test_visits_of_one_patient_are_one_patient() -> None:
    visits = [row.model_copy(update={"subject": "one"}) for row in rows("patient", 30)]
    (line,) = limits_of_evidence(visits, "patient")
    assert line.startswith("1 patient: a case series.")


@pytest.mark.parametrize(
    ("kind", "words"), [("derived", "derived from other images"), ("phantom", "phantoms")]
)
def test_cases_that_are_no_patients_are_counted_as_what_they_are(kind: str, words: str) -> None:
    (line,) = limits_of_evidence([*rows(kind, 2), *rows("patient", PATIENTS_MIN)], kind)  # type: ignore[arg-type]  # a kind
    assert line.startswith(f"2 of 22 cases (2 subjects) are {words}")


def test_a_table_that_does_not_say_it_is_of_the_kits_kind() -> None:
    (line,) = limits_of_evidence(rows(None, 3), "phantom")
    assert line.startswith("3 of 3 cases (3 subjects) are phantoms")
