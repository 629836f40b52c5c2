"""Signing keys: pairs, their ids and their files.

Invariants
----------
* A key id is derived from the key, so one public key has exactly one id and no id can be claimed for another.
* The algorithm is part of the key that the trust root lists; no signature or envelope has a say in it.
* A person's private key rests encrypted (OpenSSH, bcrypt); only a node's may rest in the clear, mode 0600.
* Private bytes leave a ``Signer`` only as an OpenSSH file.
"""

import base64
import binascii
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import model_validator

from plugin_spec.files import write_atomic
from plugin_spec.model import StrictModel
from registry import algorithms
from registry.algorithms import ED25519, Algorithm, PrivateHalf
from registry.errors import MalformedKeyError, UnknownKeyError, UnsafeKeyFileError, WrongPassphraseError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, CertificateBuilder

SEED_BYTES = 32
# FIPS 186-5, A.2.1: 64 bits more than the order of the curve has, so that the remainder is uniform.
_P256_SEED_BYTES = 40
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# About 0.4 s for one guess of a passphrase on a 2-core machine of 2026.
KDF_ROUNDS = 40
_MAX_KEY_FILE_BYTES = 16 * 1024


class PublicKey(StrictModel):
    """A public key as the trust root lists it. Build it with ``PublicKey.from_raw``.

    ``public`` is the standard base64 of the raw bytes; ``keyid`` must be the id derived from them.
    """

    keyid: str
    algorithm: Algorithm
    public: str

    @model_validator(mode="after")
    def _id_is_derived(self) -> Self:
        try:
            raw = base64.b64decode(self.public, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("public is not base64") from error
        if base64.b64encode(raw).decode() != self.public:
            raise ValueError("public is not canonical base64")
        if found := algorithms.fault(self.algorithm, raw):
            raise ValueError(f"public is {found}")
        if self.keyid != keyid_of(raw, self.algorithm):
            raise ValueError("keyid is not the id of this key")
        return self

    @classmethod
    def from_raw(cls, raw: bytes, algorithm: Algorithm = ED25519) -> "PublicKey":
        """Describe raw bytes as a public key: 32 of Ed25519, 65 of an uncompressed point of P-256.

        Raises
        ------
        MalformedKeyError
            Another length, no point on the curve, or a key for which anybody can sign.
        """
        if found := algorithms.fault(algorithm, raw):
            raise MalformedKeyError(found)
        return cls(keyid=keyid_of(raw, algorithm), algorithm=algorithm, public=base64.b64encode(raw).decode())

    @property
    def raw(self) -> bytes:
        """The bytes of the key."""
        return base64.b64decode(self.public)


def keyid_of(raw: bytes, algorithm: Algorithm = ED25519) -> str:
    """Return the id of a public key, the same that securesystemslib derives by default."""
    return algorithms.keyid(algorithm, raw)


class Signer:
    """Holds a private key and signs with it."""

    def __init__(self, private: PrivateHalf) -> None:
        described = algorithms.describe(private.public_key())
        if described is None:
            raise MalformedKeyError("a key is for Ed25519 or ECDSA P-256")
        self._private = private
        self._public = PublicKey.from_raw(described[1], described[0])

    def __repr__(self) -> str:
        return f"Signer({self._public.keyid[:12]})"

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data``: 64 bytes for Ed25519, DER for P-256."""
        return algorithms.sign(self._private, data)

    def certify(self, builder: "CertificateBuilder") -> "Certificate":
        """Return the X.509 certificate under construction, signed with this key."""
        return builder.sign(
            self._private, None if isinstance(self._private, Ed25519PrivateKey) else hashes.SHA256()
        )

    def to_openssh(self, passphrase: str | None, *, kdf_rounds: int = KDF_ROUNDS) -> bytes:
        """Return the private key as an OpenSSH file, encrypted unless ``passphrase`` is None."""
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None:
            builder = serialization.PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(kdf_rounds)
            encryption = builder.build(passphrase.encode())
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, encryption
        )


def generate(random: Callable[[int], bytes], algorithm: Algorithm = ED25519) -> Signer:
    """Make a new key pair.

    Parameters
    ----------
    random : callable
        Returns that many unpredictable bytes: ``secrets.token_bytes``.
    algorithm : {"ed25519", "ecdsa-p256"}, optional
        What the key is for; P-256 where another system demands it, such as a token.
    """
    if algorithm == ED25519:
        return Signer(Ed25519PrivateKey.from_private_bytes(random(SEED_BYTES)))
    secret = int.from_bytes(random(_P256_SEED_BYTES), "big") % (_P256_ORDER - 1) + 1
    return Signer(derive_private_key(secret, SECP256R1()))


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


def replace_passphrase(path: Path, signer: Signer, new: str, *, kdf_rounds: int = KDF_ROUNDS) -> None:
    """Put an opened key's file under another pass phrase, whole or not at all.

    Raises
    ------
    UnsafeKeyFileError
        The new pass phrase is empty, or opens the file already.
    """
    if new == "":
        raise UnsafeKeyFileError(f"{path}: an empty passphrase protects nothing", subject=str(path))
    try:
        load_private(path, new)
    except WrongPassphraseError:
        write_atomic(path, signer.to_openssh(new, kdf_rounds=kdf_rounds), mode=0o600)
        return
    raise UnsafeKeyFileError(f"{path}: the new passphrase is the old one", subject=str(path))


def load_private(path: Path, passphrase: str | None) -> Signer:
    """Read a private key that `save_private` or ``ssh-keygen`` (``-t ed25519``, ``-t ecdsa -b 256``) wrote.

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
        Not an Ed25519 or ECDSA P-256 private key in OpenSSH format.
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
                hint="try again; where it is lost, root holders give the person a new key: assay trust rotate",
            ) from error
        raise MalformedKeyError(f"{path}: not a readable private key: {error}", subject=str(path)) from error
    except UnsupportedAlgorithm as error:
        raise MalformedKeyError(f"{path}: {error}", subject=str(path)) from error
    if not isinstance(private, PrivateHalf) or algorithms.describe(private.public_key()) is None:
        raise MalformedKeyError(f"{path}: not an Ed25519 or ECDSA P-256 key", subject=str(path))
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
    """Tell whether ``signature`` over ``data`` is ``public``'s; one of another form is simply not.

    Anybody can turn an ECDSA signature (r, s) into (r, n - s), which verifies too, and tokens make either: nothing
    here is named by its signature, and a log's leaf covers the form that was logged.
    """
    return algorithms.verify(public.algorithm, public.raw, signature, data)


def to_pem(public: PublicKey) -> str:
    """Return the key as PEM SubjectPublicKeyInfo, for ``openssl pkeyutl -verify -pubin -rawin``."""
    return algorithms.pem(public.algorithm, public.raw)
