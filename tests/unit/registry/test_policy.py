"""The role by action matrix in full, independence, and thresholds of distinct persons."""

import pytest

from registry.errors import IndependenceError, RoleError, SignerThresholdError
from registry.policy import ALLOWED, Action, distinct_persons, require_independent, require_role
from registry.trust_root import Role
from tests.support.trust import people, person, signer, trust_root

ROOT = trust_root()
HOLDER = {
    Role.ROOT: "rita",
    Role.DEVELOPER: "dana",
    Role.QA: "quinn",
    Role.SPONSOR: "sam",
    Role.LOG: "registry-log",
    Role.SITE: "site-01",
}
# Written out by hand a second time, so that a change of the table has to be meant.
MATRIX = {
    "trust.enrol": {"root"},
    "plugin.submit": {"developer"},
    "kit.register": {"developer", "qa"},
    "kit.deviate": {"qa"},
    "log.cosign": {"qa", "site"},
    "validation.run": {"developer", "qa"},
    "report.sign": {"developer", "qa"},
    "catalogue.approve": {"qa"},
    "catalogue.suspend": {"qa", "sponsor"},
    "catalogue.reinstate": {"qa"},
    "catalogue.recall": {"qa", "sponsor"},
    "catalogue.retire": {"qa"},
    "trial.create": {"sponsor"},
    "trial.lock": {"sponsor"},
    "trial.sign": {"sponsor", "qa"},
    "trial.activate": {"sponsor"},
    "trial.run": {"site"},
    "trial.take-in": {"sponsor"},
    "passphrase.change": {"root", "developer", "qa", "sponsor"},
    "audit.review": {"qa"},
}


def keyids(*names: str) -> list[str]:
    return [signer(name).public.keyid for name in names]


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_every_role_may_do_what_the_matrix_lists_and_nothing_else(role: Role, action: Action) -> None:
    if role.value in MATRIX[action.value]:
        assert require_role(ROOT, HOLDER[role], action).id == HOLDER[role]
        return
    with pytest.raises(RoleError) as caught:
        require_role(ROOT, HOLDER[role], action)
    assert caught.value.code == "wrong-role"
    assert role.value in caught.value.message


def test_every_action_has_its_line_in_the_matrix() -> None:
    assert set(ALLOWED) == set(Action)
    assert {action.value for action in Action} == set(MATRIX)


def test_somebody_who_is_not_enrolled_may_do_nothing() -> None:
    for action in Action:
        with pytest.raises(RoleError, match="nobody is enrolled"):
            require_role(ROOT, "eve", action)


def test_two_roles_of_one_person_add_up() -> None:
    both = person("dora", Role.DEVELOPER, Role.QA)
    root = trust_root(people=(*people(), both))
    assert require_role(root, "dora", Action.PLUGIN_SUBMIT) == both
    assert require_role(root, "dora", Action.CATALOGUE_APPROVE) == both


def test_somebody_who_took_part_cannot_approve_and_hears_why() -> None:
    involved = {"dana": "submitted the release", "rolf": "ran the validation"}
    require_independent("quinn", involved)
    with pytest.raises(IndependenceError, match="dana submitted the release") as caught:
        require_independent("dana", involved)
    assert caught.value.code == "self-approval"


def test_a_threshold_is_met_by_distinct_persons() -> None:
    needed = {Role.SPONSOR: 1, Role.QA: 1}
    assert distinct_persons(ROOT, keyids("sam", "quinn", "eve"), needed) == {
        "sam": Role.SPONSOR,
        "quinn": Role.QA,
    }


@pytest.mark.parametrize("names", [[], ["sam"], ["quinn"], ["sam", "dana"], ["sam", "eve"]])
def test_a_missing_signature_is_named(names: list[str]) -> None:
    with pytest.raises(SignerThresholdError, match="needed are qa 1, sponsor 1") as caught:
        distinct_persons(ROOT, keyids(*names), {Role.SPONSOR: 1, Role.QA: 1})
    assert caught.value.code == "signer-threshold"


def test_one_person_with_both_roles_fills_one_place_only() -> None:
    root = trust_root(people=(*people(), person("bo", Role.SPONSOR, Role.QA)))
    needed = {Role.SPONSOR: 1, Role.QA: 1}
    with pytest.raises(SignerThresholdError):
        distinct_persons(root, keyids("bo"), needed)
    assert distinct_persons(root, keyids("bo", "quinn"), needed) == {"bo": Role.SPONSOR, "quinn": Role.QA}
    assert distinct_persons(root, keyids("bo", "sam"), needed) == {"bo": Role.QA, "sam": Role.SPONSOR}


@pytest.mark.attack("one person, two keys")
def test_one_person_with_two_keys_fills_one_place_only() -> None:
    root = trust_root(people=(*people(), person("kim", Role.QA, keys=["kim", "kim-token"])))
    with pytest.raises(SignerThresholdError):
        distinct_persons(root, keyids("kim", "kim-token"), {Role.QA: 2})
    assert set(distinct_persons(root, keyids("kim", "kim-token", "quinn"), {Role.QA: 2})) == {"kim", "quinn"}
