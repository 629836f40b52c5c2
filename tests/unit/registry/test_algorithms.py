"""ECDSA P-256 beside Ed25519: published signatures, ids as securesystemslib derives them, one encoding per key."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from pydantic import ValidationError
from securesystemslib.signer import SSlibKey

from registry import dsse
from registry.checkpoint import Checkpoint, cosign, cosignatures, sign_checkpoint
from registry.errors import MalformedKeyError
from registry.keys import PublicKey, Signer, generate, keyid_of, load_private, save_private, verify
from registry.trust_root import Role, verify_chain, verify_history
from tests.support.trust import p256_signer, person, root_envelope, signer, trust_root

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# RFC 6979, A.2.5: the private key x, the public point U, and (r, s) over messages with SHA-256.
X = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
U = (
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
RFC_6979 = [
    (
        b"sample",
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    (
        b"test",
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
]
VECTORS = Path(__file__).parents[2] / "vectors"


def malleated(signature: bytes) -> bytes:
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, ORDER - s)


@pytest.mark.parametrize(("message", "r", "s"), RFC_6979)
def test_the_published_ecdsa_signatures_are_reproduced(message: bytes, r: int, s: int) -> None:
    pair = Signer(derive_private_key(X, SECP256R1()))
    assert pair.public.raw.hex() == U
    assert decode_dss_signature(pair.sign(message)) == (r, s)
    assert verify(pair.public, encode_dss_signature(r, s), message)
    assert not verify(pair.public, encode_dss_signature(r, s), message + b" ")


def test_securesystemslib_derives_the_same_id_and_verifies_the_same_signature() -> None:
    pair = p256_signer("petra")
    point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), pair.public.raw)
    theirs = SSlibKey.from_crypto(point)
    assert theirs.scheme == "ecdsa-sha2-nistp256"
    assert pair.public.keyid == theirs.keyid
    data = dsse.sign(b"{}", "application/json", [pair, signer("dana")])
    from securesystemslib.dsse import Envelope

    assert set(Envelope.from_dict(json.loads(data)).verify([theirs], 1)) == {theirs.keyid}


@pytest.mark.parametrize(
    "raw",
    [
        bytes.fromhex(U)[:-1],
        bytes.fromhex(U) + b"\0",
        b"\x02" + bytes.fromhex(U)[1:33],
        b"\x06" + bytes.fromhex(U)[1:],
        bytes.fromhex(U)[:-1] + b"\x98",
        b"\x04" + bytes(64),
        b"\0",
    ],
    ids=["short", "long", "compressed", "hybrid", "off the curve", "nought", "infinity"],
)
def test_what_is_no_uncompressed_point_of_the_curve_is_no_key(raw: bytes) -> None:
    with pytest.raises(MalformedKeyError) as caught:
        PublicKey.from_raw(raw, "ecdsa-p256")
    assert caught.value.code == "malformed-key"
    with pytest.raises(ValidationError):
        PublicKey(keyid="0" * 64, algorithm="ecdsa-p256", public=base64.b64encode(raw).decode())


def test_a_key_of_one_algorithm_cannot_be_relabelled_as_another() -> None:
    pair = p256_signer("petra")
    for wrong in ("ed25519", "none", "ecdsa", "ecdsa-p384"):
        document = pair.public.model_dump_json().replace("ecdsa-p256", wrong)
        with pytest.raises(ValidationError):
            PublicKey.model_validate_json(document)


def test_both_forms_of_an_ecdsa_signature_verify_and_nothing_else_does() -> None:
    pair, message = p256_signer("petra"), b"release 1.0.0"
    signature = pair.sign(message)
    assert malleated(signature) != signature
    assert verify(pair.public, malleated(signature), message)
    r, s = decode_dss_signature(signature)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    for wrong in (raw, signature + b"\0", signature[:-1], b"", encode_dss_signature(r, s + ORDER)):
        assert not verify(pair.public, wrong, message)
    for i in range(len(signature)):
        assert not verify(
            pair.public, signature[:i] + bytes([signature[i] ^ 1]) + signature[i + 1 :], message
        )


def test_a_p256_key_file_is_read_back_under_its_pass_phrase(tmp_path: Path) -> None:
    pair = p256_signer("petra")
    save_private(tmp_path / "petra.key", pair, "correct horse", kdf_rounds=1)
    assert load_private(tmp_path / "petra.key", "correct horse").public == pair.public


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="the ssh-keygen command is not installed")
def test_a_p256_key_of_ssh_keygen_is_read(tmp_path: Path) -> None:
    path = tmp_path / "made.key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f", str(path)], check=True, timeout=60
    )
    assert load_private(path, None).public.algorithm == "ecdsa-p256"


def test_a_new_p256_key_comes_from_the_random_bytes_alone() -> None:
    asked: list[int] = []

    def ones(count: int) -> bytes:
        asked.append(count)
        return b"\xff" * count

    pair = generate(ones, "ecdsa-p256")
    secret = derive_private_key((2**320 - 1) % (ORDER - 1) + 1, SECP256R1())
    assert asked == [40]
    secret.public_key().verify(pair.sign(b"x"), b"x", ECDSA(hashes.SHA256()))
    assert pair.public.keyid == keyid_of(pair.public.raw, "ecdsa-p256")


def test_a_checkpoint_is_neither_signed_nor_cosigned_with_p256() -> None:
    checkpoint = Checkpoint(origin="assay/log", size=1, root=bytes(32))
    with pytest.raises(MalformedKeyError, match=r"Ed25519 \(C2SP\)"):
        sign_checkpoint(checkpoint, p256_signer("petra"))
    note = sign_checkpoint(checkpoint, signer("log"))
    with pytest.raises(MalformedKeyError, match=r"Ed25519 \(C2SP\)"):
        cosign(note, "petra", p256_signer("petra"), time_s=1)
    with pytest.raises(MalformedKeyError, match=r"Ed25519 \(C2SP\)"):
        cosignatures(note, {"petra": p256_signer("petra").public})
    assert cosignatures(cosign(note, "dana", signer("dana"), time_s=1), {"dana": signer("dana").public})


@pytest.mark.parametrize("role", [Role.LOG, Role.SITE])
def test_a_node_is_not_enrolled_with_a_key_that_cannot_sign_checkpoints(role: Role) -> None:
    with pytest.raises(ValidationError, match="keys of a log or a site are for Ed25519"):
        person("node-1", role, signers=[p256_signer("node-1")])


def test_a_root_holder_may_sign_with_p256_and_the_other_with_ed25519() -> None:
    people = (
        person("petra", Role.ROOT, signers=[p256_signer("petra")]),
        person("rita", Role.ROOT),
    )
    root = trust_root(people=people, thresholds={Role.ROOT: 2}, actor="rita")
    assert verify_chain([root_envelope(root, "rita", signers=[p256_signer("petra")])], None) == root


def test_a_chain_of_roots_from_before_p256_verifies_forever() -> None:
    golden = json.loads((VECTORS / "trust_root_chain_v1.json").read_text())
    history = verify_history([json.dumps(one).encode() for one in golden["envelopes"]], golden["pin"])
    assert [one.root.version for one in history] == [1, 2]
    assert history[0].digest == golden["pin"]
    assert history[1].root.person("rosa").roles == (Role.ROOT,)
