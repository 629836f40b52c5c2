"""Locks are proposed from what is approved, and signed by who has read the newest one."""

import pytest

from host.errors import OptionError, ReleaseUnknownError
from host.home import now
from host.locking import newest_lock, propose_lock
from registry.errors import NotApprovedError, WrongStateError
from registry.registry import Registry
from registry.statements import TrialCreated, TrialLock
from registry.trust_root import Role
from tests.support.registry_builders import seeded
from tests.support.tiny import RELEASE, TRIAL
from tests.support.tiny_host import SITE, TinyHost


def open_trial(host: TinyHost) -> None:
    created = TrialCreated(**host.stamp("sofia"), trial=TRIAL, title="Tiny", scope="demonstration")
    host.registry.act(created, host.keys["sofia"])


def propose(host: TinyHost, release: str = RELEASE, warm: tuple[str, ...] = ()) -> None:
    propose_lock(
        host.registry,
        host.actor("sofia", Role.SPONSOR),
        TRIAL,
        slots={"bright": release},
        sites=[SITE],
        engines=["memory"],
        reason="start",
        warm=warm,
    )


def test_a_slot_that_is_to_permit_warm_containers_must_be_one_of_the_lock(host: TinyHost) -> None:
    open_trial(host)
    with pytest.raises(OptionError, match="--warm dark: the lock has no such slot"):
        propose(host, warm=("dark",))


def test_a_lock_freezes_digests_and_parameters(host: TinyHost) -> None:
    site = Registry.create_site(host.folder / "site", site_id=SITE, clock=now, random=seeded(SITE))
    lock = host.locked(site)
    (slot,) = lock.statement.read(TrialLock).slots
    release = host.release
    assert (slot.image, slot.manifest, slot.weights) == (
        release.image,
        release.manifest_digest,
        release.weight_refs,
    )
    assert (slot.parameters, slot.verdict) == ({}, "met")
    assert newest_lock(host.registry, TRIAL, named=lock.digest) == lock


def test_nobody_signs_a_lock_that_is_not_the_newest(host: TinyHost) -> None:
    site = Registry.create_site(host.folder / "site", site_id=SITE, clock=now, random=seeded(SITE))
    old = host.locked(site)
    propose(host)
    with pytest.raises(WrongStateError, match="the newest lock of tiny-trial is"):
        newest_lock(host.registry, TRIAL, named=old.digest)


def test_a_release_that_was_not_approved_cannot_be_locked(host: TinyHost) -> None:
    open_trial(host)
    with pytest.raises(NotApprovedError):
        propose(host)
    with pytest.raises(ReleaseUnknownError):
        propose(host, "tiny-volumes@9.9.9")


def test_a_trial_without_a_lock_says_how_to_make_one(host: TinyHost) -> None:
    open_trial(host)
    with pytest.raises(WrongStateError, match="has no lock yet") as refused:
        newest_lock(host.registry, TRIAL, named="sha256:" + "0" * 64)
    assert refused.value.hint == f"assay trial lock {TRIAL}"
