"""How many cases and patients each criterion has in each scope: whether it can end in a verdict at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from host.kits.cases import KitCase
from host.perturbations.cases import perturbed_cases
from host.validation.criterion import Criterion
from host.validation.denominator import concerned, scopes
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow

FEWEST_OF_AN_INTERVAL: Final = 2


@dataclass(frozen=True)
class ScopeCount:
    """A criterion in one scope, and what it would be judged on if every case ended as it is to.

    Attributes
    ----------
    criterion, scope : str
    cases, patients : int
        Cases, and patients among their subjects: derived cases and phantoms are nobody.
    min_cases, min_subjects : int
        What the criterion asks for; 0 where it asks for no number of patients.
    lacking : str
        Why the verdict can only be "insufficient evidence"; empty where it need not.
    """

    criterion: str
    scope: str
    cases: int
    patients: int
    min_cases: int
    min_subjects: int
    lacking: str


def scope_counts(protocol: Protocol, cases: Sequence[KitCase]) -> tuple[ScopeCount, ...]:
    """Count the cases of a whole kit, perturbed copies included, criterion by criterion and scope by scope.

    A criterion on a comparison with the locked release is left out: a validation names that release, not the kit.
    """
    every = (*cases, *perturbed_cases(protocol.perturbations, cases))
    rows = [_as_it_should_end(case) for case in every]
    found = []
    for criterion in protocol.criteria:
        if protocol.metric(criterion.metric).against != "locked_release":
            of_criterion = concerned(protocol, criterion, rows)
            found += [_count(criterion, scope, of) for scope, of in scopes(criterion, of_criterion)]
    return tuple(found)


def _as_it_should_end(case: KitCase) -> CaseRow:
    return CaseRow(
        case=case.case_id,
        subject=case.subject_id,
        expected=case.expected,
        outcome=case.expected,
        reason_code="",
        strata=dict(case.strata),
        values={},
        evidence=case.evidence,
    )


def _count(criterion: Criterion, scope: str, rows: Sequence[CaseRow]) -> ScopeCount:
    of_patients = [row for row in rows if row.evidence == "patient"]
    if of_patients and criterion.judged is not None:
        rows = of_patients  # as `host.validation.verdict` has it
    patients = len({row.subject for row in of_patients if row.outcome == "ok"})
    wanted = criterion.min_subjects or 0
    lacking = ""
    if len(rows) < criterion.min_cases:
        lacking = f"{len(rows)} case(s), {criterion.min_cases} are asked for"
    elif patients < wanted:
        lacking = f"{patients} patient(s), {wanted} are asked for"
    elif criterion.judges_interval and patients < FEWEST_OF_AN_INTERVAL:
        lacking = f"an interval is asked for, and there are {patients} patients"
    return ScopeCount(criterion.id, scope, len(rows), patients, criterion.min_cases, wanted, lacking)
