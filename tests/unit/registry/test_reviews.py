"""Reviews of the audit trail: signed, over a range under a checkpoint, by somebody who did none of it."""

import pytest

from plugin_spec.errors import TrustError
from registry.audit import verify_log, view
from registry.errors import IndependenceError, ReviewRangeError, RoleError
from registry.record import Record
from registry.reviews import AuditReview, digest_of, selected
from registry.statements import Refusal
from tests.support.registry_builders import World

# In an approved world quinn and quentin act too; what dora did is anybody's to review but hers.
DORA = {"who": "dora"}


def review(world: World, by: str = "quentin", **changes: object) -> AuditReview:
    last = world.sponsor.log.size - 1
    covered = selected(world.sponsor, 0, last, **DORA)
    return AuditReview(
        **world.stamp(by),
        first=0,
        last=last,
        who="dora",
        checkpoint=world.sponsor.log.checkpoint(),
        records=len(covered),
        covered=digest_of(covered),
        finding="none",
    ).model_copy(update=changes)


def act(world: World, review: AuditReview, by: str = "quentin") -> Record:
    return world.sponsor.act(review, world.keys[by])


@pytest.mark.requirement("R28")
def test_a_review_is_signed_logged_and_shown_in_the_trail(approved: World) -> None:
    record = act(approved, review(approved))
    row = view(approved.sponsor.records(), what="audit-review")[-1]
    assert (row.sequence, row.actor, row.role) == (record.sequence, "quentin", "qa")
    assert row.subject == f"entries 0 to {record.sequence - 1}"
    assert row.reason == "none: as planned"
    assert verify_log(approved.sponsor) == ()


@pytest.mark.requirement("R28", "R17")
@pytest.mark.attack("review of one's own acts")
def test_nobody_reviews_what_they_did_and_the_attempt_is_logged(approved: World) -> None:
    last = approved.sponsor.log.size - 1
    everything = selected(approved.sponsor, 0, last)
    own = review(approved, who=None, records=len(everything), covered=digest_of(everything))
    with pytest.raises(IndependenceError, match="is the actor of entry"):
        act(approved, own)
    refused = [one.statement.read(Refusal) for one in approved.sponsor.records(Refusal.predicate_type)]
    assert [(one.attempted, one.error) for one in refused] == [("audit-review/v1", "self-approval")]


@pytest.mark.requirement("R28")
def test_a_refused_attempt_is_reviewed_by_somebody_else_than_who_made_it(approved: World) -> None:
    with pytest.raises(RoleError):
        approved.submit("2.0.0", by="quentin")
    refusal = selected(approved.sponsor, 0, approved.sponsor.log.size - 1, what="refusal")
    changes = {"who": None, "what": "refusal", "records": 1, "covered": digest_of(refusal)}
    with pytest.raises(IndependenceError):
        act(approved, review(approved, **changes))
    with_quinn = {**changes, "last": refusal[0].sequence}
    assert act(approved, review(approved, "quinn", **with_quinn), "quinn").sequence > refusal[0].sequence


@pytest.mark.parametrize(
    "changes",
    [
        {"records": 1},
        {"covered": "sha256:" + "0" * 64},
        {"last": 10_000},
        {"what": "trial-lock"},
        {"first": 9_000, "last": 9_001},
    ],
)
def test_a_review_of_other_records_than_it_names_is_refused(
    approved: World, changes: dict[str, object]
) -> None:
    with pytest.raises(ReviewRangeError):
        act(approved, review(approved, **changes))


def test_a_review_stands_under_a_checkpoint_of_this_log(approved: World) -> None:
    foreign = approved.site.log.checkpoint()
    with pytest.raises(TrustError) as caught:
        act(approved, review(approved, checkpoint=foreign))
    assert caught.value.code in {"checkpoint-mismatch", "unknown-origin", "unsigned-checkpoint"}


def test_a_developer_does_not_review(approved: World) -> None:
    covered = selected(approved.sponsor, 0, approved.sponsor.log.size - 1, who="quinn")
    changes = {"who": "quinn", "records": len(covered), "covered": digest_of(covered)}
    developers = review(approved, "dora", **changes)
    with pytest.raises(RoleError):
        act(approved, developers, "dora")
