import pytest

from registry.errors import (
    EngineNotAllowedError,
    ImageMismatchError,
    LockChainError,
    LockForkError,
    LockMismatchError,
    LockNotSignedError,
    NotApprovedError,
    RoleError,
    ScopeError,
    SiteNotEnrolledError,
    ValueRefusedError,
    WarmNotLockedError,
    WrongStateError,
)
from registry.keys import generate
from registry.locked_run import RunRequest, check_run_allowed
from registry.statements import Release, Threshold, ValidationReport
from registry.trials import LockView, require_warm_equal, slot_from
from registry.trust_root import Person, Role
from tests.support.registry_builders import World, digest_of, seeded


@pytest.fixture
def open_trial(approved: World) -> World:
    approved.open_trial()
    return approved


def request(world: World, **changes: object) -> RunRequest:
    release = world.logged["release"].statement.read(Release)
    found: dict[str, object] = {
        "site": "site-1",
        "engine": "docker",
        "plugin": release.plugin,
        "image": release.image,
        "manifest": release.manifest,
        "weights": release.weights,
        "parameters": {"smoothing_mm": 1.5},
    }
    return RunRequest(**{**found, **changes})  # type: ignore[arg-type] # a test changes single fields


def view(world: World) -> LockView:
    effective = world.sponsor.trial("trial-1").effective
    assert effective is not None
    return effective


@pytest.mark.requirement("R19")
def test_a_lock_holds_once_sponsor_and_qa_have_signed(open_trial: World) -> None:
    open_trial.lock()
    seen = [open_trial.sponsor.trial("trial-1").locks[0].missing]
    for person in ("simone", "quinn"):
        open_trial.sign(person, "lock")
        seen.append(open_trial.sponsor.trial("trial-1").locks[0].missing)
    both = (Threshold(role="sponsor", count=1), Threshold(role="qa", count=1))
    assert seen == [both, both[1:], ()]
    assert view(open_trial).digest == open_trial.logged["lock"].digest


def test_two_signatures_of_one_role_do_not_fill_two_roles(open_trial: World) -> None:
    open_trial.lock()
    open_trial.sign("quinn", "lock")
    open_trial.sign("quentin", "lock")
    status = open_trial.sponsor.trial("trial-1")
    assert status.effective is None
    assert status.locks[0].missing == (Threshold(role="sponsor", count=1),)


@pytest.mark.requirement("R17")
def test_one_person_with_two_keys_and_two_roles_counts_once(open_trial: World) -> None:
    second = generate(seeded("simone-2"))
    both = Person(
        id="simone",
        name="Simone Sponsor",
        roles=(Role.SPONSOR, Role.QA),
        keys=(open_trial.keys["simone"].public, second.public),
    )
    open_trial.sponsor.enrol([both], [open_trial.keys["rosa"]], reason="a second role and key")
    open_trial.lock()
    open_trial.sign("simone", "lock")
    from registry.statements import ESignature

    made = list(open_trial.sponsor.records(ESignature.predicate_type))[-1].statement.read(ESignature)
    open_trial.sponsor.act(made.model_copy(update={"role": "qa"}), second)
    assert open_trial.sponsor.trial("trial-1").effective is None


def test_a_developer_does_not_sign_a_lock(open_trial: World) -> None:
    open_trial.lock()
    with pytest.raises(RoleError):
        open_trial.sign("dora", "lock")


def test_a_review_does_not_put_a_lock_in_force(open_trial: World) -> None:
    open_trial.lock()
    open_trial.sign("simone", "lock")
    open_trial.sign("quinn", "lock", "review")
    assert open_trial.sponsor.trial("trial-1").effective is None


@pytest.mark.requirement("R26")
def test_a_removed_signer_does_not_void_the_lock(imported: World) -> None:
    gone = Person(
        id="quinn", name="Quinn Quality", roles=(Role.DEVELOPER,), keys=(imported.keys["quinn"].public,)
    )
    imported.sponsor.enrol([gone], [imported.keys["rosa"]], reason="changes department")
    assert view(imported).holds


@pytest.mark.requirement("R6", "R19")
def test_an_amended_lock_keeps_the_old_revision(imported: World) -> None:
    first = imported.logged["lock"].digest
    imported.lock(reason="a second site would join")
    assert view(imported).digest == first, "until it is signed, the old one stays in force"
    imported.sign("simone", "lock")
    imported.sign("quinn", "lock")
    status = imported.sponsor.trial("trial-1")
    assert [one.lock.sequence for one in status.locks] == [1, 2]
    assert status.locks[1].lock.previous == first
    assert view(imported).digest == imported.logged["lock"].digest


def test_an_unsigned_lock_is_superseded_by_the_next_and_takes_no_signature(open_trial: World) -> None:
    first = open_trial.lock()
    open_trial.lock()
    open_trial.logged["lock"] = first
    with pytest.raises(LockChainError, match="superseded"):
        open_trial.sign("simone", "lock")


@pytest.mark.requirement("R19")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sequence": 1, "previous": None}, LockForkError),
        ({"sequence": 3}, LockChainError),
        ({"previous": digest_of("another lock")}, LockChainError),
        ({"sites": ("site-9",)}, SiteNotEnrolledError),
        ({"sites": ("site-1", "site-1")}, WrongStateError),
        ({"policy": (Threshold(role="sponsor", count=2),)}, WrongStateError),
        ({"trust_root": digest_of("an old root")}, WrongStateError),
    ],
)
def test_a_lock_that_breaks_the_terms_is_refused(
    imported: World, changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        imported.lock(**changes)


@pytest.mark.attack("slot of another release")
@pytest.mark.parametrize("field", ["image", "manifest"])
def test_a_slot_that_differs_from_its_release_is_refused(open_trial: World, field: str) -> None:
    draft = open_trial.draft_lock()
    slot = draft.slots[0].model_copy(update={field: digest_of("another")})
    with pytest.raises(LockMismatchError, match=field):
        open_trial.lock(slots=(slot,))


@pytest.mark.attack("mix-and-match lock and report")
def test_a_slot_with_another_report_is_refused(open_trial: World) -> None:
    slot = open_trial.draft_lock().slots[0].model_copy(update={"report": digest_of("another report")})
    with pytest.raises(LockMismatchError, match="no approval"):
        open_trial.lock(slots=(slot,))


@pytest.mark.requirement("R10")
def test_an_unapproved_release_fills_no_slot(approved: World) -> None:
    approved.submit("2.0.0")
    entry = approved.sponsor.catalogue()[approved.logged["release"].digest]
    with pytest.raises(NotApprovedError):
        slot_from(entry, "volumes", "demonstration", {})


def test_a_release_approved_for_less_than_the_trial_needs_fills_no_slot(world: World) -> None:
    world.submit()
    world.register_kit()
    world.cosign()
    world.start_validation()
    world.report()
    world.sign("quinn", "report")
    world.approve(scope="exploratory")
    world.open_trial(scope="endpoint")
    with pytest.raises(ScopeError):
        world.lock()


@pytest.mark.requirement("R1")
def test_the_locked_run_is_allowed(imported: World) -> None:
    assert check_run_allowed(view(imported), request(imported)).slot == "volumes"


@pytest.mark.requirement("R1", "R2")
@pytest.mark.attack("run with other parameters than locked")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"site": "site-2"}, SiteNotEnrolledError),
        ({"engine": "podman"}, EngineNotAllowedError),
        ({"plugin": "other"}, LockMismatchError),
        ({"image": digest_of("retagged")}, ImageMismatchError),
        ({"manifest": digest_of("edited")}, LockMismatchError),
        ({"weights": ()}, LockMismatchError),
        ({"parameters": {}}, LockMismatchError),
        ({"parameters": {"smoothing_mm": 1.6}}, LockMismatchError),
        ({"parameters": {"smoothing_mm": 1.5, "extra": True}}, LockMismatchError),
        ({"container": "warm"}, WarmNotLockedError),
    ],
)
def test_a_run_that_differs_from_the_lock_is_refused(
    imported: World, changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        check_run_allowed(view(imported), request(imported, **changes))


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "did not compare them"),
        ("different", "found them different"),
        ("not comparable", "found them not comparable"),
    ],
)
def test_a_lock_permits_warm_containers_only_on_a_report_that_found_them_equal(
    found: str | None, message: str, open_trial: World
) -> None:
    slots = [one.model_copy(update={"warm": True}) for one in open_trial.draft_lock("trial-1").slots]
    report = open_trial.sponsor.log.record(slots[0].report).statement.read(ValidationReport)
    with pytest.raises(WrongStateError, match=message):
        require_warm_equal(slots[0], report.model_copy(update={"warm": found}))
    require_warm_equal(slots[0], report.model_copy(update={"warm": "equal"}))
    with pytest.raises(WrongStateError, match="did not compare them"):
        open_trial.lock(slots=tuple(slots))


@pytest.mark.requirement("R21")
def test_no_run_without_a_lock_in_force(open_trial: World) -> None:
    open_trial.lock()
    with pytest.raises(LockNotSignedError):
        check_run_allowed(open_trial.sponsor.trial("trial-1").effective, request(open_trial))


@pytest.mark.parametrize("name", ["", "Volumes", "a b", "../volumes"])
def test_a_slot_is_named_by_an_identifier(approved: World, name: str) -> None:
    entry = approved.sponsor.catalogue()[approved.logged["release"].digest]
    with pytest.raises(ValueRefusedError, match="slot"):
        slot_from(entry, name, "endpoint", {})
    assert slot_from(entry, "volumes", "endpoint", {}).slot == "volumes"
