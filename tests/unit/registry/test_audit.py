from datetime import timedelta

import pytest

from plugin_spec.errors import AssayError
from registry.audit import verify_log, view
from registry.log import Log
from tests.support.registry_builders import World


@pytest.mark.requirement("R5")
def test_a_sound_log_has_no_faults(imported: World) -> None:
    imported.run()
    imported.take_in(imported.returned())
    assert verify_log(imported.sponsor) == ()
    assert verify_log(imported.site) == ()


def test_a_pinned_checkpoint_of_this_log_is_no_fault(imported: World) -> None:
    assert verify_log(imported.sponsor, pinned=[imported.cosign()]) == ()


@pytest.mark.requirement("R4")
def test_the_trail_says_who_what_when_and_why(imported: World) -> None:
    with pytest.raises(AssayError):
        imported.submit("2.0.0", by="quinn")
    rows = view(imported.sponsor.records())
    assert [row.what for row in rows][:4] == ["trust-root", "trust-root", "release", "protocol"]
    lock = next(row for row in rows if row.what == "trial-lock")
    assert (lock.actor, lock.role, lock.subject, lock.reason) == (
        "simone",
        "sponsor",
        "trial-1",
        "as planned",
    )
    refused = rows[-1]
    assert (refused.actor, refused.what) == ("quinn", "refusal")
    assert refused.reason.startswith("release/v1 refused (wrong-role)")


@pytest.mark.requirement("R28")
def test_the_trail_is_filtered_by_person_kind_and_time(imported: World) -> None:
    assert {row.actor for row in view(imported.sponsor.records(), who="quinn")} == {"quinn"}
    assert {row.what for row in view(imported.sponsor.records(), what="esignature")} == {"esignature"}
    imported.clock.move(days=1)
    imported.submit("2.0.0")
    since = imported.clock() - timedelta(minutes=1)
    assert [row.what for row in view(imported.sponsor.records(), since=since)] == ["release"]


def test_a_log_of_another_key_does_not_vouch_for_this_one(imported: World) -> None:
    assert isinstance(imported.site.log, Log)
    faults = verify_log(imported.sponsor, pinned=[imported.site.log.checkpoint()])
    assert [fault.code for fault in faults] == ["unknown-origin"]


@pytest.mark.requirement("R28")
def test_the_trail_is_filtered_by_end_reason_and_what_a_record_is_about(imported: World) -> None:
    records = list(imported.sponsor.records())
    release = imported.logged["release"].digest
    assert view(records, until=imported.clock()) == ()
    imported.clock.move(minutes=1)
    assert len(view(records, until=imported.clock())) == len(records)
    assert {row.what for row in view(records, why="The Site JOINS")} == {"trust-root"}
    about = {row.what for row in view(records, about="trial-1")}
    assert about >= {"trial-created", "trial-lock"}
    assert about.isdisjoint({"trust-root", "release", "protocol", "validation-report"})
    assert release in {row.digest for row in view(records, about=release)}
    assert "validation-report" in {row.what for row in view(records, about=release)}
    assert view(records, about="trial-2") == ()
