"""Witnesses: cosigning a log's checkpoints, and reading who cosigned one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from registry import merkle
from registry.algorithms import ED25519
from registry.checkpoint import (
    COSIGNATURE_TYPE,
    Checkpoint,
    cosign,
    cosignatures,
    key_hash,
    open_checkpoint,
    parse_note,
)
from registry.errors import (
    CheckpointMismatchError,
    ConsistencyProofError,
    CosignatureError,
    LogTruncatedError,
    SplitViewError,
    UnknownOriginError,
    UnsignedCheckpointError,
)
from registry.keys import PublicKey, Signer
from registry.policy import ALLOWED, Action, require_role
from registry.record import ORIGIN_PREFIX
from registry.trust_root import Person, Role, TrustRoot

if TYPE_CHECKING:
    from registry.registry import Registry


def log_keys(origin: str, root: TrustRoot) -> tuple[PublicKey, ...]:
    """The keys of the enrolled node whose log has this origin.

    Raises
    ------
    UnknownOriginError
        Not one of our names, or the node is not enrolled as a log or a site.
    """
    node_id = origin.removeprefix(ORIGIN_PREFIX)
    held = [
        person for person in root.people if person.id == node_id and {Role.LOG, Role.SITE} & set(person.roles)
    ]
    if not origin.startswith(ORIGIN_PREFIX) or not held:
        raise UnknownOriginError(
            f"no log {origin!r} is enrolled in trust root {root.version}", subject=origin
        )
    return held[0].keys


def open_enrolled(note: str, root: TrustRoot) -> Checkpoint:
    """Verify a checkpoint of an enrolled log with one of the keys of its node."""
    data = note.encode()
    origin = parse_note(data).text.decode().partition("\n")[0]
    *others, last = log_keys(origin, root)
    for key in others:
        with suppress(UnsignedCheckpointError):
            return open_checkpoint(data, origin=origin, key=key)
    return open_checkpoint(data, origin=origin, key=last)


def cosigners(note: str, root: TrustRoot) -> dict[str, int]:
    """Enrolled witnesses that cosigned a note, with the POSIX time in seconds. Raises `CosignatureError`."""
    found: dict[str, int] = {}
    for person in root.people:
        if ALLOWED[Action.LOG_COSIGN] & set(person.roles):
            for key in (one for one in person.keys if one.algorithm == ED25519):
                found |= cosignatures(note.encode(), {person.id: key})
    return found


def cosign_as_witness(site: Registry, note: str, *, log_key: PublicKey, proof: Sequence[bytes] = ()) -> str:
    """At a site: cosign a log's checkpoint after checking that it continues the last one this site saw.

    Parameters
    ----------
    site : Registry
        The witness's home; its node key signs and it remembers the checkpoint.
    note : str
        The log's signed checkpoint.
    log_key : PublicKey
        The log's key, as the operator was given it or as the imported trust root lists it.
    proof : sequence of bytes, optional
        Consistency with the last checkpoint this site saw (`last_seen`); unneeded the first time.

    Raises
    ------
    UnsignedCheckpointError, CheckpointMismatchError, ConsistencyProofError
    """
    data = note.encode()
    origin = parse_note(data).text.decode().partition("\n")[0]
    checkpoint = open_checkpoint(data, origin=origin, key=log_key)
    with site.log.database.transaction():
        check_continues(site, checkpoint, log_key, proof)
        cosigned = cosign(data, site.node_id, site.node, time_s=int(site.clock().timestamp())).decode()
        site.log.keep_checkpoint(checkpoint, cosigned)
    return cosigned


def last_seen(site: Registry, origin: str, log_key: PublicKey) -> Checkpoint | None:
    """The largest checkpoint of another log that this home has kept."""
    seen = [open_checkpoint(note.encode(), origin=origin, key=log_key) for note in site.log.notes(origin)]
    return max(seen, key=lambda one: one.size, default=None)


def check_continues(
    site: Registry, checkpoint: Checkpoint, log_key: PublicKey, proof: Sequence[bytes]
) -> None:
    """Refuse a checkpoint that is older than, or forks from, the last one this home kept."""
    last = last_seen(site, checkpoint.origin, log_key)
    if last is None:
        return
    _check_continues(last, checkpoint, proof)


def check_all_seen(
    site: Registry, checkpoint: Checkpoint, log_key: PublicKey, proof_for: Callable[[int], Sequence[bytes]]
) -> None:
    """Refuse a checkpoint that does not continue every one this home has of its log, its own and what others showed it.

    Parameters
    ----------
    site : Registry
    checkpoint : Checkpoint
        Its signature verified.
    log_key : PublicKey
        The log's key.
    proof_for : callable
        Given a size, the proof that the checkpoint continues the log at it, or an empty one.

    Raises
    ------
    CheckpointMismatchError
        It has fewer entries than one of them.
    SplitViewError
        It is not shown to continue one of them.
    """
    for seen in _distinct(site, checkpoint.origin, log_key):
        _check_continues(seen, checkpoint, () if seen.size == checkpoint.size else proof_for(seen.size))


def _check_continues(seen: Checkpoint, checkpoint: Checkpoint, proof: Sequence[bytes]) -> None:
    if checkpoint.size < seen.size:
        raise CheckpointMismatchError(
            f"log {checkpoint.origin} shows {checkpoint.size} entries, but had {seen.size} before",
            subject=checkpoint.origin,
        )
    try:
        merkle.verify_consistency(
            seen.size, checkpoint.size, root1=seen.root, root2=checkpoint.root, proof=proof
        )
    except ConsistencyProofError as error:
        raise split_view(seen, checkpoint) from error


def hear(registry: Registry, note: str) -> Checkpoint:
    """Compare a checkpoint that somebody else holds with what this home knows of that log, and keep it.

    Parameters
    ----------
    registry : Registry
    note : str
        A checkpoint of an enrolled log, this home's own included.

    Raises
    ------
    UnknownOriginError, UnsignedCheckpointError, MalformedNoteError
        Not a checkpoint of an enrolled log.
    LogTruncatedError
        It is of this log, which has fewer entries: its database was put back or cut.
    SplitViewError
        Its log signed two histories.
    """
    checkpoint = open_enrolled(note, registry.root)
    with registry.log.database.transaction():
        if checkpoint.origin == registry.log.origin:
            _hear_own(registry, checkpoint)
        else:
            keys = log_keys(checkpoint.origin, registry.root)
            for seen in (one for key in keys for one in _distinct(registry, checkpoint.origin, key)):
                if seen.size == checkpoint.size and seen.root != checkpoint.root:
                    raise split_view(seen, checkpoint)
        if note not in registry.log.notes(checkpoint.origin):
            registry.log.keep_checkpoint(checkpoint, note)
    return checkpoint


def _hear_own(registry: Registry, checkpoint: Checkpoint) -> None:
    if checkpoint.size > registry.log.size:
        raise LogTruncatedError(
            f"somebody holds a checkpoint of {checkpoint.size} entries, this log has {registry.log.size}",
            subject=checkpoint.origin,
            hint="an older database was put back, or its end cut off: assay audit verify --pin FILE",
        )
    own = registry.log.at(checkpoint.size)
    if own.root != checkpoint.root:
        raise split_view(own, checkpoint)


def split_view(one: Checkpoint, other: Checkpoint) -> SplitViewError:
    """The error that names both checkpoints."""
    return SplitViewError(
        f"log {one.origin} signed two checkpoints of which neither is shown to continue the other: {_named(one)}, "
        f"and {_named(other)}",
        subject=one.origin,
        hint="keep both checkpoints for the inquiry, and take in nothing more of this log",
    )


def _named(one: Checkpoint) -> str:
    return f"{one.size} entries with root {one.root.hex()}"


def _distinct(site: Registry, origin: str, log_key: PublicKey) -> list[Checkpoint]:
    """The checkpoints of a log that this home keeps under one of its keys, each once, largest first."""
    found: dict[tuple[int, bytes], Checkpoint] = {}
    for note in site.log.notes(origin):
        with suppress(UnsignedCheckpointError):
            one = open_checkpoint(note.encode(), origin=origin, key=log_key)
            found[one.size, one.root] = one
    return [found[place] for place in sorted(found, reverse=True)]


def require_cosigner(root: TrustRoot, person_id: str, signer: Signer) -> Person:
    """Refuse who cannot cosign, before a record is logged that they were to cosign.

    Raises
    ------
    RoleError
        None of the person's roles may.
    MalformedKeyError
        The key is not for Ed25519.
    """
    person = require_role(root, person_id, Action.LOG_COSIGN)
    key_hash(person_id, signer.public, COSIGNATURE_TYPE)
    return person


def cosign_own(registry: Registry, person_id: str, signer: Signer) -> str:
    """Cosign the newest checkpoint of this registry's log as an enrolled person, and keep the cosigned note.

    Raises
    ------
    RoleError, MalformedKeyError
        The person may not cosign, or their key cannot.
    CosignatureError
        The key is not one of theirs.
    """
    person = require_cosigner(registry.root, person_id, signer)
    if signer.public not in person.keys:
        raise CosignatureError(f"the key is not one of {person_id}'s", subject=person_id)
    data = registry.log.checkpoint().encode()
    cosigned = cosign(data, person_id, signer, time_s=int(registry.clock().timestamp())).decode()
    registry.log.add_cosignature(cosigned)
    return cosigned
