"""Builders of the trust layer: keys that are the same in every run, people, roots and their envelopes."""

import hashlib
from collections.abc import Sequence
from typing import Any

from registry import dsse
from registry.keys import PublicKey, Signer, generate
from registry.statements import PAYLOAD_TYPE, make_statement
from registry.trust_root import Person, Role, TrustRoot

AT = "2026-11-23T14:00:00+00:00"


def signer(name: str) -> Signer:
    """Return the key pair whose seed is the hash of ``name``."""
    return generate(lambda count: hashlib.sha256(name.encode()).digest()[:count])


def p256_signer(name: str) -> Signer:
    """Return the P-256 key pair whose seed is the hash of ``name``."""
    return generate(lambda count: hashlib.sha512(name.encode()).digest()[:count], "ecdsa-p256")


def keyring(*signers: Signer) -> dict[str, PublicKey]:
    """Return public keys by their ids."""
    return {item.public.keyid: item.public for item in signers}


def person(
    person_id: str,
    *roles: Role,
    keys: Sequence[str] = (),
    name: str = "",
    signers: Sequence[Signer] = (),
) -> Person:
    """Return a person with one key, named as they are, or with the keys named or given."""
    return Person(
        id=person_id,
        name=name or person_id.title(),
        roles=roles or (Role.QA,),
        keys=tuple(one.public for one in signers or [signer(key) for key in keys or (person_id,)]),
    )


def people() -> tuple[Person, ...]:
    """Return one person per role, and a second one of role root."""
    return (
        person("rita", Role.ROOT),
        person("rolf", Role.ROOT),
        person("dana", Role.DEVELOPER),
        person("quinn", Role.QA),
        person("sam", Role.SPONSOR),
        person("registry-log", Role.LOG),
        person("site-01", Role.SITE),
    )


def trust_root(**changes: Any) -> TrustRoot:
    """Return version 1 of a trust root that wants two of two root persons."""
    fields: dict[str, Any] = {
        "actor": "rita",
        "role": "root",
        "at": AT,
        "reason": "the organisation starts",
        "version": 1,
        "organisation": "Example Imaging Institute",
        "previous": None,
        "people": people(),
        "thresholds": {Role.ROOT: 2, Role.QA: 1},
    }
    return TrustRoot(**{**fields, **changes})


def root_envelope(root: TrustRoot, *names: str, signers: Sequence[Signer] = ()) -> bytes:
    """Return the root signed by the keys of these names, and by those given."""
    return dsse.sign(make_statement(root), PAYLOAD_TYPE, [*(signer(name) for name in names), *signers])
