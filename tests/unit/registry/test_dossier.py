"""A dossier leaves no attempt out, also those that nobody would show."""

import pytest

from registry.dossier import dossier
from registry.errors import UnknownRecordError
from registry.impact import affected
from registry.standing import ReleaseRecalled
from tests.support.registry_builders import World, digest_of


def test_an_abandoned_and_an_unsigned_attempt_are_part_of_the_dossier(approved: World) -> None:
    approved.start_validation(validation="8" * 16, attempt=2)
    approved.start_validation(validation="9" * 16, attempt=3)
    approved.report(validation="9" * 16, verdict="not met")
    found = dossier(approved.sponsor, approved.logged["release"].digest)
    assert [(one.started.attempt, one.ended) for one in found.attempts] == [
        (1, "met"),
        (2, "no report: abandoned, or under way"),
        (3, "not met; not signed by QA"),
    ]
    assert [one.earned for one in found.entry.evaluations] == ["validated"]


def test_a_dossier_names_every_lock_and_which_is_in_force(imported: World) -> None:
    release = imported.logged["release"].digest
    imported.lock()
    found = dossier(imported.sponsor, release)
    assert [(one.trial, one.sequence, one.in_force) for one in found.uses] == [
        ("trial-1", 1, True),
        ("trial-1", 2, False),
    ]
    assert found.recalled is None


def test_a_dossier_shows_the_list_that_a_recall_was_signed_for(imported: World) -> None:
    release = imported.logged["release"].digest
    recall = imported.change(ReleaseRecalled).statement.read(ReleaseRecalled)
    imported.run()
    imported.take_in(imported.returned())
    found = dossier(imported.sponsor, release)
    assert found.recalled is not None
    assert (found.recalled.digest, len(found.recalled.runs)) == (recall.impact, 0)
    assert len(affected(imported.sponsor, release).runs) == 1


def test_a_release_that_nobody_submitted_has_no_dossier(world: World) -> None:
    with pytest.raises(UnknownRecordError):
        dossier(world.sponsor, digest_of("nothing"))
