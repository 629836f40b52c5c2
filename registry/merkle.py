"""The Merkle tree of RFC 9162 section 2.1 (hashing as in RFC 6962): roots, inclusion and consistency proofs.

Pure and in memory: everything works on leaf hashes, a verifier never needs the records themselves.

Invariants
----------
* Leaves and inner nodes are hashed with different prefixes, so that neither passes for the other.
* A proof either verifies completely, every element used and of the right length, or is refused.
* Nothing is proved about an empty earlier tree: any tree continues it, so such a proof would say nothing.
"""

import hashlib
import hmac
from collections.abc import Sequence

from registry.errors import ConsistencyProofError, InclusionProofError, MerkleError

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one log entry: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes (RFC 9162 section 2.1.1); of no leaves, SHA-256 of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = leaves
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def inclusion_proof(leaves: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Prove that leaf ``index`` is in the tree of the first ``size`` leaves (RFC 9162 section 2.1.3.1).

    Raises
    ------
    MerkleError
        Unless ``0 <= index < size <= len(leaves)``.
    """
    if not 0 <= index < size <= len(leaves):
        raise MerkleError(f"no leaf {index} in the first {size} of {len(leaves)} leaves")
    proof: list[bytes] = []
    level: Sequence[bytes] = leaves[:size]
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            proof.append(level[sibling])
        level = _parents(level)
        index >>= 1
    return proof


def consistency_proof(leaves: Sequence[bytes], size1: int, size2: int) -> list[bytes]:
    """Prove that the first ``size2`` leaves continue the first ``size1`` (RFC 9162 section 2.1.4.1).

    Raises
    ------
    MerkleError
        Unless ``0 < size1 <= size2 <= len(leaves)``.
    """
    if not 0 < size1 <= size2 <= len(leaves):
        raise MerkleError(f"no consistency proof from {size1} to {size2} of {len(leaves)} leaves")
    return _subproof(size1, leaves[:size2], whole=True)


def verify_inclusion(leaf: bytes, index: int, size: int, *, proof: Sequence[bytes], root: bytes) -> None:
    """Check an inclusion proof (RFC 9162 section 2.1.3.2).

    Parameters
    ----------
    leaf : bytes
        The leaf hash (`leaf_hash` of the entry), not the entry.
    index, size : int
        Where the leaf is said to be, in a tree of how many leaves.
    proof : sequence of bytes
        Sibling hashes from the leaf up.
    root : bytes
        The root hash of the tree of ``size`` leaves.

    Raises
    ------
    InclusionProofError
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise InclusionProofError(f"there is no leaf {index} in a tree of {size}")
    if not _all_hashes(leaf, root, *proof):
        raise InclusionProofError(f"the proof for leaf {index} holds something that is no SHA-256 hash")
    first, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise InclusionProofError(f"the proof for leaf {index} of {size} is too long")
        if first & 1 or first == last:
            found = node_hash(sibling, found)
            first, last = _skip_lone_ancestors(first, last)
        else:
            found = node_hash(found, sibling)
        first, last = first >> 1, last >> 1
    if last != 0 or not hmac.compare_digest(found, root):
        raise InclusionProofError(f"leaf {index} is not shown to be in the tree of {size} leaves")


def verify_consistency(size1: int, size2: int, *, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Check a consistency proof (RFC 9162 section 2.1.4.2).

    Parameters
    ----------
    size1, size2 : int
        Sizes of the earlier and the later tree. An earlier tree of size 0 is refused.
    root1, root2 : bytes
        Their root hashes.
    proof : sequence of bytes
        Empty if and only if the sizes are equal.

    Raises
    ------
    ConsistencyProofError
    """
    if not 0 < size1 <= size2 <= MAX_SIZE:
        raise ConsistencyProofError(f"a tree of {size2} cannot be shown to continue one of {size1}")
    if not _all_hashes(root1, root2, *proof):
        raise ConsistencyProofError("the proof holds something that is no SHA-256 hash")
    if (size1 == size2) != (len(proof) == 0):
        raise ConsistencyProofError(f"a proof of {len(proof)} hashes does not fit sizes {size1} and {size2}")
    shown1, shown2 = _consistency_roots(size1, size2, root1, proof) if proof else (root2, root1)
    if not (hmac.compare_digest(shown1, root1) and hmac.compare_digest(shown2, root2)):
        raise ConsistencyProofError(f"the tree of {size2} is not shown to continue the tree of {size1}")


def _consistency_roots(size1: int, size2: int, root1: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Rebuild both roots from a proof."""
    path = list(proof)
    if size1 & (size1 - 1) == 0:  # a complete earlier tree is itself the first node of the path
        path.insert(0, root1)
    first, last = size1 - 1, size2 - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    shown1 = shown2 = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ConsistencyProofError("the proof is too long")
        if first & 1 or first == last:
            shown1, shown2 = node_hash(sibling, shown1), node_hash(sibling, shown2)
            first, last = _skip_lone_ancestors(first, last)
        else:
            shown2 = node_hash(shown2, sibling)
        first, last = first >> 1, last >> 1
    if last != 0:
        raise ConsistencyProofError("the proof is too short")
    return shown1, shown2


def _skip_lone_ancestors(first: int, last: int) -> tuple[int, int]:
    """Climb past the levels where a node at the right edge has no sibling and is carried up unchanged."""
    while first and not first & 1:
        first, last = first >> 1, last >> 1
    return first, last


def _parents(level: Sequence[bytes]) -> list[bytes]:
    """Hash neighbours pairwise; a last one without a neighbour is carried up."""
    above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return [*above, level[-1]] if len(level) & 1 else above


def _subproof(size: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162; ``whole``: the earlier tree's root is known, so it need not be in the proof."""
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if size <= split:
        return [*_subproof(size, leaves[:split], whole=whole), root(leaves[split:])]
    return [*_subproof(size - split, leaves[split:], whole=False), root(leaves[:split])]


def _all_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
