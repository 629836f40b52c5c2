"""What somebody who may propose locks or run them may try against a trial, and how it shows.

Each attack names its error and leaves a refusal in the log; beside it stands the honest act that passes.
"""

from collections.abc import Callable

import pytest

from plugin_spec.errors import AssayError
from registry.bundle import import_trial
from registry.dsse import sign
from registry.errors import (
    AmendmentImpactError,
    AmendmentReasonError,
    AmendmentThresholdError,
    BridgingError,
    ContextExceededError,
    DuplicateRecordError,
    EvidenceTooWeakError,
    GpuNotAllowedError,
    LockMismatchError,
    LockNotSignedError,
    MixedReleaseError,
    RerunError,
    RoleError,
    SiteNotActivatedError,
    SiteNotEnrolledError,
)
from registry.registry import Registry
from registry.results import RUN_TYPES, results_of_record, superseded, trial_runs
from registry.statements import (
    PAYLOAD_TYPE,
    ContextOfUse,
    GpuRef,
    Refusal,
    Threshold,
    ValidationReport,
    ValidationStarted,
    make_statement,
)
from registry.terms import Amendment, LeastAccepted, LockTerms
from tests.support.registry_builders import AMENDED, CASES, World, digest_of

GPU = GpuRef(uuid="GPU-1", model="Test GPU", vram_bytes=1, driver="1", compute_capability="8.0")
USE = ContextOfUse(
    measurand="whole-brain volume", population="children", modality="MR", endpoint_role="primary"
)


def last_refusal(registry: Registry) -> str:
    return [one.statement.read(Refusal).error for one in registry.records(Refusal.predicate_type)][-1]


def is_refused(registry: Registry, error: type[AssayError], act: Callable[[], object]) -> None:
    """The act ends with the named error, a refusal in the log, and nothing else in it."""
    before = registry.log.size
    with pytest.raises(error):
        act()
    assert last_refusal(registry) == error.code
    assert registry.log.size == before + 1


@pytest.mark.requirement("R19")
@pytest.mark.attack("amendment without class and impact")
def test_an_amendment_without_class_impact_and_justification_is_refused(imported: World) -> None:
    is_refused(imported.sponsor, AmendmentReasonError, lambda: imported.lock(amendment=None))
    again = Amendment(kind="initiation")
    is_refused(imported.sponsor, AmendmentReasonError, lambda: imported.lock(amendment=again))
    imported.lock()


def test_a_first_lock_that_claims_to_amend_is_refused(approved: World) -> None:
    approved.open_trial()
    is_refused(approved.sponsor, AmendmentReasonError, lambda: approved.lock(amendment=AMENDED))
    approved.lock()


@pytest.mark.requirement("R19")
@pytest.mark.attack("amendment below the threshold")
def test_an_amendment_that_asks_for_fewer_signatures_is_refused(approved: World) -> None:
    strict = (Threshold(role="sponsor", count=1), Threshold(role="qa", count=2))
    approved.open_trial()
    approved.lock(policy=strict)
    for person in ("simone", "quinn", "quentin"):
        approved.sign(person, "lock")
    is_refused(approved.sponsor, AmendmentThresholdError, approved.lock)
    approved.lock(policy=strict)


def test_an_unsigned_amendment_in_between_does_not_lower_the_bar(approved: World) -> None:
    strict = (Threshold(role="sponsor", count=1), Threshold(role="qa", count=2))
    approved.open_trial()
    approved.lock(policy=strict)
    for person in ("simone", "quinn", "quentin"):
        approved.sign(person, "lock")
    approved.lock(policy=strict)
    is_refused(approved.sponsor, AmendmentThresholdError, approved.lock)


@pytest.mark.attack("use beyond the approval")
def test_a_release_is_not_locked_for_a_use_that_nobody_approved(approved: World) -> None:
    approved.open_trial()
    (slot,) = approved.draft_lock().slots
    wider = slot.model_copy(update={"context": USE})
    is_refused(approved.sponsor, ContextExceededError, lambda: approved.lock(slots=(wider,)))
    approved.lock(slots=(slot,))


def test_a_slot_below_the_least_that_the_lock_accepts_is_refused(world: World) -> None:
    world.submit()
    world.register_kit(evidence="phantom")
    world.cosign()
    world.start_validation()
    world.report(evidence="phantom", verdict="not met")
    world.sign("quinn", "report")
    world.approve(scope="demonstration")
    world.open_trial(scope="demonstration")
    for verdict, evidence, scope in (
        ("met", "phantom", "demonstration"),
        ("not met", "derived", "demonstration"),
        ("not met", "phantom", "exploratory"),
    ):
        least = LeastAccepted.model_validate({"verdict": verdict, "evidence": evidence, "scope": scope})
        terms = LockTerms(least=least)
        is_refused(world.sponsor, EvidenceTooWeakError, lambda terms=terms: world.lock(terms=terms))  # type: ignore[misc] # bound now
    fitting = LeastAccepted(verdict="not met", evidence="phantom", scope="demonstration")
    world.lock(terms=LockTerms(least=fitting))


def with_gpus(world: World, *gpus: str) -> World:
    world.approved()
    world.open_trial()
    world.lock(terms=LockTerms(gpus=gpus))
    world.sign("simone", "lock")
    world.sign("quinn", "lock")
    world.activate()
    return world.imported()


@pytest.mark.attack("GPU outside the lock's class")
def test_a_gpu_outside_the_locks_class_is_refused_before_the_container_starts(world: World) -> None:
    site = with_gpus(world, "Other GPU").site
    for devices in ((GPU,), ()):
        run = world.run_started(gpu_devices=devices)
        is_refused(site, GpuNotAllowedError, lambda run=run: site.act(run, site.node))  # type: ignore[misc] # bound now


def test_the_locked_gpu_runs(world: World) -> None:
    site = with_gpus(world, "Test GPU").site
    site.act(world.run_started(gpu_devices=(GPU,)), site.node)


def test_a_parameter_value_that_is_not_the_frozen_one_is_refused(imported: World) -> None:
    site = imported.site
    run = imported.run_started(parameters={"smoothing_mm": 2.5})
    is_refused(site, LockMismatchError, lambda: site.act(run, site.node))
    site.act(imported.run_started(), site.node)


# ---- conduct: activation, results of record, one release per subject ---------------------------------


def signed(world: World) -> World:
    """A lock in force; no site is active."""
    world.approved()
    world.open_trial()
    world.lock()
    world.sign("simone", "lock")
    world.sign("quinn", "lock")
    return world


@pytest.mark.requirement("R21")
@pytest.mark.attack("run before activation")
def test_nothing_runs_at_a_site_before_its_activation(world: World) -> None:
    site = signed(world).imported().site
    run = world.run_started()
    is_refused(site, SiteNotActivatedError, lambda: site.act(run, site.node))
    world.activate()
    import_trial(site, world.exported("activated.zip"), pin=world.pin)
    site.act(world.run_started(), site.node)


def test_the_activation_of_another_site_or_trial_lets_nothing_run(world: World) -> None:
    site = signed(world).imported().site
    is_refused(world.sponsor, SiteNotEnrolledError, lambda: world.activate(site="site-2"))
    world.open_trial("trial-2")
    is_refused(world.sponsor, LockNotSignedError, lambda: world.activate(trial="trial-2"))
    is_refused(site, SiteNotActivatedError, lambda: site.act(world.run_started(), site.node))


def test_only_a_sponsor_activates_once_and_under_the_lock_in_force(world: World) -> None:
    sponsor = signed(world).sponsor
    by_qa = world.stamp("quinn")
    is_refused(sponsor, RoleError, lambda: world.activate(actor=by_qa["actor"], role=by_qa["role"]))
    is_refused(sponsor, LockMismatchError, lambda: world.activate(lock=digest_of("an older lock")))
    world.activate()
    is_refused(sponsor, DuplicateRecordError, world.activate)


@pytest.mark.requirement("R21")
@pytest.mark.attack("run before activation")
def test_a_sponsor_takes_in_no_run_from_before_the_activation(world: World) -> None:
    signed(world).imported()
    world.site.log.append(
        sign(make_statement(world.run_started()), PAYLOAD_TYPE, [world.site.node])
    )  # what a site that skips its own rules would do
    world.activate()
    is_refused(world.sponsor, SiteNotActivatedError, lambda: world.take_in(world.returned()))


@pytest.mark.attack("second result of a visit")
def test_a_second_result_needs_the_first_ones_name_and_a_reason(imported: World) -> None:
    site = imported.site
    imported.run()
    again = {"run": "c" * 16, "visit": "baseline"}
    for changes in ({}, {"rerun_of": "b" * 16}, {"rerun_of": "d" * 16, "rerun_reason": "rescan"}):
        run = imported.run_started(**again, **changes)  # type: ignore[arg-type] # single fields
        is_refused(site, RerunError, lambda run=run: site.act(run, site.node))  # type: ignore[misc] # bound now
    changes = {"rerun_of": "b" * 16, "rerun_reason": "rescan"}
    imported.finish(site, site.act(imported.run_started(**again, **changes), site.node))  # type: ignore[arg-type]
    runs = trial_runs(site.records(RUN_TYPES), site.trial("trial-1").locks)
    assert [run.started.run for run in results_of_record(runs).values()] == ["c" * 16]
    assert [(old.started.run, new.started.run) for old, new in superseded(runs)] == [("b" * 16, "c" * 16)]


def test_a_run_that_names_a_result_where_there_is_none_is_refused(imported: World) -> None:
    site = imported.site
    run = imported.run_started(rerun_of="d" * 16, rerun_reason="rescan")
    is_refused(site, RerunError, lambda: site.act(run, site.node))


def test_two_runs_of_the_same_are_not_under_way_at_once(imported: World) -> None:
    site = imported.site
    site.act(imported.run_started(), site.node)
    second = imported.run_started("c" * 16, visit="baseline")
    is_refused(site, DuplicateRecordError, lambda: site.act(second, site.node))


@pytest.mark.attack("second result of a visit")
def test_a_sponsor_takes_in_no_second_result_without_its_reason(imported: World) -> None:
    imported.run()
    second = imported.run_started("c" * 16, visit="baseline")
    imported.site.log.append(sign(make_statement(second), PAYLOAD_TYPE, [imported.site.node]))
    is_refused(imported.sponsor, RerunError, lambda: imported.take_in(imported.returned()))


def amended(world: World, impact: str, bridging: str | None = None) -> World:
    """The trial goes on with version 2.0.0, after one result of 1.0.0."""
    world.locked().imported().run()
    world.take_in(world.returned())
    first = world.logged["report"].digest
    world.submit("2.0.0")
    validate_again(world, against=first)
    world.approve()
    changes = {"impact": impact, "bridging": world.logged["report"].digest if bridging else None}
    world.lock(amendment=world.amendment(**changes))
    world.sign("simone", "lock")
    world.sign("quinn", "lock")
    import_trial(world.site, world.exported("amended.zip"), pin=world.pin)
    return world


def validate_again(world: World, against: str | None) -> None:
    """A whole validation of the newest release, compared with an earlier report."""
    started = ValidationStarted(
        **world.stamp("dora"),
        validation="f" * 16,
        release=world.logged["release"].digest,
        protocol=world.logged["protocol"].digest,
        attempt=1,
        subset="whole kit",
        cases=CASES,
        checkpoint=world.cosign(),
        against=against,
    )
    world.logged["started"] = world.sponsor.act(started, world.keys["dora"])
    before = world.logged["report"].statement.read(ValidationReport)
    changes = {
        **world.stamp("dora"),
        "validation": "f" * 16,
        "started": world.logged["started"].digest,
        "release": started.release,
    }
    world.logged["report"] = world.sponsor.act(before.model_copy(update=changes), world.keys["dora"])
    world.sign("quinn", "report")


@pytest.mark.attack("subject on two releases")
def test_a_subject_with_results_of_the_earlier_release_gets_none_of_the_next(world: World) -> None:
    site = amended(world, "none").site
    month_6 = world.run_started("c" * 16)
    is_refused(site, MixedReleaseError, lambda: site.act(month_6, site.node))
    site.act(world.run_started("d" * 16, subject="subject-2"), site.node)


def test_a_subject_goes_on_once_its_visits_are_reprocessed(world: World) -> None:
    site = amended(world, "reprocess all").site
    is_refused(site, MixedReleaseError, lambda: site.act(world.run_started("c" * 16), site.node))
    rerun = {"visit": "baseline", "rerun_of": "b" * 16, "rerun_reason": "amendment"}
    world.finish(site, site.act(world.run_started("d" * 16, **rerun), site.node))
    site.act(world.run_started("c" * 16), site.node)


def test_bridging_evidence_lets_a_subject_have_results_of_both(world: World) -> None:
    site = amended(world, "none", bridging="signed").site
    world.finish(site, site.act(world.run_started("c" * 16), site.node))
    world.take_in(world.returned("later.zip"))


@pytest.mark.attack("bridging by a report that compares with nothing")
def test_bridging_evidence_that_compares_with_nothing_locked_is_refused(world: World) -> None:
    world.locked()
    own = world.amendment(bridging=world.logged["report"].digest)
    is_refused(world.sponsor, BridgingError, lambda: world.lock(amendment=own))
    unknown = world.amendment(bridging=digest_of("no report"))
    is_refused(world.sponsor, BridgingError, lambda: world.lock(amendment=unknown))
    world.submit("2.0.0")
    validate_again(world, against=None)
    world.approve()
    alone = world.amendment(bridging=world.logged["report"].digest)
    is_refused(world.sponsor, BridgingError, lambda: world.lock(amendment=alone))


def test_an_amendment_for_other_results_than_there_are_is_refused(imported: World) -> None:
    shown = imported.amendment()
    imported.run()
    imported.take_in(imported.returned())
    is_refused(imported.sponsor, AmendmentImpactError, lambda: imported.lock(amendment=shown))
    imported.lock()
