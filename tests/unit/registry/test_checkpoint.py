"""Notes, checkpoints and cosignatures against published C2SP and Go vectors, and their tampering twins."""

import base64
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from registry import merkle
from registry.checkpoint import (
    COSIGNATURE_TYPE,
    ED25519_TYPE,
    Checkpoint,
    cosign,
    cosignatures,
    key_hash,
    open_checkpoint,
    parse_note,
    sign_checkpoint,
    sign_note,
)
from registry.errors import (
    CosignatureError,
    MalformedCheckpointError,
    MalformedNoteError,
    UnknownOriginError,
    UnsignedCheckpointError,
)
from registry.keys import PublicKey, generate
from tests.support.trust import signer

# The example of Go's golang.org/x/mod/sumdb/note (BSD-3-Clause): PRIVATE+KEY, verifier key, note.
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_PUBLIC = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
GO_TEXT = (
    b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_LINE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of C2SP tlog-cosignature (CC BY 4.0); its keys are not published.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()
SOFA_TEXT = SOFA[: SOFA.index(b"\n\n") + 1]

LOG, WITNESS, OTHER = signer("log"), signer("site-01"), signer("site-02")
ORIGIN, WITNESS_NAME = "assay.example/log", "assay.example/site-01"
LEAVES = [merkle.leaf_hash(bytes([i])) for i in range(5)]
CHECKPOINT = Checkpoint(origin=ORIGIN, size=5, root=merkle.root(LEAVES))
SIGNED = sign_checkpoint(CHECKPOINT, LOG)
COSIGNED = cosign(SIGNED, WITNESS_NAME, WITNESS, time_s=1_679_315_147)


def resigned(text: bytes) -> bytes:
    return sign_note(text, ORIGIN, LOG)


def test_the_published_note_is_signed_byte_for_byte() -> None:
    pair = generate(lambda count: GO_SEED[:count])
    assert pair.public.raw == GO_PUBLIC
    assert sign_note(GO_TEXT, "PeterNeumann", pair) == GO_TEXT + b"\n" + GO_LINE.encode()


def test_key_ids_are_the_published_ones() -> None:
    assert key_hash("PeterNeumann", PublicKey.from_raw(GO_PUBLIC)).hex() == "c74f20a3"
    # A witness key (type 0x04) from transparency-dev/formats, note_cosigv1_test.go (BSD-3-Clause).
    remora = base64.b64decode("BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2")
    assert remora[0] == COSIGNATURE_TYPE
    assert key_hash("remora.n621.de", PublicKey.from_raw(remora[1:]), COSIGNATURE_TYPE).hex() == "da77ade7"


def test_the_published_checkpoint_is_read_as_published() -> None:
    note = parse_note(SOFA)
    assert note.text == SOFA_TEXT
    log_line, witness_line = note.signatures
    assert (log_line.name, len(log_line.signature)) == ("example.com/behind-the-sofa", 64)
    assert (witness_line.name, len(witness_line.signature)) == ("witness.example.com/w1", 72)
    assert int.from_bytes(witness_line.signature[:8], "big") == 1_679_315_147


def test_the_published_checkpoint_text_is_written_as_published() -> None:
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert Checkpoint(origin="example.com/behind-the-sofa", size=20852163, root=root).text() == SOFA_TEXT


def test_a_cosignature_signs_the_published_message() -> None:
    note = cosign(resigned_for("example.com/behind-the-sofa"), "w1", WITNESS, time_s=1_679_315_147)
    signature = parse_note(note).signatures[-1].signature
    message = b"cosignature/v1\ntime 1679315147\n" + SOFA_TEXT
    assert signature == (1_679_315_147).to_bytes(8, "big") + WITNESS.sign(message)


def resigned_for(origin: str) -> bytes:
    return sign_note(SOFA_TEXT, origin, LOG)


def test_a_signed_checkpoint_opens() -> None:
    assert open_checkpoint(SIGNED, origin=ORIGIN, key=LOG.public) == CHECKPOINT
    assert open_checkpoint(COSIGNED, origin=ORIGIN, key=LOG.public) == CHECKPOINT


@pytest.mark.parametrize("place", range(len(CHECKPOINT.text())))
def test_a_flipped_byte_of_a_checkpoint_is_refused(place: int) -> None:
    flipped = SIGNED[:place] + bytes([SIGNED[place] ^ 1]) + SIGNED[place + 1 :]
    with pytest.raises(
        (UnsignedCheckpointError, UnknownOriginError, MalformedCheckpointError, MalformedNoteError)
    ):
        open_checkpoint(flipped, origin=ORIGIN, key=LOG.public)


def test_another_size_or_root_under_the_old_signature_is_refused() -> None:
    for forged in (
        CHECKPOINT.model_copy(update={"size": 6}),
        CHECKPOINT.model_copy(update={"root": merkle.root(LEAVES[:4])}),
    ):
        data = SIGNED.replace(CHECKPOINT.text(), forged.text())
        with pytest.raises(UnsignedCheckpointError) as caught:
            open_checkpoint(data, origin=ORIGIN, key=LOG.public)
        assert caught.value.code == "unsigned-checkpoint"


@pytest.mark.attack("unknown origin")
def test_a_checkpoint_of_another_origin_is_refused() -> None:
    other = sign_checkpoint(CHECKPOINT.model_copy(update={"origin": "other.example/log"}), LOG)
    with pytest.raises(UnknownOriginError) as caught:
        open_checkpoint(other, origin=ORIGIN, key=LOG.public)
    assert caught.value.code == "unknown-origin"


@pytest.mark.attack("unsigned checkpoint")
def test_a_checkpoint_that_its_log_did_not_sign_is_refused() -> None:
    by_another_key = sign_note(CHECKPOINT.text(), ORIGIN, OTHER)
    by_another_name = sign_note(CHECKPOINT.text(), "other.example/log", LOG)
    by_a_witness_only = cosign(by_another_name, ORIGIN, LOG, time_s=1)
    for data in (by_another_key, by_another_name, by_a_witness_only):
        with pytest.raises(UnsignedCheckpointError, match="not signed by log"):
            open_checkpoint(data, origin=ORIGIN, key=LOG.public)


def test_a_broken_line_of_the_log_beside_a_good_one_is_refused() -> None:
    broken = b"\xe2\x80\x94 %b %b\n" % (
        ORIGIN.encode(),
        base64.b64encode(key_hash(ORIGIN, LOG.public, ED25519_TYPE) + bytes(64)),
    )
    with pytest.raises(UnsignedCheckpointError, match="does not verify"):
        open_checkpoint(SIGNED + broken, origin=ORIGIN, key=LOG.public)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n05\n{base64.b64encode(CHECKPOINT.root).decode()}\n",
        f"{ORIGIN}\n-5\n{base64.b64encode(CHECKPOINT.root).decode()}\n",
        f"{ORIGIN}\n٥\n{base64.b64encode(CHECKPOINT.root).decode()}\n",
        f"{ORIGIN}\n9223372036854775808\n{base64.b64encode(CHECKPOINT.root).decode()}\n",
        f"{ORIGIN}\n5\n{base64.b64encode(b'short').decode()}\n",
        f"{ORIGIN}\n5\nnot base64\n",
        f"{ORIGIN}\n5\n{'A' * 42}B=\n",
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n5\n{base64.b64encode(CHECKPOINT.root).decode()}\nextension\n",
        f"{ORIGIN}\n5\n{base64.b64encode(CHECKPOINT.root).decode()}\n\n",
        f"{ORIGIN} x\n5\n{base64.b64encode(CHECKPOINT.root).decode()}\n",
        f"{ORIGIN}\n0\n{base64.b64encode(CHECKPOINT.root).decode()}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedCheckpointError) as caught:
        open_checkpoint(resigned(text.encode()), origin=ORIGIN, key=LOG.public)
    assert caught.value.code == "malformed-checkpoint"


def test_an_empty_log_has_the_hash_of_nothing_as_its_root() -> None:
    empty = Checkpoint(origin=ORIGIN, size=0, root=merkle.root([]))
    assert open_checkpoint(sign_checkpoint(empty, LOG), origin=ORIGIN, key=LOG.public) == empty


@pytest.mark.parametrize(
    "edit",
    [
        lambda note: b"",
        lambda note: note.replace(b"\n\n", b"\n"),
        lambda note: note[:-1],
        lambda note: note + b"garbage\n",
        lambda note: note + b"\n",
        lambda note: note.replace("—".encode(), b"-"),
        lambda note: note.replace(b"=\n", b"\n"),
        lambda note: note.replace(b"5\n", b"5\r\n", 1),
        lambda note: b"\xff" + note,
        lambda note: note + "— no-signature \n".encode(),
        lambda note: note + "— a+b AAAAAAA=\n".encode(),
        lambda note: note + "— key-id-only AAAAAA==\n".encode(),
        lambda note: note + "— two  spaces AAAAAAA=\n".encode(),
        lambda note: note + "— spare-bits AAAAAAB=\n".encode(),
        lambda note: note + "— n AAAAAAA=\n".encode() * 64,
        lambda note: b"x" * 65537 + note,
    ],
)
def test_what_is_no_note_is_refused(edit: Callable[[bytes], bytes]) -> None:
    with pytest.raises(MalformedNoteError) as caught:
        open_checkpoint(edit(SIGNED), origin=ORIGIN, key=LOG.public)
    assert caught.value.code == "malformed-note"


def test_lines_of_unknown_keys_are_ignored() -> None:
    with_stranger = cosign(COSIGNED, "stranger.example", OTHER, time_s=5)
    assert open_checkpoint(with_stranger, origin=ORIGIN, key=LOG.public) == CHECKPOINT
    assert cosignatures(with_stranger, {WITNESS_NAME: WITNESS.public}) == {WITNESS_NAME: 1_679_315_147}
    assert cosignatures(SIGNED, {WITNESS_NAME: WITNESS.public}) == {}


def test_a_witness_that_cosigns_again_counts_once_at_its_latest_time() -> None:
    again = cosign(COSIGNED, WITNESS_NAME, WITNESS, time_s=1_700_000_000)
    assert cosignatures(again, {WITNESS_NAME: WITNESS.public}) == {WITNESS_NAME: 1_700_000_000}


@pytest.mark.requirement("R18")
@pytest.mark.attack("cosignature moved or back-dated")
def test_a_back_dated_cosignature_is_refused() -> None:
    line = COSIGNED[len(SIGNED) :].decode().split(" ")[2].strip()
    blob = base64.b64decode(line)
    back_dated = blob[:4] + (1_600_000_000).to_bytes(8, "big") + blob[12:]
    forged = COSIGNED.replace(line.encode(), base64.b64encode(back_dated))
    with pytest.raises(CosignatureError) as caught:
        cosignatures(forged, {WITNESS_NAME: WITNESS.public})
    assert caught.value.code == "bad-cosignature"


@pytest.mark.attack("cosignature moved or back-dated")
def test_a_cosignature_moved_to_another_checkpoint_is_refused() -> None:
    later = sign_checkpoint(Checkpoint(origin=ORIGIN, size=4, root=merkle.root(LEAVES[:4])), LOG)
    with pytest.raises(CosignatureError):
        cosignatures(later + COSIGNED[len(SIGNED) :], {WITNESS_NAME: WITNESS.public})


def test_a_plain_signature_does_not_pass_for_a_cosignature() -> None:
    plain = sign_note(CHECKPOINT.text(), WITNESS_NAME, WITNESS)
    assert cosignatures(plain, {WITNESS_NAME: WITNESS.public}) == {}
    blob = key_hash(WITNESS_NAME, WITNESS.public, COSIGNATURE_TYPE) + WITNESS.sign(CHECKPOINT.text())
    relabelled = SIGNED + f"— {WITNESS_NAME} {base64.b64encode(blob).decode()}\n".encode()
    with pytest.raises(CosignatureError):
        cosignatures(relabelled, {WITNESS_NAME: WITNESS.public})


@pytest.mark.attack("one key as two witnesses")
def test_one_key_is_not_two_witnesses() -> None:
    with pytest.raises(CosignatureError, match="share one public key"):
        cosignatures(COSIGNED, {WITNESS_NAME: WITNESS.public, "twin.example": WITNESS.public})


@pytest.mark.parametrize("time_s", [0, -1, 2**63])
def test_a_cosignature_needs_a_posix_time(time_s: int) -> None:
    with pytest.raises(CosignatureError, match="POSIX"):
        cosign(SIGNED, WITNESS_NAME, WITNESS, time_s=time_s)


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "a\nb", "a\u00a0b"])
def test_an_origin_that_cannot_be_a_key_name_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError):
        Checkpoint(origin=origin, size=5, root=CHECKPOINT.root)
