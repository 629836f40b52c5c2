"""Bundles with a record, a person or a trust root that the sponsor's log would never append."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.dsse import sign
from registry.esignature import Signing, compose
from registry.keys import generate
from registry.statements import (
    STATEMENT_TYPE,
    CatalogueDecision,
    ESignature,
)
from registry.trust_root import Person, Role
from tests.support.insider import appended, signed, signed_bytes, statement_of
from tests.support.registry_builders import World, digest_of, seeded

Forger = Callable[[World], Path]


@dataclass(frozen=True)
class Forgery:
    """How a bundle is forged, and the error that refuses it."""

    make: Forger
    code: str


CORPUS: dict[str, Forgery] = {}


def attack(name: str, code: str) -> Callable[[Forger], Forger]:
    """List a forger."""

    def listed(make: Forger) -> Forger:
        assert name not in CORPUS
        CORPUS[name] = Forgery(make, code)
        return make

    return listed


def approval(world: World, person: str, target: str, **changes: object) -> ESignature:
    enrolled = world.sponsor.root.person(person)
    signing = Signing(target=target, meaning="approval", reason="reviewed in full")
    return compose(enrolled, enrolled.roles[0], signing, at=world.clock()).model_copy(update=changes)


def edited(envelope: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    body = json.loads(envelope)
    change(body)
    return json.dumps(body).encode()


def reviewed(world: World) -> bytes:
    """A further honest signature by quentin on the report: the base of what is then spoilt."""
    return signed(world, approval(world, "quentin", world.logged["report"].digest), "quentin")


# ---- an envelope at the end of the log


@attack("payload flip", "bad-signature")
def _payload_flip(world: World) -> Path:
    payload = statement_of(reviewed(world)).replace(b"reviewed in full", b"reviewed in fulL")
    flipped = base64.b64encode(payload).decode()
    return appended(world, edited(reviewed(world), lambda body: body.update(payload=flipped)))


@attack("payloadType swap", "wrong-payload-type")
def _payload_type(world: World) -> Path:
    return appended(world, sign(statement_of(reviewed(world)), "text/plain", [world.keys["quentin"]]))


def respelt(world: World, old: bytes, new: bytes) -> bytes:
    payload = statement_of(reviewed(world))
    assert old in payload
    return signed_bytes(payload.replace(old, new, 1), world.keys["quentin"])


@attack("_type swap", "malformed-statement")
def _type_swap(world: World) -> Path:
    return appended(world, respelt(world, STATEMENT_TYPE.encode(), b"https://in-toto.io/Statement/v0.1"))


@attack("predicateType swap", "malformed-statement")
def _predicate_type_swap(world: World) -> Path:
    return appended(world, respelt(world, b"attestation/esignature/v1", b"attestation/release/v1"))


@attack("predicateType of no rule", "bundle-evidence")
def _predicate_type_unknown(world: World) -> Path:
    return appended(world, respelt(world, b"attestation/esignature/v1", b"attestation/blessing/v1"))


@attack("malformed JSON validly signed", "malformed-json")
def _malformed_json(world: World) -> Path:
    return appended(world, signed_bytes(statement_of(reviewed(world))[:-1], world.keys["quentin"]))


@attack("duplicate-key JSON validly signed", "malformed-json")
def _duplicate_key(world: World) -> Path:
    return appended(world, respelt(world, b'{"_type"', b'{"_type":"","_type"'))


@attack("NaN validly signed", "malformed-json")
def _nan(world: World) -> Path:
    return appended(world, respelt(world, b'"rendering":null', b'"rendering":NaN'))


@attack("signature transplanted", "bad-signature")
def _transplanted(world: World) -> Path:
    other = json.loads(world.logged["decision"].envelope)["signatures"]
    return appended(world, edited(reviewed(world), lambda body: body.update(signatures=other)))


@attack("unknown key", "bad-signature")
def _unknown_key(world: World) -> Path:
    eve = generate(seeded("eve"))
    return appended(world, signed_bytes(statement_of(reviewed(world)), eve))


@attack("signature under the key id of somebody else", "bad-signature")
def _borrowed_keyid(world: World) -> Path:
    quinn = world.keys["quinn"].public.keyid
    return appended(world, edited(reviewed(world), lambda body: body["signatures"][0].update(keyid=quinn)))


@attack("duplicate signature", "malformed-envelope")
def _duplicate_signature(world: World) -> Path:
    return appended(
        world, edited(reviewed(world), lambda body: body["signatures"].append(body["signatures"][0]))
    )


@attack("algorithm downgrade", "malformed-envelope")
def _algorithm(world: World) -> Path:
    return appended(
        world, edited(reviewed(world), lambda body: body["signatures"][0].update(algorithm="none"))
    )


# ---- persons and roles


@attack("record in the name of somebody else", "wrong-actor")
def _wrong_actor(world: World) -> Path:
    return appended(world, signed(world, approval(world, "quentin", world.logged["report"].digest), "dora"))


def decision(world: World, person: str, role: str) -> CatalogueDecision:
    return CatalogueDecision(
        **world.stamp(person, role),
        release=world.logged["release"].digest,
        decision="approve",
        scope="endpoint",
        context_of_use="everything",
        report=world.logged["report"].digest,
    )


@attack("wrong role", "bundle-evidence")
def _wrong_role(world: World) -> Path:
    return appended(world, signed(world, decision(world, "dora", "developer"), "dora"))


@attack("role not held", "bundle-evidence")
def _role_not_held(world: World) -> Path:
    return appended(world, signed(world, decision(world, "dora", "qa"), "dora"))


@attack("self-approval", "bundle-evidence")
def _self_approval(world: World) -> Path:
    both = world.sponsor.root.person("dora").model_copy(update={"roles": (Role.DEVELOPER, Role.QA)})
    world.sponsor.enrol([both], [world.keys["rosa"]], reason="a small company")
    return appended(world, signed(world, decision(world, "dora", "qa"), "dora"))


@attack("another printed name", "wrong-printed-name")
def _printed_name(world: World) -> Path:
    act = approval(world, "quentin", world.logged["report"].digest, printed_name="Quinn Quality")
    return appended(world, signed(world, act, "quentin"))


@attack("key used after revocation", "wrong-actor")
def _revoked(world: World) -> Path:
    fresh = generate(seeded("quentin, once more"))
    moved = world.sponsor.root.person("quentin").model_copy(update={"keys": (fresh.public,)})
    world.sponsor.enrol([moved], [world.keys["rosa"]], reason="the key was lost")
    return appended(world, reviewed(world))


# ---- trust roots


def next_root(world: World, *signers: str, **changes: object) -> bytes:
    root = world.sponsor.root.model_copy(
        update={
            "version": world.sponsor.root.version + 1,
            "previous": world.sponsor.root_digest,
            "reason": "the next version",
            **changes,
        }
    )
    return signed(world, root, *signers)


@attack("root rotation without the old threshold", "root-threshold")
def _rotation(world: World) -> Path:
    usurper = world.sponsor.root.person("dora").model_copy(update={"roles": (Role.DEVELOPER, Role.ROOT)})
    people = tuple(usurper if one.id == "dora" else one for one in world.sponsor.root.people)
    return appended(world, next_root(world, "dora", people=people, actor="dora"))


@attack("root version skip", "root-version-skip")
def _version_skip(world: World) -> Path:
    return appended(world, next_root(world, "rosa", version=world.sponsor.root.version + 2))


@attack("root that continues another one", "root-version-skip")
def _other_root(world: World) -> Path:
    return appended(world, next_root(world, "rosa", previous=digest_of("another root")))


@attack("id passed to somebody else", "malformed-root")
def _passed_on(world: World) -> Path:
    other = Person(
        id="dora", name="Another Dora", roles=(Role.DEVELOPER,), keys=(generate(seeded("x")).public,)
    )
    people = tuple(other if one.id == "dora" else one for one in world.sponsor.root.people)
    return appended(world, next_root(world, "rosa", people=people))


@attack("key passed to somebody else", "malformed-root")
def _key_passed_on(world: World) -> Path:
    key = world.sponsor.root.person("dora").keys[0]
    other = Person(id="eve", name="Eve", roles=(Role.DEVELOPER,), keys=(key,))
    people = (*(one for one in world.sponsor.root.people if one.id != "dora"), other)
    return appended(world, next_root(world, "rosa", people=people))
