"""Perturbed copies as cases: who they count under, and the one line where they cannot be made."""

from pathlib import Path

import pytest

from host.errors import KitError
from host.kits.cases import CaseFile, KitCase
from host.perturbations.cases import check_perturbed, perturbed_cases
from tests.support.perturbations import make_perturbation

HERE = Path("kit") / "cases.csv"


def make_kit_case(case_id: str = "one", **changes: object) -> KitCase:
    file = CaseFile(path=f"cases/{case_id}.nii", sha256="sha256:" + "1" * 64)
    fields: dict[str, object] = {
        "case_id": case_id, "subject_id": "sally", "expected": "ok", "evidence": "patient", "smoke": True,
        "inputs": {"scan": (file,)}, "references": {"mask": file}, "values": {"volume_ml": 3.0},
        "strata": {"site": "A"},
    }  # fmt: skip
    return KitCase.model_validate(fields | changes)


CASES = (make_kit_case("one"), make_kit_case("two"), make_kit_case("never", expected="refused"))


def test_a_copy_counts_under_its_subject_as_derived_evidence_in_a_stratum_of_its_own() -> None:
    noise = make_perturbation("noise", id="noise_5")
    copy, _ = perturbed_cases([noise], CASES)
    assert (copy.case_id, copy.subject_id, copy.evidence) == ("one--noise_5", "sally", "derived")
    assert copy.strata == {"site": "A", "perturbation": "noise_5"}
    assert (copy.values, copy.smoke, copy.original, copy.perturbation) == (
        {"volume_ml": 3.0},
        True,
        CASES[0],
        noise,
    )


def test_a_copy_of_a_phantom_stays_a_phantom() -> None:
    (copy,) = perturbed_cases([make_perturbation()], [make_kit_case(evidence="phantom")])
    assert copy.evidence == "phantom"


def test_every_case_that_is_to_answer_is_copied_unless_cases_are_listed() -> None:
    every, some = make_perturbation(id="a"), make_perturbation(id="b", cases=("two",))
    found = [copy.case_id for copy in perturbed_cases([every, some], CASES)]
    assert found == ["one--a", "two--a", "two--b"]
    check_perturbed(HERE, [every, some], CASES)


@pytest.mark.parametrize(
    ("changes", "cases", "told"),
    [
        ({"cases": ("three",)}, CASES, "there is no case three"),
        ({"cases": ("never",)}, CASES, "never is to be refused"),
        ({"inputs": ("flair",)}, CASES, "perturbation noise_1 of case one: there is no in.flair"),
        ({}, (make_kit_case("a" * 56),), "has more than 63 characters"),
        ({}, (*CASES, make_kit_case("one--noise_1")), "a case is called one--noise_1 already"),
        (
            {},
            (make_kit_case(strata={"perturbation": "none"}),),
            "stratum.perturbation is for the perturbations",
        ),
    ],
)
def test_a_perturbation_that_does_not_fit_the_cases_is_refused_in_one_line(
    changes: dict[str, object], cases: tuple[KitCase, ...], told: str
) -> None:
    with pytest.raises(KitError) as refused:
        check_perturbed(HERE, [make_perturbation(**changes)], cases)
    assert told in refused.value.message and refused.value.message.startswith(str(HERE))
