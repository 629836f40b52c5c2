"""Envelopes against the published DSSE vectors, and a tampering twin for every promise."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from registry import dsse
from registry.canonical import digest
from registry.errors import MalformedEnvelopeError, MalformedJsonError, PayloadTypeError, SignatureError
from registry.keys import PublicKey
from registry.statements import MAX_PAYLOAD_BYTES, PAYLOAD_TYPE
from tests.support.trust import keyring, signer

FOLDER = Path(__file__).parents[2] / "vectors" / "dsse"
PROTOCOL: dict[str, Any] = json.loads((FOLDER / "protocol.json").read_text(encoding="utf-8"))
ENVELOPES: dict[str, Any] = json.loads((FOLDER / "envelopes.json").read_text(encoding="utf-8"))
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'
DANA, QUINN = signer("dana"), signer("quinn")
SIGNED = dsse.sign(PAYLOAD, PAYLOAD_TYPE, [DANA])


def changed(edit: Callable[[dict[str, Any]], object], data: bytes = SIGNED) -> bytes:
    """Return the envelope after ``edit`` changed its parsed JSON in place."""
    body = json.loads(data)
    edit(body)
    return json.dumps(body).encode()


def test_the_published_pre_authentication_encoding_is_reproduced() -> None:
    assert dsse.pae(PROTOCOL["payload_type"], PROTOCOL["payload"].encode()) == PROTOCOL["pae"].encode()


def test_the_published_ecdsa_signature_is_over_our_encoding() -> None:
    vector = PROTOCOL["ecdsa_p256"]
    raw = base64.b64decode(vector["signature_r_s"])
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicNumbers(int(vector["x"]), int(vector["y"]), ec.SECP256R1()).public_key()
    message = dsse.pae(PROTOCOL["payload_type"], PROTOCOL["payload"].encode())
    key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("vector", ENVELOPES["vectors"], ids=lambda vector: vector["id"])
def test_the_published_envelopes_are_judged_as_published(vector: dict[str, Any]) -> None:
    keys = {name: PublicKey.from_raw(bytes.fromhex(raw)) for name, raw in ENVELOPES["keys"].items()}
    data = json.dumps(vector["envelope"]).encode()
    try:
        opened = dsse.open_envelope(data, keys=keys, payload_type=vector["supported"])
        accepted = len(opened.signer_keyids) >= vector["threshold"]
    except (SignatureError, PayloadTypeError, MalformedEnvelopeError):
        accepted = False
    assert accepted == (vector["expect"] == "accept")


def test_a_signed_envelope_opens_to_the_same_bytes() -> None:
    opened = dsse.open_envelope(SIGNED, keys=keyring(DANA))
    assert opened.payload == PAYLOAD
    assert opened.payload_digest == digest(PAYLOAD)
    assert opened.signer_keyids == {DANA.public.keyid}


def test_payload_bytes_are_kept_whatever_they_are() -> None:
    odd = b'{"b":1, "a":\xff\x00\n'
    assert dsse.open_envelope(dsse.sign(odd, PAYLOAD_TYPE, [DANA]), keys=keyring(DANA)).payload == odd


def test_a_rewritten_envelope_around_the_same_payload_is_the_same_record() -> None:
    pretty = json.dumps(json.loads(SIGNED), indent=2).encode()
    assert pretty != SIGNED
    assert dsse.open_envelope(pretty, keys=keyring(DANA)).payload_digest == digest(PAYLOAD)


@pytest.mark.attack("payload flip")
@pytest.mark.parametrize("place", range(len(PAYLOAD)))
def test_a_flipped_payload_byte_is_refused(place: int) -> None:
    flipped = PAYLOAD[:place] + bytes([PAYLOAD[place] ^ 1]) + PAYLOAD[place + 1 :]
    forged = changed(lambda body: body.update(payload=base64.b64encode(flipped).decode()))
    with pytest.raises(SignatureError) as caught:
        dsse.open_envelope(forged, keys=keyring(DANA))
    assert caught.value.code == "bad-signature"


@pytest.mark.attack("payloadType swap")
def test_a_swapped_payload_type_is_refused() -> None:
    forged = changed(lambda body: body.update(payloadType="application/json"))
    with pytest.raises(PayloadTypeError) as caught:
        dsse.open_envelope(forged, keys=keyring(DANA))
    assert caught.value.code == "wrong-payload-type"
    with pytest.raises(SignatureError):
        dsse.open_envelope(forged, keys=keyring(DANA), payload_type="application/json")


@pytest.mark.attack("signature transplanted")
def test_a_signature_from_another_record_is_refused() -> None:
    other = json.loads(dsse.sign(PAYLOAD + b" ", PAYLOAD_TYPE, [DANA]))
    with pytest.raises(SignatureError):
        dsse.open_envelope(
            changed(lambda body: body.update(signatures=other["signatures"])), keys=keyring(DANA)
        )


def test_a_broken_signature_beside_a_good_one_is_refused() -> None:
    def add_broken(body: dict[str, Any]) -> None:
        body["signatures"].append({"keyid": QUINN.public.keyid, "sig": body["signatures"][0]["sig"]})

    assert dsse.open_envelope(changed(add_broken), keys=keyring(DANA)).signer_keyids == {DANA.public.keyid}
    with pytest.raises(SignatureError, match="does not verify"):
        dsse.open_envelope(changed(add_broken), keys=keyring(DANA, QUINN))


@pytest.mark.attack("unknown key")
def test_an_unknown_key_signs_for_nobody() -> None:
    with pytest.raises(SignatureError, match="no known key"):
        dsse.open_envelope(SIGNED, keys=keyring(QUINN))
    both = dsse.sign(PAYLOAD, PAYLOAD_TYPE, [DANA, QUINN])
    assert dsse.open_envelope(both, keys=keyring(QUINN)).signer_keyids == {QUINN.public.keyid}


def test_a_signature_under_the_key_id_of_somebody_else_is_refused() -> None:
    forged = changed(lambda body: body["signatures"][0].update(keyid=QUINN.public.keyid))
    with pytest.raises(SignatureError):
        dsse.open_envelope(forged, keys=keyring(DANA, QUINN))


def test_the_same_key_under_two_ids_counts_once() -> None:
    def alias(body: dict[str, Any]) -> None:
        body["signatures"].append({**body["signatures"][0], "keyid": "alias"})

    keys = {**keyring(DANA), "alias": DANA.public}
    assert dsse.open_envelope(changed(alias), keys=keys).signer_keyids == {DANA.public.keyid}


@pytest.mark.attack("duplicate signature")
def test_a_duplicate_signature_is_refused() -> None:
    with pytest.raises(MalformedEnvelopeError, match="twice"):
        dsse.open_envelope(
            changed(lambda body: body["signatures"].append(body["signatures"][0])), keys=keyring(DANA)
        )
    with pytest.raises(MalformedEnvelopeError, match="twice"):
        dsse.sign(PAYLOAD, PAYLOAD_TYPE, [DANA, DANA])


@pytest.mark.attack("algorithm downgrade")
def test_an_envelope_cannot_name_its_own_algorithm() -> None:
    forged = changed(lambda body: body["signatures"][0].update(algorithm="none"))
    with pytest.raises(MalformedEnvelopeError, match="unknown field"):
        dsse.open_envelope(forged, keys=keyring(DANA))


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body.update(signatures=[]),
        lambda body: body.pop("signatures"),
        lambda body: body.pop("payloadType"),
        lambda body: body.update(payload=7),
        lambda body: body.update(payload=body["payload"] + "="),
        lambda body: body.update(payload=body["payload"][:-1]),
        lambda body: body.update(payload=body["payload"] + "\n"),
        lambda body: body.update(payload="-_+/"),
        lambda body: body.update(payload="QR=="),
        lambda body: body["signatures"][0].update(sig="!"),
        lambda body: body["signatures"][0].pop("keyid"),
        lambda body: body.update(extra=1),
        lambda body: body.update(signatures=[{"keyid": str(i), "sig": ""} for i in range(65)]),
    ],
)
def test_what_is_no_envelope_is_malformed(edit: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(MalformedEnvelopeError) as caught:
        dsse.open_envelope(changed(edit), keys=keyring(DANA))
    assert caught.value.code == "malformed-envelope"


def test_an_envelope_with_two_payloads_is_malformed() -> None:
    twice = SIGNED.replace(b'{"payload":', b'{"payload":"e30=","payload":')
    with pytest.raises(MalformedJsonError, match="twice"):
        dsse.open_envelope(twice, keys=keyring(DANA))


def test_a_payload_beyond_the_limit_is_neither_signed_nor_opened() -> None:
    with pytest.raises(MalformedEnvelopeError, match="limit"):
        dsse.sign(b"x" * (MAX_PAYLOAD_BYTES + 1), PAYLOAD_TYPE, [DANA])
    with pytest.raises(MalformedJsonError, match="limit"):
        dsse.open_envelope(b" " * (dsse.MAX_ENVELOPE_BYTES + 1), keys=keyring(DANA))


def test_a_second_person_adds_a_signature_to_the_same_record() -> None:
    both = dsse.open_envelope(dsse.add_signature(SIGNED, QUINN), keys=keyring(DANA, QUINN))
    assert both.signer_keyids == {DANA.public.keyid, QUINN.public.keyid}
    assert both.payload_digest == digest(PAYLOAD)
    with pytest.raises(MalformedEnvelopeError, match="twice"):
        dsse.add_signature(SIGNED, DANA)
