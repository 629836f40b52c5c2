"""The Merkle tree of RFC 9162 section 2.1 (hashing as in RFC 6962): roots, inclusion and consistency proofs.

Pure: everything works on hashes of leaves and of complete subtrees, a verifier never needs the records themselves.
Node ``index`` of ``level`` is the hash over leaves ``index << level`` up to ``(index + 1) << level``; a tree that can
look its nodes up (`Tree`) proves anything with a number of them that grows with the logarithm of its size.

Invariants
----------
* Leaves and inner nodes are hashed with different prefixes, so that neither passes for the other.
* A proof either verifies completely, every element used and of the right length, or is refused.
* Nothing is proved about an empty earlier tree: any tree continues it, so such a proof would say nothing.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Protocol

from registry.errors import ConsistencyProofError, InclusionProofError, MerkleError

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one log entry: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree(Protocol):
    """Hashes of complete subtrees by their place."""

    @property
    def size(self) -> int:
        """How many leaves there are."""

    def node(self, level: int, index: int) -> bytes:
        """The hash of node ``index`` of ``level``; level 0 are the leaf hashes."""


class Leaves:
    """A tree in memory, hashed once."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = complete_levels(leaves)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0])

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree."""
        return self._levels[level][index]


class Frontier:
    """The right edge of a growing tree: all that is needed to append to it and to know its root.

    Parameters
    ----------
    peaks : sequence of (level, hash), optional
        The complete subtrees that make up the tree, largest first (`peak_places`); default: an empty tree.
    """

    def __init__(self, peaks: Sequence[tuple[int, bytes]] = ()) -> None:
        self._peaks = list(peaks)
        self.size = sum(1 << level for level, _ in peaks)

    def push(self, found: bytes, level: int = 0) -> list[bytes]:
        """Append a leaf, or a complete subtree, and return the larger subtrees it completed, smallest first.

        Raises
        ------
        MerkleError
            The subtree has no place at this size.
        """
        if self.size & ((1 << level) - 1):
            raise MerkleError(f"a subtree of {1 << level} leaves has no place after {self.size} leaves")
        self.size += 1 << level
        completed: list[bytes] = []
        while self._peaks and self._peaks[-1][0] == level:
            found = node_hash(self._peaks.pop()[1], found)
            level += 1
            completed.append(found)
        self._peaks.append((level, found))
        return completed

    def root(self) -> bytes:
        """The root at this size."""
        if not self._peaks:
            return EMPTY_ROOT
        *others, (_, found) = self._peaks
        for _, left in reversed(others):
            found = node_hash(left, found)
        return found


def peak_places(size: int) -> list[tuple[int, int]]:
    """Level and index of the complete subtrees that make up a tree of ``size`` leaves, largest first."""
    levels = [level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]
    return [(level, (size >> level) - 1) for level in levels]


def complete_levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The hashes of all complete subtrees over some leaves, level by level; of no leaves, none."""
    levels: list[Sequence[bytes]] = [leaves]
    hashed = hashlib.sha256
    while len(below := levels[-1]) > 1:
        pairs = zip(below[0::2], below[1::2], strict=False)
        levels.append([hashed(b"\x01" + left + right).digest() for left, right in pairs])
    return levels


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes (RFC 9162 section 2.1.1); of no leaves, SHA-256 of nothing."""
    return root_at(Leaves(leaves), len(leaves))


def root_at(tree: Tree, size: int) -> bytes:
    """Return the root over the first ``size`` leaves of a tree."""
    return _range_hash(tree, 0, size) if size else EMPTY_ROOT


def inclusion_proof(tree: Tree, index: int, size: int) -> list[bytes]:
    """Prove that leaf ``index`` is in the tree of the first ``size`` leaves (RFC 9162 section 2.1.3.1).

    Raises
    ------
    MerkleError
        Unless ``0 <= index < size <= tree.size``.
    """
    if not 0 <= index < size <= tree.size:
        raise MerkleError(f"no leaf {index} in the first {size} of {tree.size} leaves")
    first, last, proof = 0, size, []
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            proof.append(_range_hash(tree, middle, last))
            last = middle
        else:
            proof.append(_range_hash(tree, first, middle))
            first = middle
    return proof[::-1]


def consistency_proof(tree: Tree, size1: int, size2: int) -> list[bytes]:
    """Prove that the first ``size2`` leaves continue the first ``size1`` (RFC 9162 section 2.1.4.1).

    Raises
    ------
    MerkleError
        Unless ``0 < size1 <= size2 <= tree.size``.
    """
    if not 0 < size1 <= size2 <= tree.size:
        raise MerkleError(f"no consistency proof from {size1} to {size2} of {tree.size} leaves")
    # SUBPROOF; ``whole``: the earlier tree's root is known to the verifier, so it need not be in the proof.
    first, last, whole, proof = 0, size2, True, []
    while size1 != last:
        middle = first + _split(last - first)
        if size1 <= middle:
            proof.append(_range_hash(tree, middle, last))
            last = middle
        else:
            proof.append(_range_hash(tree, first, middle))
            first, whole = middle, False
    return ([] if whole else [_range_hash(tree, first, last)]) + proof[::-1]


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


def _split(length: int) -> int:
    """The largest power of two below ``length``: where RFC 9162 divides a tree."""
    return 1 << ((length - 1).bit_length() - 1)


def _range_hash(tree: Tree, first: int, last: int) -> bytes:
    """The hash over leaves ``first`` up to ``last``, a range that RFC 9162's divisions lead to."""
    length = last - first
    if length & (length - 1) == 0:
        level = length.bit_length() - 1
        return tree.node(level, first >> level)
    middle = first + _split(length)
    return node_hash(_range_hash(tree, first, middle), _range_hash(tree, middle, last))


def _all_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
