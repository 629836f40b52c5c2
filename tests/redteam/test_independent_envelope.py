"""Verifiers that share no code with ours open our envelopes, and refuse what we refuse.

The verifying functions import nothing of ours: one is securesystemslib, the other the openssl command with a
pre-authentication encoding written out here a second time.
"""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from plugin_spec.errors import AssayError
from registry import dsse
from registry.keys import to_pem
from registry.statements import PAYLOAD_TYPE, make_statement
from tests.support.trust import keyring, signer, trust_root

DANA, QUINN, EVE = signer("dana"), signer("quinn"), signer("eve")
PAYLOAD = make_statement(trust_root())
SIGNED = dsse.sign(PAYLOAD, PAYLOAD_TYPE, [DANA, QUINN])

Edit = Callable[[dict[str, Any]], object]


def flip_payload(body: dict[str, Any]) -> None:
    body["payload"] = base64.b64encode(PAYLOAD.replace(b'"version":1', b'"version":2')).decode()


def swap_signatures(body: dict[str, Any]) -> None:
    one, two = body["signatures"]
    one["sig"], two["sig"] = two["sig"], one["sig"]


def transplant_signatures(body: dict[str, Any]) -> None:
    body["signatures"] = json.loads(dsse.sign(b"{}", PAYLOAD_TYPE, [DANA, QUINN]))["signatures"]


def sign_by_strangers(body: dict[str, Any]) -> None:
    body["signatures"] = json.loads(dsse.sign(PAYLOAD, PAYLOAD_TYPE, [EVE]))["signatures"]


def cut_signatures(body: dict[str, Any]) -> None:
    for item in body["signatures"]:
        item["sig"] = base64.b64encode(base64.b64decode(item["sig"])[:-1]).decode()


ATTACKS: dict[str, Edit] = {
    "payload flip": flip_payload,
    "payload type swap": lambda body: body.update(payloadType="application/vnd.other+json"),
    "signatures swapped": swap_signatures,
    "signatures transplanted": transplant_signatures,
    "unknown key": sign_by_strangers,
    "cut signatures": cut_signatures,
    "duplicate signature": lambda body: body["signatures"].append(dict(body["signatures"][0])),
    "no signature": lambda body: body.update(signatures=[]),
}


def attacked(name: str) -> bytes:
    body = json.loads(SIGNED)
    ATTACKS[name](body)
    return json.dumps(body).encode()


def securesystemslib_accepts(data: bytes, raw_keys: list[bytes], threshold: int) -> set[str]:
    keys = [SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(raw)) for raw in raw_keys]
    return set(Envelope.from_dict(json.loads(data)).verify(keys, threshold))


def openssl_accepts(folder: Path, data: bytes, pem: str, index: int) -> bool:
    body = json.loads(data)
    kind, payload = body["payloadType"].encode(), base64.b64decode(body["payload"])
    message = b"DSSEv1 " + b" ".join([str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])
    (folder / "key.pem").write_text(pem, encoding="ascii")
    (folder / "message").write_bytes(message)
    (folder / "signature").write_bytes(base64.b64decode(body["signatures"][index]["sig"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"]
    done = subprocess.run(
        [*command, "-in", "message", "-sigfile", "signature"],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode == 0


@pytest.mark.requirement("R24")
def test_securesystemslib_accepts_our_envelope_under_the_same_key_ids() -> None:
    accepted = securesystemslib_accepts(SIGNED, [DANA.public.raw, QUINN.public.raw], 2)
    assert accepted == set(dsse.open_envelope(SIGNED, keys=keyring(DANA, QUINN)).signer_keyids)
    assert accepted == {DANA.public.keyid, QUINN.public.keyid}


@pytest.mark.requirement("R24")
@pytest.mark.parametrize("attack", ATTACKS)
def test_securesystemslib_and_we_refuse_the_same_attacks(attack: str) -> None:
    data = attacked(attack)
    with pytest.raises(AssayError):
        dsse.open_envelope(data, keys=keyring(DANA, QUINN))
    with pytest.raises((VerificationError, ValueError)):
        securesystemslib_accepts(data, [DANA.public.raw, QUINN.public.raw], 2)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")
def test_openssl_accepts_both_signatures_and_refuses_a_flipped_payload(tmp_path: Path) -> None:
    for index, pair in enumerate((DANA, QUINN)):
        assert openssl_accepts(tmp_path, SIGNED, to_pem(pair.public), index)
        assert not openssl_accepts(tmp_path, SIGNED, to_pem(EVE.public), index)
        assert not openssl_accepts(tmp_path, attacked("payload flip"), to_pem(pair.public), index)
        assert not openssl_accepts(tmp_path, attacked("payload type swap"), to_pem(pair.public), index)
