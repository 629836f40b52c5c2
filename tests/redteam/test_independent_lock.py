"""A trial lock checked by somebody else: securesystemslib and hashlib, none of our code.

The verifier gets the bundle file, the digest of the trust root it pins, and the published formats (DSSE,
in-toto Statement, RFC 9162). It agrees with ours that the lock holds, and that a forged one does not.
"""

import base64
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from plugin_spec.errors import TrustError
from registry.bundle import verify_bundle
from tests.support.bundle_forgery import Members, forge
from tests.support.registry_builders import World

PREFIX = "https://assay.example/attestation/"


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def open_with(
    envelope: bytes, keys: dict[str, SSlibKey], threshold: int = 1
) -> tuple[set[str], dict[str, Any]]:
    parsed = Envelope.from_dict(json.loads(envelope))
    ids = {signature["keyid"] for signature in json.loads(envelope)["signatures"]}
    accepted = parsed.verify([keys[one] for one in sorted(ids) if one in keys], threshold)
    return set(accepted), json.loads(parsed.payload)


def key_of(entry: dict[str, str]) -> SSlibKey:
    public = base64.b64decode(entry["public"]).hex()
    return SSlibKey(entry["keyid"], "ed25519", "ed25519", {"public": public})


def fold(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.3.2."""
    first, last, found = index, size - 1, leaf
    for one in proof:
        assert last > 0
        if first & 1 or first == last:
            found = hashlib.sha256(b"\x01" + one + found).digest()
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + one).digest()
        first, last = first >> 1, last >> 1
    assert last == 0
    return found


def independently_signed_lock(path: Path, pin: str) -> tuple[str, set[str]]:
    """The digest of the lock and who signed it for approval, or an exception."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    index = json.loads(members["bundle.json"])
    envelopes = {one["payload"]: members[f"envelopes/{one['payload'][7:]}.json"] for one in index["entries"]}
    payloads = {name: base64.b64decode(json.loads(data)["payload"]) for name, data in envelopes.items()}
    for name, data in payloads.items():
        assert sha256(data) == name
    roots = [
        name
        for name, data in payloads.items()
        if json.loads(data)["predicateType"] == PREFIX + "trust-root/v1"
    ]
    assert pin in roots
    people = json.loads(payloads[roots[-1]])["predicate"]["people"]
    keys = {key["keyid"]: key_of(key) for person in people for key in person["keys"]}
    owner = {key["keyid"]: person for person in people for key in person["keys"]}
    for name in roots:
        signers, _ = open_with(envelopes[name], keys)
        assert any("root" in owner[one]["roles"] for one in signers)
    root_hash = base64.b64decode(index["checkpoint"].split("\n")[2])
    size = int(index["checkpoint"].split("\n")[1])
    approvals: set[str] = set()
    for entry in index["entries"]:
        signers, statement = open_with(envelopes[entry["payload"]], keys)
        leaf = {"contract": "assay.entry/1", **{k: entry[k] for k in ("sequence", "logged_at", "payload")}}
        leaf["envelope"] = sha256(envelopes[entry["payload"]])
        data = json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()
        proof = [bytes.fromhex(one) for one in entry["inclusion"]]
        assert fold(hashlib.sha256(b"\x00" + data).digest(), entry["sequence"], size, proof) == root_hash
        predicate = statement["predicate"]
        assert predicate["actor"] in {owner[one]["id"] for one in signers}
        if statement["predicateType"] == PREFIX + "esignature/v1" and predicate["target"] == index["lock"]:
            approvals.add(f"{predicate['actor']} as {predicate['role']}")
    assert index["lock"] in payloads
    return index["lock"], approvals


@pytest.mark.requirement("R24")
def test_an_independent_verifier_accepts_the_lock_that_ours_accepts(imported: World) -> None:
    path = imported.exported()
    ours = verify_bundle(path, pin=imported.pin)
    theirs, approvals = independently_signed_lock(path, imported.pin)
    assert theirs == ours.lock.digest == imported.logged["lock"].digest
    assert approvals == {"simone as sponsor", "quinn as qa"}


def reworded(members: Members, lock: str, *, rename: bool) -> None:
    """Change the lock's reason, with or without renaming it everywhere in the index."""
    name = f"envelopes/{lock[7:]}.json"
    body = json.loads(members.pop(name))
    payload = base64.b64decode(body["payload"]).replace(b"as planned", b"as ordered")
    body["payload"] = base64.b64encode(payload).decode()
    to = sha256(payload) if rename else lock
    members[f"envelopes/{to[7:]}.json"] = json.dumps(body).encode()
    members["bundle.json"] = members["bundle.json"].replace(lock.encode(), to.encode())
    index = json.loads(members["bundle.json"])
    for one in index["files"]:
        if one["name"] == name or one["name"] == f"envelopes/{to[7:]}.json":
            data = members[f"envelopes/{to[7:]}.json"]
            one.update(name=f"envelopes/{to[7:]}.json", digest=sha256(data), bytes=len(data))
    members["bundle.json"] = json.dumps(index).encode()


@pytest.mark.requirement("R24")
@pytest.mark.parametrize("rename", [False, True])
def test_both_verifiers_refuse_a_reworded_lock(imported: World, rename: bool) -> None:
    lock = imported.logged["lock"].digest
    path = forge(imported.exported(), lambda members: reworded(members, lock, rename=rename))
    with pytest.raises(TrustError):
        verify_bundle(path, pin=imported.pin)
    with pytest.raises((AssertionError, VerificationError)):
        independently_signed_lock(path, imported.pin)
