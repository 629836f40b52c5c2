import pytest

from registry.errors import (
    ActionDeniedError,
    LockMismatchError,
    LockNotSignedError,
    RoleError,
    UnknownRecordError,
    WrongStateError,
)
from registry.rules import RULES
from registry.statements import Act, RecordsTakenIn, Refusal, RunFinished, RunStarted
from registry.trace import trace
from registry.trust_root import TrustRoot
from tests.support.registry_builders import World, digest_of


@pytest.mark.requirement("R9")
def test_every_kind_of_act_has_a_rule_or_a_door_of_its_own() -> None:
    own_doors = {TrustRoot, Refusal, RecordsTakenIn}
    kinds = set(Act.__subclasses__()) | {
        one for kind in Act.__subclasses__() for one in kind.__subclasses__()
    }
    assert kinds == set(RULES) | own_doors


def test_a_validation_run_is_recorded_by_the_registry_and_traced(approved: World) -> None:
    begun = approved.sponsor.act(approved.validation_run_started(), approved.sponsor.node)
    approved.finish(approved.sponsor, begun)
    found = trace(approved.sponsor, "e" * 16, port="volumes", column="brain_ml")
    assert found.lock is None
    assert found.validation is not None
    assert found.validation.report_digest == approved.logged["report"].digest


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"validation": "f" * 16}, WrongStateError),
        ({"image": digest_of("another")}, LockMismatchError),
        ({"weights": ()}, LockMismatchError),
        ({"release": digest_of("never submitted")}, UnknownRecordError),
        ({"actor": "dora", "role": "developer"}, ActionDeniedError),
        ({"purpose": "trial"}, WrongStateError),
        ({"role": "qa"}, RoleError),
    ],
)
def test_a_validation_run_that_does_not_fit_is_refused(
    approved: World, changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        approved.sponsor.act(approved.validation_run_started(**changes), approved.sponsor.node)


@pytest.mark.requirement("R10", "R21")
def test_a_run_before_the_lock_is_in_force_is_refused(approved: World) -> None:
    approved.open_trial()
    lock = approved.lock()
    act = approved.validation_run_started(purpose="trial", trial="trial-1", lock=lock.digest)
    with pytest.raises(LockNotSignedError):
        approved.sponsor.act(act, approved.sponsor.node)


@pytest.mark.attack("run under another lock than the one in force")
def test_a_run_under_another_lock_than_the_one_in_force_is_refused(imported: World) -> None:
    with pytest.raises(LockMismatchError, match="not under the lock in force"):
        imported.site.act(imported.run_started(lock=digest_of("an older lock")), imported.site.node)


def test_the_end_of_a_run_names_the_run_it_ends(imported: World) -> None:
    finished = imported.run().statement.read(RunFinished)
    imported.site.act(imported.run_started("c" * 16), imported.site.node)
    chain, previous = imported.site.next_link()
    stray = finished.model_copy(update={"run": "c" * 16, "chain": chain, "previous": previous})
    with pytest.raises(WrongStateError):
        imported.site.act(stray, imported.site.node)


def test_a_run_is_started_once(imported: World) -> None:
    imported.run()
    started = imported.run_started()
    assert isinstance(started, RunStarted)
    with pytest.raises(Exception, match="was started before"):
        imported.site.act(started, imported.site.node)


def test_only_reports_and_locks_are_signed(approved: World) -> None:
    with pytest.raises(ActionDeniedError, match="no rule for signing"):
        approved.sign("quinn", "release")


def test_a_signature_is_not_made_twice(approved: World) -> None:
    with pytest.raises(Exception, match="already"):
        approved.sign("quinn", "report")
    assert approved.sign("quinn", "report", "review").sequence == approved.sponsor.log.size - 1
