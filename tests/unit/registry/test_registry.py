from datetime import timedelta
from pathlib import Path

import pytest

from plugin_spec.errors import AssayError, InputError
from registry.errors import (
    ActionDeniedError,
    ChainGapError,
    ClockError,
    DuplicateRecordError,
    NoTrustRootError,
    RegistryStateError,
    RoleError,
    RootPinError,
    RootThresholdError,
    SignatureNameError,
    SiteNotEnrolledError,
    ValueRefusedError,
    WrongActorError,
    WrongStateError,
)
from registry.esignature import Signing, compose
from registry.keys import generate
from registry.registry import Founder, Registry
from registry.statements import PREDICATE_PREFIX, RecordsTakenIn, Refusal, Release, RunFinished
from registry.trust_root import Person, Role
from tests.support.registry_builders import STAFF, World, digest_of, seeded


def refusals(registry: Registry) -> list[Refusal]:
    return [one.statement.read(Refusal) for one in registry.records(Refusal.predicate_type)]


def test_a_new_registry_holds_its_own_trust_root(world: World) -> None:
    root = world.sponsor.root
    assert (root.version, root.organisation) == (2, "Acme Pharma")
    assert root.person("registry").roles == (Role.LOG,)
    assert (world.sponsor.home / "node.key").stat().st_mode & 0o777 == 0o600
    assert Registry.open(world.sponsor.home, world.clock).root_digest == world.sponsor.root_digest


def test_a_home_is_never_set_up_twice(world: World) -> None:
    founder = Founder("rosa", "Rosa Root", (Role.ROOT,), world.keys["rosa"])
    with pytest.raises(RegistryStateError):
        Registry.create(
            world.sponsor.home,
            organisation="Acme Pharma",
            node_id="registry",
            root_signers=[founder],
            clock=world.clock,
            random=seeded("again"),
        )


def test_a_folder_without_a_registry_is_named(tmp_path: Path, world: World) -> None:
    with pytest.raises(RegistryStateError, match="no registry here"):
        Registry.open(tmp_path / "empty", world.clock)


def test_a_site_trusts_nobody_before_its_first_import(world: World) -> None:
    with pytest.raises(NoTrustRootError):
        _ = world.site.root


def test_a_home_whose_pin_was_edited_does_not_open(world: World) -> None:
    path = world.sponsor.home / "registry.json"
    path.write_text(path.read_text().replace(world.pin, digest_of("another root")))
    with pytest.raises(RootPinError):
        Registry.open(world.sponsor.home, world.clock)


@pytest.mark.requirement("R9")
@pytest.mark.attack("wrong role")
@pytest.mark.parametrize("person", sorted(set(STAFF) - {"dora"}))
def test_only_a_developer_submits_a_release(world: World, person: str) -> None:
    with pytest.raises(RoleError):
        world.submit(by=person)
    assert [(one.error, one.attempted_by) for one in refusals(world.sponsor)] == [("wrong-role", person)]


@pytest.mark.requirement("R9")
def test_a_role_that_is_not_held_cannot_be_claimed(world: World) -> None:
    release = world.submit().statement.read(Release)
    claimed = release.model_copy(update={"actor": "quinn", "version": "2.0.0"})
    with pytest.raises(RoleError):
        world.sponsor.act(claimed, world.keys["quinn"])


@pytest.mark.attack("record in the name of somebody else")
def test_an_act_is_signed_by_its_actor(world: World) -> None:
    release = world.submit().statement.read(Release).model_copy(update={"version": "2.0.0"})
    with pytest.raises(WrongActorError):
        world.sponsor.act(release, world.keys["quinn"])


@pytest.mark.requirement("R9")
def test_a_kind_of_record_without_a_rule_is_denied(world: World) -> None:
    act = RecordsTakenIn(
        **world.stamp("simone"), trial="trial-1", site="site-1", first=0, size=1, checkpoint="none"
    )
    with pytest.raises(ActionDeniedError):
        world.sponsor.act(act, world.keys["simone"])


@pytest.mark.requirement("R9")
def test_a_site_records_runs_only(imported: World) -> None:
    release = imported.logged["release"].statement.read(Release)
    with pytest.raises(ActionDeniedError):
        imported.site.act(release, imported.keys["dora"])


@pytest.mark.requirement("R18")
@pytest.mark.attack("back-dated or future clock")
@pytest.mark.parametrize("minutes", [-11, 11])
def test_an_act_dated_otherwise_than_now_is_refused(world: World, minutes: int) -> None:
    release = world.submit().statement.read(Release)
    moment = (world.clock() + timedelta(minutes=minutes)).isoformat()
    with pytest.raises(ClockError):
        world.sponsor.act(release.model_copy(update={"version": "2.0.0", "at": moment}), world.keys["dora"])


def test_a_version_is_submitted_once(world: World) -> None:
    world.submit()
    with pytest.raises(DuplicateRecordError):
        world.submit()


@pytest.mark.requirement("R3")
def test_a_refused_act_leaves_a_refusal_and_nothing_else(world: World) -> None:
    size = world.sponsor.log.size
    with pytest.raises(AssayError):
        world.submit(by="quinn")
    assert world.sponsor.log.size == size + 1
    assert refusals(world.sponsor)[0].attempted == "release/v1"


def test_two_like_refusals_in_one_second_are_two_records(world: World) -> None:
    for _ in range(2):
        world.site.refuse(InputError("no such file"), attempted="run-started", subject="case-1")
    assert len(refusals(world.site)) == 2


def test_enrolling_needs_the_root_role(world: World) -> None:
    mallory = Person(
        id="mallory", name="Mallory", roles=(Role.QA,), keys=(generate(seeded("mallory")).public,)
    )
    with pytest.raises(RootThresholdError):
        world.sponsor.enrol([mallory], [world.keys["dora"]], reason="a friend")
    assert world.sponsor.root.version == 2
    assert refusals(world.sponsor)[0].error == "root-threshold"


@pytest.mark.requirement("R26")
@pytest.mark.attack("key used after revocation")
def test_what_a_removed_key_signed_before_still_counts_and_nothing_after(world: World) -> None:
    world.submit()
    moved = Person(
        id="dora",
        name="Dora Developer",
        roles=(Role.DEVELOPER,),
        keys=(generate(seeded("dora-2")).public,),
    )
    world.sponsor.enrol([moved], [world.keys["rosa"]], reason="the key was replaced")
    assert len(list(world.sponsor.records(Release.predicate_type))) == 1
    with pytest.raises(WrongActorError):
        world.submit("2.0.0")


def test_another_process_that_enrolled_somebody_is_noticed(world: World) -> None:
    other = Registry.open(world.sponsor.home, world.clock)
    nina = generate(seeded("nina"))
    other.enrol(
        [Person(id="nina", name="Nina New", roles=(Role.DEVELOPER,), keys=(nina.public,))],
        [world.keys["rosa"]],
        reason="joins",
    )
    release = world.submit().statement.read(Release)
    mine = release.model_copy(update={"actor": "nina", "version": "2.0.0"})
    assert world.sponsor.act(mine, nina).signers == frozenset({nina.public.keyid})


@pytest.mark.requirement("R12")
def test_a_signature_prints_the_enrolled_name(approved: World) -> None:
    from registry.statements import ESignature

    made = next(approved.sponsor.records(ESignature.predicate_type)).statement.read(ESignature)
    forged = made.model_copy(update={"printed_name": "Quinn Qua1ity", "meaning": "review"})
    with pytest.raises(SignatureNameError):
        approved.sponsor.act(forged, approved.keys["quinn"])


def test_an_attempt_is_numbered_and_reported_once(approved: World) -> None:
    with pytest.raises(DuplicateRecordError):
        approved.start_validation()
    with pytest.raises(DuplicateRecordError):
        approved.report(verdict="insufficient evidence")


def test_a_second_attempt_cannot_pass_for_the_first(approved: World) -> None:
    from registry.statements import ValidationStarted

    first = approved.logged["started"].statement.read(ValidationStarted)
    with pytest.raises(WrongStateError, match="attempt 2"):
        approved.sponsor.act(first.model_copy(update={"validation": "c" * 16}), approved.keys["dora"])


def test_runs_are_one_chain_and_end_once(imported: World) -> None:
    finished = imported.run()
    assert imported.site.next_link() == (3, finished.digest)
    again = finished.statement.read(RunFinished).model_copy(update={"chain": 3, "previous": finished.digest})
    with pytest.raises(DuplicateRecordError):
        imported.site.act(again, imported.site.node)
    with pytest.raises(ChainGapError):
        imported.site.act(imported.run_started("c" * 16, chain=9), imported.site.node)


@pytest.mark.requirement("R11")
def test_an_unenrolled_home_cannot_record_a_trial_run(imported: World, tmp_path: Path) -> None:
    from registry.bundle import import_trial

    other = Registry.create_site(
        tmp_path / "other", site_id="site-1", clock=imported.clock, random=seeded("other key")
    )
    with pytest.raises(SiteNotEnrolledError):
        import_trial(other, imported.exported(), pin=imported.pin)
    assert refusals(other)[0].error == "site-not-enrolled"
    assert refusals(other)[0].attempted == "trial-import"


def test_predicate_types_of_every_record_have_a_version(imported: World) -> None:
    for record in imported.sponsor.records():
        assert record.statement.predicate_type.startswith(PREDICATE_PREFIX)
        assert record.statement.predicate_type.endswith("/v1")


def test_qa_cosigns_the_log_with_their_own_key_only(world: World) -> None:
    from registry.errors import CosignatureError
    from registry.witness import cosign_own, cosigners

    note = cosign_own(world.sponsor, "quinn", world.keys["quinn"])
    assert set(cosigners(note, world.sponsor.root)) == {"quinn"}
    with pytest.raises(CosignatureError):
        cosign_own(world.sponsor, "quinn", world.keys["dora"])
    with pytest.raises(RoleError):
        cosign_own(world.sponsor, "dora", world.keys["dora"])


def test_a_witness_does_not_cosign_a_log_that_went_back(world: World) -> None:
    from registry.errors import CheckpointMismatchError
    from registry.witness import cosign_as_witness

    early = world.sponsor.log.checkpoint()
    world.submit()
    world.cosign()
    with pytest.raises(CheckpointMismatchError):
        cosign_as_witness(world.site, early, log_key=world.sponsor.node.public)


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({}, "", "reason"),
        ({}, "x" * 2001, "reason"),
        ({"name": "dora developer"}, "joins", "a printed name is listed twice"),
        ({"keys": "dora"}, "joins", "a public key is listed twice"),
    ],
)
def test_an_enrolment_that_does_not_fit_is_refused_by_name(
    world: World, changes: dict[str, str], reason: str, said: str
) -> None:
    key = world.keys[changes["keys"]] if "keys" in changes else generate(seeded("nina"))
    person = Person(id="nina", name=changes.get("name", "Nina New"), roles=(Role.QA,), keys=(key.public,))
    version = world.sponsor.root.version
    with pytest.raises(ValueRefusedError, match=said):
        world.sponsor.enrol([person], [world.keys["rosa"]], reason=reason)
    assert world.sponsor.root.version == version
    fitting = Person(id="nina", name="Nina New", roles=(Role.QA,), keys=(generate(seeded("n")).public,))
    world.sponsor.enrol([fitting], [world.keys["rosa"]], reason="joins")
    assert world.sponsor.root.version == version + 1


def test_a_threshold_nobody_can_reach_is_refused_by_name(world: World) -> None:
    with pytest.raises(ValueRefusedError, match="not reachable"):
        world.sponsor.enrol([], [world.keys["rosa"]], reason="stricter", thresholds={Role.ROOT: 2})


@pytest.mark.parametrize("reason", ["", "x" * 2001])
def test_a_signature_without_a_fitting_reason_is_refused_by_name(approved: World, reason: str) -> None:
    person = approved.sponsor.root.person("quinn")
    target = approved.logged["report"].digest
    with pytest.raises(ValueRefusedError, match="reason"):
        compose(person, Role.QA, Signing(target, "approval", reason), at=approved.clock())
    fitting = compose(person, Role.QA, Signing(target, "approval", "x" * 2000), at=approved.clock())
    assert fitting.reason == "x" * 2000
