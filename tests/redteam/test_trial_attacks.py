"""What somebody who may propose locks or run them may try against a trial, and how it shows.

Each attack names its error and leaves a refusal in the log; beside it stands the honest act that passes.
"""

from collections.abc import Callable

import pytest

from plugin_spec.errors import AssayError
from registry.errors import (
    AmendmentReasonError,
    AmendmentThresholdError,
    ContextExceededError,
    EvidenceTooWeakError,
    GpuNotAllowedError,
    LockMismatchError,
)
from registry.registry import Registry
from registry.statements import ContextOfUse, GpuRef, Refusal, Threshold
from registry.terms import Amendment, LeastAccepted, LockTerms
from tests.support.registry_builders import AMENDED, World

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


def test_an_amendment_without_class_impact_and_justification_is_refused(imported: World) -> None:
    is_refused(imported.sponsor, AmendmentReasonError, lambda: imported.lock(amendment=None))
    again = Amendment(kind="initiation")
    is_refused(imported.sponsor, AmendmentReasonError, lambda: imported.lock(amendment=again))
    imported.lock(amendment=AMENDED)


def test_a_first_lock_that_claims_to_amend_is_refused(approved: World) -> None:
    approved.open_trial()
    is_refused(approved.sponsor, AmendmentReasonError, lambda: approved.lock(amendment=AMENDED))
    approved.lock()


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
    return world.imported()


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
