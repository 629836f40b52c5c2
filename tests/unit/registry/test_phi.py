"""No identity in signed records: refused in ids, reported in text, and pseudonyms under a key."""

from pathlib import Path

import pytest

from registry.errors import IdentifyingValueError, UnsafeKeyFileError
from registry.phi import PATTERNS, pseudonym, pseudonym_key, suspicions
from registry.statements import Refusal, RunStarted
from tests.support.registry_builders import World, seeded

IDENTIFYING = ["DOE-JANE-1961-04-12", "19610412", "1961.04.12-M", "MRN-00123", "patient-4711", "004711234"]
IN_TEXT = {
    "a date": "seen on 1961-04-12",
    "a date in words": "she was born in April 61",
    "an e-mail address": "ask jane.doe@hospital.example",
    "an IP address": "from 192.168.17.4",
    "a file path": "read /mnt/pacs/doe_jane.dcm",
    "a DICOM person name": "DOE^JANE",
    "a record number": "MRN: 12345",
    "a title and a name": "scan of Mrs Doe",
}


@pytest.mark.requirement("R31")
@pytest.mark.attack("PHI in a record")
@pytest.mark.parametrize("subject", IDENTIFYING)
def test_an_id_that_identifies_is_refused_and_the_refusal_does_not_repeat_it(
    imported: World, subject: str
) -> None:
    with pytest.raises(IdentifyingValueError) as caught:
        imported.site.act(imported.run_started(subject=subject), imported.site.node)
    assert caught.value.code == "identifying-value"
    assert not list(imported.site.records(RunStarted.predicate_type))
    (refused,) = imported.site.records(Refusal.predicate_type)
    assert refused.statement.read(Refusal).error == "identifying-value"
    assert subject.encode() not in refused.statement.payload


@pytest.mark.requirement("R31")
@pytest.mark.parametrize("subject", ["subject-1", "S-001", "site-02.0147", pseudonym(bytes(32), "t", "Jane")])
def test_a_trials_own_number_and_a_pseudonym_are_signed(imported: World, subject: str) -> None:
    record = imported.site.act(imported.run_started(subject=subject), imported.site.node)
    assert record.statement.read(RunStarted).subject == subject


@pytest.mark.requirement("R31")
@pytest.mark.parametrize("what", PATTERNS)
def test_text_that_may_identify_is_reported_where_it_stands(imported: World, what: str) -> None:
    act = imported.run_started().model_copy(update={"reason": IN_TEXT[what]})
    record = imported.site.act(act, imported.site.node)
    found = [one for one in suspicions(imported.site.records()) if one.sequence == record.sequence]
    assert (what, "reason") in {(one.looks_like, one.field) for one in found}


@pytest.mark.requirement("R31")
def test_an_honest_log_raises_no_suspicion(imported: World) -> None:
    imported.run()
    assert list(suspicions(imported.site.records())) == []
    assert list(suspicions(imported.sponsor.records())) == []


@pytest.mark.requirement("R31")
def test_a_pseudonym_depends_on_key_trial_and_person_alone() -> None:
    key = bytes(range(32))
    one = pseudonym(key, "trial-1", "Jane Doe 1961")
    assert one == pseudonym(key, "trial-1", "jane  doe 1961")
    others = {pseudonym(bytes(32), "trial-1", "Jane Doe 1961"), pseudonym(key, "trial-2", "Jane Doe 1961")}
    assert one not in others | {pseudonym(key, "trial-1", "Jane Roe 1961")}
    assert len(one) == 18 and "jane" not in one
    # Without digits it can look like no date and no record number, which would be refused.
    assert set(one.removeprefix("p-")) <= set("abcdefghijklmnop")


@pytest.mark.requirement("R31")
def test_the_key_of_pseudonyms_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    key = pseudonym_key(tmp_path / "keys", "trial-1", seeded("site"))
    assert pseudonym_key(tmp_path / "keys", "trial-1", seeded("other")) == key
    assert pseudonym_key(tmp_path / "keys", "trial-2", seeded("other")) != key
    path = tmp_path / "keys" / "pseudonyms-trial-1.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in path.parent.iterdir()) == [
        "pseudonyms-trial-1.key",
        "pseudonyms-trial-2.key",
    ]
    path.chmod(0o644)
    with pytest.raises(UnsafeKeyFileError):
        pseudonym_key(tmp_path / "keys", "trial-1", seeded("site"))
