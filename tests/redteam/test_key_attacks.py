"""What an attacker may try with keys and algorithms, and how it shows. Each attack stands beside its honest twin."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from plugin_spec.errors import ExitCode
from registry import dsse
from registry.audit import verify_log
from registry.errors import (
    DuplicateRecordError,
    MalformedEnvelopeError,
    MalformedKeyError,
    SignatureError,
    TamperedRecordError,
    TrustRootError,
)
from registry.keys import Signer
from registry.statements import PAYLOAD_TYPE, Refusal, make_statement
from registry.trust_root import Person, Role, verify_chain
from registry.witness import cosign_own
from tests.redteam.test_registry_attacks import as_owner
from tests.support.registry_builders import World
from tests.support.trust import keyring, p256_signer, people, person, root_envelope, signer, trust_root

PETRA = p256_signer("petra")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def enrolled(world: World) -> Signer:
    """Petra of quality assurance, with a P-256 key."""
    petra = Person(id="petra", name="Petra Quality", roles=(Role.QA,), keys=(PETRA.public,))
    world.sponsor.enrol([petra], [world.keys["rosa"]], reason="joins")
    world.keys["petra"] = PETRA
    return PETRA


def refused(world: World) -> tuple[str, str, str]:
    """What the newest refusal in the log says: what was attempted, the error, and on what."""
    *_, last = world.sponsor.records(Refusal.predicate_type)
    said = last.statement.read(Refusal)
    return said.attempted, said.error, said.subject_id


def malleated(envelope: bytes) -> bytes:
    """The same record under the other form of its ECDSA signature, which verifies as well."""
    body = json.loads(envelope)
    r, s = decode_dss_signature(base64.b64decode(body["signatures"][0]["sig"]))
    body["signatures"][0]["sig"] = base64.b64encode(encode_dss_signature(r, ORDER - s)).decode()
    return json.dumps(body).encode()


def test_who_holds_a_p256_key_acts_and_the_log_stays_whole(approved: World) -> None:
    enrolled(approved)
    petra = approved.sponsor.root.person("petra")
    approved.open_trial()
    approved.lock()
    record = approved.sign("petra", "lock")
    assert record.signers == {petra.keys[0].keyid}
    assert list(verify_log(approved.sponsor)) == []


def signed_by_petra(world: World) -> bytes:
    enrolled(world)
    return world.register_kit(by="petra").envelope


@pytest.mark.attack("ECDSA signature malleated")
def test_a_malleated_signature_makes_no_second_record(world: World) -> None:
    honest = signed_by_petra(world)
    size, twin = world.sponsor.log.size, malleated(honest)
    name = dsse.open_envelope(honest, keys=keyring(PETRA)).payload_digest
    assert twin != honest
    assert dsse.open_envelope(twin, keys=keyring(PETRA)).payload_digest == name
    with pytest.raises(DuplicateRecordError) as caught, world.sponsor.refusals_logged("protocol/v1", "eve"):
        world.sponsor.log.append(twin)
    assert (caught.value.code, caught.value.exit_code) == ("already-logged", ExitCode.NOT_PERMITTED)
    assert refused(world) == ("protocol/v1", "already-logged", name)
    assert world.sponsor.log.size == size + 1  # the refusal


def test_a_malleated_signature_put_into_the_database_shows(world: World) -> None:
    honest = signed_by_petra(world)
    assert list(verify_log(world.sponsor)) == []
    name = world.logged["protocol"].digest
    as_owner(
        world.sponsor,
        ("UPDATE entries SET envelope = ? WHERE payload_digest = ?", (malleated(honest), name)),
        keep_triggers=True,
    )
    with pytest.raises(TamperedRecordError) as caught:
        world.sponsor.log.record(name)
    assert (caught.value.code, caught.value.exit_code) == ("record-tampered", ExitCode.NOT_TRUSTED)
    assert "record-tampered" in {one.code for one in verify_log(world.sponsor)}


@pytest.mark.parametrize("field", ["alg", "algorithm", "scheme"])
def test_an_envelope_that_names_an_algorithm_is_refused(field: str) -> None:
    body = json.loads(dsse.sign(b"{}", PAYLOAD_TYPE, [PETRA]))
    assert dsse.open_envelope(json.dumps(body).encode(), keys=keyring(PETRA))
    body["signatures"][0][field] = "none"
    with pytest.raises(MalformedEnvelopeError) as caught:
        dsse.open_envelope(json.dumps(body).encode(), keys=keyring(PETRA))
    assert (caught.value.code, caught.value.exit_code) == ("malformed-envelope", ExitCode.NOT_TRUSTED)


@pytest.mark.parametrize(("claimed", "used"), [(PETRA, signer("eve")), (signer("dana"), PETRA)])
def test_a_signature_of_the_other_algorithm_does_not_pass_under_a_key_id(
    claimed: Signer, used: Signer
) -> None:
    body = json.loads(dsse.sign(b"{}", PAYLOAD_TYPE, [used]))
    body["signatures"][0]["keyid"] = claimed.public.keyid
    with pytest.raises(SignatureError) as caught:
        dsse.open_envelope(json.dumps(body).encode(), keys=keyring(claimed))
    assert (caught.value.code, caught.value.exit_code) == ("bad-signature", ExitCode.NOT_TRUSTED)


def edited_root(**fields: Any) -> bytes:
    """A first root that lists Petra's key with fields edited, signed by everybody it asks."""
    root = trust_root(people=(*people(), person("petra", Role.QA, signers=[PETRA])))
    statement = json.loads(make_statement(root))
    statement["predicate"]["people"][-1]["keys"][0].update(fields)
    return dsse.sign(json.dumps(statement).encode(), PAYLOAD_TYPE, [signer("rita"), signer("rolf")])


@pytest.mark.attack("key downgraded, or off its curve, in a signed root")
@pytest.mark.parametrize(
    "fields",
    [
        {"algorithm": "ed25519"},
        {"algorithm": "none"},
        {"algorithm": "ecdsa-p192"},
        {"public": base64.b64encode(PETRA.public.raw[:-1] + bytes([PETRA.public.raw[-1] ^ 1])).decode()},
        {"public": base64.b64encode(b"\x04" + bytes(64)).decode()},
        {"keyid": signer("eve").public.keyid},
    ],
    ids=["downgrade", "no algorithm", "a weaker curve", "off the curve", "nought", "another's id"],
)
def test_a_root_with_a_weaker_or_false_key_is_refused_although_everybody_signed(
    fields: dict[str, str],
) -> None:
    assert verify_chain([edited_root()], None).person("petra").keys == (PETRA.public,)
    with pytest.raises(TrustRootError) as caught:
        verify_chain([edited_root(**fields)], None)
    assert (caught.value.code, caught.value.exit_code) == ("malformed-root", ExitCode.NOT_TRUSTED)


def test_a_key_that_is_not_for_ed25519_cannot_cosign_the_log(world: World) -> None:
    enrolled(world)
    assert cosign_own(world.sponsor, "quinn", world.keys["quinn"])
    with pytest.raises(MalformedKeyError, match="C2SP") as caught:
        cosign_own(world.sponsor, "petra", PETRA)
    assert (caught.value.code, caught.value.exit_code) == ("malformed-key", ExitCode.NOT_TRUSTED)


def test_a_root_signed_in_the_name_of_a_p256_holder_by_another_key_is_refused() -> None:
    holders = (person("petra", Role.ROOT, signers=[PETRA]), person("rita", Role.ROOT))
    root = trust_root(people=holders, thresholds={Role.ROOT: 2}, actor="rita")
    assert verify_chain([root_envelope(root, "rita", signers=[PETRA])], None) == root
    body = json.loads(root_envelope(root, "rita", signers=[p256_signer("eve")]))
    body["signatures"][1]["keyid"] = PETRA.public.keyid
    with pytest.raises(SignatureError):
        verify_chain([json.dumps(body).encode()], None)
