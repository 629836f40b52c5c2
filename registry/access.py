"""Access to a person's key: failed attempts, lockout, and the age of a pass phrase (21 CFR 11.300).

What is counted stands in the log, not in a file beside the key: whoever deletes a file unlocks nothing. All of it
guards the way through this host. A key file can be copied and guessed at elsewhere, where nobody counts, and a pass
phrase changed there leaves no record: for key files it is advice; a token enforces it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from registry.errors import PassphraseExpiredError, SigningLockedError, UnknownKeyError, WrongPassphraseError
from registry.statements import PREDICATE_PREFIX, Act, Refusal

if TYPE_CHECKING:
    from registry.registry import Registry

SIGNING = "signing"


class PassphraseChanged(Act):
    """A person put their key file under a new pass phrase with this host; whether it is new, only they know."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "passphrase-changed/v1"

    keyid: str = Field(min_length=64, max_length=64)


def check_passphrase_change(act: PassphraseChanged, registry: Registry) -> None:
    """Refuse the record of a key that is not the actor's. Raises `UnknownKeyError`."""
    if not any(key.keyid == act.keyid for key in registry.root.person(act.actor).keys):
        raise UnknownKeyError(f"key {act.keyid[:16]} is not {act.actor}'s", subject=act.actor)


def failures(registry: Registry, person: str, *, since: datetime) -> list[datetime]:
    """When somebody gave a wrong pass phrase in a person's name, newest first."""
    found = []
    for record in registry.log.newest_first([Refusal.predicate_type]):
        moment = datetime.fromisoformat(record.logged_at)
        if moment < since:
            break
        said = record.statement.read(Refusal)
        if (said.attempted, said.attempted_by, said.error) == (SIGNING, person, WrongPassphraseError.code):
            found.append(moment)
    return found


def check_open(registry: Registry, person: str) -> list[datetime]:
    """Refuse a person after too many wrong pass phrases; otherwise return when there were some lately.

    As many as the policy allows, within its span and whatever happened between them, lock the person until the span
    has passed since the last one. An attempt while it is locked is refused unread and prolongs nothing.

    Raises
    ------
    SigningLockedError
    """
    policy = registry.root.signing_policy
    span = timedelta(minutes=policy.lock_minutes)
    lately = failures(registry, person, since=registry.clock() - span)
    if len(lately) >= policy.attempts:
        raise SigningLockedError(
            f"{person} is locked until {(lately[0] + span).isoformat(timespec='seconds')}: "
            f"{len(lately)} wrong pass phrases",
            subject=person,
            hint="wait; if it was not you, have the key replaced: assay trust rotate",
        )
    return lately


def changed_at(registry: Registry, keyid: str) -> datetime:
    """When the pass phrase of a key was last set, as the log says: with the key, or by a recorded change.

    Raises
    ------
    UnknownKeyError
        No version of the trust root lists the key.
    """
    moments = [
        datetime.fromisoformat(version.root.at)
        for version in registry.roots.versions
        if any(key.keyid == keyid for person in version.root.people for key in person.keys)
    ][:1]
    moments += [
        datetime.fromisoformat(record.logged_at)
        for record in registry.records(PassphraseChanged.predicate_type)
        if record.statement.read(PassphraseChanged).keyid == keyid
    ]
    if not moments:
        raise UnknownKeyError(f"key {keyid[:16]} was never enrolled", subject=keyid)
    return moments[-1]


def check_age(registry: Registry, person: str, keyid: str) -> str:
    """Refuse a pass phrase that is too old; return a warning where it soon will be, else nothing.

    Raises
    ------
    PassphraseExpiredError
    """
    policy = registry.root.signing_policy
    if policy.warn_days is None and policy.max_days is None:
        return ""
    days = (registry.clock() - changed_at(registry, keyid)).days
    if policy.max_days is not None and days >= policy.max_days:
        raise PassphraseExpiredError(
            f"the pass phrase of {person} is {days} days old; after {policy.max_days} it no longer signs",
            subject=person,
            hint=f"assay trust passphrase --as {person}",
        )
    if policy.warn_days is not None and days >= policy.warn_days:
        last = "" if policy.max_days is None else f"; it no longer signs after {policy.max_days}"
        return f"the pass phrase of {person} is {days} days old{last}: assay trust passphrase --as {person}"
    return ""
