"""What a person may do: the role by action matrix, independence, and thresholds of distinct persons.

Pure decisions. Denied unless listed; the matrix is one table, so that it can be printed and reviewed.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from registry.errors import IndependenceError, RoleError, SignerThresholdError
from registry.trust_root import Person, Role, TrustRoot


class Action(StrEnum):
    """Everything the registry lets a person do."""

    TRUST_ENROL = "trust.enrol"
    PLUGIN_SUBMIT = "plugin.submit"
    KIT_REGISTER = "kit.register"
    KIT_DEVIATE = "kit.deviate"
    LOG_COSIGN = "log.cosign"
    VALIDATION_RUN = "validation.run"
    REPORT_SIGN = "report.sign"
    CATALOGUE_APPROVE = "catalogue.approve"
    CATALOGUE_SUSPEND = "catalogue.suspend"
    CATALOGUE_REINSTATE = "catalogue.reinstate"
    CATALOGUE_RECALL = "catalogue.recall"
    CATALOGUE_RETIRE = "catalogue.retire"
    TRIAL_CREATE = "trial.create"
    TRIAL_LOCK = "trial.lock"
    TRIAL_SIGN = "trial.sign"
    TRIAL_ACTIVATE = "trial.activate"
    TRIAL_RUN = "trial.run"
    TRIAL_TAKE_IN = "trial.take-in"
    PASSPHRASE_CHANGE = "passphrase.change"  # noqa: S105 - names an action
    AUDIT_REVIEW = "audit.review"


ALLOWED: Mapping[Action, frozenset[Role]] = MappingProxyType(
    {
        Action.TRUST_ENROL: frozenset({Role.ROOT}),
        Action.PLUGIN_SUBMIT: frozenset({Role.DEVELOPER}),
        Action.KIT_REGISTER: frozenset({Role.DEVELOPER, Role.QA}),
        Action.KIT_DEVIATE: frozenset({Role.QA}),
        Action.LOG_COSIGN: frozenset({Role.QA, Role.SITE}),
        Action.VALIDATION_RUN: frozenset({Role.DEVELOPER, Role.QA}),
        Action.REPORT_SIGN: frozenset({Role.DEVELOPER, Role.QA}),
        Action.CATALOGUE_APPROVE: frozenset({Role.QA}),
        Action.CATALOGUE_SUSPEND: frozenset({Role.QA, Role.SPONSOR}),
        Action.CATALOGUE_REINSTATE: frozenset({Role.QA}),
        Action.CATALOGUE_RECALL: frozenset({Role.QA, Role.SPONSOR}),
        Action.CATALOGUE_RETIRE: frozenset({Role.QA}),
        Action.TRIAL_CREATE: frozenset({Role.SPONSOR}),
        Action.TRIAL_LOCK: frozenset({Role.SPONSOR}),
        Action.TRIAL_SIGN: frozenset({Role.SPONSOR, Role.QA}),
        Action.TRIAL_ACTIVATE: frozenset({Role.SPONSOR}),
        Action.TRIAL_RUN: frozenset({Role.SITE}),
        Action.TRIAL_TAKE_IN: frozenset({Role.SPONSOR}),
        Action.PASSPHRASE_CHANGE: frozenset({Role.ROOT, Role.DEVELOPER, Role.QA, Role.SPONSOR}),
        Action.AUDIT_REVIEW: frozenset({Role.QA}),
    }
)


def require_role(root: TrustRoot, person_id: str, action: Action) -> Person:
    """Return the person if one of their roles allows the action.

    Raises
    ------
    RoleError
        Nobody is enrolled under the id, or none of their roles allows ``action``.
    """
    person = root.person(person_id)
    allowed = ALLOWED.get(action, frozenset())
    if allowed.isdisjoint(person.roles):
        raise RoleError(
            f"{action} is for {_listed(allowed)}; {person.id} is enrolled as {_listed(person.roles)}",
            subject=person.id,
            hint="ask a person of that role, or change the roles: assay trust enrol",
        )
    return person


def require_independent(person_id: str, involved: Mapping[str, str]) -> None:
    """Refuse a person who took part in what they would now judge.

    Parameters
    ----------
    person_id : str
        Who would act.
    involved : mapping of person id to capacity
        Who took part and how, as the end of "they ...": "submitted the release", "ran the validation".

    Raises
    ------
    IndependenceError
        ``person_id`` took part; the message names the capacity.
    """
    if person_id in involved:
        raise IndependenceError(
            f"{person_id} {involved[person_id]} and so cannot approve it",
            subject=person_id,
            hint="another person has to decide",
        )


def distinct_persons(root: TrustRoot, keyids: Iterable[str], needed: Mapping[Role, int]) -> dict[str, Role]:
    """Assign signers to a threshold policy such as sponsor 1 + QA 1; each person fills one place at most.

    Parameters
    ----------
    root : TrustRoot
        Says whose the keys are and what roles they hold.
    keyids : iterable of str
        Keys that signed, as `dsse.open_envelope` returns them.
    needed : mapping of Role to int
        How many persons of each role must have signed.

    Returns
    -------
    dict
        Person id to the role they fill.

    Raises
    ------
    SignerThresholdError
        The signers cannot fill every place, each person one.
    """
    signed = frozenset(keyids)
    places = [role for role, count in sorted(needed.items()) for _ in range(count)]
    candidates = {role: sorted(root.signed_by(signed, role)) for role in needed}
    filled: dict[str, int] = {}
    for place in range(len(places)):
        if not _seat(place, places, candidates, filled, set()):
            demanded = ", ".join(f"{role} {count}" for role, count in sorted(needed.items()))
            present = ", ".join(sorted({person for ids in candidates.values() for person in ids}))
            raise SignerThresholdError(
                f"needed are {demanded}, each another person; signed have: {present or 'none of them'}",
                hint="collect the missing signatures",
            )
    return {person: places[place] for person, place in filled.items()}


def _seat(
    place: int,
    places: list[Role],
    candidates: Mapping[Role, list[str]],
    filled: dict[str, int],
    tried: set[str],
) -> bool:
    """Find somebody for a place, moving earlier ones if need be (augmenting path of a bipartite matching)."""
    for person in candidates[places[place]]:
        if person in tried:
            continue
        tried.add(person)
        if person not in filled or _seat(filled[person], places, candidates, filled, tried):
            filled[person] = place
            return True
    return False


def _listed(roles: Iterable[Role]) -> str:
    return ", ".join(sorted(roles))
