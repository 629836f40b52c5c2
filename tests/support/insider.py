"""Bundles as an insider would forge them: with the key of the log, and the keys of the persons they have or are.

What the sponsor's log would never append is put at its end, under a new checkpoint with proofs to match, so that only
the rule that it breaks can show it.
"""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

from registry import merkle
from registry.canonical import digest
from registry.checkpoint import Checkpoint, sign_checkpoint
from registry.dsse import sign, unverified_payload
from registry.keys import Signer
from registry.record import leaf_data
from registry.statements import PAYLOAD_TYPE, Act, make_statement
from tests.support.bundle_forgery import Members, members_of, write_members
from tests.support.registry_builders import World


def signed(world: World, act: Act, *names: str) -> bytes:
    """An act in an envelope, signed by the keys of these persons."""
    return sign(make_statement(act), PAYLOAD_TYPE, [world.keys[name] for name in names])


def signed_bytes(payload: bytes, *signers: Signer) -> bytes:
    """Any bytes in an envelope, validly signed."""
    return sign(payload, PAYLOAD_TYPE, signers)


def payload_digest(envelope: bytes) -> str:
    """The name of the record in an envelope."""
    return digest(base64.b64decode(json.loads(envelope)["payload"]))


def appended(world: World, *envelopes: bytes, lock: str | None = None) -> Path:
    """The trial's bundle with envelopes at the end of its log, whatever they hold, and perhaps another lock named."""
    path = world.exported("honest.zip")
    members = members_of(path)
    log, at = world.sponsor.log, world.clock().isoformat(timespec="seconds")
    leaves = [
        merkle.leaf_hash(leaf_data(row.sequence, row.logged_at, row.payload_digest, digest(row.envelope)))
        for row in log.rows()
    ]
    added = []
    for envelope in envelopes:
        entry = {"sequence": len(leaves), "logged_at": at, "payload": payload_digest(envelope)}
        entry["envelope"] = digest(envelope)
        leaves.append(
            merkle.leaf_hash(leaf_data(len(leaves), at, str(entry["payload"]), str(entry["envelope"])))
        )
        members[f"envelopes/{str(entry['payload'])[7:]}.json"] = envelope
        added.append(entry)
    reproved(world, members, leaves, added)
    index = json.loads(members["bundle.json"])
    index["lock"] = lock or index["lock"]
    listed_anew(members, index)
    return write_members(path.with_name("insider.zip"), members)


# The tree as RFC 6962 section 2.1 defines it, so that a forger's proofs owe nothing to ours.


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def _root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    at = _split(len(leaves))
    return merkle.node_hash(_root(leaves[:at]), _root(leaves[at:]))


def _path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    at = _split(len(leaves))
    if index < at:
        return [*_path(index, leaves[:at]), _root(leaves[at:])]
    return [*_path(index - at, leaves[at:]), _root(leaves[:at])]


def _consistency(size: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [_root(leaves)]
    at = _split(len(leaves))
    if size <= at:
        return [*_consistency(size, leaves[:at], whole=whole), _root(leaves[at:])]
    return [*_consistency(size - at, leaves[at:], whole=False), _root(leaves[:at])]


def reproved(
    world: World, members: Members, leaves: Sequence[bytes], added: Sequence[dict[str, object]] = ()
) -> None:
    """A checkpoint over other leaves, signed by the log, with every proof made anew."""
    index = json.loads(members["bundle.json"])
    checkpoint = Checkpoint(origin=index["origin"], size=len(leaves), root=_root(leaves))
    index["checkpoint"] = sign_checkpoint(checkpoint, world.sponsor.node).decode()
    index["entries"] += added
    for entry in index["entries"]:
        proof = _path(entry["sequence"], leaves)
        entry["inclusion"] = [one.hex() for one in proof]
    sizes = {one["size"] for one in index["consistency"]} | {world.sponsor.log.size}
    index["consistency"] = [
        {"size": size, "hashes": [one.hex() for one in _consistency(size, leaves)]}
        for size in sorted(sizes)
        if 0 < size < len(leaves)
    ]
    listed_anew(members, index)


def listed_anew(members: Members, index: dict[str, object]) -> None:
    """Let the index list the members as they are now."""
    index["files"] = [
        {"name": name, "digest": digest(data), "bytes": len(data)}
        for name, data in sorted(members.items())
        if name != "bundle.json"
    ]
    members["bundle.json"] = json.dumps(index).encode()


def statement_of(envelope: bytes) -> bytes:
    """The payload of an envelope."""
    return unverified_payload(envelope)
