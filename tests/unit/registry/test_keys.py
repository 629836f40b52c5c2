"""Keys: ids nobody else can claim, files only their owner opens, signatures as RFC 8032 publishes them."""

import base64
import hashlib
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from registry.errors import (
    MalformedKeyError,
    UnknownKeyError,
    UnsafeKeyFileError,
    WrongPassphraseError,
)
from registry.keys import PublicKey, generate, keyid_of, load_private, save_private, to_pem, verify
from tests.support.trust import signer

ROUNDS = 1
PASSPHRASE = "correct horse battery staple"
# RFC 8032 section 7.1: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_the_published_vectors_are_reproduced(seed: str, public: str, message: str, signature: str) -> None:
    pair = generate(lambda count: bytes.fromhex(seed)[:count])
    assert pair.public.raw.hex() == public
    assert pair.sign(bytes.fromhex(message)).hex() == signature
    assert verify(pair.public, bytes.fromhex(signature), bytes.fromhex(message))


def test_a_key_id_is_the_hash_of_the_written_out_key_description() -> None:
    public = RFC_8032[0][1]
    text = '{"keytype":"ed25519","keyval":{"public":"' + public + '"},"scheme":"ed25519"}'
    assert keyid_of(bytes.fromhex(public)) == hashlib.sha256(text.encode()).hexdigest()


def test_a_changed_message_signature_or_key_does_not_verify() -> None:
    pair, message = signer("dana"), b"release 1.0.0"
    signature = pair.sign(message)
    assert verify(pair.public, signature, message)
    assert not verify(pair.public, signature, message + b" ")
    assert not verify(signer("eve").public, signature, message)
    for i in range(len(signature)):
        assert not verify(
            pair.public, signature[:i] + bytes([signature[i] ^ 1]) + signature[i + 1 :], message
        )


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_signature_of_another_length_does_not_verify(length: int) -> None:
    assert not verify(signer("dana").public, b"\0" * length, b"x")


@pytest.mark.attack("same key under two ids")
def test_a_key_cannot_take_the_id_of_another() -> None:
    dana, eve = signer("dana").public, signer("eve").public
    with pytest.raises(ValidationError, match="keyid is not the id of this key"):
        PublicKey(keyid=dana.keyid, algorithm="ed25519", public=eve.public)


@pytest.mark.attack("key relabelled with another algorithm")
def test_a_key_cannot_be_relabelled_with_another_algorithm() -> None:
    document = signer("dana").public.model_dump_json()
    assert PublicKey.model_validate_json(document) == signer("dana").public
    with pytest.raises(ValidationError):
        PublicKey.model_validate_json(document.replace('"ed25519"', '"ecdsa"'))


@pytest.mark.parametrize("public", ["", "AAAA", "*" * 44, "A" * 43 + "B", " " + "A" * 43 + "="])
def test_what_is_no_public_key_is_refused(public: str) -> None:
    with pytest.raises(ValidationError):
        PublicKey(keyid="0" * 64, algorithm="ed25519", public=public)
    with pytest.raises(MalformedKeyError):
        PublicKey.from_raw(b"short")


@pytest.mark.parametrize("sign_bit", [0, 0x80])
@pytest.mark.parametrize(
    "raw",
    [
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    ],
)
def test_a_key_for_which_anybody_can_sign_is_refused(raw: str, sign_bit: int) -> None:
    weak = bytearray.fromhex(raw)
    weak[-1] |= sign_bit
    with pytest.raises(MalformedKeyError, match="anybody can sign"):
        PublicKey.from_raw(bytes(weak))
    with pytest.raises(ValidationError, match="anybody can sign"):
        PublicKey(keyid=keyid_of(weak), algorithm="ed25519", public=base64.b64encode(weak).decode())


def test_the_neutral_point_as_a_key_would_have_signed_everything() -> None:
    neutral = bytes([1]) + bytes(31)
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"I approve whatever this is")


def test_a_saved_key_is_loaded_with_its_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "dana.key"
    save_private(path, signer("dana"), PASSPHRASE, kdf_rounds=ROUNDS)
    assert load_private(path, PASSPHRASE).public == signer("dana").public
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_saved_file_does_not_hold_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "dana.key"
    save_private(path, signer("dana"), PASSPHRASE, kdf_rounds=ROUNDS)
    seed = hashlib.sha256(b"dana").digest()
    body = b"".join(path.read_bytes().splitlines()[1:-1])
    assert seed not in base64.b64decode(body)


@pytest.mark.parametrize("passphrase", ["wrong", PASSPHRASE + " ", None])
def test_a_wrong_or_missing_passphrase_is_refused_by_name(tmp_path: Path, passphrase: str | None) -> None:
    path = tmp_path / "dana.key"
    save_private(path, signer("dana"), PASSPHRASE, kdf_rounds=ROUNDS)
    with pytest.raises(WrongPassphraseError) as caught:
        load_private(path, passphrase)
    assert caught.value.code == "wrong-passphrase"


def test_a_node_key_rests_in_the_clear_and_no_passphrase_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    save_private(path, signer("site"), None)
    assert load_private(path, None).public == signer("site").public
    with pytest.raises(UnsafeKeyFileError, match="not protected"):
        load_private(path, PASSPHRASE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "site.key"
    save_private(path, signer("site"), None)
    path.chmod(mode)
    with pytest.raises(UnsafeKeyFileError, match="others can read it") as caught:
        load_private(path, None)
    assert caught.value.code == "unsafe-key-file"


def test_a_link_folder_or_pipe_is_no_key_file(tmp_path: Path) -> None:
    save_private(tmp_path / "site.key", signer("site"), None)
    (tmp_path / "link").symlink_to(tmp_path / "site.key")
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "folder", "pipe"):
        with pytest.raises(UnsafeKeyFileError):
            load_private(tmp_path / name, None)


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    save_private(path, signer("site"), None)
    with pytest.raises(UnsafeKeyFileError, match="never overwritten"):
        save_private(path, signer("other"), None)
    assert load_private(path, None).public == signer("site").public


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeKeyFileError):
        save_private(tmp_path / "dana.key", signer("dana"), "")
    assert not (tmp_path / "dana.key").exists()


def test_a_missing_key_file_is_an_unknown_key(tmp_path: Path) -> None:
    with pytest.raises(UnknownKeyError) as caught:
        load_private(tmp_path / "nobody.key", None)
    assert caught.value.code == "unknown-key"


@pytest.mark.parametrize("cut", [0, 20, 100, 200])
def test_a_damaged_key_file_is_malformed(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "site.key"
    save_private(path, signer("site"), None)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(MalformedKeyError) as caught:
        load_private(path, None)
    assert caught.value.code == "malformed-key"


def test_a_huge_file_is_malformed_and_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    path.touch(0o600)
    os.truncate(path, 10**9)
    with pytest.raises(MalformedKeyError, match="too large"):
        load_private(path, None)


def test_a_key_of_another_algorithm_is_malformed(tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP384R1())
    path = tmp_path / "other.key"
    path.touch(0o600)
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    )
    with pytest.raises(MalformedKeyError, match="not an Ed25519 or ECDSA P-256 key"):
        load_private(path, None)


def test_a_printed_signer_does_not_show_its_private_key() -> None:
    assert repr(signer("dana")) == f"Signer({signer('dana').public.keyid[:12]})"


def test_the_pem_form_is_read_by_another_library_as_the_same_key() -> None:
    loaded = serialization.load_pem_public_key(to_pem(signer("dana").public).encode())
    assert loaded.public_bytes_raw() == signer("dana").public.raw  # type: ignore[union-attr] # an Ed25519 key
