"""A record as C2SP tlog-proof: written from a log, checked with its key, and refused where a byte is other."""

import base64

import pytest

from plugin_spec.errors import TrustError
from registry.canonical import digest
from registry.errors import (
    InclusionProofError,
    MalformedKeyError,
    MalformedProofError,
    UnknownOriginError,
    UnknownRecordError,
    UnsignedCheckpointError,
)
from registry.keys import generate
from registry.tlog_proof import (
    TlogProof,
    format_proof,
    parse_proof,
    parse_verifier_key,
    prove,
    verifier_key,
    verify_proof,
)
from tests.support.registry_builders import World, seeded

HASHES = (digest(b"hash1"), digest(b"hash2"))
RAW = tuple(bytes.fromhex(one.removeprefix("sha256:")) for one in HASHES)
BASE64 = [base64.b64encode(one).decode() for one in RAW]
# The cases of the format's Go implementation: transparency-dev/formats, proof/tlog_proof_test.go (Apache-2.0).
PUBLISHED = [
    (
        TlogProof(index=5, hashes=RAW, checkpoint=b"test checkpoint\n"),
        f"c2sp.org/tlog-proof@v1\nindex 5\n{BASE64[0]}\n{BASE64[1]}\n\ntest checkpoint\n",
    ),
    (
        TlogProof(index=10, hashes=RAW[:1], checkpoint=b"checkpoint data\n", extra=b"extra information"),
        f"c2sp.org/tlog-proof@v1\nextra ZXh0cmEgaW5mb3JtYXRpb24=\nindex 10\n{BASE64[0]}\n\ncheckpoint data\n",
    ),
    (
        TlogProof(index=0, hashes=(), checkpoint=b"checkpoint\n"),
        "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n",
    ),
]


@pytest.mark.parametrize(("proof", "text"), PUBLISHED)
def test_the_published_examples_are_written_and_read(proof: TlogProof, text: str) -> None:
    assert format_proof(proof) == text.encode()
    assert parse_proof(text.encode(), where="x") == proof


@pytest.mark.parametrize(
    "text",
    [
        "wrong-header\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra !!!\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex -1\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 01\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 9999999999999999999\n\ncheckpoint\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{BASE64[0][:-5]}\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + f"{BASE64[0]}\n" * 64 + "\ncheckpoint\n",
        "\udcff".encode(errors="surrogateescape").decode("latin-1") + "\n\nx",
    ],
)
def test_what_is_no_proof_is_refused_by_name(text: str) -> None:
    with pytest.raises(MalformedProofError):
        parse_proof(text.encode("latin-1"), where="x.tlog-proof")


def test_a_record_is_proven_to_whoever_has_the_logs_key(world: World) -> None:
    record = world.submit()
    world.submit("1.1.0")
    origin, key = parse_verifier_key(verifier_key(world.sponsor.log.origin, world.sponsor.node.public))
    written = format_proof(prove(world.sponsor.log, record.digest))
    leaf, checkpoint = verify_proof(parse_proof(written, where="x"), origin=origin, key=key, where="x")
    assert (leaf.sequence, leaf.payload, leaf.logged_at) == (record.sequence, record.digest, record.logged_at)
    assert leaf.envelope == digest(record.envelope)
    assert checkpoint.size == world.sponsor.log.size


def test_a_record_that_is_not_logged_cannot_be_proven(world: World) -> None:
    with pytest.raises(UnknownRecordError):
        prove(world.sponsor.log, "sha256:" + "0" * 64)


def test_any_changed_byte_of_a_proof_is_refused(world: World) -> None:
    record = world.submit()
    world.submit("1.1.0")
    log, key = world.sponsor.log, world.sponsor.node.public
    written = format_proof(prove(log, record.digest))
    for place in range(len(written)):
        changed = bytearray(written)
        changed[place] ^= 1
        with pytest.raises(TrustError):
            verify_proof(parse_proof(bytes(changed), where="x"), origin=log.origin, key=key, where="x")


def test_a_proof_of_another_entry_or_without_its_leaf_is_refused(world: World) -> None:
    first, second = world.submit(), world.submit("1.1.0")
    log, key = world.sponsor.log, world.sponsor.node.public
    good, other = prove(log, first.digest), prove(log, second.digest)
    for update, error in (
        ({"extra": None}, MalformedProofError),
        ({"extra": other.extra}, MalformedProofError),
        ({"extra": b'{"contract":"assay.entry/2"}'}, MalformedProofError),
        ({"extra": other.extra, "index": other.index}, InclusionProofError),
        ({"hashes": good.hashes[:-1]}, InclusionProofError),
        ({"hashes": (*good.hashes, bytes(32))}, InclusionProofError),
    ):
        with pytest.raises(error):
            verify_proof(good.model_copy(update=update), origin=log.origin, key=key, where="x")


def test_a_proof_under_another_log_or_key_is_refused(world: World) -> None:
    proof, log = prove(world.sponsor.log, world.submit().digest), world.sponsor.log
    with pytest.raises(UnknownOriginError):
        verify_proof(proof, origin="assay.example/log/other", key=world.sponsor.node.public, where="x")
    with pytest.raises(UnsignedCheckpointError):
        verify_proof(proof, origin=log.origin, key=generate(seeded("stranger")).public, where="x")


def test_a_logs_key_is_read_as_it_was_written_and_nothing_else(world: World) -> None:
    origin, key = world.sponsor.log.origin, world.sponsor.node.public
    line = verifier_key(origin, key)
    assert parse_verifier_key(line + "\n") == (origin, key)
    name, hint, encoded = line.split("+", 2)
    for wrong in (
        "",
        "a+b",
        f"{name}x+{hint}+{encoded}",
        f"{name}+00000000+{encoded}",
        f"{name}+zz+{encoded}",
        f"{name}+{hint}+{base64.b64encode(bytes([4]) + key.raw).decode()}",
        f"{name}+{hint}+AQ==",
    ):
        with pytest.raises(MalformedKeyError):
            parse_verifier_key(wrong)


def test_the_key_line_is_that_of_the_go_note_package() -> None:
    """The documentation of golang.org/x/mod/sumdb/note (BSD-3-Clause) gives the key of the log PeterNeumann."""
    line = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    name, key = parse_verifier_key(line)
    assert (name, verifier_key(name, key)) == ("PeterNeumann", line)
