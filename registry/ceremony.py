"""Root ceremonies: the next trust root is drawn up, signed by its holders one after another, and then logged.

Enrolment, rotation, revocation, recovery of a lost key and changed thresholds are one mechanism: a `Change` makes the
next root, and nothing but signatures of the root threshold, old and new, puts it in force. There is no other way in.

Invariants
----------
* A proposal carries the chain that it continues, so that a holder far from the registry sees what it changes.
* A holder signs the payload they named by its digest, and only as a root holder of the old or the new version.
* A key that leaves the root is listed as withdrawn with reason and time, whatever made it leave.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from plugin_spec.files import write_atomic
from plugin_spec.model import StrictModel, first_fault
from registry import dsse
from registry.canonical import Digest, canonical_json, parse_json, short
from registry.errors import (
    AnotherProposalError,
    DuplicateRecordError,
    MalformedProposalError,
    RoleError,
    UnknownKeyError,
    ValueRefusedError,
)
from registry.keys import Signer
from registry.statements import PAYLOAD_TYPE, make_statement
from registry.trust_root import (
    MAX_VERSIONS,
    Person,
    Role,
    RootVersion,
    SigningPolicy,
    Tally,
    TrustRoot,
    Withdrawal,
    open_next,
    verify_history,
)
from registry.values import named_faults

MAX_PROPOSAL_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Change:
    """What the next trust root does otherwise than the one in force."""

    people: Sequence[Person] = ()  # new, or put in place of those with the same ids
    leaving: frozenset[str] = frozenset()
    thresholds: Mapping[Role, int] = field(default_factory=dict)
    signing: SigningPolicy | None = None


class Proposal(StrictModel):
    """The file that root holders pass on: the chain so far and the next root with the signatures made yet."""

    contract: Literal["assay.trust-proposal/1"] = "assay.trust-proposal/1"
    chain: tuple[dsse.Envelope, ...] = Field(min_length=1, max_length=MAX_VERSIONS)
    proposed: dsse.Envelope

    @property
    def envelope(self) -> bytes:
        """The proposed root, to be logged."""
        return canonical_json(self.proposed.model_dump(mode="json"))


@dataclass(frozen=True, slots=True)
class Standing:
    """A proposal that was verified: what it continues, what it says and who signed it."""

    before: RootVersion
    proposed: RootVersion
    tallies: tuple[Tally, ...]

    @property
    def complete(self) -> bool:
        """Whether it may be logged."""
        actor = self.proposed.root.actor
        return all(one.complete for one in self.tallies) and any(actor in one.signed for one in self.tallies)


def next_root(latest: RootVersion, change: Change, *, actor: str, at: datetime, reason: str) -> TrustRoot:
    """Draw up the version after ``latest``; keys that leave it are listed as withdrawn.

    Raises
    ------
    ValueRefusedError
        The change breaks an invariant of a root: a name or key in use, a threshold nobody can reach.
    RoleError
        Somebody is to leave who is not enrolled.
    """
    root = latest.root
    for one in sorted(change.leaving):
        root.person(one)
    named = {person.id: person for person in change.people}
    kept = tuple(named.pop(person.id, person) for person in root.people if person.id not in change.leaving)
    people = (*kept, *named.values())
    stays = {key.keyid for person in people for key in person.keys}
    moment = at.isoformat(timespec="seconds")
    with named_faults(", ".join(one.id for one in change.people) or root.organisation):
        gone = [
            Withdrawal(keyid=key.keyid, person=person.id, at=moment, reason=reason)
            for person in root.people
            for key in person.keys
            if key.keyid not in stays
        ]
        return TrustRoot(
            actor=actor,
            role=Role.ROOT,
            at=moment,
            reason=reason,
            version=root.version + 1,
            organisation=root.organisation,
            previous=latest.digest,
            people=people,
            thresholds={**root.thresholds, **change.thresholds},
            withdrawn=(*root.withdrawn, *gone),
            signing=change.signing or root.signing,
        )


def draw_up(chain: Sequence[bytes], root: TrustRoot, signers: Sequence[Signer]) -> Proposal:
    """Sign a next root with the keys at hand and put it beside the chain it continues."""
    envelope = dsse.sign(make_statement(root), PAYLOAD_TYPE, signers)
    return Proposal(
        chain=tuple(dsse.read_envelope(one) for one in chain), proposed=dsse.read_envelope(envelope)
    )


def read_proposal(path: Path) -> Proposal:
    """Read a proposal from a file.

    Raises
    ------
    MalformedProposalError, MalformedJsonError
        No such file, or not a proposal.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_PROPOSAL_BYTES + 1)
        raw = parse_json(data, where=str(path), limit=MAX_PROPOSAL_BYTES)
        return Proposal.model_validate_json(canonical_json(raw))
    except OSError as error:
        raise MalformedProposalError(f"{path}: {error.strerror}", subject=str(path)) from error
    except ValidationError as error:
        raise MalformedProposalError(f"{path}: {first_fault(error)}", subject=str(path)) from error


def write_proposal(path: Path, proposal: Proposal) -> None:
    """Write a proposal, whole or not at all."""
    write_atomic(path, canonical_json(proposal.model_dump(mode="json")) + b"\n")


def examine(proposal: Proposal, pin: Digest | None) -> Standing:
    """Verify a proposal's chain and signatures, and count them.

    Parameters
    ----------
    proposal : Proposal
    pin : str or None
        A version that the holder already trusts. None trusts the chain's first version.

    Raises
    ------
    TrustError
        The chain or a signature does not verify, or the chain does not hold the pin.
    """
    chain = [canonical_json(one.model_dump(mode="json")) for one in proposal.chain]
    before = verify_history(chain, pin)[-1]
    proposed, tallies = open_next(proposal.envelope, before)
    return Standing(before, proposed, tallies)


def countersign(
    proposal: Proposal, person_id: str, signer: Signer, *, named: Digest, pin: Digest | None
) -> Proposal:
    """Add a root holder's signature to the proposal that they named by its digest.

    Raises
    ------
    AnotherProposalError
        The file holds another root than the one named.
    RoleError, UnknownKeyError
        The person holds no root key in either version, or this is not their key.
    DuplicateRecordError
        They signed already.
    """
    standing = examine(proposal, pin)
    name = standing.proposed.digest
    if name != named:
        raise AnotherProposalError(
            f"the file proposes {short(name)}, not {short(named)}",
            subject=named,
            hint="read what it changes, then name the digest you mean: assay trust sign FILE",
        )
    versions = (standing.before.root, standing.proposed.root)
    held = [one for root in versions for one in root.people if one.id == person_id and Role.ROOT in one.roles]
    if not held:
        raise RoleError(f"{person_id} holds the role root in neither version", subject=person_id)
    if not any(signer.public in one.keys for one in held):
        raise UnknownKeyError(f"the key is not one of {person_id}'s in either version", subject=person_id)
    if any(one.keyid == signer.public.keyid for one in proposal.proposed.signatures):
        raise DuplicateRecordError(f"{person_id} signed this proposal already", subject=person_id)
    signed = dsse.add_signature(proposal.envelope, signer)
    return proposal.model_copy(update={"proposed": dsse.read_envelope(signed)})


def without_key(person: Person, keyid: str) -> Person:
    """The person without one of their keys, named by its id or the first 8 or more characters of it.

    Raises
    ------
    UnknownKeyError
        No key of theirs, or more than one, is named so.
    ValueRefusedError
        It is the only key they have.
    """
    found = [key for key in person.keys if len(keyid) >= 8 and key.keyid.startswith(keyid)]
    if len(found) != 1:
        raise UnknownKeyError(f"{person.id} has no one key {keyid!r}", subject=person.id)
    if len(person.keys) == 1:
        raise ValueRefusedError(
            f"{keyid} is the only key of {person.id}",
            subject=person.id,
            hint="replace it: assay trust rotate; or revoke the person: assay trust revoke without --key",
        )
    return person.model_copy(update={"keys": tuple(key for key in person.keys if key != found[0])})


def differences(before: TrustRoot, after: TrustRoot) -> tuple[str, ...]:
    """What a root changes, one line each: what a holder reads before they sign."""
    old, new = ({person.id: person for person in root.people} for root in (before, after))
    lines = [f"enrols {_described(new[one])}" for one in new if one not in old]
    lines += [f"removes {_described(old[one])}" for one in old if one not in new]
    lines += [
        f"changes {_described(old[one])} to {_described(new[one])}"
        for one in new
        if one in old and new[one] != old[one]
    ]
    known = {one.keyid for one in before.withdrawn}
    lines += [
        f"withdraws key {one.keyid[:16]} of {one.person}: {one.reason}"
        for one in after.withdrawn
        if one.keyid not in known
    ]
    for role in sorted({*before.thresholds, *after.thresholds}):
        was, now = before.thresholds.get(role), after.thresholds.get(role)
        if was != now:
            lines.append(f"threshold of {role}: {was or 'none'} to {now or 'none'}")
    rules, ruled = after.signing_policy.model_dump(), before.signing_policy.model_dump()
    lines += [
        f"signing, {name}: {ruled[name] or 'none'} to {rules[name] or 'none'}"
        for name in rules
        if rules[name] != ruled[name]
    ]
    return tuple(lines)


def _described(person: Person) -> str:
    keys = ", ".join(f"{key.algorithm} {key.keyid[:16]}" for key in person.keys)
    return f"{person.id} ({person.name}; {', '.join(person.roles)}; {keys})"
