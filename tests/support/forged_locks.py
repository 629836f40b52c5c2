"""Bundles with a lock that an insider wrote past the rules."""

from pathlib import Path

from registry.checkpoint import Checkpoint, sign_checkpoint
from registry.dsse import sign
from registry.keys import generate
from registry.standing import ReleaseRecalled
from registry.statements import (
    PAYLOAD_TYPE,
    CatalogueDecision,
    Release,
    Threshold,
    TrialLock,
    make_statement,
)
from registry.trust_root import Role
from tests.support.forged_records import approval, attack
from tests.support.insider import appended, payload_digest, signed
from tests.support.registry_builders import World, digest_of, seeded

# ---- locks


def next_lock(world: World, **changes: object) -> TrialLock:
    return world.draft_lock().model_copy(update={"reason": "as an insider would", **changes})


def with_lock(world: World, lock: TrialLock, *signers: str) -> Path:
    """The bundle with a lock that the rules would refuse, signed by these persons and named as the one in force."""
    envelope = signed(world, lock, "simone")
    name = payload_digest(envelope)
    signatures = [signed(world, approval(world, one, name), one) for one in signers]
    return appended(world, envelope, *signatures, lock=name)


@attack("sibling lock (fork)", "lock-fork")
def _fork(world: World) -> Path:
    return with_lock(world, next_lock(world, sequence=1, previous=None), "simone", "quinn")


@attack("lock number skipped", "lock-chain")
def _lock_skip(world: World) -> Path:
    return with_lock(world, next_lock(world, sequence=3), "simone", "quinn")


@attack("lock that continues another one", "lock-chain")
def _lock_other(world: World) -> Path:
    return with_lock(world, next_lock(world, previous=digest_of("another lock")), "simone", "quinn")


@attack("amendment without threshold", "lock-mismatch")
def _unsigned_amendment(world: World) -> Path:
    return with_lock(world, next_lock(world), "simone")


@attack("amendment without reason", "malformed-statement")
def _no_reason(world: World) -> Path:
    return with_lock(world, next_lock(world, reason=""), "simone", "quinn")


@attack("one person for two places", "lock-mismatch")
def _one_person(world: World) -> Path:
    person = world.sponsor.root.person("simone")
    key = generate(seeded("simone, again"))
    both = person.model_copy(update={"roles": (Role.SPONSOR, Role.QA), "keys": (*person.keys, key.public)})
    world.sponsor.enrol([both], [world.keys["rosa"]], reason="a small sponsor")
    envelope = signed(world, next_lock(world), "simone")
    name = payload_digest(envelope)
    second = approval(world, "simone", name, role="qa")
    return appended(
        world,
        envelope,
        signed(world, approval(world, "simone", name), "simone"),
        sign(make_statement(second), PAYLOAD_TYPE, [key]),
        lock=name,
    )


@attack("policy below the least", "bundle-evidence")
def _weak_policy(world: World) -> Path:
    return with_lock(world, next_lock(world, policy=(Threshold(role="sponsor", count=1),)), "simone")


def with_slot(world: World, **changes: object) -> Path:
    draft = next_lock(world)
    slot = draft.slots[0].model_copy(update=changes)
    return with_lock(world, draft.model_copy(update={"slots": (slot,)}), "simone", "quinn")


@attack("image swapped in a lock", "lock-mismatch")
def _slot_image(world: World) -> Path:
    return with_slot(world, image=digest_of("another image"))


@attack("weights swapped in a lock", "lock-mismatch")
def _slot_weights(world: World) -> Path:
    return with_slot(world, weights=())


@attack("verdict bettered in a lock", "lock-mismatch")
def _slot_verdict(world: World) -> Path:
    return with_slot(world, verdict="not met")


@attack("mix-and-match lock and report", "lock-mismatch")
def _slot_report(world: World) -> Path:
    return with_slot(world, report=world.logged["decision"].digest)


@attack("release that was never submitted", "bundle-evidence")
def _slot_release(world: World) -> Path:
    return with_slot(world, release=digest_of("no release"))


@attack("warm containers that no report found equal", "bundle-evidence")
def _slot_warm(world: World) -> Path:
    return with_slot(world, warm=True)


@attack("release that nobody approved", "bundle-evidence")
def _unapproved(world: World) -> Path:
    """The other release is in the bundle, but no report and no approval are of it."""
    draft = next_lock(world)
    said = world.logged["release"].statement.read(Release).model_copy(update={"version": "9.0.0"})
    other = signed(world, said, "dora")
    slot = draft.slots[0].model_copy(update={"release": payload_digest(other), "version": "9.0.0"})
    lock = signed(world, draft.model_copy(update={"slots": (slot,)}), "simone")
    name = payload_digest(lock)
    signatures = [signed(world, approval(world, one, name), one) for one in ("simone", "quinn")]
    return appended(world, other, lock, *signatures, lock=name)


@attack("lock that leans on a foreign checkpoint", "unsigned-checkpoint")
def _foreign_checkpoint(world: World) -> Path:
    fork = Checkpoint(origin=world.sponsor.log.origin, size=2, root=bytes(32))
    note = sign_checkpoint(fork, world.keys["simone"]).decode()
    return with_lock(world, next_lock(world, checkpoint=note), "simone", "quinn")


@attack("lock that leans on a fork of the log", "bad-consistency-proof")
def _forked_checkpoint(world: World) -> Path:
    fork = Checkpoint(origin=world.sponsor.log.origin, size=2, root=bytes(32))
    note = sign_checkpoint(fork, world.sponsor.node).decode()
    return with_lock(world, next_lock(world, checkpoint=note), "simone", "quinn")


@attack("recalled, then locked", "bundle-evidence")
def _recalled(world: World) -> Path:
    recall = ReleaseRecalled(
        **world.stamp("quinn"), release=world.logged["release"].digest, impact=digest_of("its impact")
    )
    draft = next_lock(world)
    lock = signed(world, draft, "simone")
    name = payload_digest(lock)
    signatures = [signed(world, approval(world, one, name), one) for one in ("simone", "quinn")]
    return appended(world, signed(world, recall, "quinn"), lock, *signatures, lock=name)


@attack("recalled, then approved", "bundle-evidence")
def _approved_again(world: World) -> Path:
    recall = ReleaseRecalled(
        **world.stamp("quinn"), release=world.logged["release"].digest, impact=digest_of("its impact")
    )
    again = CatalogueDecision(
        **world.stamp("quentin"),
        release=world.logged["release"].digest,
        decision="approve",
        scope="endpoint",
        context_of_use="everything, again",
        report=world.logged["report"].digest,
    )
    lock = signed(world, next_lock(world), "simone")
    name = payload_digest(lock)
    signatures = [signed(world, approval(world, one, name), one) for one in ("simone", "quinn")]
    spoilt = (signed(world, recall, "quinn"), signed(world, again, "quentin"))
    return appended(world, *spoilt, lock, *signatures, lock=name)
