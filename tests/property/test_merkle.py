"""Every proof of every small tree verifies, and only for the leaf, place, sizes and roots it was made for."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import merkle
from registry.errors import ConsistencyProofError, InclusionProofError

LEAVES = [merkle.leaf_hash(bytes([i])) for i in range(70)]
TREE = merkle.Leaves(LEAVES)


def split_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1 word for word: split at the largest power of two below the size."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + split_root(leaves[:k]) + split_root(leaves[k:])).digest()


@st.composite
def places(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(st.integers(1, len(LEAVES)))
    return draw(st.integers(0, size - 1)), size


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int]:
    size2 = draw(st.integers(2, len(LEAVES)))
    return draw(st.integers(1, size2 - 1)), size2


@given(st.integers(0, len(LEAVES)))
def test_the_root_is_the_recursive_definition_of_the_rfc(size: int) -> None:
    assert merkle.root(LEAVES[:size]) == split_root(LEAVES[:size])


@given(places())
def test_every_inclusion_proof_verifies(place: tuple[int, int]) -> None:
    index, size = place
    proof = merkle.inclusion_proof(TREE, index, size)
    merkle.verify_inclusion(LEAVES[index], index, size, proof=proof, root=merkle.root(LEAVES[:size]))
    assert len(proof) <= (size - 1).bit_length()


@given(places(), st.integers(0, len(LEAVES) - 1))
def test_a_proof_does_not_serve_another_leaf_or_place(place: tuple[int, int], other: int) -> None:
    index, size = place
    proof, root = merkle.inclusion_proof(TREE, index, size), merkle.root(LEAVES[:size])
    if other == index:
        other = (index + 1) % len(LEAVES)
    with pytest.raises(InclusionProofError):
        merkle.verify_inclusion(LEAVES[other], index, size, proof=proof, root=root)
    with pytest.raises(InclusionProofError):
        merkle.verify_inclusion(LEAVES[index], other, size, proof=proof, root=root)


@given(sizes())
def test_every_consistency_proof_verifies_and_not_backwards(pair: tuple[int, int]) -> None:
    size1, size2 = pair
    root1, root2 = merkle.root(LEAVES[:size1]), merkle.root(LEAVES[:size2])
    proof = merkle.consistency_proof(TREE, size1, size2)
    merkle.verify_consistency(size1, size2, root1=root1, root2=root2, proof=proof)
    with pytest.raises(ConsistencyProofError):
        merkle.verify_consistency(size1, size2, root1=root2, root2=root1, proof=proof)


@pytest.mark.requirement("R25")
@given(sizes(), st.data())
def test_a_log_that_rewrote_an_entry_cannot_show_consistency(
    pair: tuple[int, int], data: st.DataObject
) -> None:
    size1, size2 = pair
    edited = data.draw(st.integers(0, size1 - 1))
    forged = [*LEAVES[:edited], merkle.leaf_hash(b"edited"), *LEAVES[edited + 1 :]]
    proof = merkle.consistency_proof(merkle.Leaves(forged), size1, size2)
    with pytest.raises(ConsistencyProofError):
        merkle.verify_consistency(
            size1, size2, root1=merkle.root(LEAVES[:size1]), root2=merkle.root(forged[:size2]), proof=proof
        )


@given(sizes(), st.data())
def test_any_changed_byte_of_a_consistency_proof_is_refused(
    pair: tuple[int, int], data: st.DataObject
) -> None:
    size1, size2 = pair
    proof = merkle.consistency_proof(TREE, size1, size2)
    item = data.draw(st.integers(0, len(proof) - 1))
    place = data.draw(st.integers(0, merkle.HASH_BYTES - 1))
    changed = bytearray(proof[item])
    changed[place] ^= data.draw(st.integers(1, 255))
    proof[item] = bytes(changed)
    with pytest.raises(ConsistencyProofError):
        merkle.verify_consistency(
            size1, size2, root1=merkle.root(LEAVES[:size1]), root2=merkle.root(LEAVES[:size2]), proof=proof
        )
