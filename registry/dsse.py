"""DSSE envelopes: sign payload bytes and open them again (secure-systems-lab/dsse, protocol 1.0).

Invariants
----------
* What is signed, verified and digested are the payload bytes as received; nothing is serialised again.
* The algorithm comes from the trusted key, never from the envelope.
* One public key counts once, whatever the key ids say.
* A signature that names a known key must verify: a broken one is evidence of tampering, not noise (the
  protocol would skip it).
"""

import base64
import binascii
from collections.abc import Mapping, Sequence

from pydantic import Field, ValidationError

from plugin_spec.model import StrictModel, first_fault
from registry.canonical import Digest, canonical_json, digest, parse_json, short
from registry.errors import MalformedEnvelopeError, PayloadTypeError, SignatureError
from registry.keys import PublicKey, Signer, verify
from registry.statements import MAX_PAYLOAD_BYTES, PAYLOAD_TYPE

MAX_SIGNATURES = 64
MAX_ENVELOPE_BYTES = MAX_PAYLOAD_BYTES * 4 // 3 + 64 * 1024


class EnvelopeSignature(StrictModel):
    """One signature of an envelope; the key id is a hint, never a proof."""

    keyid: str = Field(min_length=1, max_length=128)
    sig: str = Field(max_length=1024)


class Envelope(StrictModel):
    """The wire form of an envelope."""

    payload: str
    payloadType: str = Field(max_length=256)  # noqa: N815 - the DSSE field name
    signatures: tuple[EnvelopeSignature, ...] = Field(min_length=1, max_length=MAX_SIGNATURES)


class Opened(StrictModel):
    """A verified envelope's content and the ids of the keys that signed it."""

    payload: bytes
    payload_digest: Digest
    signer_keyids: frozenset[str]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, payload_type: str, signers: Sequence[Signer]) -> bytes:
    """Return the bytes of an envelope around ``payload`` with one signature per signer.

    Raises
    ------
    MalformedEnvelopeError
        No signer, one signer twice, or a payload beyond the limit.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise MalformedEnvelopeError(
            f"a payload of {len(payload)} bytes exceeds the limit of {MAX_PAYLOAD_BYTES}"
        )
    message = pae(payload_type, payload)
    signatures = [
        {"keyid": signer.public.keyid, "sig": base64.b64encode(signer.sign(message)).decode()}
        for signer in signers
    ]
    body = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": payload_type,
        "signatures": signatures,
    }
    return canonical_json(_checked(body).model_dump(mode="json"))


def add_signature(data: bytes, signer: Signer) -> bytes:
    """Return the envelope with one more signature over the same payload bytes; nothing is verified."""
    envelope = _parse(data)
    message = pae(envelope.payloadType, _decode(envelope.payload, "payload"))
    added = {"keyid": signer.public.keyid, "sig": base64.b64encode(signer.sign(message)).decode()}
    body = envelope.model_dump(mode="json")
    return canonical_json(
        _checked({**body, "signatures": [*body["signatures"], added]}).model_dump(mode="json")
    )


def open_envelope(
    data: bytes,
    *,
    keys: Mapping[str, PublicKey],
    payload_type: str = PAYLOAD_TYPE,
    every_signer_known: bool = False,
) -> Opened:
    """Verify an envelope against known keys.

    Parameters
    ----------
    data : bytes
        The envelope as stored or received.
    keys : mapping of key id to PublicKey
        The trusted keys. Signatures that name no key of these are ignored.
    payload_type : str, optional
        The only payload type to accept.
    every_signer_known : bool, optional
        Refuse a signature that no known key can check, instead of ignoring it: a later key might refute it.

    Returns
    -------
    Opened
        The payload and the derived ids of the keys that signed it: one per public key. How many distinct
        persons that makes is the trust root's to say.

    Raises
    ------
    MalformedJsonError, MalformedEnvelopeError
        Not an envelope, beyond a limit, or one key id twice.
    PayloadTypeError
        Another payload type than ``payload_type``.
    SignatureError
        A signature in the name of a known key does not verify, or no known key signed.
    """
    envelope = _parse(data)
    if every_signer_known:
        _check_every_signer_known(envelope, keys)
    if envelope.payloadType != payload_type:
        raise PayloadTypeError(f"the envelope carries {envelope.payloadType!r}, expected {payload_type!r}")
    payload = _decode(envelope.payload, "payload")
    message = pae(envelope.payloadType, payload)
    name = digest(payload)
    signed: set[str] = set()
    for item in envelope.signatures:
        key = keys.get(item.keyid)
        if key is None:
            continue
        if not verify(key, _decode(item.sig, "sig"), message):
            raise SignatureError(
                f"record {short(name)}: the signature of key {item.keyid[:12]} does not verify", subject=name
            )
        signed.add(key.keyid)
    if not signed:
        raise SignatureError(f"record {short(name)}: no known key signed it", subject=name)
    return Opened(payload=payload, payload_digest=name, signer_keyids=frozenset(signed))


def _check_every_signer_known(envelope: Envelope, keys: Mapping[str, PublicKey]) -> None:
    unknown = sorted({item.keyid for item in envelope.signatures} - set(keys))
    if unknown:
        raise SignatureError(f"a signature names the unknown key {unknown[0][:12]!r}", subject=unknown[0])


def read_envelope(data: bytes) -> Envelope:
    """Read an envelope's parts; nothing is verified. Raises `MalformedEnvelopeError`, `MalformedJsonError`."""
    return _parse(data)


def unverified_payload(data: bytes) -> bytes:
    """Return the payload without checking any signature: only for a root, which names its own signers."""
    return _decode(_parse(data).payload, "payload")


def _parse(data: bytes) -> Envelope:
    parse_json(data, where="envelope", limit=MAX_ENVELOPE_BYTES)
    return _read(data)


def _checked(body: object) -> Envelope:
    return _read(canonical_json(body))


def _read(data: bytes) -> Envelope:
    """Read what is known to be strict JSON."""
    try:
        envelope = Envelope.model_validate_json(data)
    except ValidationError as error:
        raise MalformedEnvelopeError(f"envelope: {first_fault(error)}") from error
    if len({item.keyid for item in envelope.signatures}) != len(envelope.signatures):
        raise MalformedEnvelopeError("envelope: one key id signs twice")
    return envelope


def _decode(text: str, field: str) -> bytes:
    """Decode standard or URL-safe base64 (the protocol demands both), padded, nothing else between."""
    alternative = b"-_" if {"-", "_"} & set(text) else None
    try:
        found = base64.b64decode(text, altchars=alternative, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedEnvelopeError(f"envelope: {field} is not base64") from error
    if base64.b64encode(found, altchars=alternative).decode() != text:
        raise MalformedEnvelopeError(f"envelope: {field} is not canonical base64")
    return found
