"""The perturbed copies of a kit's cases, as cases of their own: same subject, weaker evidence, a stratum. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from host.errors import KitError
from host.kits.cases import EVIDENCE_ORDER, KitCase
from host.perturbations.declared import STRATUM, Perturbation

# A case's id has at most 63 characters.
SEPARATOR: Final = "--"
_ID_LENGTH_MAX: Final = 63


class PerturbedCase(KitCase):
    """A copy of a case with a known change.

    Attributes
    ----------
    original : KitCase
        What it is a copy of; ``inputs`` and ``references`` are still the original's files.
    perturbation : Perturbation
        What is to be done to them.
    """

    original: KitCase
    perturbation: Perturbation


def perturbed_cases(
    perturbations: Sequence[Perturbation], cases: Sequence[KitCase]
) -> tuple[PerturbedCase, ...]:
    """The copies that a protocol's perturbations make of a kit's cases, perturbation by perturbation."""
    return tuple(_copy(case, one) for one in perturbations for case in cases if _concerns(one, case))


def copy_id(case_id: str, perturbation: str) -> str:
    """What the perturbed copy of a case is called."""
    return f"{case_id}{SEPARATOR}{perturbation}"


def _concerns(perturbation: Perturbation, case: KitCase) -> bool:
    if perturbation.cases == "all":
        return case.expected == "ok"
    return case.case_id in perturbation.cases


def _copy(case: KitCase, perturbation: Perturbation) -> PerturbedCase:
    weakest = max(case.evidence, "derived", key=EVIDENCE_ORDER.index)
    fields = {name: getattr(case, name) for name in KitCase.model_fields}
    fields |= {
        "case_id": copy_id(case.case_id, perturbation.id),
        "evidence": weakest,
        "strata": {**case.strata, STRATUM: perturbation.id},
        "readers": {},  # what readers saw was the original
    }
    return PerturbedCase(**fields, original=case, perturbation=perturbation)


def check_perturbed(path: Path, perturbations: Sequence[Perturbation], cases: Sequence[KitCase]) -> None:
    """Refuse perturbations that do not fit the cases of ``path``.

    Raises
    ------
    KitError
        One line with the perturbation, the case and the column.
    """
    fault = next(perturbation_faults(perturbations, cases), "")
    if fault:
        raise KitError(f"{path}: {fault}", subject=str(path))


def perturbation_faults(perturbations: Sequence[Perturbation], cases: Sequence[KitCase]) -> Iterator[str]:
    """What keeps perturbations from being made of these cases, in one sentence each."""
    known = {case.case_id: case for case in cases}
    if perturbations and any(STRATUM in case.strata for case in cases):
        yield f"the column stratum.{STRATUM} is for the perturbations of protocol.toml"
    for one in perturbations:
        for case_id in () if one.cases == "all" else one.cases:
            if case_id not in known:
                yield f"perturbation {one.id}: there is no case {case_id}"
            elif known[case_id].expected == "refused":
                yield f"perturbation {one.id}: {case_id} is to be refused; what its copy is to do is not known"
        for case in cases:
            if _concerns(one, case):
                yield from _faults_of_copy(one, case, known)


def _faults_of_copy(perturbation: Perturbation, case: KitCase, known: Mapping[str, KitCase]) -> Iterator[str]:
    named, copy = (
        f"perturbation {perturbation.id} of case {case.case_id}",
        copy_id(case.case_id, perturbation.id),
    )
    if copy in known:
        yield f"{named}: a case is called {copy} already"
    if len(copy) > _ID_LENGTH_MAX:
        yield f"{named}: {copy} has more than {_ID_LENGTH_MAX} characters; shorten one of the ids"
    for port in perturbation.inputs:
        if port not in case.inputs:
            yield f"{named}: there is no in.{port}"
