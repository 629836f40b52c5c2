"""Attacks on what the catalogue says of a release; each names its error, and the honest twin stands beside it."""

import pytest

from plugin_spec.errors import AssayError
from registry.bundle import import_trial
from registry.errors import BundleEvidenceError, RecalledError
from registry.standing import ReleaseRecalled, ReleaseReinstated, ReleaseSuspended, State
from registry.statements import CatalogueDecision, Refusal
from tests.support.registry_builders import World


@pytest.mark.attack("recalled, then approved")
def test_a_recalled_release_is_not_approved_and_the_attempt_is_logged(approved: World) -> None:
    approved.change(ReleaseRecalled)
    with pytest.raises(RecalledError) as caught:
        approved.approve()
    assert (caught.value.code, int(caught.value.exit_code)) == ("release-recalled", 5)
    logged = [one.statement.read(Refusal) for one in approved.sponsor.records(Refusal.predicate_type)]
    assert [(one.attempted, one.error) for one in logged] == [("catalogue-decision/v1", "release-recalled")]
    assert approved.sponsor.catalogue()[approved.logged["release"].digest].state is State.RECALLED


def test_a_release_that_was_not_recalled_is_approved_again(approved: World) -> None:
    approved.clock.move(seconds=1)
    approved.approve(scope="exploratory")
    assert approved.sponsor.catalogue()[approved.logged["release"].digest].state is State.APPROVED


def test_a_recalled_release_put_back_by_an_approval_beside_the_rules_closes_the_catalogue(
    approved: World,
) -> None:
    approved.change(ReleaseRecalled)
    decision = approved.logged["decision"].statement.read(CatalogueDecision)
    forged = decision.model_copy(update={"reason": "all is well again"})
    approved.sponsor.log_act(forged, [approved.keys["quentin"]], ())
    with pytest.raises(RecalledError):
        approved.sponsor.catalogue()


def test_the_bundle_from_before_a_recall_is_refused_after_it(imported: World) -> None:
    stale = imported.exported("stale.zip")
    imported.change(ReleaseRecalled)
    import_trial(imported.site, imported.exported("recalled.zip"), pin=imported.pin)
    with pytest.raises(AssayError) as caught:
        import_trial(imported.site, stale, pin=imported.pin)
    assert caught.value.code == "checkpoint-mismatch"
    with pytest.raises(RecalledError):
        imported.run()


def test_a_reinstatement_beside_the_rules_is_refused_with_its_bundle(imported: World) -> None:
    suspended = imported.change(ReleaseSuspended, "quinn").statement.read(ReleaseSuspended)
    forged = ReleaseReinstated(**{**imported.stamp("quinn"), "release": suspended.release})
    imported.sponsor.log_act(forged, [imported.keys["quinn"]], ())
    with pytest.raises(BundleEvidenceError, match="self-approval"):
        import_trial(imported.site, imported.exported("forged.zip"), pin=imported.pin)
