"""Who everything is checked against: persons, their keys and roles, and thresholds, version by version.

Invariants
----------
* An id and a public key belong to one person, in every version; one person counts once, whatever
  number of keys they hold.
* Version n + 1 names the payload digest of version n and is signed by the root threshold of both.
* A withdrawn key is listed with reason and time from then on, and never comes back.
* A chain that does not contain the pinned root is refused, so that a site cannot be led back or aside.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from plugin_spec.model import StrictModel
from registry import dsse
from registry.algorithms import ED25519
from registry.canonical import Digest, short
from registry.errors import (
    RoleError,
    RootPinError,
    RootThresholdError,
    RootVersionError,
    StatementError,
    TrustRootError,
    UnknownKeyError,
)
from registry.keys import PublicKey
from registry.statements import PREDICATE_PREFIX, Act, Timestamp, parse_statement

MAX_PEOPLE = 10_000
MAX_VERSIONS = 1_000
MAX_WITHDRAWN = 100_000


class Role(StrEnum):
    """What a person, or a node such as a log or a site, answers for."""

    ROOT = "root"
    DEVELOPER = "developer"
    QA = "qa"
    SPONSOR = "sponsor"
    LOG = "log"
    SITE = "site"


NODES = frozenset({Role.LOG, Role.SITE})


def _printed_name(text: str) -> str:
    if (
        unicodedata.normalize("NFKC", text) != text
        or text != " ".join(text.split())
        or not text.isprintable()
    ):
        raise ValueError("a printed name is NFKC text with single spaces")
    scripts = {unicodedata.name(c, "").partition(" ")[0] for c in text if c.isalpha()}
    if len(scripts & {"LATIN", "GREEK", "CYRILLIC"}) > 1:
        raise ValueError("a printed name mixes Latin, Greek or Cyrillic letters, which look alike")
    return text


PersonId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
PrintedName = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printed_name)]


class Person(StrictModel):
    """A person or a node, with the keys that sign for it."""

    id: PersonId
    name: PrintedName
    roles: tuple[Role, ...] = Field(min_length=1)
    keys: tuple[PublicKey, ...] = Field(min_length=1, max_length=16)

    @model_validator(mode="after")
    def _roles_are_distinct(self) -> Self:
        if len(set(self.roles)) != len(self.roles):
            raise ValueError("a role is listed twice")
        return self

    @model_validator(mode="after")
    def _nodes_sign_checkpoints(self) -> Self:
        if NODES & set(self.roles) and any(key.algorithm != ED25519 for key in self.keys):
            raise ValueError(
                "keys of a log or a site are for Ed25519: C2SP checkpoints know no other algorithm"
            )
        return self


class Withdrawal(StrictModel):
    """A key that signs nothing new: rotated, revoked, or its owner left. What it signed before keeps its weight."""

    keyid: str = Field(min_length=64, max_length=64)
    person: PersonId
    at: Timestamp
    reason: str = Field(min_length=1, max_length=2000)


class SigningPolicy(StrictModel):
    """How keys are opened here: attempts and the lock after them, series of signings, age of pass phrases."""

    attempts: int = Field(default=5, ge=1, le=100)
    lock_minutes: int = Field(default=15, ge=1, le=10_080)
    series_minutes: int = Field(default=15, ge=1, le=480)
    warn_days: int | None = Field(default=None, ge=1, le=3_650)
    max_days: int | None = Field(default=None, ge=1, le=3_650)


class TrustRoot(Act):
    """One version of the trust root. Being an `Act`, it also says who drew it up, when and why."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "trust-root/v1"

    version: int = Field(gt=0)
    organisation: str = Field(min_length=1, max_length=200)
    previous: Digest | None
    people: tuple[Person, ...] = Field(min_length=1, max_length=MAX_PEOPLE)
    thresholds: Mapping[Role, int]
    # Since version 0.2 of the host; earlier roots list none.
    withdrawn: tuple[Withdrawal, ...] = Field(default=(), max_length=MAX_WITHDRAWN)
    signing: SigningPolicy | None = None

    @model_validator(mode="after")
    def _first_has_no_previous(self) -> Self:
        if (self.version == 1) != (self.previous is None):
            raise ValueError("version 1, and only version 1, has no previous root")
        return self

    @model_validator(mode="after")
    def _people_are_distinct(self) -> Self:
        for what, values in (
            ("an id", [person.id for person in self.people]),
            ("a printed name", [person.name.casefold() for person in self.people]),
            ("a public key", [key.keyid for person in self.people for key in person.keys]),
            ("a withdrawn key", [one.keyid for one in self.withdrawn]),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"{what} is listed twice")
        return self

    @model_validator(mode="after")
    def _withdrawn_keys_stay_away(self) -> Self:
        back = {one.keyid for one in self.withdrawn} & set(self.keys())
        if back:
            raise ValueError(f"key {min(back)[:16]} was withdrawn and cannot come back")
        return self

    @model_validator(mode="after")
    def _thresholds_are_reachable(self) -> Self:
        if Role.ROOT not in self.thresholds:
            raise ValueError("the root role needs a threshold")
        for role, count in self.thresholds.items():
            holders = sum(role in person.roles for person in self.people)
            if not 1 <= count <= holders:
                raise ValueError(f"threshold {count} for {role}, held by {holders}: not reachable")
        return self

    @property
    def signing_policy(self) -> SigningPolicy:
        """The policy for opening keys; the usual one where the root states none."""
        return self.signing or SigningPolicy()

    def keys(self) -> Mapping[str, PublicKey]:
        """Every key by its id, for `dsse.open_envelope`."""
        return {key.keyid: key for person in self.people for key in person.keys}

    def keys_of(self, role: Role) -> Mapping[str, PublicKey]:
        """The keys of everybody who holds ``role``, by key id."""
        return {key.keyid: key for person in self.people if role in person.roles for key in person.keys}

    def person(self, person_id: str) -> Person:
        """The person with this id.

        Raises
        ------
        RoleError
            Nobody is enrolled under it.
        """
        for person in self.people:
            if person.id == person_id:
                return person
        raise RoleError(
            f"nobody is enrolled as {person_id!r}", subject=person_id, hint="enrol them: assay trust enrol"
        )

    def person_of(self, keyid: str) -> Person:
        """The owner of a key.

        Raises
        ------
        UnknownKeyError
            The key is nobody's in this version.
        """
        for person in self.people:
            if any(key.keyid == keyid for key in person.keys):
                return person
        raise UnknownKeyError(
            f"key {keyid[:12]} belongs to nobody in trust root {self.version}", subject=keyid
        )

    def signed_by(self, keyids: frozenset[str], role: Role) -> frozenset[str]:
        """Ids of the distinct persons of ``role`` who own any of ``keyids``; unknown keys are nobody's."""
        return frozenset(
            person.id
            for person in self.people
            if role in person.roles and any(key.keyid in keyids for key in person.keys)
        )


class RootVersion(StrictModel):
    """A verified trust root and the payload digest that names it."""

    root: TrustRoot
    digest: Digest


def verify_history(envelopes: Sequence[bytes], pin: str | None) -> tuple[RootVersion, ...]:
    """Verify a chain of trust roots and return every version, to judge old records by the root of their time.

    Parameters
    ----------
    envelopes : sequence of bytes
        Version 1 first, none left out.
    pin : str or None
        Payload digest of any version the caller already trusts. None trusts version 1 on first use.

    Raises
    ------
    TrustRootError
        A root breaks its invariants, or gives an id or a key to somebody else.
    RootVersionError
        A version is missing or does not continue the one before.
    RootThresholdError
        Too few distinct persons of the root role, old or new, signed.
    RootPinError
        The pinned root is not in the chain.
    """
    if not 1 <= len(envelopes) <= MAX_VERSIONS:
        raise RootVersionError(f"a chain has 1 to {MAX_VERSIONS} trust roots, not {len(envelopes)}")
    history: list[RootVersion] = []
    for data in envelopes:
        history.append(_verify_next(data, history[-1] if history else None))
    _check_nobody_is_replaced([version.root for version in history])
    if pin is not None and pin not in {version.digest for version in history}:
        raise RootPinError(f"the pinned trust root {short(pin)} is not in this chain", subject=pin)
    return tuple(history)


def verify_chain(envelopes: Sequence[bytes], pin: str | None) -> TrustRoot:
    """Verify a chain as `verify_history` does and return its latest version."""
    return verify_history(envelopes, pin)[-1].root


@dataclass(frozen=True, slots=True)
class Tally:
    """Which root holders of one version have signed a root, of how many that this version demands."""

    version: int
    needed: int
    signed: frozenset[str]
    holders: frozenset[str]

    @property
    def complete(self) -> bool:
        """Whether enough of them signed."""
        return len(self.signed) >= self.needed


def open_next(data: bytes, previous: RootVersion | None) -> tuple[RootVersion, tuple[Tally, ...]]:
    """Verify a root against the version before it, and count who signed; whether that is enough is not judged.

    Raises
    ------
    TrustRootError, RootVersionError, SignatureError
        Not a root, not the next one, or a signature that does not verify.
    """
    root = _read(dsse.unverified_payload(data))
    judges = [root] if previous is None else [previous.root, root]
    opened = dsse.open_envelope(
        data, keys={keyid: key for judge in judges for keyid, key in judge.keys().items()}
    )
    _check_continues(root, previous)
    tallies = tuple(
        Tally(
            version=judge.version,
            needed=judge.thresholds[Role.ROOT],
            signed=judge.signed_by(opened.signer_keyids, Role.ROOT),
            holders=frozenset(one.id for one in judge.people if Role.ROOT in one.roles),
        )
        for judge in judges
    )
    return RootVersion(root=root, digest=opened.payload_digest), tallies


def _verify_next(data: bytes, previous: RootVersion | None) -> RootVersion:
    found, tallies = open_next(data, previous)
    root = found.root
    for tally in tallies:
        if not tally.complete:
            raise RootThresholdError(
                f"trust root {root.version}: {len(tally.signed)} of the {tally.needed} persons of role root "
                f"that version {tally.version} demands have signed",
                subject=found.digest,
                hint="let the other holders sign it: --propose FILE, then assay trust sign FILE",
            )
    if not any(root.actor in tally.signed for tally in tallies):
        raise RootThresholdError(
            f"trust root {root.version}: {root.actor} drew it up but did not sign it", subject=found.digest
        )
    return found


def _read(payload: bytes) -> TrustRoot:
    try:
        return parse_statement(payload).read(TrustRoot)
    except StatementError as error:
        raise TrustRootError(f"trust root: {error}", subject=error.subject) from error


def _check_continues(root: TrustRoot, previous: RootVersion | None) -> None:
    expected = 1 if previous is None else previous.root.version + 1
    if root.version != expected:
        raise RootVersionError(f"trust root {root.version} follows where version {expected} is due")
    if previous is not None and root.previous != previous.digest:
        raise RootVersionError(f"trust root {root.version} does not continue version {previous.root.version}")
    if previous is not None and root.organisation != previous.root.organisation:
        raise RootVersionError(f"trust root {root.version} is of another organisation")
    if previous is not None and not set(previous.root.withdrawn) <= set(root.withdrawn):
        raise TrustRootError(
            f"trust root {root.version} leaves out a withdrawn key of version {previous.root.version}"
        )


def _check_nobody_is_replaced(roots: Sequence[TrustRoot]) -> None:
    """Refuse an id or a key that passes to somebody else, even after its owner left.

    A new name on an id is a changed name if a key stays, and another person if none does.
    """
    owners: dict[str, str] = {}
    last_seen: dict[str, Person] = {}
    for root in roots:
        for person in root.people:
            if any(owners.setdefault(key.keyid, person.id) != person.id for key in person.keys):
                raise TrustRootError(
                    f"trust root {root.version}: a key of {person.id} was another's", subject=person.id
                )
            known = last_seen.setdefault(person.id, person)
            if known.name != person.name and not set(known.keys) & set(person.keys):
                raise TrustRootError(
                    f"trust root {root.version}: id {person.id} passes from {known.name} to {person.name}",
                    subject=person.id,
                    hint="ids are never reassigned; choose a new one",
                )
            last_seen[person.id] = person
