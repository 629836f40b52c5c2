"""Merkle proofs against the published vectors of transparency-dev/merkle and the corruptions of its recipe.

The recipe (``corruptInclusionProof`` and ``corruptConsistencyProof`` in the file that the vectors name) is
followed case by case, with its unsigned arithmetic; the published probe files are made by the same recipe.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry import merkle
from registry.errors import ConsistencyProofError, InclusionProofError, MerkleError

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "merkle" / "rfc6962.json").read_text(encoding="utf-8")
)
LEAVES = [merkle.leaf_hash(bytes.fromhex(item)) for item in VECTORS["leaves"]]
TREE = merkle.Leaves(LEAVES)
ROOTS = [bytes.fromhex(item) for item in VECTORS["roots"]]
SOME_HASH = bytes.fromhex(VECTORS["some_hash"])
EMPTY_ROOT = bytes.fromhex(VECTORS["empty_root"])
UINT64 = 2**64

Inclusion = tuple[str, int, int, bytes, bytes, list[bytes]]
Consistency = tuple[str, int, int, bytes, bytes, list[bytes]]


def proof_of(case: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(item) for item in case["proof"]]


def flipped(proof: list[bytes], bit: int) -> Iterator[list[bytes]]:
    for i, item in enumerate(proof):
        yield [*proof[:i], bytes([item[0] ^ bit]) + item[1:], *proof[i + 1 :]]


def corrupted_inclusion() -> Iterator[Inclusion]:
    for case in VECTORS["inclusion"]:
        i, n, proof = case["index"], case["size"], proof_of(case)
        leaf, root = LEAVES[i], ROOTS[n - 1]
        yield "leafIndex - 1", (i - 1) % UINT64, n, leaf, root, proof
        yield "leafIndex + 1", i + 1, n, leaf, root, proof
        yield "leafIndex ^ 2", i ^ 2, n, leaf, root, proof
        yield "treeSize * 2", i, n * 2, leaf, root, proof
        yield "treeSize / 2", i, n // 2, leaf, root, proof
        yield "wrong leaf", i, n, b"WrongLeaf", root, proof
        yield "empty root", i, n, leaf, EMPTY_ROOT, proof
        yield "random root", i, n, leaf, SOME_HASH, proof
        yield "trailing garbage", i, n, leaf, root, [*proof, b""]
        yield "trailing root", i, n, leaf, root, [*proof, root]
        yield "preceding garbage", i, n, leaf, root, [b"", *proof]
        yield "preceding root", i, n, leaf, root, [root, *proof]
        yield from (("modified proof", i, n, leaf, root, wrong) for wrong in flipped(proof, 8))
        if proof:
            yield "removed component", i, n, leaf, root, proof[:-1]
        if len(proof) > 1:
            yield "inserted component", i, n, leaf, root, [proof[0], SOME_HASH, *proof[1:]]
    single = merkle.leaf_hash(b"data")
    for leaf, root in ((single, b""), (b"", single), (b"", b"")):
        yield "single entry", 0, 1, leaf, root, []
    for i, n in ((0, 0), (0, 1), (1, 0), (2, 1)):
        for leaf, root in ((SOME_HASH, b""), (b"", EMPTY_ROOT), (SOME_HASH, EMPTY_ROOT)):
            yield f"no such tree {i} {n}", i, n, leaf, root, []


def corrupted_consistency() -> Iterator[Consistency]:
    for case in VECTORS["consistency"]:
        a, b, proof = case["size1"], case["size2"], proof_of(case)
        if not proof:
            continue
        one, two = ROOTS[a - 1], ROOTS[b - 1]
        yield "size1 - 1", a - 1, b, one, two, proof
        yield "size1 + 1", a + 1, b, one, two, proof
        yield "size1 ^ 2", a ^ 2, b, one, two, proof
        yield "size2 * 2", a, b * 2, one, two, proof
        yield "size2 / 2", a, b // 2, one, two, proof
        yield "wrong root1", a, b, b"WrongRoot", two, proof
        yield "wrong root2", a, b, one, b"WrongRoot", proof
        yield "swapped roots", a, b, two, one, proof
        yield "empty proof", a, b, one, two, []
        for what, extra in (("garbage", b""), ("root1", one), ("root2", two)):
            yield f"trailing {what}", a, b, one, two, [*proof, extra]
            yield f"preceding {what}", a, b, one, two, [extra, *proof]
        yield "preceding proof[0]", a, b, one, two, [proof[0], *proof]
        yield "truncated proof", a, b, one, two, proof[:-1]
        yield from (("modified proof", a, b, one, two, wrong) for wrong in flipped(proof, 16))
    any1, any2 = b"don't care 1", b"don't care 2"
    yield "0 0 other roots", 0, 0, any1, any2, []
    yield "1 1 other roots", 1, 1, any1, any2, []
    yield "1 0 time travel", 1, 0, any1, any2, []
    yield "2 1 time travel", 2, 1, any1, any2, []
    yield "1 2 empty proof", 1, 2, any1, any2, []
    yield "0 0 empty root", 0, 0, EMPTY_ROOT, any2, []
    yield "1 1 empty root", 1, 1, EMPTY_ROOT, any2, []
    for a, b in ((0, 0), (0, 1), (1, 1)):
        yield f"{a} {b} proof not empty", a, b, EMPTY_ROOT, EMPTY_ROOT, [EMPTY_ROOT]


BAD_INCLUSION = list(corrupted_inclusion())
BAD_CONSISTENCY = list(corrupted_consistency())


def test_the_reference_tree_has_the_published_roots() -> None:
    assert [merkle.root(LEAVES[:size]) for size in range(1, 9)] == ROOTS
    assert merkle.root([]) == EMPTY_ROOT


@pytest.mark.parametrize("case", VECTORS["inclusion"])
def test_published_inclusion_proofs_are_made_and_accepted(case: dict[str, Any]) -> None:
    proof = merkle.inclusion_proof(TREE, case["index"], case["size"])
    assert proof == proof_of(case)
    merkle.verify_inclusion(
        LEAVES[case["index"]], case["index"], case["size"], proof=proof, root=ROOTS[case["size"] - 1]
    )


@pytest.mark.parametrize("case", VECTORS["consistency"])
def test_published_consistency_proofs_are_made_and_accepted(case: dict[str, Any]) -> None:
    size1, size2 = case["size1"], case["size2"]
    proof = merkle.consistency_proof(TREE, size1, size2)
    assert proof == proof_of(case)
    merkle.verify_consistency(size1, size2, root1=ROOTS[size1 - 1], root2=ROOTS[size2 - 1], proof=proof)


@pytest.mark.attack("garbage inclusion proof")
@pytest.mark.parametrize("probe", BAD_INCLUSION, ids=lambda probe: probe[0])
def test_a_corrupted_inclusion_proof_is_refused(probe: Inclusion) -> None:
    _, index, size, leaf, root, proof = probe
    with pytest.raises(InclusionProofError) as caught:
        merkle.verify_inclusion(leaf, index, size, proof=proof, root=root)
    assert caught.value.code == "bad-inclusion-proof"


@pytest.mark.attack("garbage consistency proof")
@pytest.mark.parametrize("probe", BAD_CONSISTENCY, ids=lambda probe: probe[0])
def test_a_corrupted_consistency_proof_is_refused(probe: Consistency) -> None:
    _, size1, size2, root1, root2, proof = probe
    with pytest.raises(ConsistencyProofError) as caught:
        merkle.verify_consistency(size1, size2, root1=root1, root2=root2, proof=proof)
    assert caught.value.code == "bad-consistency-proof"


def test_a_proof_longer_than_the_tree_is_high_is_refused_even_if_it_adds_up() -> None:
    with pytest.raises(InclusionProofError, match="too long"):
        root = merkle.node_hash(SOME_HASH, LEAVES[0])
        merkle.verify_inclusion(LEAVES[0], 0, 1, proof=[SOME_HASH], root=root)
    proof = [*merkle.consistency_proof(TREE, 3, 4), SOME_HASH]
    root1, root2 = (merkle.node_hash(SOME_HASH, ROOTS[size - 1]) for size in (3, 4))
    with pytest.raises(ConsistencyProofError, match="too long"):
        merkle.verify_consistency(3, 4, root1=root1, root2=root2, proof=proof)


@pytest.mark.parametrize(("size1", "size2"), [(6, 8), (6, 7), (4, 7)])
def test_a_good_proof_does_not_serve_another_earlier_or_later_root(size1: int, size2: int) -> None:
    proof = merkle.consistency_proof(TREE, size1, size2)
    for root1, root2 in ((SOME_HASH, ROOTS[size2 - 1]), (ROOTS[size1 - 1], SOME_HASH)):
        with pytest.raises(ConsistencyProofError):
            merkle.verify_consistency(size1, size2, root1=root1, root2=root2, proof=proof)


@pytest.mark.attack("zero-size consistency proof")
@pytest.mark.parametrize("size2", [0, 1, 8])
def test_nothing_is_proved_about_an_empty_earlier_tree(size2: int) -> None:
    with pytest.raises(ConsistencyProofError):
        merkle.verify_consistency(0, size2, root1=EMPTY_ROOT, root2=merkle.root(LEAVES[:size2]), proof=[])
    with pytest.raises(MerkleError):
        merkle.consistency_proof(TREE, 0, size2)


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (8, 8), (0, 9), (0, 0)])
def test_a_proof_out_of_range_cannot_be_asked_for(index: int, size: int) -> None:
    with pytest.raises(MerkleError):
        merkle.inclusion_proof(TREE, index, size)


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (0, -1), (0, 2**63)])
def test_numbers_out_of_range_are_refused_when_verifying(index: int, size: int) -> None:
    with pytest.raises(InclusionProofError):
        merkle.verify_inclusion(SOME_HASH, index, size, proof=[], root=SOME_HASH)


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    data = LEAVES[0] + LEAVES[1]
    assert merkle.leaf_hash(data) != merkle.node_hash(LEAVES[0], LEAVES[1])
