"""What a site may try with the records it returns, and what a home must not take in."""

import json
from pathlib import Path
from typing import Any

import pytest

from plugin_spec.errors import PolicyError, TrustError
from registry import merkle
from registry.bundle import export_trial, import_trial
from registry.canonical import digest
from registry.checkpoint import Checkpoint, sign_checkpoint
from registry.dsse import sign
from registry.errors import (
    ChainGapError,
    CheckpointMismatchError,
    ImageMismatchError,
    RoleError,
    SignatureError,
    SiteNotEnrolledError,
    WarmNotLockedError,
)
from registry.keys import generate
from registry.record import leaf_data
from registry.registry import Registry
from registry.statements import (
    PAYLOAD_TYPE,
    Refusal,
    RunFinished,
    RunStarted,
    make_statement,
)
from registry.trust_root import Person, Role
from tests.support.bundle_forgery import Members, forge, forge_index
from tests.support.registry_builders import World, digest_of, seeded


def signed_by_site(world: World, members: Members, index: dict[str, Any]) -> None:
    """Re-sign the site's checkpoint over the changed entries: the attacker is the site itself."""
    leaves = []
    for number, entry in enumerate(index["entries"]):
        entry["sequence"] = number
        data = members[f"envelopes/{entry['payload'].removeprefix('sha256:')}.json"]
        leaves.append(merkle.leaf_hash(leaf_data(number, entry["logged_at"], entry["payload"], digest(data))))
    checkpoint = Checkpoint(origin=world.site.log.origin, size=len(leaves), root=merkle.root(leaves))
    index["checkpoint"] = sign_checkpoint(checkpoint, world.site.node).decode()
    members["bundle.json"] = json.dumps(index).encode()


@pytest.mark.attack("run left out of a return")
def test_a_run_left_out_of_a_return_shows_as_a_gap(imported: World) -> None:
    first = imported.run()
    imported.run("c" * 16)
    gone = first.digest.removeprefix("sha256:")

    def change(members: Members) -> None:
        index = json.loads(members["bundle.json"])
        index["entries"] = [one for one in index["entries"] if one["payload"] != first.digest]
        index["files"] = [one for one in index["files"] if gone not in one["name"]]
        del members[f"envelopes/{gone}.json"]
        signed_by_site(imported, members, index)

    with pytest.raises(ChainGapError):
        imported.take_in(forge(imported.returned(), change))
    assert not list(imported.sponsor.records(RunStarted.predicate_type))


def test_a_site_that_rewrites_what_it_returned_before_is_caught(imported: World) -> None:
    imported.run()
    imported.take_in(imported.returned("first.zip"))
    imported.run("c" * 16)

    def change(members: Members) -> None:
        index = json.loads(members["bundle.json"])
        index["entries"][-3]["logged_at"] = "2026-11-23T08:30:00+00:00"
        signed_by_site(imported, members, index)

    with pytest.raises(CheckpointMismatchError):
        imported.take_in(forge(imported.returned("second.zip"), change))


@pytest.mark.parametrize("role", ["qa", "log", "sponsor"])
def test_a_site_record_in_another_role_is_refused_and_leaves_the_sponsors_log_readable(
    imported: World, role: str
) -> None:
    """Once appended, a record that cannot be read again would close an append-only log for good."""
    imported.run()
    node, size = imported.site.node, imported.sponsor.log.size
    claim = Refusal(
        actor=imported.site.node_id,
        role=role,
        at=imported.clock.now.isoformat(timespec="seconds"),
        reason="to be read as somebody else",
        attempted="run-started",
        attempted_by=None,
        subject_id="S-001",
        error="image-swapped",
        message="never happened",
    )
    imported.site.log.append(sign(make_statement(claim), PAYLOAD_TYPE, [node]))
    with pytest.raises(RoleError):
        imported.take_in(imported.returned())
    assert imported.sponsor.log.size == size + 1  # the refusal of the return
    assert len(list(imported.sponsor.records())) == size + 1


def test_a_refusal_that_a_site_logs_as_a_site_comes_back(imported: World) -> None:
    imported.run()
    with pytest.raises(PolicyError):
        imported.site.act(imported.run_started(), imported.site.node)
    imported.take_in(imported.returned())
    taken = [one.statement.read(Refusal) for one in imported.sponsor.records(Refusal.predicate_type)]
    assert [(one.actor, one.role, one.error) for one in taken] == [("site-1", "site", "already-logged")]


def test_a_signature_that_only_a_later_key_would_refute_is_not_taken_in(imported: World) -> None:
    """Ignored today, it would make the entry unreadable on the day its key is enrolled."""
    begun, later = imported.run(), generate(seeded("stella"))

    def change(members: Members) -> None:
        index = json.loads(members["bundle.json"])
        name = f"envelopes/{begun.digest.removeprefix('sha256:')}.json"
        envelope = json.loads(members[name])
        envelope["signatures"].append({"keyid": later.public.keyid, "sig": envelope["signatures"][0]["sig"]})
        members[name] = json.dumps(envelope).encode()
        for entry in index["entries"]:
            if entry["payload"] == begun.digest:
                entry["envelope"] = digest(members[name])
        for one in index["files"]:
            one["digest"], one["bytes"] = digest(members[one["name"]]), len(members[one["name"]])
        signed_by_site(imported, members, index)

    with pytest.raises(SignatureError, match="unknown key"):
        imported.take_in(forge(imported.returned(), change))
    person = Person(id="stella", name="Stella Sponsor", roles=(Role.SPONSOR,), keys=(later.public,))
    imported.sponsor.enrol([person], [imported.keys["rosa"]], reason="joins")
    assert len(list(imported.sponsor.records())) == imported.sponsor.log.size
    imported.take_in(imported.returned("honest.zip"))
    assert imported.sponsor.log.has(begun.digest)


def test_a_record_that_a_site_could_not_read_back_is_not_imported(imported: World, tmp_path: Path) -> None:
    """Simone opened trial 2 as a sponsor; the site learns of it after the root in which she is none."""
    imported.open_trial("trial-2")
    imported.keys["stella"] = generate(seeded("stella"))
    sponsor = imported.sponsor
    sponsor.enrol(
        [
            Person(id="stella", name="Stella", roles=(Role.SPONSOR,), keys=(imported.keys["stella"].public,)),
            sponsor.root.person("simone").model_copy(update={"roles": (Role.DEVELOPER,)}),
        ],
        [imported.keys["rosa"]],
        reason="simone moves on",
    )
    for trial in ("trial-1", "trial-2"):
        draft = imported.draft_lock(trial, **imported.stamp("stella", "sponsor"))
        imported.logged["lock"] = sponsor.act(draft, imported.keys["stella"])
        imported.sign("stella", "lock")
        imported.sign("quinn", "lock")
        export_trial(sponsor, trial, tmp_path / trial)
        if trial == "trial-1":
            import_trial(imported.site, tmp_path / trial, pin=imported.pin)
            in_force = imported.logged["lock"]
    size = imported.site.log.size
    assert len(list(imported.site.records())) == size
    with pytest.raises(RoleError, match="simone"):
        import_trial(imported.site, tmp_path / "trial-2", pin=imported.pin)
    assert len(list(imported.site.records())) == size + 1  # the refusal
    imported.logged["lock"] = in_force
    imported.run()


def test_a_return_without_the_sites_signature_is_refused(imported: World) -> None:
    imported.run()
    mallory = generate(seeded("mallory"))

    def change(index: dict[str, Any]) -> None:
        fake = Checkpoint(origin=imported.site.log.origin, size=len(index["entries"]), root=bytes(32))
        index["checkpoint"] = sign_checkpoint(fake, mallory).decode()

    with pytest.raises(TrustError) as caught:
        imported.take_in(forge_index(imported.returned(), change))
    assert caught.value.code == "unsigned-checkpoint"


@pytest.mark.attack("a site's record replayed to another site")
def test_a_record_of_one_site_is_not_accepted_from_another(imported: World, tmp_path: Path) -> None:
    other = Registry.create_site(
        tmp_path / "two", site_id="site-2", clock=imported.clock, random=seeded("site-2")
    )
    person = Person(id="site-2", name="Hospital Two", roles=(Role.SITE,), keys=(other.node.public,))
    imported.sponsor.enrol([person], [imported.keys["rosa"]], reason="joins")
    imported.lock(sites=("site-1", "site-2"))
    imported.sign("simone", "lock")
    imported.sign("quinn", "lock")
    bundle = imported.exported()
    for site in (imported.site, other):
        import_trial(site, bundle, pin=imported.pin)
    theirs = [imported.run()]
    theirs.insert(0, next(iter(imported.site.records(RunStarted.predicate_type))))
    other.log.keys = {**other.log.keys, **imported.site.log.keys}
    for record in theirs:
        other.log.append(record.envelope)
    second = World(imported.folder, imported.clock, imported.keys, imported.sponsor, other, imported.logged)
    with pytest.raises(TrustError) as caught:
        second.take_in(second.returned("replayed.zip"))
    assert caught.value.code in {"wrong-actor", "bad-signature"}


@pytest.mark.attack("warm container under a lock that permits fresh ones")
def test_a_warm_run_under_a_lock_that_permits_fresh_ones_comes_back_to_no_avail(imported: World) -> None:
    """The site's own host was patched to skip its checks; the sponsor's are still there."""
    act = imported.run_started(container="warm")
    imported.site.log_act(act, [imported.site.node], ())
    with pytest.raises(WarmNotLockedError):
        imported.take_in(imported.returned())
    assert not list(imported.sponsor.records(RunStarted.predicate_type))


@pytest.mark.requirement("R1", "R3")
@pytest.mark.attack("image of another digest run at a patched site")
def test_a_run_of_another_image_comes_back_to_no_avail(imported: World) -> None:
    """The site's own host was patched to skip its checks; the sponsor's are still there."""
    act = imported.run_started(image=digest_of("retagged"))
    imported.site.log_act(act, [imported.site.node], ())
    with pytest.raises(ImageMismatchError):
        imported.take_in(imported.returned())
    refused = list(imported.sponsor.records(Refusal.predicate_type))[-1].statement.read(Refusal)
    assert (refused.error, refused.attempted) == ("image-mismatch", "records-taken-in/v1")


def test_an_end_without_its_beginning_does_not_come_back(imported: World) -> None:
    finished = imported.run().statement.read(RunFinished)
    chain, previous = imported.site.next_link()
    stray = finished.model_copy(update={"run": "d" * 16, "chain": chain, "previous": previous})
    imported.site.log_act(stray, [imported.site.node], ())
    with pytest.raises(PolicyError):
        imported.take_in(imported.returned())


@pytest.mark.requirement("R11")
def test_a_site_struck_from_the_trust_root_returns_nothing_more(imported: World) -> None:
    imported.run()
    path = imported.returned()
    struck = Person(
        id="site-1", name="Hospital One", roles=(Role.DEVELOPER,), keys=(imported.site.node.public,)
    )
    imported.sponsor.enrol([struck], [imported.keys["rosa"]], reason="the site closed")
    with pytest.raises(SiteNotEnrolledError):
        imported.take_in(path)
