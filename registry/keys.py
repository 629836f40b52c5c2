"""Signing keys: Ed25519 pairs, their ids and their files.

Invariants
----------
* A key id is derived from the key, so one public key has exactly one id and no id can be claimed for another.
* A person's private key rests encrypted (OpenSSH, bcrypt); only a node's may rest in the clear, mode 0600.
* Private bytes leave a ``Signer`` only as an OpenSSH file.
"""

import base64
import binascii
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import model_validator

from plugin_spec.files import write_atomic
from plugin_spec.model import StrictModel
from registry.canonical import canonical_json, digest
from registry.errors import MalformedKeyError, UnknownKeyError, UnsafeKeyFileError, WrongPassphraseError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, CertificateBuilder

PUBLIC_BYTES = 32
SEED_BYTES = 32
# About 0.4 s for one guess of a passphrase on a 2-core machine of 2026.
KDF_ROUNDS = 40
_MAX_KEY_FILE_BYTES = 16 * 1024
_FIELD = 2**255 - 19
_ORDER_8_Y = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
# The y coordinates of the points of order 1, 2, 4 and 8, unreduced ones included (Chalkias, Garillot and
# Nikolaenko 2020, "Taming the many EdDSAs"). Anybody can forge signatures of such a key.
_SMALL_ORDER_Y = frozenset({0, 1, _FIELD - 1, _FIELD, _FIELD + 1, _ORDER_8_Y, _FIELD - _ORDER_8_Y})


class PublicKey(StrictModel):
    """A public key as the trust root lists it. Build it with ``PublicKey.from_raw``.

    ``public`` is the standard base64 of the 32 raw bytes; ``keyid`` must be the id derived from them.
    """

    keyid: str
    algorithm: Literal["ed25519"]
    public: str

    @model_validator(mode="after")
    def _id_is_derived(self) -> Self:
        try:
            raw = base64.b64decode(self.public, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("public is not base64") from error
        if len(raw) != PUBLIC_BYTES or base64.b64encode(raw).decode() != self.public:
            raise ValueError(f"public is not the canonical base64 of {PUBLIC_BYTES} bytes")
        if _has_small_order(raw):
            raise ValueError("public is a weak key, for which anybody can sign")
        if self.keyid != keyid_of(raw):
            raise ValueError("keyid is not the id of this key")
        return self

    @classmethod
    def from_raw(cls, raw: bytes) -> "PublicKey":
        """Describe 32 raw bytes as a public key.

        Raises
        ------
        MalformedKeyError
            Not 32 bytes, or a key for which anybody can sign.
        """
        if len(raw) != PUBLIC_BYTES:
            raise MalformedKeyError(f"an Ed25519 public key has {PUBLIC_BYTES} bytes, not {len(raw)}")
        if _has_small_order(raw):
            raise MalformedKeyError("a weak key, for which anybody can sign", subject=keyid_of(raw))
        return cls(keyid=keyid_of(raw), algorithm="ed25519", public=base64.b64encode(raw).decode())

    @property
    def raw(self) -> bytes:
        """The 32 bytes of the key."""
        return base64.b64decode(self.public)


def keyid_of(raw: bytes) -> str:
    """Return the id of an Ed25519 public key, the same that securesystemslib derives by default.

    It is the sha256 of the canonical JSON of ``{"keytype", "keyval": {"public": hex}, "scheme"}``. For this
    ASCII document OLPC canonical JSON, which securesystemslib uses, and RFC 8785 agree byte for byte.
    """
    described = {"keytype": "ed25519", "keyval": {"public": raw.hex()}, "scheme": "ed25519"}
    return digest(canonical_json(described)).removeprefix("sha256:")


def _has_small_order(raw: bytes) -> bool:
    return int.from_bytes(raw, "little") & (2**255 - 1) in _SMALL_ORDER_Y


class Signer:
    """Holds a private key and signs with it."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public = PublicKey.from_raw(private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"Signer({self._public.keyid[:12]})"

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte signature over ``data``."""
        return self._private.sign(data)

    def certify(self, builder: "CertificateBuilder") -> "Certificate":
        """Return the X.509 certificate under construction, signed with this key."""
        return builder.sign(self._private, None)

    def to_openssh(self, passphrase: str | None, *, kdf_rounds: int = KDF_ROUNDS) -> bytes:
        """Return the private key as an OpenSSH file, encrypted unless ``passphrase`` is None."""
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None:
            builder = serialization.PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(kdf_rounds)
            encryption = builder.build(passphrase.encode())
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, encryption
        )


def generate(random: Callable[[int], bytes]) -> Signer:
    """Make a new key pair.

    Parameters
    ----------
    random : callable
        Returns that many unpredictable bytes: ``secrets.token_bytes``.
    """
    return Signer(Ed25519PrivateKey.from_private_bytes(random(SEED_BYTES)))


def save_private(path: Path, signer: Signer, passphrase: str | None, *, kdf_rounds: int = KDF_ROUNDS) -> None:
    """Write a private key to a new file, mode 0600.

    Parameters
    ----------
    path : Path
        Must not exist: a key is never overwritten.
    signer : Signer
        The key.
    passphrase : str or None
        None only for a node's key, which must sign unattended and so rests in the clear.
    kdf_rounds : int, optional
        Cost of one passphrase guess (bcrypt rounds).

    Raises
    ------
    UnsafeKeyFileError
        The file exists, or the passphrase is empty.
    """
    if path.exists() or path.is_symlink():
        raise UnsafeKeyFileError(
            f"{path}: a key file is never overwritten", subject=str(path), hint="choose another name"
        )
    if passphrase == "":
        raise UnsafeKeyFileError(f"{path}: an empty passphrase protects nothing", subject=str(path))
    write_atomic(path, signer.to_openssh(passphrase, kdf_rounds=kdf_rounds), mode=0o600)


def load_private(path: Path, passphrase: str | None) -> Signer:
    """Read a private key that `save_private` or ``ssh-keygen -t ed25519`` wrote.

    Parameters
    ----------
    path : Path
        A regular file that only its owner can read.
    passphrase : str or None
        None accepts only a key in the clear (a node's), a passphrase only an encrypted one.

    Raises
    ------
    UnknownKeyError
        There is no such file.
    UnsafeKeyFileError
        Others can read the file, it is not a regular file, or it is in the clear where a passphrase was
        given.
    WrongPassphraseError
        The passphrase is wrong or missing.
    MalformedKeyError
        Not an Ed25519 private key in OpenSSH format.
    """
    data = _read_key_file(path)
    if b"-----BEGIN OPENSSH PRIVATE KEY-----" not in data:
        raise MalformedKeyError(f"{path}: not an OpenSSH private key", subject=str(path))
    try:
        private = serialization.load_ssh_private_key(
            data, None if passphrase is None else passphrase.encode()
        )
    except TypeError as error:
        raise _protection_mismatch(path, passphrase) from error
    except ValueError as error:
        # cryptography reports a wrong passphrase as the decrypted check numbers not agreeing.
        if passphrase is not None and "checksum" in str(error):
            raise WrongPassphraseError(
                f"{path}: the passphrase does not open this key",
                subject=str(path),
                hint="try again; a lost pass phrase is lost, then enrol a new key under a new id",
            ) from error
        raise MalformedKeyError(f"{path}: not a readable private key: {error}", subject=str(path)) from error
    except UnsupportedAlgorithm as error:
        raise MalformedKeyError(f"{path}: {error}", subject=str(path)) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise MalformedKeyError(f"{path}: not an Ed25519 key", subject=str(path))
    return Signer(private)


def _protection_mismatch(path: Path, passphrase: str | None) -> WrongPassphraseError | UnsafeKeyFileError:
    if passphrase is None:
        return WrongPassphraseError(f"{path}: this key needs its passphrase", subject=str(path))
    return UnsafeKeyFileError(
        f"{path}: this key is not protected by a passphrase",
        subject=str(path),
        hint="protect it: ssh-keygen -p -f " + str(path),
    )


def _read_key_file(path: Path) -> bytes:
    try:
        with open(path, "rb", opener=_open_without_following) as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UnsafeKeyFileError(f"{path}: not a regular file", subject=str(path))
            if found.st_mode & 0o077:
                raise UnsafeKeyFileError(
                    f"{path}: others can read it", subject=str(path), hint=f"chmod 600 {path}"
                )
            data = stream.read(_MAX_KEY_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise UnknownKeyError(
            f"{path}: no such key file", subject=str(path), hint="keys lie where their person was enrolled"
        ) from error
    except OSError as error:
        raise UnsafeKeyFileError(f"{path}: {error.strerror}", subject=str(path)) from error
    if len(data) > _MAX_KEY_FILE_BYTES:
        raise MalformedKeyError(f"{path}: too large for a key file", subject=str(path))
    return data


def _open_without_following(path: str, flags: int) -> int:
    # Non-blocking, so that a pipe put in a key's place cannot hold us up.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def verify(public: PublicKey, signature: bytes, data: bytes) -> bool:
    """Tell whether ``signature`` over ``data`` is ``public``'s; one of another length is simply not."""
    try:
        _loaded(public).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def to_pem(public: PublicKey) -> str:
    """Return the key as PEM SubjectPublicKeyInfo, for ``openssl pkeyutl -verify -pubin -rawin``."""
    return (
        _loaded(public)
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def _loaded(public: PublicKey) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public.raw)
