"""The two signature algorithms a trust root may list: Ed25519, and ECDSA P-256 with SHA-256 for tokens.

Which one a key is for stands in the trust root, never in an envelope. One public key has one encoding: 32 bytes for
Ed25519 (RFC 8032), the 65 bytes of the uncompressed point for P-256 (SEC 1, 2.3.3). Pure.
"""

import hashlib
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Algorithm = Literal["ed25519", "ecdsa-p256"]
PrivateHalf = Ed25519PrivateKey | EllipticCurvePrivateKey
PublicHalf = Ed25519PublicKey | EllipticCurvePublicKey
ED25519: Final = "ed25519"
ECDSA_P256: Final = "ecdsa-p256"
PUBLIC_BYTES: Final[dict[Algorithm, int]] = {ED25519: 32, ECDSA_P256: 65}
_UNCOMPRESSED = 0x04
_FIELD = 2**255 - 19
_ORDER_8_Y = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
# The y coordinates of the points of order 1, 2, 4 and 8, unreduced ones included (Chalkias, Garillot and
# Nikolaenko 2020, "Taming the many EdDSAs"). Anybody can forge signatures of such a key.
_SMALL_ORDER_Y = frozenset({0, 1, _FIELD - 1, _FIELD, _FIELD + 1, _ORDER_8_Y, _FIELD - _ORDER_8_Y})


def fault(algorithm: Algorithm, raw: bytes) -> str:
    """What is wrong with the bytes of a public key; empty where nothing is."""
    if len(raw) != PUBLIC_BYTES[algorithm]:
        return f"an {algorithm} public key has {PUBLIC_BYTES[algorithm]} bytes, not {len(raw)}"
    if algorithm == ED25519:
        small = int.from_bytes(raw, "little") & (2**255 - 1) in _SMALL_ORDER_Y
        return "a weak key, for which anybody can sign" if small else ""
    if raw[0] != _UNCOMPRESSED:
        return "an ecdsa-p256 public key is the uncompressed point, which begins with 04"
    try:
        loaded(algorithm, raw)
    except ValueError:
        return "not a point on the curve P-256"
    return ""


def loaded(algorithm: Algorithm, raw: bytes) -> PublicHalf:
    """The key of the library that computes with it. Raises `ValueError` for a point off the curve."""
    if algorithm == ED25519:
        return Ed25519PublicKey.from_public_bytes(raw)
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw)


def describe(public: object) -> tuple[Algorithm, bytes] | None:
    """The algorithm and the bytes of a public key of the library; None for a kind that no root may list."""
    if isinstance(public, Ed25519PublicKey):
        return ED25519, public.public_bytes_raw()
    if isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        return ECDSA_P256, point
    return None


def pem(algorithm: Algorithm, raw: bytes) -> str:
    """The key as PEM SubjectPublicKeyInfo."""
    found = loaded(algorithm, raw).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found.decode()


def keyid(algorithm: Algorithm, raw: bytes) -> str:
    """The id of a public key, the same that securesystemslib derives by default.

    It is the sha256 of the OLPC canonical JSON of ``{"keytype", "keyval": {"public"}, "scheme"}``, where ``public`` is
    the hex of an Ed25519 key and the PEM of a P-256 key. OLPC JSON leaves the line ends of the PEM as they are, where
    RFC 8785 would escape them, so the text is written out here.
    """
    if algorithm == ED25519:
        kind, public, scheme = "ed25519", raw.hex(), "ed25519"
    else:
        kind, public, scheme = "ecdsa", pem(algorithm, raw), "ecdsa-sha2-nistp256"
    described = f'{{"keytype":"{kind}","keyval":{{"public":"{public}"}},"scheme":"{scheme}"}}'
    return hashlib.sha256(described.encode()).hexdigest()


def sign(private: PrivateHalf, data: bytes) -> bytes:
    """Sign: 64 bytes for Ed25519, the DER form of (r, s) for P-256, without randomness in both (RFC 6979)."""
    if isinstance(private, Ed25519PrivateKey):
        return private.sign(data)
    return private.sign(data, ECDSA(hashes.SHA256(), deterministic_signing=True))


def verify(algorithm: Algorithm, raw: bytes, signature: bytes, data: bytes) -> bool:
    """Tell whether a signature is this key's under the algorithm that the key was enrolled for."""
    key = loaded(algorithm, raw)
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, data)
        else:
            key.verify(signature, data, ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
