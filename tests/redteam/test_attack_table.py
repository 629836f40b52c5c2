"""The table of attacks is complete: each names its error, its record, its exit status and its honest twin."""

import pytest

from plugin_spec.errors import ExitCode
from tests.support.attack_table import RECORDS, error_classes, exit_status, names_for
from tests.support.bundle_corpus import CORPUS
from tests.support.traceability import Attack, attacks, functions, showing, unknown_names

SHOWN = {name: one for name, one in attacks().items() if one.code is not None}
WITHOUT_RECORD = {"none", "contained"}
# The attacks that wait for what they attack: recalls, planned changes, key policy. This list can only get shorter.
WAITING = [
    "unlisted planned change",
    "planned change out of bounds",
    "suppressed recall",
    "GPU outside the lock's class",
]


def test_what_waits_for_its_test_is_listed_and_has_none() -> None:
    waiting = {name for name, one in attacks().items() if one.code is None}
    assert waiting <= set(WAITING), "an attack without a test was added"
    assert waiting.isdisjoint(showing("attack")), "it has a test: name its error in the table"


def test_no_test_names_an_attack_that_is_not_listed() -> None:
    assert unknown_names(showing("attack"), "attack") == []


def test_there_are_sixty_attacks_with_a_test() -> None:
    assert len(SHOWN) >= 60


@pytest.mark.parametrize("attack", SHOWN.values(), ids=list(SHOWN))
def test_an_attack_is_made_by_tests_that_name_its_error(attack: Attack) -> None:
    made = showing("attack").get(attack.name, [])
    assert made or CORPUS[attack.name].code == attack.code
    if attack.record != "contained":
        for name in made:
            assert any(word in functions()[name].source for word in names_for(attack)), name


@pytest.mark.parametrize("attack", SHOWN.values(), ids=list(SHOWN))
def test_an_attack_that_is_a_forged_bundle_too_is_refused_at_a_site_with_a_record(attack: Attack) -> None:
    if attack.name in CORPUS and CORPUS[attack.name].code == attack.code:
        assert attack.record == "refusal"


@pytest.mark.parametrize("attack", SHOWN.values(), ids=list(SHOWN))
def test_an_attack_has_a_record_and_a_status_of_its_own(attack: Attack) -> None:
    assert attack.record in RECORDS
    if attack.record != "contained":
        assert exit_status(attack) not in {ExitCode.OK, ExitCode.CRASH}
    if attack.record in {"refusal", "none"}:
        assert attack.code in error_classes()


@pytest.mark.parametrize("attack", SHOWN.values(), ids=list(SHOWN))
def test_an_attack_has_an_honest_twin_that_attacks_nothing_of_the_kind(attack: Attack) -> None:
    assert attack.honest in functions()
    assert attack.name not in functions()[str(attack.honest)].attacks
